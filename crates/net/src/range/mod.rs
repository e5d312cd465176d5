//! Ranges and conditional requests (RFC 9110), decided without touching a byte.

use std::ops::Range;

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kernel::Timestamp;

/// What is served: enough to answer every precondition.
#[derive(Debug, Clone, Copy)]
pub struct Representation<'a> {
    /// Bytes in all.
    pub size: u64,
    /// The strong entity tag without quotes.
    pub etag: &'a str,
    /// When it was last changed, if that is known.
    pub last_modified: Option<Timestamp>,
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// 200, 206, 304, 412 or 416.
    pub status: StatusCode,
    /// What to send, in this order; empty for 304, 412, 416 and an empty file.
    ///
    /// For HEAD as for GET: the caller sends the headers and leaves the bytes.
    pub parts: Vec<Range<u64>>,
    /// For one part of a 206 and for a 416.
    pub content_range: Option<HeaderValue>,
}

/// Decides by method, preconditions and ranges.
pub fn decide(_of: &Representation<'_>, _method: &Method, _headers: &HeaderMap) -> Decision {
    todo!()
}

/// The layout of a `multipart/byteranges` body: every length known before the first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    /// `multipart/byteranges; boundary=…`
    pub content_type: HeaderValue,
    /// Of the whole body.
    pub content_length: u64,
    /// Text and file bytes, in the order in which they are sent.
    pub pieces: Vec<Piece>,
}

/// One stretch of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Boundary and part headers.
    Text(String),
    /// Bytes of the file.
    Bytes(Range<u64>),
}

/// Lays out a body for a decision with several parts.
pub fn multipart(_of: &Representation<'_>, _content_type: &str, _parts: &[Range<u64>]) -> Multipart {
    todo!()
}
