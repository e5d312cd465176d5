//! Notices as people read them: what they say, and the request as it came.

use kernel::{Currency, Money};
use ui::admin::RawRequest;

use super::{Stored, seal_context, unpack};
use crate::ring::Ring;

/// Longest body that is shown; the rest is for a download of its own.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// What a notice says in the gateway's words: `Completed`.
pub fn says(summary: &serde_json::Value) -> String {
    first(summary, "status").unwrap_or_default()
}

/// The gateway's id of the payment that a notice is about.
pub fn gateway_ref(summary: &serde_json::Value) -> Option<String> {
    first(summary, "payment")
}

/// About how much.
pub fn amount(summary: &serde_json::Value) -> Option<Money> {
    let text = first(summary, "amount")?;
    let (left, right) = text.split_once(' ')?;
    // Money shows itself as "12.00 EUR".
    let currency = Currency::parse(right).or_else(|_| Currency::parse(left)).ok()?;
    Money::parse(if Currency::parse(right).is_ok() { left } else { right }, currency).ok()
}

/// Every field that was understood, statement by statement.
pub fn understood(summary: &serde_json::Value) -> Vec<(String, String)> {
    let shown = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(all) => {
            all.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ")
        }
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    let statements = summary.get("statements").and_then(serde_json::Value::as_array);
    let fields = statements.into_iter().flatten().filter_map(serde_json::Value::as_object).flatten();
    let pairs = fields.map(|(name, value)| (name.clone(), shown(value)));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

fn first(summary: &serde_json::Value, field: &str) -> Option<String> {
    let statements = summary.get("statements")?.as_array()?;
    let values = statements.iter().filter_map(|stated| stated.get(field)?.as_str());
    values.into_iter().find(|value| !value.is_empty()).map(str::to_owned)
}

/// The body of the request as text; `None` once it was pruned.
pub fn raw_body(ring: &Ring, notice: &Stored) -> Option<String> {
    let packed = ring.open(&seal_context(notice.id), notice.raw_sealed.as_ref()?).ok()?;
    unpack(&packed, notice.received_at).map(|post| readable(&post.body))
}

/// The whole request as it came; `None` once it was pruned.
pub fn raw_request(ring: &Ring, notice: &Stored) -> Option<RawRequest> {
    let packed = ring.open(&seal_context(notice.id), notice.raw_sealed.as_ref()?).ok()?;
    let post = unpack(&packed, notice.received_at)?;
    let is_form = post.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with(b"application/x-www-form-urlencoded")
    });
    let fields = if is_form { fields(&post.body) } else { Vec::new() };
    Some(RawRequest {
        line: format!("{} {}", post.method, post.target),
        headers: post.headers.iter().map(|(name, value)| (name.clone(), readable(value))).collect(),
        bytes: u64::try_from(post.body.len()).unwrap_or(u64::MAX),
        body: readable(&post.body),
        fields,
    })
}

/// A form's fields in the charset that it names, which is not UTF-8 where PayPal is concerned.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    let pairs = body.split(|byte| *byte == b'&').take(FIELDS_MAX).filter(|pair| !pair.is_empty());
    let decoded = |part: &[u8]| -> Vec<u8> {
        let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decoded(&spaced)
    };
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            (decoded(halves.next().unwrap_or_default()), decoded(halves.next().unwrap_or_default()))
        })
        .collect();
    let named = pairs.iter().find(|(name, _)| name == b"charset").map(|(_, value)| value.clone());
    let charset = named.and_then(|label| encoding_rs::Encoding::for_label(&label));
    let charset = charset.unwrap_or(encoding_rs::UTF_8);
    let text = |bytes: &[u8]| charset.decode_without_bom_handling(bytes).0.into_owned();
    pairs.iter().map(|(name, value)| (text(name), text(value))).collect()
}

const FIELDS_MAX: usize = 500;

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let hex = (*first == b'%').then(|| tail.first_chunk::<2>()).flatten();
        let byte = hex.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// Bytes as text; those that are none are shown as `\xNN`.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes).utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    if bytes.len() > SHOWN_BYTES_MAX {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_can_still_be_read() {
        assert_eq!(readable(b"caf\xe9 <b>"), "caf\\xe9 <b>");
    }

    #[test]
    fn a_form_is_decoded_in_the_charset_that_it_names() {
        let form = fields(b"charset=windows-1252&first_name=Andr%E9&memo=a+b%2");
        assert_eq!(form[1], ("first_name".to_owned(), "André".to_owned()));
        assert_eq!(form[2].1, "a b%2");
    }

    #[test]
    fn a_summary_tells_status_payment_and_amount() {
        let amount_text = Money::new(19_00, Currency::EUR).to_string();
        let summary = serde_json::json!({ "statements": [
            { "status": "Completed", "payment": "8AC", "amount": amount_text, "skus": ["A", "B"], "kind": null },
        ] });
        assert_eq!(says(&summary), "Completed");
        assert_eq!(gateway_ref(&summary).as_deref(), Some("8AC"));
        assert_eq!(amount(&summary), Some(Money::new(19_00, Currency::EUR)));
        assert!(understood(&summary).contains(&("skus".to_owned(), "A, B".to_owned())));
        assert_eq!(amount(&serde_json::json!({})), None);
    }
}
