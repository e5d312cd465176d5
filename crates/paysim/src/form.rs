//! `application/x-www-form-urlencoded`, written as PayPal writes it.

use encoding_rs::Encoding;

/// Encodes pairs in order, values in this charset.
pub(crate) fn encode(pairs: &[(String, String)], encoding: &'static Encoding) -> Vec<u8> {
    let mut encoded = String::new();
    for (name, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        escape_into(&mut encoded, name, encoding);
        encoded.push('=');
        escape_into(&mut encoded, value, encoding);
    }
    encoded.into_bytes()
}

fn escape_into(encoded: &mut String, text: &str, encoding: &'static Encoding) {
    for byte in encoding.encode(text).0.iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(*byte)),
            b' ' => encoded.push('+'),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
}

/// Decodes what a browser sends; the charset is UTF-8.
pub(crate) fn decode(encoded: &[u8]) -> Vec<(String, String)> {
    let pairs = encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || halves.next().map(unescape).unwrap_or_default();
        (half(), half())
    });
    decoded.collect()
}

fn unescape(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let escaped = match (*first, tail) {
            (b'%', [high, low, after @ ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
                .map(|b| (b, after)),
            _ => None,
        };
        match (escaped, *first) {
            (Some((byte, after)), _) => {
                bytes.push(byte);
                rest = after;
            }
            (None, b'+') => bytes.push(b' '),
            (None, byte) => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let list = pairs(&[("a", "1 + 1 = 2 & more"), ("empty", ""), ("name", "Jörg 你"), ("odd", "%zz%4")]);
        assert_eq!(decode(&encode(&list, encoding_rs::UTF_8)), list);
    }

    #[test]
    fn a_name_is_written_in_the_charset_asked_for() {
        let list = pairs(&[("first_name", "Jörg")]);
        assert_eq!(encode(&list, encoding_rs::WINDOWS_1252), b"first_name=J%F6rg");
        assert_eq!(encode(&list, encoding_rs::UTF_8), b"first_name=J%C3%B6rg");
    }
}
