//! Composing a message: the same input gives the same bytes, always.
//!
//! Every line is ASCII and short, so no server on the way has a reason to change it. Names
//! and subjects come from buyers and merchants: a line break in one becomes a space, and
//! whatever is not plain is encoded whole, so none can start a header of its own or pass
//! for an encoded word.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kernel::{EmailAddress, Timestamp};
use sha2::{Digest as _, Sha256};

/// A message to one recipient. One, so that every message has one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Unique and stable, in the form `local@domain`, without the angle brackets.
    pub message_id: String,
    /// The sender, who also gets the bounces.
    pub from: Contact,
    /// The recipient.
    pub to: Contact,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Contact>,
    /// One line of plain text.
    pub subject: String,
    /// The message as plain text.
    pub text: String,
    /// The same message as HTML.
    pub html: Option<String>,
    /// When the message was written; not when it is sent, or sending again would change it.
    pub date: Timestamp,
}

/// A name and an address. An empty name is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// As people write it; any characters.
    pub name: String,
    /// The address.
    pub address: EmailAddress,
}

/// Why a message cannot be composed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The Message-ID would not be one.
    #[error(
        "{0:?} cannot be a Message-ID; write local@domain in ASCII letters, digits and . _ - + =, at most {MESSAGE_ID_MAX} of them"
    )]
    MessageId(String),
    /// The date has no form in mail.
    #[error("{0} cannot be the date of a message; it must be in the years 1900 to 9999")]
    Date(Timestamp),
}

/// Keeps the header's line within 998 characters with room to spare (RFC 5322, 2.1.1).
const MESSAGE_ID_MAX: usize = 250;
/// Header lines up to this length stay unfolded.
const LINE_MAX: usize = 76;
/// Text in one encoded word: with 52 base64 digits it fits a line after any header's name.
const WORD_BYTES: usize = 39;
/// Bytes in one line of a base64 body, which has 76 digits.
const BODY_LINE_BYTES: usize = 57;

/// Makes the message as it goes over the wire (RFC 5322, CRLF lines).
///
/// # Errors
/// [`ComposeError`] says what cannot be written into a message.
pub fn compose(mail: &Outgoing) -> Result<Vec<u8>, ComposeError> {
    let mut out =
        String::with_capacity(2 * mail.text.len() + 2 * mail.html.as_ref().map_or(0, String::len) + 1024);
    header(&mut out, "Date", &date(mail.date)?);
    header(&mut out, "From", &contact("From", &mail.from));
    if let Some(reply_to) = &mail.reply_to {
        header(&mut out, "Reply-To", &contact("Reply-To", reply_to));
    }
    header(&mut out, "To", &contact("To", &mail.to));
    header(&mut out, "Subject", &unstructured("Subject", &mail.subject));
    header(&mut out, "Message-ID", &format!("<{}>", message_id(&mail.message_id)?));
    // Vacation notices and other robots do not answer this (RFC 3834).
    header(&mut out, "Auto-Submitted", "auto-generated");
    header(&mut out, "MIME-Version", "1.0");
    match &mail.html {
        None => {
            part(&mut out, "text/plain", &mail.text);
            out.push_str("\r\n");
        }
        Some(html) => {
            let boundary = boundary(&mail.message_id);
            header(&mut out, "Content-Type", &format!("multipart/alternative;\r\n boundary=\"{boundary}\""));
            // The plainest comes first: readers show the last part they understand.
            for (kind, content) in [("text/plain", &mail.text), ("text/html", html)] {
                out.push_str("\r\n--");
                out.push_str(&boundary);
                out.push_str("\r\n");
                part(&mut out, kind, content);
            }
            out.push_str("\r\n--");
            out.push_str(&boundary);
            out.push_str("--\r\n");
        }
    }
    Ok(out.into_bytes())
}

fn header(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    out.push_str(value);
    out.push_str("\r\n");
}

fn date(at: Timestamp) -> Result<String, ComposeError> {
    let zoned = at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    if !(1900..=9999).contains(&zoned.year()) {
        return Err(ComposeError::Date(at));
    }
    jiff::fmt::rfc2822::to_string(&zoned).map_err(|_| ComposeError::Date(at))
}

fn message_id(id: &str) -> Result<&str, ComposeError> {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-+=".contains(c);
    let holds = |part: &str| part.chars().all(known) && part.split('.').all(|atom| !atom.is_empty());
    match id.split_once('@') {
        Some((local, domain)) if id.len() <= MESSAGE_ID_MAX && holds(local) && holds(domain) => Ok(id),
        _ => Err(ComposeError::MessageId(id.to_owned())),
    }
}

fn contact(header: &str, contact: &Contact) -> String {
    let name = one_line(&contact.name);
    let address = &contact.address;
    if name.is_empty() {
        return address.to_string();
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    let quoted = format!("\"{escaped}\" <{address}>");
    if is_plain(&name) && fits(header, &quoted) {
        return quoted;
    }
    format!("{}\r\n <{address}>", encoded_words(&name))
}

fn unstructured(header: &str, text: &str) -> String {
    let text = one_line(text);
    if is_plain(&text) && fits(header, &text) { text } else { encoded_words(&text) }
}

/// Whatever a program may take for the end of a line becomes a space.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ").trim().to_owned()
}

/// A literal `=?` would be taken for an encoded word.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='~')) && !text.contains("=?")
}

fn fits(header: &str, value: &str) -> bool {
    header.len() + ": ".len() + value.len() <= LINE_MAX
}

/// RFC 2047: words of whole characters, each on a line of its own. The line breaks between
/// encoded words are not part of the text.
fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (0..=WORD_BYTES).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(format!("=?utf-8?b?{}?=", BASE64.encode(word)));
        rest = after;
    }
    words.join("\r\n ")
}

/// The same for the same message. `=_` occurs in neither encoding of a body, so no body can
/// contain the boundary.
fn boundary(message_id: &str) -> String {
    let digest = Sha256::digest(message_id.as_bytes());
    let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("=_{digits}")
}

/// Headers, an empty line and the body of one part. The line end before a boundary belongs
/// to the boundary, so the body has none of its own.
fn part(out: &mut String, kind: &str, content: &str) {
    let content = with_line_ends(content);
    let beyond_ascii = content.bytes().filter(|byte| !byte.is_ascii()).count();
    header(out, "Content-Type", &format!("{kind}; charset=utf-8"));
    // Quoted-printable can be read by people, but triples what is not ASCII.
    if beyond_ascii * 4 > content.len() {
        header(out, "Content-Transfer-Encoding", "base64");
        out.push_str("\r\n");
        let lines: Vec<_> =
            content.as_bytes().chunks(BODY_LINE_BYTES).map(|line| BASE64.encode(line)).collect();
        out.push_str(&lines.join("\r\n"));
    } else {
        header(out, "Content-Transfer-Encoding", "quoted-printable");
        out.push_str("\r\n");
        out.push_str(&quoted_printable::encode_to_str(&content));
    }
}

/// One kind of line end. A lone CR or LF is where smuggled commands hide.
fn with_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}
