//! Preconditions: `If-Match`, `If-None-Match`, the two dates, and `If-Range`.

use std::time::UNIX_EPOCH;

use http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::Representation;

/// 304 or 412, when the preconditions ask for that.
pub(super) fn refuse(of: &Representation<'_>, method: &Method, headers: &HeaderMap) -> Option<StatusCode> {
    let reading = matches!(*method, Method::GET | Method::HEAD);
    if headers.contains_key(header::IF_MATCH) {
        if !any_tag(headers, &header::IF_MATCH, |tag| !tag.weak && tag.opaque == of.etag) {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
    } else if modified_since(of, headers, &header::IF_UNMODIFIED_SINCE) == Some(true) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        if any_tag(headers, &header::IF_NONE_MATCH, |tag| tag.opaque == of.etag) {
            return Some(if reading { StatusCode::NOT_MODIFIED } else { StatusCode::PRECONDITION_FAILED });
        }
    } else if reading && modified_since(of, headers, &header::IF_MODIFIED_SINCE) == Some(false) {
        return Some(StatusCode::NOT_MODIFIED);
    }
    None
}

/// Whether a range may be served. Without `If-Range` it may.
///
/// A date never holds: it has whole seconds, and a file that changed twice within one would be
/// patched together from both. Every answer of ours carries a strong entity tag, and who has one
/// must not send a date (RFC 9110, 13.1.5).
pub(super) fn if_range_holds(of: &Representation<'_>, headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::IF_RANGE).iter();
    let Some(line) = lines.next() else {
        return true;
    };
    let only_tag = line.to_str().ok().and_then(|line| match read_tag(line.trim_matches([' ', '\t']))? {
        (tag, "") => Some(tag),
        _ => None,
    });
    lines.next().is_none() && only_tag.is_some_and(|tag| !tag.weak && tag.opaque == of.etag)
}

/// `None` when either date is missing or cannot be read: the header is then ignored.
fn modified_since(of: &Representation<'_>, headers: &HeaderMap, name: &HeaderName) -> Option<bool> {
    let mut lines = headers.get_all(name).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let given = httpdate::parse_http_date(line.to_str().ok()?).ok()?;
    let given = i64::try_from(given.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    Some(of.last_modified?.as_seconds() > given)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tag<'a> {
    weak: bool,
    opaque: &'a str,
}

/// Whether a list of entity tags is `*` or has one that fits. What cannot be read ends the list.
fn any_tag(headers: &HeaderMap, name: &HeaderName, fits: impl Fn(Tag<'_>) -> bool) -> bool {
    headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).any(|line| {
        let mut rest = line.trim_matches([' ', '\t', ',']);
        if rest == "*" {
            return true;
        }
        while let Some((tag, after)) = read_tag(rest) {
            if fits(tag) {
                return true;
            }
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
        false
    })
}

/// One entity tag and what follows it. A comma may stand within the quotes.
fn read_tag(text: &str) -> Option<(Tag<'_>, &str)> {
    let (weak, quoted) = match text.strip_prefix("W/") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
    Some((Tag { weak, opaque }, after))
}
