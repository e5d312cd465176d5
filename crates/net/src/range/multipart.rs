//! The layout of a `multipart/byteranges` body.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use http::HeaderValue;

use super::Representation;

/// A body of several ranges: every length is known before the first byte.
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

/// Lays out the body for a decision with several parts, each of this content type.
///
/// The boundary is a function of the file's tag and the parts, so the same request gives the
/// same body. It is no secret: readers go by the lengths in `Content-Range`.
pub fn multipart(of: &Representation<'_>, content_type: &HeaderValue, parts: &[Range<u64>]) -> Multipart {
    let boundary = boundary(of, parts);
    let content_type = content_type.to_str().unwrap_or("application/octet-stream");
    let mut pieces = Vec::with_capacity(parts.len() * 2 + 1);
    let mut before = "--";
    for part in parts {
        let range = of.content_range(part);
        pieces.push(Piece::Text(format!(
            "{before}{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {range}\r\n\r\n"
        )));
        pieces.push(Piece::Bytes(part.clone()));
        before = "\r\n--";
    }
    pieces.push(Piece::Text(format!("{before}{boundary}--\r\n")));
    Multipart {
        content_type: HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"))
            .unwrap_or(HeaderValue::from_static("multipart/byteranges")),
        content_length: pieces.iter().map(Piece::length).sum(),
        pieces,
    }
}

fn boundary(of: &Representation<'_>, parts: &[Range<u64>]) -> String {
    let mut hasher = DefaultHasher::new();
    (of.etag, of.size, parts).hash(&mut hasher);
    let first = hasher.finish();
    first.hash(&mut hasher);
    format!("{first:016x}{:016x}", hasher.finish())
}

impl Piece {
    /// How many bytes it has on the wire.
    pub fn length(&self) -> u64 {
        match self {
            Self::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Self::Bytes(range) => range.end.saturating_sub(range.start),
        }
    }
}
