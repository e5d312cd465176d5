//! Zip archives within bounds.

use crate::StampError;
use std::io::{Cursor, Read, Write};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The most entries of an archive.
const ENTRIES_MAX: usize = 50_000;
/// The most that one entry may unpack to, where it is unpacked: a chapter, a package document.
pub(crate) const ENTRY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// An archive that is read from memory.
pub(crate) struct Zipped<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// What may still be unpacked of it.
    left: usize,
}

impl<'a> Zipped<'a> {
    /// Opens an archive of which at most `unpacked_max` bytes are to be unpacked.
    pub(crate) fn open(file: &'a [u8], unpacked_max: usize) -> Result<Self, StampError> {
        let mut archive = ZipArchive::new(Cursor::new(file)).map_err(unreadable)?;
        if archive.len() > ENTRIES_MAX {
            return Err(StampError::TooLarge { what: "the number of files in it", limit: ENTRIES_MAX });
        }
        // Entries that share their bytes would be copied once each: a small file becomes a huge one.
        if archive.has_overlapping_entries().map_err(unreadable)? {
            return Err(StampError::broken("files in it lie over each other"));
        }
        Ok(Self { archive, left: unpacked_max })
    }

    /// The names of the entries, in the order of the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        (0..self.archive.len())
            .map(|at| self.archive.name_for_index(at).and_then(Result::ok).unwrap_or_default().into_owned())
            .collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    pub(crate) fn comment(&self) -> &[u8] {
        self.archive.comment()
    }

    /// An entry's content.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, StampError> {
        let at = self
            .archive
            .index_for_name(name)
            .ok_or_else(|| StampError::broken(format_args!("\u{201c}{name}\u{201d} is missing in it")))?;
        self.read_at(at, ENTRY_BYTES_MAX)
    }

    /// The content of the entry at a place of the directory.
    pub(crate) fn read_at(&mut self, at: usize, limit: usize) -> Result<Vec<u8>, StampError> {
        let limit = limit.min(self.left);
        let entry = self.archive.by_index(at).map_err(unreadable)?;
        let mut content = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        entry
            .take(most)
            .read_to_end(&mut content)
            .map_err(|error| StampError::broken(format_args!("a file in it cannot be unpacked: {error}")))?;
        if content.len() > limit {
            return Err(StampError::TooLarge { what: "a file in it, unpacked,", limit });
        }
        self.left -= content.len();
        Ok(content)
    }

    /// The archive with some entries replaced and a comment: everything else is copied as it is compressed.
    pub(crate) fn with(
        mut self,
        first: &str,
        changed: &std::collections::BTreeMap<String, Vec<u8>>,
        comment: &str,
    ) -> Result<Vec<u8>, StampError> {
        let names = self.names();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|at| names.get(*at).is_none_or(|name| name != first));
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        for at in order {
            let name = names.get(at).map(String::as_str).unwrap_or_default();
            match changed.get(name) {
                Some(content) => write(&mut out, name, content)?,
                None => {
                    let entry = self.archive.by_index_raw(at).map_err(unreadable)?;
                    out.raw_copy_file(entry).map_err(unreadable)?;
                }
            }
        }
        out.set_comment(comment).map_err(unreadable)?;
        Ok(out.finish().map_err(unreadable)?.into_inner())
    }
}

/// Writes an entry whose date is fixed: the result must not depend on when it was made.
fn write(out: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, content: &[u8]) -> Result<(), StampError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    out.start_file(name, options).map_err(unreadable)?;
    out.write_all(content).map_err(|error| StampError::broken(format_args!("it cannot be written: {error}")))
}

fn unreadable(error: ZipError) -> StampError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            StampError::Encrypted
        }
        other => StampError::broken(format_args!("it cannot be read as a zip archive: {other}")),
    }
}
