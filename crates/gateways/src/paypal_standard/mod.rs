//! PayPal Payments Standard: a form opens the payment, Instant Payment Notifications tell of it.
//!
//! A notification cannot be checked locally: its exact bytes are sent back to PayPal, which
//! answers `VERIFIED` or `INVALID`. Which PayPal is asked follows from the connection alone,
//! never from the notification, or somebody with a sandbox account could pay a live shop with
//! play money. `fields` reads the form, `notices` translates it, `checkout` builds the button.
//!
//! What PayPal does not give: a transport id. `ipn_track_id` is shared by several
//! notifications of one checkout, so [`Notice::event_id`](crate::Notice) stays empty.

mod checkout;
mod date;
mod fields;
mod notices;
mod settings;

pub use settings::{ENDPOINT, RECEIVER, names_only_us, webscr_url};

use crate::{
    Button, Capabilities, Checkout, ConfigProblem, Connection, Exchange, Gateway, Judgment, Notice, Opening,
    Outcome, Proof, RawPost, Reply, Request, Step, Unsupported,
};
use fields::Fields;

/// The purpose of the one call that judging makes.
pub const POSTBACK: &str = "paypal-postback";

/// PayPal's own notifications stay below about 100 KiB.
pub const BODY_BYTES_MAX: usize = 128 * 1024;

const POSTBACK_PREFIX: &[u8] = b"cmd=_notify-validate&";
/// PayPal answers 403 to a request without one.
const USER_AGENT: &str = "handsel-ipn/1.0";
const TITLE: &str = "PayPal Payments Standard";

/// The adapter. It holds nothing: a connection brings its settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaypalStandard;

impl Gateway for PaypalStandard {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "paypal-standard",
            title: TITLE,
            brand: "PayPal",
            fields: settings::FIELDS,
            steps: settings::STEPS,
            events: &[],
            checkout: true,
            button: true,
            subscriptions: false,
            fetch: false,
            refund: false,
            cancel: false,
            poll: false,
            post_bytes_max: BODY_BYTES_MAX,
            proof: Proof::Documentation,
        }
    }

    fn check(&self, on: &Connection) -> Result<(), Vec<ConfigProblem>> {
        settings::check(on)
    }

    fn judge(&self, post: &RawPost, on: &Connection, earlier: &[Exchange]) -> Judgment {
        if let Err(why) = fields::can_be_paypals(&post.body) {
            return Judgment::Forged(why);
        }
        // The executor may have asked more than once; only the last answer counts.
        let Some(answer) = earlier.iter().rev().find(|exchange| exchange.purpose == POSTBACK) else {
            return Judgment::Needs(postback(&post.body, on));
        };
        match (answer.status, answer.body.as_slice()) {
            (200, b"VERIFIED") => match self.statements(post, on) {
                Ok(statements) => Judgment::Authentic(statements),
                Err(why) => Judgment::Unreadable(why),
            },
            (200, b"INVALID") => Judgment::Forged("PayPal answered INVALID: it did not send this".to_owned()),
            (status, body) => Judgment::Later(format!(
                "PayPal answered neither VERIFIED nor INVALID, but status {status} with {} bytes",
                body.len()
            )),
        }
    }

    fn statements(&self, post: &RawPost, _on: &Connection) -> Result<Vec<Notice>, String> {
        let fields = Fields::read(&post.body);
        let statements = notices::read(&fields);
        match fields.ambiguous() {
            Some(name) => Err(format!(
                "the field {name} is there twice with different values, and the meaning depends on it"
            )),
            None => Ok(statements),
        }
    }

    fn is_ours(&self, notice: &Notice, on: &Connection) -> bool {
        names_only_us(&notice.receivers, on)
    }

    /// PayPal sends again, for up to four days, what was not answered with 200.
    fn acknowledge(&self, _post: &RawPost, outcome: Outcome) -> Reply {
        let status = match outcome {
            Outcome::Stored => 200,
            Outcome::NotStored => 503,
            Outcome::Refused => 400,
        };
        Reply { status, content_type: "text/plain", body: Vec::new() }
    }

    fn checkout(
        &self,
        wanted: &Checkout,
        on: &Connection,
        _earlier: &[Exchange],
    ) -> Result<Step<Opening>, Unsupported> {
        checkout::form(wanted, on).map(Step::Done)
    }

    fn button(&self, wanted: &Button, on: &Connection) -> Result<Opening, Unsupported> {
        checkout::button(wanted, on)
    }
}

/// The body goes back byte for byte: PayPal compares fields, order and encoding.
fn postback(body: &[u8], on: &Connection) -> Request {
    Request {
        purpose: POSTBACK,
        method: "POST",
        url: settings::postback_url(on),
        headers: vec![
            ("User-Agent", USER_AGENT.to_owned()),
            ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
        ],
        body: [POSTBACK_PREFIX, body].concat(),
    }
}
