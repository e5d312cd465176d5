//! The fields of a notification: percent-encoded bytes in a charset that one of them names.

use std::cell::RefCell;
use std::collections::BTreeMap;

use encoding_rs::{Encoding, WINDOWS_1252};
use kernel::{Currency, Money};

use super::BODY_BYTES_MAX;

/// Names and values as text.
///
/// A name that occurs twice with different values has none of them: which of two `mc_gross` was
/// paid is nothing to guess at. Whether that matters is known when somebody asks for it.
#[derive(Debug)]
pub(super) struct Fields {
    values: BTreeMap<String, Option<String>>,
    /// The first name that was asked for and has more than one value.
    asked_in_vain: RefCell<Option<String>>,
}

/// Whether a body may be PayPal's at all, before PayPal is asked.
///
/// A field `cmd` belongs to the question that the body is sent back with, and would be in it twice.
pub(super) fn can_be_paypals(body: &[u8]) -> Result<(), String> {
    if body.len() > BODY_BYTES_MAX {
        return Err(format!("the body has {} bytes; PayPal sends at most {BODY_BYTES_MAX}", body.len()));
    }
    let mut names = pairs(body).map(|(name, _)| name).peekable();
    if names.peek().is_none() {
        return Err("the body is empty".to_owned());
    }
    if names.any(|name| name == b"cmd") {
        return Err("the body has a field cmd, which PayPal never sends".to_owned());
    }
    Ok(())
}

fn pairs(body: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(decode_pair)
}

impl Fields {
    /// Reads a raw body.
    pub(super) fn read(body: &[u8]) -> Self {
        let pairs: Vec<(Vec<u8>, Vec<u8>)> = pairs(body).collect();
        let charset = pairs.iter().find(|(name, _)| name == b"charset").map(|(_, value)| value.as_slice());
        let encoding = encoding_of(charset);
        let mut values: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (name, value) in &pairs {
            let value = text(encoding, value);
            let known = values.entry(text(encoding, name)).or_insert_with(|| Some(value.clone()));
            if known.as_ref() != Some(&value) {
                *known = None;
            }
        }
        // A body in two charsets says of no name for sure what it means.
        let unsure = matches!(values.get("charset"), Some(None));
        Self { values, asked_in_vain: RefCell::new(unsure.then(|| "charset".to_owned())) }
    }

    /// The name of a field that was asked for and has two values.
    pub(super) fn ambiguous(&self) -> Option<String> {
        self.asked_in_vain.borrow().as_ref().map(|name| name.chars().take(40).collect())
    }

    fn certain<'a>(&'a self, name: &str, value: &'a Option<String>) -> Option<&'a str> {
        if value.is_none() {
            self.asked_in_vain.borrow_mut().get_or_insert_with(|| name.to_owned());
        }
        value.as_deref()
    }

    /// The value, if there is one that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.certain(name, self.values.get(name)?).filter(|value| !value.is_empty())
    }

    /// The first of these names that has a value.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The same, to keep.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// An amount in the notification's currency; `None` too if it cannot be read exactly.
    pub(super) fn money(&self, name: &str) -> Option<Money> {
        let currency = Currency::parse(self.get("mc_currency")?).ok()?;
        Money::parse(self.get(name)?, currency).ok()
    }

    /// The names that begin so, with what follows and the value.
    pub(super) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let from = self.values.range(prefix.to_owned()..);
        let these = from.map_while(move |(name, value)| Some((name.strip_prefix(prefix)?, name, value)));
        these.filter_map(|(rest, name, value)| Some((rest, self.certain(name, value)?)))
    }
}

fn decode_pair(pair: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    let mut half = || halves.next().map(percent_decode).unwrap_or_default();
    (half(), half())
}

/// What is no valid escape stays as it is.
fn percent_decode(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match (*first, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high * 16 + low
                }
                _ => b'%',
            },
            (byte, _) => byte,
        });
    }
    decoded
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// PayPal's default is windows-1252, which its own simulator leaves unsaid. An encoding in
/// which ASCII bytes mean something else could turn one status into another: not followed.
fn encoding_of(label: Option<&[u8]>) -> &'static Encoding {
    label
        .and_then(Encoding::for_label)
        .filter(|encoding| encoding.is_ascii_compatible())
        .unwrap_or(WINDOWS_1252)
}

/// Control characters become U+FFFD: `Completed%00` is not `Completed`, and PostgreSQL takes no NUL.
fn text(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let (decoded, _) = encoding.decode_without_bom_handling(bytes);
    decoded.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(body: &[u8], name: &str) -> Option<String> {
        Fields::read(body).owned(name)
    }

    #[test]
    fn a_name_is_read_in_the_charset_that_the_body_names() {
        assert_eq!(value(b"first_name=J%F6rg&charset=windows-1252", "first_name").unwrap(), "Jörg");
        assert_eq!(value(b"charset=UTF-8&first_name=J%C3%B6rg", "first_name").unwrap(), "Jörg");
        assert_eq!(value(b"first_name=%83%5C&charset=Shift_JIS", "first_name").unwrap(), "ソ");
        assert_eq!(value(b"first_name=%C4%E3&charset=gb2312", "first_name").unwrap(), "你");
    }

    #[test]
    fn without_a_usable_charset_it_is_windows_1252() {
        assert_eq!(value(b"first_name=J%F6rg", "first_name").unwrap(), "Jörg");
        assert_eq!(value(b"first_name=%80&charset=nonsense", "first_name").unwrap(), "€");
        assert_eq!(value(b"first_name=ab&charset=utf-16", "first_name").unwrap(), "ab");
        assert_eq!(value(b"first_name=a%1B%24Bb&charset=iso-2022-jp", "first_name").unwrap(), "a\u{fffd}$Bb");
    }

    #[test]
    fn damaged_escapes_stay_as_they_are() {
        assert_eq!(value(b"a=100%&b=%4&c=%zz&d=%+&e=1+2%2B3", "a").unwrap(), "100%");
        assert_eq!(value(b"a=100%&b=%4&c=%zz&d=%+&e=1+2%2B3", "b").unwrap(), "%4");
        assert_eq!(value(b"a=100%&b=%4&c=%zz&d=%+&e=1+2%2B3", "c").unwrap(), "%zz");
        assert_eq!(value(b"a=100%&b=%4&c=%zz&d=%+&e=1+2%2B3", "d").unwrap(), "% ");
        assert_eq!(value(b"a=100%&b=%4&c=%zz&d=%+&e=1+2%2B3", "e").unwrap(), "1 2+3");
    }

    #[test]
    fn control_characters_do_not_get_in() {
        assert_eq!(value(b"payment_status=Completed%00", "payment_status").unwrap(), "Completed\u{fffd}");
    }

    #[test]
    fn a_name_with_two_values_has_none_however_it_is_written() {
        for body in [b"mc_gross=199.00&mc_gross=0.01".as_slice(), b"mc_gross=199.00&mc%5Fgross=0.01"] {
            let fields = Fields::read(body);
            assert_eq!((fields.ambiguous(), fields.get("mc_gross")), (None, None));
            assert_eq!(fields.ambiguous().as_deref(), Some("mc_gross"));
        }
    }

    #[test]
    fn two_values_of_a_name_that_nobody_asks_for_do_no_harm() {
        let fields = Fields::read(b"memo=a&memo=b&txn_id=1&txn_id=1");
        assert_eq!((fields.get("txn_id"), fields.ambiguous()), (Some("1"), None));
    }

    #[test]
    fn a_body_in_two_charsets_is_ambiguous() {
        assert!(Fields::read(b"charset=utf-8&charset=gb2312&txn_id=1").ambiguous().is_some());
    }

    #[test]
    fn an_empty_or_endless_body_is_not_paypals() {
        assert!(can_be_paypals(b"").is_err());
        assert!(can_be_paypals(b"&&&").is_err());
        assert!(can_be_paypals(&vec![b'a'; BODY_BYTES_MAX + 1]).is_err());
        assert!(can_be_paypals(&vec![b'a'; BODY_BYTES_MAX]).is_ok());
    }
}
