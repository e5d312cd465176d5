//! Ranges and conditional requests (RFC 9110), decided without touching a byte.
//!
//! [`decide`] is a pure function of what is served and what was asked. What a client may ask
//! for is bounded: at most [`RANGES_MAX`] ranges, merged where they overlap, so that no answer
//! is longer than the file and its part headers.

mod conditions;
mod multipart;
mod parse;

use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kernel::Timestamp;

pub use multipart::{Multipart, Piece, multipart};

/// More ranges than this in one request are answered with the whole.
pub const RANGES_MAX: usize = 5;

/// What is served: enough to answer every precondition.
#[derive(Debug, Clone, Copy)]
pub struct Representation<'a> {
    /// Bytes in all.
    pub size: u64,
    /// The strong entity tag, without its quotes: visible ASCII but no quote.
    pub etag: &'a str,
    /// When it was last changed, if that is known.
    pub last_modified: Option<Timestamp>,
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// 200, 206, 304, 412 or 416.
    pub status: StatusCode,
    /// What to send, in this order: several for a multipart 206; empty for 304, 412, 416 and an
    /// empty file. HEAD gets the parts of a GET, for their length; the bytes are left out.
    pub parts: Vec<Range<u64>>,
    /// For a 206 of one part, and for a 416.
    pub content_range: Option<HeaderValue>,
}

/// Decides by method, preconditions and ranges, in the order of RFC 9110, 13.2.2.
pub fn decide(of: &Representation<'_>, method: &Method, headers: &HeaderMap) -> Decision {
    if let Some(status) = conditions::refuse(of, method, headers) {
        return Decision { status, parts: Vec::new(), content_range: None };
    }
    // For HEAD a range means nothing (14.2), and an empty file has none to give.
    if method != Method::GET || of.size == 0 || !conditions::if_range_holds(of, headers) {
        return of.whole();
    }
    match parse::ranges(headers, of.size) {
        parse::Asked::Whole => of.whole(),
        parse::Asked::Nothing => Decision {
            status: StatusCode::RANGE_NOT_SATISFIABLE,
            parts: Vec::new(),
            content_range: digits(&format!("bytes */{}", of.size)),
        },
        parse::Asked::Parts(parts) => {
            let content_range = match parts.as_slice() {
                [only] => digits(&of.content_range(only)),
                _ => None,
            };
            Decision { status: StatusCode::PARTIAL_CONTENT, parts, content_range }
        }
    }
}

impl Decision {
    /// Sets what every answer about this representation carries: validators, `Accept-Ranges`,
    /// `Content-Range`, and the length unless the body is a multipart one.
    pub fn describe(&self, of: &Representation<'_>, headers: &mut HeaderMap) {
        of.describe(headers);
        self.measure(headers);
    }

    /// Sets what this answer alone says: `Content-Range` and the length.
    pub fn measure(&self, headers: &mut HeaderMap) {
        if let Some(content_range) = &self.content_range {
            headers.insert(header::CONTENT_RANGE, content_range.clone());
        }
        if self.status.is_success() && self.parts.len() <= 1 {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.length()));
        }
    }

    /// Bytes of the file in all parts.
    pub fn length(&self) -> u64 {
        self.parts.iter().map(|part| part.end.saturating_sub(part.start)).sum()
    }
}

impl Representation<'_> {
    /// Sets what is the same in all answers about it: validators and `Accept-Ranges`.
    pub fn describe(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", self.etag)) {
            headers.insert(header::ETAG, etag);
        }
        if let Some(date) = self.last_modified.and_then(http_date) {
            headers.insert(header::LAST_MODIFIED, date);
        }
    }

    fn whole(&self) -> Decision {
        let parts = Some(0..self.size).filter(|whole| !whole.is_empty()).into_iter().collect();
        Decision { status: StatusCode::OK, parts, content_range: None }
    }

    fn content_range(&self, part: &Range<u64>) -> String {
        format!("bytes {}-{}/{}", part.start, part.end.saturating_sub(1), self.size)
    }
}

/// A value of digits and ASCII words, which is always a header value.
fn digits(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

/// An IMF-fixdate; nothing for times before 1970.
fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let seconds = u64::try_from(at.as_seconds()).ok()?;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()
}
