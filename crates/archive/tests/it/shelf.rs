//! Contents in memory, and what the tests share.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use archive::{ContentId, DosTime, Entry, Form, Layout, Protection, Reader, Source};
use kernel::Secret;
use sha2::{Digest as _, Sha256};

/// A source that counts what is read from it.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    blobs: HashMap<ContentId, Vec<u8>>,
    read: AtomicU64,
}

impl Source for Shelf {
    fn read_at(&self, blob: &ContentId, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let content = self.blobs.get(blob).ok_or(std::io::ErrorKind::NotFound)?;
        let offset = usize::try_from(offset).expect("small");
        let rest = content.get(offset..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        self.read.fetch_add(u64::try_from(read).expect("small"), Ordering::Relaxed);
        Ok(read)
    }
}

pub(crate) fn digest(bytes: &[u8]) -> ContentId {
    ContentId::from_bytes(Sha256::digest(bytes).into())
}

impl Shelf {
    fn put(&mut self, bytes: Vec<u8>) -> ContentId {
        let id = digest(&bytes);
        self.blobs.insert(id, bytes);
        id
    }

    /// Adds a file that is kept as it is.
    pub(crate) fn stored(&mut self, name: &str, content: impl Into<Vec<u8>>) -> Entry {
        let content = content.into();
        Entry {
            name: name.to_owned(),
            crc32: crc32fast::hash(&content),
            size: u64::try_from(content.len()).expect("small"),
            content: self.put(content),
            form: Form::Stored,
        }
    }

    /// Adds a file that is kept deflated.
    pub(crate) fn deflated(&mut self, name: &str, content: impl Into<Vec<u8>>) -> Entry {
        let content = content.into();
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        deflate.write_all(&content).expect("memory");
        let stream = deflate.finish().expect("memory");
        let length = u64::try_from(stream.len()).expect("small");
        let blob = self.put(stream);
        Entry {
            name: name.to_owned(),
            crc32: crc32fast::hash(&content),
            size: u64::try_from(content.len()).expect("small"),
            content: digest(&content),
            form: Form::Deflated { blob, length },
        }
    }

    /// Loses the end of a content.
    pub(crate) fn truncate(&mut self, blob: &ContentId, length: usize) {
        self.blobs.get_mut(blob).expect("a blob").truncate(length);
    }

    pub(crate) fn forget(&mut self, blob: &ContentId) {
        self.blobs.remove(blob);
    }

    /// How many bytes were read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

pub(crate) fn plain(entries: Vec<Entry>) -> Arc<Layout> {
    Arc::new(Layout::new(entries, DosTime::FIRST, None).expect("a layout"))
}

pub(crate) const PASSWORD: &str = "xk3mq-t7hwd ~!\"$%";

pub(crate) fn protection(seed: u8) -> Protection {
    Protection::new(Secret::new([seed; 32]), Secret::new(PASSWORD.to_owned())).expect("a good password")
}

pub(crate) fn sealed(entries: Vec<Entry>) -> Arc<Layout> {
    Arc::new(Layout::new(entries, DosTime::FIRST, Some(protection(7))).expect("a layout"))
}

/// All bytes of an archive.
pub(crate) fn whole(layout: &Arc<Layout>, shelf: &Shelf) -> Vec<u8> {
    range(layout, shelf, 0, layout.length())
}

/// Some bytes of an archive.
pub(crate) fn range(layout: &Arc<Layout>, shelf: &Shelf, start: u64, end: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = Reader::new(layout.clone(), shelf, start..end);
    std::io::Read::read_to_end(&mut reader, &mut bytes).expect("all contents are there");
    bytes
}

/// Bytes that do not deflate, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    kernel::Entropy::fill(&kernel::SeededEntropy::new(seed), &mut bytes);
    bytes
}

/// Bytes that deflate well.
pub(crate) fn prose(length: usize) -> Vec<u8> {
    (0..)
        .flat_map(|line: u32| format!("{line}: the handsel of the day is {}\n", line % 97).into_bytes())
        .take(length)
        .collect()
}
