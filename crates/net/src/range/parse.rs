//! The `Range` header.

use std::ops::Range;

use http::{HeaderMap, header};

use super::RANGES_MAX;

/// What a request's `Range` comes to for a file of some size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// No range, or none that is to be honored.
    Whole,
    /// Ranges, but none within the file.
    Nothing,
    /// At least one, within the file, disjoint, in the order asked for.
    Parts(Vec<Range<u64>>),
}

/// What is malformed or abusive is ignored, as RFC 9110 (14.2) lets a server do: the client
/// gets the whole, which is never wrong.
pub(super) fn ranges(headers: &HeaderMap, size: u64) -> Asked {
    let mut lines = headers.get_all(header::RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Asked::Whole;
    };
    let Some(specs) = line.to_str().ok().and_then(byte_ranges) else {
        return Asked::Whole;
    };
    let mut parts: Vec<Range<u64>> = Vec::new();
    let mut count = 0;
    for spec in specs.split(',').map(|spec| spec.trim_matches([' ', '\t'])) {
        count += 1;
        // Empty elements are a list's right, and count: "bytes=,,,,,," is work too.
        if count > RANGES_MAX {
            return Asked::Whole;
        }
        match (spec.is_empty(), parse(spec)) {
            (true, _) => {}
            (false, None) => return Asked::Whole,
            (false, Some(spec)) => spec.within(size).into_iter().for_each(|part| merge(&mut parts, part)),
        }
    }
    if parts.is_empty() { Asked::Nothing } else { Asked::Parts(parts) }
}

/// Range units are compared without case; any other unit is one we do not know.
fn byte_ranges(line: &str) -> Option<&str> {
    let (unit, specs) = line.split_once('=')?;
    // A list of nothing is not a list.
    let any = specs.contains(|c: char| c.is_ascii_digit());
    (unit.eq_ignore_ascii_case("bytes") && any).then_some(specs)
}

#[derive(Debug, Clone, Copy)]
enum Spec {
    /// From a first to a last byte, both within.
    Closed(u64, u64),
    /// From a byte to the end.
    Open(u64),
    /// So many bytes at the end.
    Suffix(u64),
}

fn parse(spec: &str) -> Option<Spec> {
    match spec.split_once('-')? {
        ("", last) => Some(Spec::Suffix(number(last)?)),
        (first, "") => Some(Spec::Open(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::Closed(first, last))
        }
    }
}

/// Digits only. A number beyond `u64` is a position beyond every file: the largest will do.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

impl Spec {
    fn within(self, size: u64) -> Option<Range<u64>> {
        let part = match self {
            Self::Closed(first, last) => first..last.saturating_add(1).min(size),
            Self::Open(first) => first..size,
            Self::Suffix(count) => size.saturating_sub(count)..size,
        };
        (!part.is_empty()).then_some(part)
    }
}

/// Joins a part with those that it overlaps or touches; the result stands where the first of them stood.
fn merge(parts: &mut Vec<Range<u64>>, mut part: Range<u64>) {
    let mut place = parts.len();
    let mut index = 0;
    while let Some(other) = parts.get(index) {
        if part.start <= other.end && other.start <= part.end {
            part = part.start.min(other.start)..part.end.max(other.end);
            parts.remove(index);
            place = place.min(index);
            // A grown part may reach one that it did not touch before.
            index = 0;
        } else {
            index += 1;
        }
    }
    parts.insert(place.min(parts.len()), part);
}
