//! Cassettes: a request as it came, the connection to judge it by, and what is to come of it.
//!
//! A cassette is a folder: `request.http` (head with CRLF, then the raw body), `connection.json`
//! (gateway, mode, clock, certificates by URL, answers by purpose, and what the merchant configured)
//! and, where something is expected, `expected.json`. Reading files is the caller's: this only asks
//! for them by name.

use std::collections::BTreeMap;

use kernel::{ConnectionId, Secret, Timestamp};
use serde_json::Value;

use crate::{Connection, Exchange, Gateway, Judgment, Mode, Notice, RawPost, Request};

/// A judgment that keeps asking is no judgment.
const CALLS_MAX: usize = 8;
/// What `connection.json` says beside settings and secrets.
const OWN_FIELDS: [&str; 6] = ["gateway", "mode", "clock", "clock_unix", "certificates", "answers"];

/// A request with all that is needed to judge it.
#[derive(Debug, Clone)]
pub struct Cassette {
    /// The adapter's name.
    pub gateway: String,
    /// As it reached the hook; received at the cassette's clock.
    pub post: RawPost,
    /// What the merchant configured.
    pub connection: Connection,
    /// What the gateway would answer, instead of the network.
    answers: Answers,
    /// What is to come of it, where the cassette says so.
    pub expected: Option<Expected>,
}

#[derive(Debug, Clone, Default)]
struct Answers {
    by_url: BTreeMap<String, Vec<u8>>,
    by_purpose: BTreeMap<String, (u16, Vec<u8>)>,
}

/// What is to come of a cassette.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Expected {
    /// `accepted` or `rejected`.
    pub verdict: Verdict,
    /// Each listed field must be equal, fields that are not listed are free, the count must match.
    pub notices: Option<Vec<BTreeMap<String, Value>>>,
}

/// Whether a request counts as the gateway's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Accepted,
    /// It changes nothing, neither to paid nor to failed.
    Rejected,
    /// It cannot be told from what the cassette holds.
    Undecided,
}

/// What came of a cassette.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Played {
    /// The adapter's name.
    pub gateway: String,
    /// What the adapter made of it.
    pub verdict: Verdict,
    /// Why, where it was not accepted.
    pub reason: Option<String>,
    /// What it states.
    pub notices: Vec<Notice>,
    /// What was expected and did not come; empty: as expected, or nothing was.
    pub differences: Vec<String>,
}

impl Cassette {
    /// Reads a cassette. `file` gives the bytes of a file of the folder, `None` when there is none.
    ///
    /// # Errors
    /// Which file is missing or wrong, and how.
    pub fn read(file: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Self, String> {
        let needed = |name: &str| file(name).ok_or_else(|| format!("{name} is missing"));
        let configured: Value = serde_json::from_slice(&needed("connection.json")?)
            .map_err(|error| format!("connection.json: {error}"))?;
        let configured = configured.as_object().ok_or("connection.json: an object was expected")?;
        let gateway = configured.get("gateway").and_then(Value::as_str);
        let gateway = gateway.ok_or("connection.json: `gateway` is missing")?.to_owned();
        let received_at = clock(configured).map_err(|why| format!("connection.json: {why}"))?;
        let post =
            request(&needed("request.http")?, received_at).map_err(|why| format!("request.http: {why}"))?;
        let expected = file("expected.json").map(|bytes| serde_json::from_slice(&bytes)).transpose();
        Ok(Self {
            post,
            connection: connection(&gateway, configured)?,
            answers: answers(configured, &file)?,
            expected: expected.map_err(|error| format!("expected.json: {error}"))?,
            gateway,
        })
    }

    /// Has the adapter judge the request, with the cassette's answers instead of the network.
    ///
    /// # Errors
    /// When there is no such adapter.
    pub fn play(&self) -> Result<Played, String> {
        let adapter = crate::gateway(&self.gateway).ok_or_else(|| {
            let known: Vec<&str> = crate::all().iter().map(|gateway| gateway.capabilities().name).collect();
            format!("there is no gateway \"{}\": there are {}", self.gateway, known.join(", "))
        })?;
        let (verdict, reason, notices) = self.judge(adapter);
        let differences =
            self.expected.as_ref().map_or_else(Vec::new, |expected| differences(expected, verdict, &notices));
        Ok(Played { gateway: self.gateway.clone(), verdict, reason, notices, differences })
    }

    fn judge(&self, adapter: &dyn Gateway) -> (Verdict, Option<String>, Vec<Notice>) {
        let mut earlier = Vec::new();
        loop {
            let (verdict, why) = match adapter.judge(&self.post, &self.connection, &earlier) {
                Judgment::Authentic(notices) => return (Verdict::Accepted, None, notices),
                Judgment::Forged(why) => (Verdict::Rejected, why),
                Judgment::Unreadable(why) => {
                    (Verdict::Accepted, format!("authentic, and for a person to decide: {why}"))
                }
                Judgment::Later(why) => (Verdict::Undecided, why),
                Judgment::Needs(request) => match self.answer(&request) {
                    Some(exchange) if earlier.len() < CALLS_MAX => {
                        earlier.push(exchange);
                        continue;
                    }
                    _ => (Verdict::Undecided, unanswered(&request)),
                },
            };
            return (verdict, Some(why), Vec::new());
        }
    }

    fn answer(&self, request: &Request) -> Option<Exchange> {
        let by_purpose = self.answers.by_purpose.get(request.purpose).cloned();
        let by_url = || self.answers.by_url.get(&request.url).map(|body| (200, body.clone()));
        let (status, body) = by_purpose.or_else(by_url)?;
        Some(Exchange { purpose: request.purpose, status, body })
    }
}

fn unanswered(request: &Request) -> String {
    format!(
        "it depends on {} {} ({}), and the cassette holds no answer to that",
        request.method, request.url, request.purpose
    )
}

fn clock(configured: &serde_json::Map<String, Value>) -> Result<Timestamp, String> {
    match (configured.get("clock"), configured.get("clock_unix")) {
        (Some(Value::String(text)), _) => {
            Timestamp::parse_rfc3339(text).map_err(|error| format!("clock: {error}"))
        }
        (None, Some(Value::Number(seconds))) if seconds.is_i64() => {
            Ok(Timestamp::from_seconds(seconds.as_i64().unwrap_or_default()))
        }
        (None, None) => Ok(Timestamp::from_seconds(0)),
        _ => Err("`clock` is a time of RFC 3339, `clock_unix` is whole seconds".to_owned()),
    }
}

/// Reads the head by hand: a cassette holds what came, also what no parser would let pass.
fn request(bytes: &[u8], received_at: Timestamp) -> Result<RawPost, String> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or("the head does not end: lines end with CRLF, an empty one comes before the body")?;
    let (head, body) = bytes.split_at(end);
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err("the first line is to be like `POST /hooks/c_1 HTTP/1.1`".to_owned());
    };
    let headers = lines.map(|line| {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = colon.and_then(|at| line.split_at_checked(at)).ok_or("a header has no colon")?;
        let name = std::str::from_utf8(name).map_err(|_| "a header's name is no text")?;
        Ok((name.to_owned(), value.get(1..).unwrap_or_default().trim_ascii().to_vec()))
    });
    Ok(RawPost {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.collect::<Result<_, &str>>()?,
        body: body.get(4..).unwrap_or_default().to_vec(),
        received_at,
    })
}

fn connection(gateway: &str, configured: &serde_json::Map<String, Value>) -> Result<Connection, String> {
    let mode = match configured.get("mode").and_then(Value::as_str) {
        Some("live") => Mode::Live,
        Some("test") => Mode::Test,
        _ => return Err("connection.json: `mode` is to be `test` or `live`".to_owned()),
    };
    let fields = crate::gateway(gateway).map_or(&[][..], |adapter| adapter.capabilities().fields);
    let mut on = Connection {
        id: ConnectionId::from_bits(1),
        mode,
        settings: BTreeMap::new(),
        secrets: BTreeMap::new(),
    };
    for (name, value) in configured.iter().filter(|(name, _)| !OWN_FIELDS.contains(&name.as_str())) {
        // Every adapter calls what posts are signed with the same.
        let name = if name == "secrets" { "webhook_secret" } else { name.as_str() };
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
            other => other.to_string(),
        };
        let secret = name == "webhook_secret"
            || fields.iter().any(|field| field.name == name && field.kind.is_secret());
        if secret {
            on.secrets.insert(name.to_owned(), Secret::new(text));
        } else {
            on.settings.insert(name.to_owned(), text);
        }
    }
    Ok(on)
}

fn answers(
    configured: &serde_json::Map<String, Value>,
    file: &impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<Answers, String> {
    let named = |name: &str| file(name).ok_or_else(|| format!("{name} is missing"));
    let mut answers = Answers::default();
    for (url, files) in configured.get("certificates").and_then(Value::as_object).into_iter().flatten() {
        let files = files.as_array().into_iter().flatten().filter_map(Value::as_str);
        let bytes = files.map(named).collect::<Result<Vec<_>, _>>()?;
        answers.by_url.insert(url.clone(), bytes.join(&b'\n'));
    }
    for (purpose, answer) in configured.get("answers").and_then(Value::as_object).into_iter().flatten() {
        let status = answer.get("status").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let body = answer.get("body").and_then(Value::as_str).map(named).transpose()?;
        answers.by_purpose.insert(purpose.clone(), (status.unwrap_or(200), body.unwrap_or_default()));
    }
    Ok(answers)
}

fn differences(expected: &Expected, verdict: Verdict, notices: &[Notice]) -> Vec<String> {
    let mut differences = Vec::new();
    if verdict != expected.verdict {
        differences.push(format!("verdict: {:?} was expected, {verdict:?} came", expected.verdict));
    }
    let Some(wanted) = &expected.notices else { return differences };
    if wanted.len() != notices.len() {
        differences.push(format!("{} notices were expected, {} came", wanted.len(), notices.len()));
    }
    for (number, (wanted, notice)) in wanted.iter().zip(notices).enumerate() {
        for (field, wanted) in wanted {
            let came = field_of(notice, field);
            if came != *wanted {
                differences.push(format!("notice {number}, {field}: {wanted} was expected, {came} came"));
            }
        }
    }
    differences
}

/// A field of a notice by the name that cassettes give it.
fn field_of(notice: &Notice, name: &str) -> Value {
    match name {
        "kind" => serde_json::json!(notice.kind),
        "event_id" => serde_json::json!(notice.event_id),
        // A refund is its own payment there, and names the one it comes from as its parent.
        "payment_id" => serde_json::json!(notice.movement_id.as_ref().or(notice.payment_id.as_ref())),
        "parent_id" => {
            serde_json::json!(notice.movement_id.as_ref().and(notice.payment_id.as_ref()))
        }
        "subscription_id" => serde_json::json!(notice.subscription_id),
        "merchant_ref" => serde_json::json!(notice.merchant_ref),
        "amount" => serde_json::json!(notice.amount.map(kernel::Money::decimal)),
        "amount_minor" => serde_json::json!(notice.amount.map(|amount| amount.minor)),
        "currency" => serde_json::json!(notice.amount.map(|amount| amount.currency.code().to_owned())),
        "occurred_at" => serde_json::json!(notice.occurred_at.map(|at| at.to_string())),
        other => Value::String(format!("there is no field {other}")),
    }
}
