//! The objects of a bucket: read, write, look at, remove, list.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::{Span, Timestamp};
use rusty_s3::Method;

use super::bucket::{Ask, Checksums};
use super::exchange::{Bucket, Found, kind};
use super::network::HttpAnswer;
use crate::digest::Hashing;
use crate::{Digests, Listed, Sha256, StoreError};

/// How much of a blob is read in one call: that much is asked for again when a line breaks.
pub(super) const READ_PIECE: u64 = 16 << 20;
/// Pages of one listing; a thousand keys each.
const PAGES_MAX: usize = 10_000;
/// What we say our objects are, so that a proxy's page is told apart.
const TYPE: &str = "application/octet-stream";

/// What is known of an object without reading it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) stored_at: Timestamp,
}

/// Whether the store has shown that what it keeps is what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Shown,
    NotShown,
}

impl Bucket {
    pub(super) fn head(&self, sha256: &Sha256) -> Result<Option<Head>, StoreError> {
        let key = self.signer.key(sha256);
        let ask = Ask::new(Method::Head, Some(&key)).at_most(0);
        let Found::There(answer) = self.ask(&ask)? else { return Ok(None) };
        self.ours(&ask, &answer)?;
        let size = answer.header("content-length").and_then(|size| size.parse().ok());
        let stored_at = answer.header("last-modified").and_then(http_date);
        match (size, stored_at) {
            (Some(size), Some(stored_at)) => Ok(Some(Head { size, stored_at })),
            _ => Err(self.rubbish(&ask, "an answer without size and time")),
        }
    }

    /// A part of a blob of this size. Checked are the length and the place, not the content.
    pub(super) fn read(&self, sha256: &Sha256, size: u64, part: Range<u64>) -> Result<Bytes, StoreError> {
        let key = self.signer.key(sha256);
        let ask = Ask::new(Method::Get, Some(&key));
        let Some(length) = part.end.checked_sub(part.start).filter(|_| part.end <= size) else {
            return Err(self.refused(&ask, format!("bytes {part:?} of {size} were asked for")));
        };
        let Some(last) = part.end.checked_sub(1).filter(|_| length > 0) else { return Ok(Bytes::new()) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let ask = ask.header("range", format!("bytes={}-{last}", part.start)).at_most(length.max(4096));
        let Found::There(answer) = self.ask(&ask)? else { return Err(StoreError::Missing(*sha256)) };
        self.ours(&ask, &answer)?;
        let given = match (answer.status, answer.header("content-range")) {
            (206 | 416, Some(range)) => range.strip_prefix("bytes ").and_then(|range| range.split_once('/')),
            // Some answer the whole where the whole was asked for.
            (200, _) if part == (0..size) => answer.header("content-length").map(|total| ("all", total)),
            _ => None,
        };
        let Some((given, Ok(total))) = given.map(|(given, total)| (given, total.parse::<u64>())) else {
            return Err(self.rubbish(&ask, format!("{} for bytes {part:?} of {size}", kind(&answer))));
        };
        if total != size {
            return Err(self.corrupted(sha256, found_size(total, size)));
        }
        if (given == "all" || given == format!("{}-{last}", part.start)) && answer.body.len() == length {
            return Ok(answer.body);
        }
        Err(self.rubbish(&ask, format!("{} for bytes {part:?} of {size}", kind(&answer))))
    }

    /// Reads a whole blob of this size, piece by piece, and compares it with its name.
    pub(super) fn read_whole(
        &self,
        sha256: &Sha256,
        size: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<Digests, StoreError> {
        let mut hashing = Hashing::new();
        while hashing.size() < size {
            let start = hashing.size();
            let piece = self.read(sha256, size, start..size.min(start.saturating_add(READ_PIECE)))?;
            hashing.update(&piece);
            take(&piece)?;
        }
        let digests = hashing.finish();
        if digests.sha256 != *sha256 {
            return Err(self.corrupted(sha256, format!("its content has the digest {}", digests.sha256)));
        }
        Ok(digests)
    }

    /// Writes an object in one call.
    pub(super) fn put(&self, digests: &Digests, content: Bytes) -> Result<Proof, StoreError> {
        let key = self.signer.key(&digests.sha256);
        let ask = Ask::new(Method::Put, Some(&key)).header("content-type", TYPE).body(content);
        let checksum = STANDARD.encode(digests.sha256.as_bytes());
        let ask = self.with_checksum(ask, &checksum);
        let answer = self.demand(&ask)?;
        self.proof(&ask, &answer, &checksum, &digests.md5_hex())
    }

    pub(super) fn with_checksum<'a>(&self, ask: Ask<'a>, checksum: &str) -> Ask<'a> {
        match self.checksums {
            Checksums::Sent => ask.header("x-amz-checksum-sha256", checksum),
            Checksums::Left => ask,
        }
    }

    /// What an answer to a write proves. The ETag is an MD5 in most stores, but need not be.
    pub(super) fn proof(
        &self,
        ask: &Ask<'_>,
        answer: &HttpAnswer,
        checksum: &str,
        md5: &str,
    ) -> Result<Proof, StoreError> {
        let etag = answer.header("etag").map(|etag| etag.trim_matches('"'));
        match answer.header("x-amz-checksum-sha256") {
            Some(found) if found == checksum => Ok(Proof::Shown),
            Some(found) => {
                Err(self.rubbish(ask, format!("the checksum {found:?}, not that of what was sent")))
            }
            None if etag.is_some_and(|etag| etag.eq_ignore_ascii_case(md5)) => Ok(Proof::Shown),
            None => Ok(Proof::NotShown),
        }
    }

    pub(super) fn delete(&self, sha256: &Sha256) -> Result<(), StoreError> {
        let key = self.signer.key(sha256);
        self.ask(&Ask::new(Method::Delete, Some(&key))).map(drop)
    }

    /// The blobs of a shelf, in order.
    pub(super) fn list(&self, shelf: u8) -> Result<Vec<Listed>, StoreError> {
        let mut listed = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            token = self.list_page(shelf, token, &mut listed)?;
            if token.is_none() {
                listed.sort_unstable_by_key(|found| found.sha256);
                listed.dedup_by_key(|found| found.sha256);
                return Ok(listed);
            }
        }
        Err(self.rubbish(&Ask::new(Method::Get, None), "a list without end"))
    }

    fn list_page(
        &self,
        shelf: u8,
        token: Option<String>,
        listed: &mut Vec<Listed>,
    ) -> Result<Option<String>, StoreError> {
        let prefix = self.signer.shelf(shelf);
        let mut ask = Ask::new(Method::Get, None).query("list-type", "2").query("prefix", &*prefix);
        if let Some(token) = token {
            ask = ask.query("continuation-token", token);
        }
        let answer = self.demand(&ask)?;
        let page = self.document(&ask, &answer, "ListBucketResult")?;
        for object in page.all("Contents") {
            let field = |name| object.text_of(name).unwrap_or_default();
            // Whatever else lies around in the bucket is none of ours.
            let Some(name) = field("Key").strip_prefix(&prefix) else { continue };
            let Ok(sha256) = name.parse::<Sha256>() else { continue };
            let (size, stored_at) = (field("Size").parse(), Timestamp::parse_rfc3339(field("LastModified")));
            match (size, stored_at) {
                (Ok(size), Ok(stored_at)) if sha256.shelf() == shelf => {
                    listed.push(Listed { sha256, size, stored_at });
                }
                _ => return Err(self.rubbish(&ask, "a list without sizes and times")),
            }
        }
        match (page.text_of("IsTruncated"), page.text_of("NextContinuationToken")) {
            (Some("true"), Some(token)) if !token.is_empty() => Ok(Some(token.to_owned())),
            (Some("true"), _) => Err(self.rubbish(&ask, "a list that cannot be gone on with")),
            _ => Ok(None),
        }
    }

    /// Our objects are of one type: a page of HTML is a proxy's or a login's.
    fn ours(&self, ask: &Ask<'_>, answer: &HttpAnswer) -> Result<(), StoreError> {
        let html = answer.header("content-type").is_some_and(|claimed| claimed.starts_with("text/html"));
        if html { Err(self.rubbish(ask, kind(answer))) } else { Ok(()) }
    }

    pub(super) fn corrupted(&self, sha256: &Sha256, found: String) -> StoreError {
        let found = format!("in store {}, {}, {found}", self.name, self.signer.key(sha256));
        StoreError::Corrupted { sha256: *sha256, found }
    }
}

pub(super) fn found_size(found: u64, expected: u64) -> String {
    format!("it has {found} bytes where {expected} are recorded")
}

/// `Wed, 21 Oct 2015 07:28:00 GMT`. Whole seconds: the object may be almost a second younger.
fn http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_micros(0) + Span::micros(i64::try_from(since.as_micros()).ok()?))
}
