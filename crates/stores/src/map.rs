//! Memory-mapped blobs: the only unsafe code of this crate.

#![expect(unsafe_code, reason = "mapping a file is unsafe by its nature; see the SAFETY note")]

use std::fs::File;
use std::ops::Range;

use bytes::Bytes;
use memmap2::Mmap;

/// An open blob: its bytes, in memory only while they are being used. Cloning it is cheap.
///
/// It stays readable when the blob is removed or stored again meanwhile.
#[derive(Clone)]
pub struct Blob {
    bytes: Bytes,
}

impl Blob {
    /// Maps a whole file of this length.
    pub(crate) fn map(file: &File, len: u64) -> std::io::Result<Self> {
        if len == 0 {
            // The system refuses to map nothing.
            return Ok(Self { bytes: Bytes::new() });
        }
        let len = usize::try_from(len).map_err(|_| std::io::ErrorKind::FileTooLarge)?;
        // SAFETY: a map is sound as long as nobody changes or shortens the file under it.
        // Only finished blobs come here: this crate writes a blob under a temporary name,
        // never opens it for writing once it has its name, and replaces or removes it by
        // the name alone, which leaves the mapped file as it was. The store's folder is
        // refused unless it is closed to other users. What remains is an operator who
        // writes into the store by hand, which the documentation forbids.
        let map = unsafe { memmap2::MmapOptions::new().len(len).map(file)? };
        Ok(Self { bytes: Bytes::from_owner(Whole(map)) })
    }

    /// A blob in memory.
    #[cfg(test)]
    pub(crate) fn of(content: &[u8]) -> Self {
        Self { bytes: Bytes::copy_from_slice(content) }
    }

    /// Its size in bytes.
    pub fn len(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes from `range.start` up to `range.end`, without copying them.
    ///
    /// `None` if that is not a part of the blob: a response that promised more than
    /// there is must be cut, not padded.
    pub fn bytes(&self, range: Range<u64>) -> Option<Bytes> {
        let start = usize::try_from(range.start).ok()?;
        let end = usize::try_from(range.end).ok()?;
        (start <= end && end <= self.bytes.len()).then(|| self.bytes.slice(start..end))
    }

    /// The whole blob, without copying it.
    pub fn all(&self) -> Bytes {
        self.bytes.clone()
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

struct Whole(Mmap);

impl AsRef<[u8]> for Whole {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
