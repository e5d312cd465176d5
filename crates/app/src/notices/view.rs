//! Notices as people read them, wherever they are shown.

use super::staff_pages::{opened, readable};
use super::{Stored, staff_pages};
use crate::ring::Ring;

/// Longest body that is shown in an order's timeline; the notice has a page of its own.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// What a notice says in the gateway's words: `Completed`.
pub fn says(notice: &Stored) -> String {
    staff_pages::Said::of(notice).status
}

/// The body of the request as text; `None` once it was pruned.
pub fn raw_body(ring: &Ring, notice: &Stored) -> Option<String> {
    let post = opened(ring, notice)?;
    Some(readable(post.body.get(..SHOWN_BYTES_MAX).unwrap_or(&post.body)))
}

/// A form's fields in the charset that it names, which is not UTF-8 where PayPal is concerned.
pub fn fields(body: &[u8]) -> Vec<(String, String)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_in_the_charset_that_it_names() {
        let form = fields(b"charset=windows-1252&first_name=Andr%E9&memo=a+b%2");
        assert_eq!(form[1], ("first_name".to_owned(), "Andr\u{e9}".to_owned()));
        assert_eq!(form[2].1, "a b%2");
    }
}
