//! Large objects, written in parts: only when all are there does the object appear.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::Timestamp;
use rusty_s3::Method;

use super::bucket::{Ask, Checksums};
use super::exchange::{Bucket, Found};
use super::objects::Proof;
use crate::{Blob, Digests, StoreError};

/// Blobs up to this size are written in one call.
pub(super) const PUT_WHOLE_MAX: u64 = 64 << 20;
/// The size of a part, as long as there are not too many of them.
const PART: u64 = 16 << 20;
/// S3 takes no more parts for an object.
const PARTS_MAX: u64 = 10_000;
/// Pages of the list of unfinished uploads; a thousand each.
const PAGES_MAX: usize = 100;

/// The multipart uploads that this process is at.
#[derive(Default)]
pub(super) struct Live(Mutex<BTreeSet<String>>);

impl Live {
    fn set(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self, upload: &str) -> bool {
        self.set().contains(upload)
    }
}

/// A part that has been written.
struct Part {
    etag: String,
    checksum: String,
    proof: Proof,
}

/// An upload that waits for its parts.
struct Unfinished {
    key: String,
    upload: String,
    begun_at: Timestamp,
}

impl Bucket {
    /// Writes an object in parts. What fails is given up in the store too; what is killed, the sweep finds.
    pub(super) fn put_in_parts(
        &self,
        digests: &Digests,
        blob: &Blob,
        live: &Live,
    ) -> Result<Proof, StoreError> {
        let key = self.signer.key(&digests.sha256);
        let upload = self.begin_parts(&key)?;
        live.set().insert(upload.clone());
        let done = self.send_parts(&key, &upload, blob).and_then(|parts| self.join(&key, &upload, &parts));
        if done.is_err() {
            // The first error is the one to tell; what this leaves behind is swept.
            let _ = self.give_up(&key, &upload);
        }
        live.set().remove(&upload);
        done
    }

    fn begin_parts(&self, key: &str) -> Result<String, StoreError> {
        let mut ask = Ask::new(Method::Post, Some(key))
            .query("uploads", "")
            .header("content-type", "application/octet-stream");
        if self.checksums == Checksums::Sent {
            ask = ask.header("x-amz-checksum-algorithm", "SHA256");
        }
        let answer = self.demand(&ask)?;
        let begun = self.document(&ask, &answer, "InitiateMultipartUploadResult")?;
        match begun.text_of("UploadId") {
            Some(upload) if !upload.is_empty() => Ok(upload.to_owned()),
            _ => Err(self.rubbish(&ask, "an upload without an id")),
        }
    }

    fn send_parts(&self, key: &str, upload: &str, blob: &Blob) -> Result<Vec<Part>, StoreError> {
        let mut parts = Vec::new();
        let length = part_length(blob.len());
        let mut start = 0;
        while start < blob.len() {
            let end = blob.len().min(start.saturating_add(length));
            let content = blob.bytes(start..end).unwrap_or_default();
            parts.push(self.send_part(key, upload, parts.len().saturating_add(1), content)?);
            start = end;
        }
        Ok(parts)
    }

    fn send_part(&self, key: &str, upload: &str, number: usize, content: Bytes) -> Result<Part, StoreError> {
        let digests = Digests::of(&content);
        let checksum = STANDARD.encode(digests.sha256.as_bytes());
        let ask = Ask::new(Method::Put, Some(key))
            .query("partNumber", number.to_string())
            .query("uploadId", upload)
            .body(content);
        let ask = self.with_checksum(ask, &checksum);
        let answer = self.demand(&ask)?;
        let proof = self.proof(&ask, &answer, &checksum, &digests.md5_hex())?;
        match answer.header("etag") {
            Some(etag) => Ok(Part { etag: etag.trim_matches('"').to_owned(), checksum, proof }),
            None => Err(self.rubbish(&ask, "a part without an ETag")),
        }
    }

    fn join(&self, key: &str, upload: &str, parts: &[Part]) -> Result<Proof, StoreError> {
        let ask = Ask::new(Method::Post, Some(key))
            .query("uploadId", upload)
            .header("content-type", "application/xml")
            .body(Bytes::from(joining(parts, self.checksums)));
        // Nothing there may mean that an attempt before this one did it, and its answer was
        // lost: what stands in the store then has to prove itself.
        let Found::There(answer) = self.ask(&ask)? else { return Ok(Proof::NotShown) };
        self.document(&ask, &answer, "CompleteMultipartUploadResult")?;
        let shown = parts.iter().all(|part| part.proof == Proof::Shown);
        Ok(if shown { Proof::Shown } else { Proof::NotShown })
    }

    fn give_up(&self, key: &str, upload: &str) -> Result<(), StoreError> {
        self.ask(&Ask::new(Method::Delete, Some(key)).query("uploadId", upload)).map(drop)
    }

    /// Gives up the uploads that were begun before `before` and are not in our hands.
    pub(super) fn sweep_parts(&self, before: Timestamp, live: &Live) -> Result<u64, StoreError> {
        let mut swept = 0;
        for unfinished in self.unfinished()? {
            if unfinished.begun_at <= before && !live.holds(&unfinished.upload) {
                self.give_up(&unfinished.key, &unfinished.upload)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        let mut found = Vec::new();
        let mut after: Option<(String, String)> = None;
        for _ in 0..PAGES_MAX {
            let mut ask =
                Ask::new(Method::Get, None).query("uploads", "").query("prefix", self.signer.root());
            if let Some((key, upload)) = after {
                ask = ask.query("key-marker", key).query("upload-id-marker", upload);
            }
            // A few stores cannot tell; docs/STORES.md says what to set there instead.
            let Some(answer) = self.demand_if_able(&ask)? else { break };
            let page = self.document(&ask, &answer, "ListMultipartUploadsResult")?;
            for upload in page.all("Upload") {
                let field = |name| upload.text_of(name).unwrap_or_default().to_owned();
                let Ok(begun_at) = Timestamp::parse_rfc3339(&field("Initiated")) else {
                    return Err(self.rubbish(&ask, "a list of uploads without times"));
                };
                // A store that minds no prefix must not make us end others' uploads.
                if field("Key").starts_with(&self.signer.root()) {
                    found.push(Unfinished { key: field("Key"), upload: field("UploadId"), begun_at });
                }
            }
            let next = |name| page.text_of(name).unwrap_or_default().to_owned();
            if page.text_of("IsTruncated") != Some("true") || next("NextKeyMarker").is_empty() {
                break;
            }
            after = Some((next("NextKeyMarker"), next("NextUploadIdMarker")));
        }
        Ok(found)
    }
}

/// Whole MiB, large enough that the parts are not too many.
fn part_length(size: u64) -> u64 {
    let mebibyte = 1 << 20;
    PART.max(size.div_ceil(PARTS_MAX).div_ceil(mebibyte).saturating_mul(mebibyte))
}

/// The list of parts to join. With checksums each part needs its own.
fn joining(parts: &[Part], checksums: Checksums) -> String {
    let mut body =
        String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (part, number) in parts.iter().zip(1u64..) {
        let etag = escaped(&part.etag);
        // Writing to a string cannot fail.
        let _ = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag>");
        if checksums == Checksums::Sent {
            let _ = write!(body, "<ChecksumSHA256>{}</ChecksumSHA256>", part.checksum);
        }
        body.push_str("</Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_before_they_become_too_many() {
        assert_eq!(part_length(PUT_WHOLE_MAX + 1), PART);
        assert_eq!(part_length(PART * PARTS_MAX), PART);
        assert_eq!(part_length(PART * PARTS_MAX + 1), PART + (1 << 20));
        assert!((5u64 << 40).div_ceil(part_length(5 << 40)) <= PARTS_MAX);
    }
}
