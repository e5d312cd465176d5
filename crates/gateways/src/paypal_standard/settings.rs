//! What a merchant configures, and which PayPal follows from it.

use kernel::EmailAddress;

use crate::{ConfigProblem, Connection, Field, FieldKind, Mode};

/// Setting: who receives the money, as an e-mail address of the PayPal account.
///
/// More entries may follow, with commas between: further addresses of the same account and
/// its merchant id (13 capital letters and digits). The first one goes into the checkout.
pub const RECEIVER: &str = "receiver";

/// Setting: another PayPal than the sandbox, for [`Mode::Test`] only.
///
/// Buyers are sent there and notifications are checked there. `http://127.0.0.1:8090` means
/// the path `/cgi-bin/webscr` below it; a URL with a path is used as it is.
pub const ENDPOINT: &str = "endpoint";

pub(super) const FIELDS: &[Field] = &[
    Field {
        name: RECEIVER,
        label: "Receiver",
        help: "The e-mail address of the PayPal account that is paid. Further addresses and the \
               merchant id of the same account may follow, with commas between.",
        kind: FieldKind::Text,
        required: true,
    },
    Field {
        name: ENDPOINT,
        label: "Endpoint",
        help: "Another PayPal than the sandbox, for tests.",
        kind: FieldKind::Endpoint,
        required: false,
    },
];

pub(super) const STEPS: &[&str] = &[
    "At PayPal, open Account settings, Notifications, Instant payment notifications.",
    "Choose the notification URL {hook} and switch on receiving messages.",
];

const WEBSCR_PATH: &str = "/cgi-bin/webscr";
const PAGES_LIVE: &str = "https://www.paypal.com/cgi-bin/webscr";
const PAGES_TEST: &str = "https://www.sandbox.paypal.com/cgi-bin/webscr";
const POSTBACK_LIVE: &str = "https://ipnpb.paypal.com/cgi-bin/webscr";
const POSTBACK_TEST: &str = "https://ipnpb.sandbox.paypal.com/cgi-bin/webscr";

pub(super) fn check(on: &Connection) -> Result<(), Vec<ConfigProblem>> {
    let problems: Vec<_> = check_receiver(on).into_iter().chain(check_endpoint(on)).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn check_receiver(on: &Connection) -> Option<ConfigProblem> {
    let problem = |problem: String| ConfigProblem {
        field: RECEIVER.to_owned(),
        problem,
        remedy: "give the e-mail address of the PayPal account that is to be paid".to_owned(),
    };
    let mut entries = receivers(on).peekable();
    if entries.peek().is_none() {
        return Some(problem("it is missing, so that any payment to anybody would count".to_owned()));
    }
    entries.find_map(|entry| {
        let wrong = EmailAddress::parse(entry).err().filter(|_| !is_merchant_id(entry))?;
        Some(problem(format!("\"{entry}\" is neither a merchant id nor an address: {wrong}")))
    })
}

fn check_endpoint(on: &Connection) -> Option<ConfigProblem> {
    let endpoint = on.settings.get(ENDPOINT)?;
    let problem = |problem: &str, remedy: &str| {
        Some(ConfigProblem {
            field: ENDPOINT.to_owned(),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        })
    };
    if on.mode == Mode::Live {
        // Whoever answers the postback decides what counts as paid.
        return problem(
            "a live connection asks nobody but PayPal",
            "remove it, or make the connection a test one",
        );
    }
    let Some(url) = plain_url(endpoint) else {
        return problem(
            "it is not a plain URL",
            "write it like http://127.0.0.1:8090, without user, query or fragment",
        );
    };
    let local = url.host().is_some_and(is_loopback);
    if url.scheme_str() == Some("http") && !local {
        return problem(
            "plain HTTP lets anybody on the way confirm payments",
            "use https, or a loopback address",
        );
    }
    None
}

/// Where buyers are sent to: the address of PayPal's pages for this connection.
pub fn webscr_url(on: &Connection) -> String {
    url(on, PAGES_LIVE, PAGES_TEST)
}

pub(super) fn postback_url(on: &Connection) -> String {
    url(on, POSTBACK_LIVE, POSTBACK_TEST)
}

/// The mode alone decides; a live connection is safe even if it was never checked.
fn url(on: &Connection, live: &str, test: &str) -> String {
    match (on.mode, on.settings.get(ENDPOINT).and_then(|endpoint| plain_url(endpoint))) {
        (Mode::Live, _) => live.to_owned(),
        (Mode::Test, None) => test.to_owned(),
        (Mode::Test, Some(url)) if url.path() == "/" => {
            format!("{}{WEBSCR_PATH}", url.to_string().trim_end_matches('/'))
        }
        (Mode::Test, Some(url)) => url.to_string(),
    }
}

fn plain_url(text: &str) -> Option<http::Uri> {
    let url: http::Uri = text.parse().ok()?;
    let plain = matches!(url.scheme_str(), Some("http" | "https"))
        && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && !text.contains(['?', '#']);
    plain.then_some(url)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The first configured receiver: who is paid.
pub(super) fn business(on: &Connection) -> &str {
    receivers(on).next().unwrap_or_default()
}

fn receivers(on: &Connection) -> impl Iterator<Item = &str> {
    let entries = on.settings.get(RECEIVER).map(String::as_str).unwrap_or_default();
    entries.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

fn is_merchant_id(entry: &str) -> bool {
    entry.len() == 13 && entry.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether the receivers that a notice names are all the configured account, and at least one is.
///
/// Addresses are compared with the configured addresses, ids with the configured ids; a kind
/// that is not configured proves nothing, so it neither counts nor hurts.
pub fn names_only_us(named: &[String], on: &Connection) -> bool {
    let ours = |address: bool| receivers(on).filter(move |entry| entry.contains('@') == address);
    let verdict = |name: &String| {
        let mut same_kind = ours(name.contains('@')).peekable();
        same_kind.peek()?;
        Some(same_kind.any(|entry| entry.eq_ignore_ascii_case(name)))
    };
    let verdicts: Vec<bool> = named.iter().filter_map(verdict).collect();
    !verdicts.is_empty() && verdicts.into_iter().all(|ours| ours)
}
