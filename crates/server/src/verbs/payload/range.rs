//! A range of bytes, as the command line has it.

use std::ops::Range;
use std::str::FromStr;

/// `FIRST-LAST`, both counted from zero and both included; `FIRST-` goes to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    first: u64,
    last: Option<u64>,
}

impl ByteRange {
    /// The part of an archive of this length; `None` when the range begins behind its end.
    pub fn within(self, length: u64) -> Option<Range<u64>> {
        let end = self.last.map_or(length, |last| last.saturating_add(1).min(length));
        (self.first < length).then_some(self.first..end)
    }
}

impl FromStr for ByteRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str =
            "expected FIRST-LAST or FIRST-, as in 0-1023: the first byte is 0, the last one is included";
        let (first, last) = text.split_once('-').ok_or(EXPECTED)?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| digits).ok_or(EXPECTED)
        };
        let first = number(first)?;
        let last = if last.is_empty() { None } else { Some(number(last)?) };
        match last {
            Some(last) if last < first => Err("the range ends before it begins"),
            last => Ok(Self { first, last }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, length: u64) -> Option<Range<u64>> {
        text.parse::<ByteRange>().expect(text).within(length)
    }

    #[test]
    fn both_ends_of_a_range_are_in_it() {
        assert_eq!(of("0-0", 10), Some(0..1));
        assert_eq!(of("2-5", 10), Some(2..6));
        assert_eq!(of("2-", 10), Some(2..10));
    }

    #[test]
    fn what_is_behind_the_end_is_not_there() {
        assert_eq!(of("5-18446744073709551615", 10), Some(5..10));
        assert_eq!(of("10-12", 10), None);
        assert_eq!(of("0-", 0), None);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "-", "-5", "5", "5-1", "a-b", "+1-2", "0-99999999999999999999", "1-2-3"] {
            assert!(text.parse::<ByteRange>().is_err(), "{text:?}");
        }
    }
}
