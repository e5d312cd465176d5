//! Where everything in an archive stands.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::protected::Protected;
use crate::record::{End, Headers, OPENING, TAG};
use crate::{DosTime, Entry, Form, LayoutError, Protection, safe_names};

/// Most files in an archive.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Longest archive, and longest file in one: programs count in signed numbers.
pub const LENGTH_MAX: u64 = (1 << 63) - 1;

/// An archive before its first byte: names, offsets and length are known, contents are elsewhere.
///
/// The bytes are a function of what is given to [`Layout::new`] and of nothing else. Which bytes stand where is
/// told by [`Layout::pieces`]; a [`Reader`](crate::Reader) reads them.
#[derive(Debug)]
pub struct Layout {
    pub(crate) entries: Vec<Placed>,
    pub(crate) modified: DosTime,
    directory: Range<u64>,
    length: u64,
    etag: String,
    pub(crate) protected: Option<Protected>,
}

/// An entry under its final name, and where it is.
#[derive(Debug)]
pub(crate) struct Placed {
    pub entry: Entry,
    /// Where its local header begins.
    at: u64,
    /// Where its header in the central directory begins.
    directory_at: u64,
}

/// What stands at some place of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    Header(u32),
    Opening(u32),
    Body(u32),
    Tag(u32),
    Directory(u32),
    End,
}

impl Layout {
    /// Lays out an archive of these files in this order, under names made safe and unique. No file at all gives an
    /// empty archive, which is one too.
    ///
    /// # Errors
    /// When there are too many files, they are too long, or one cannot be right.
    pub fn new(
        mut entries: Vec<Entry>,
        modified: DosTime,
        protection: Option<Protection>,
    ) -> Result<Self, LayoutError> {
        if entries.len() > ENTRIES_MAX {
            return Err(LayoutError::Entries(entries.len()));
        }
        let names = safe_names(entries.iter().map(|entry| entry.name.as_str()));
        for (entry, name) in entries.iter_mut().zip(names) {
            entry.name = name;
        }
        Self::place(entries, modified, protection)
    }

    /// Lays out entries whose names are final.
    pub(crate) fn place(
        entries: Vec<Entry>,
        modified: DosTime,
        protection: Option<Protection>,
    ) -> Result<Self, LayoutError> {
        if entries.len() > ENTRIES_MAX {
            return Err(LayoutError::Entries(entries.len()));
        }
        let etag = etag(&entries, modified, protection.as_ref());
        let protected = protection.map(|protection| Protected::new(protection, entries.len()));
        let mut layout = Self { entries: Vec::new(), modified, directory: 0..0, length: 0, etag, protected };
        layout.entries.reserve_exact(entries.len());

        for entry in entries {
            check(&entry)?;
            let placed = Placed { entry, at: layout.directory.start, directory_at: layout.directory.end };
            let headers = layout.headers(&placed);
            let sizes = [headers.local_length(), headers.packed()];
            let end = sizes.into_iter().try_fold(placed.at, u64::checked_add);
            layout.directory.start =
                end.filter(|end| *end <= LENGTH_MAX).ok_or_else(|| too_long(&placed.entry))?;
            // Counted from the beginning of the directory until that is known.
            layout.directory.end += headers.central_length();
            layout.entries.push(placed);
        }
        layout.finish()
    }

    fn finish(mut self) -> Result<Self, LayoutError> {
        let start = self.directory.start;
        self.directory.end = start.saturating_add(self.directory.end);
        self.length = self.directory.end.saturating_add(self.end().length());
        if self.length > LENGTH_MAX {
            let name = self.entries.pop().map(|last| last.entry.name).unwrap_or_default();
            return Err(LayoutError::Long { name });
        }
        for placed in &mut self.entries {
            placed.directory_at = placed.directory_at.saturating_add(start);
        }
        Ok(self)
    }

    /// How long the archive is, in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// A strong validator for `ETag`, without quotes: another one whenever a byte of the archive would be another.
    ///
    /// It is a digest over everything that decides the bytes. Seed and password cannot be guessed by it.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Whether contents are encrypted.
    pub const fn is_protected(&self) -> bool {
        self.protected.is_some()
    }

    /// The files in order, under the names they have in the archive.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter().map(|placed| &placed.entry)
    }

    /// The file at this place in the order, counted from zero.
    pub fn entry(&self, ordinal: u32) -> Option<&Entry> {
        self.placed(ordinal).map(|placed| &placed.entry)
    }

    /// The files that a range of the archive has anything of, their headers in front included, as places in the order.
    pub fn entries_in(&self, range: &Range<u64>) -> Range<usize> {
        let end = range.end.min(self.directory.start);
        if range.start >= end {
            return 0..0;
        }
        let first = self.entries.partition_point(|placed| placed.at <= range.start).saturating_sub(1);
        first..self.entries.partition_point(|placed| placed.at < end)
    }

    pub(crate) fn placed(&self, ordinal: u32) -> Option<&Placed> {
        self.entries.get(usize::try_from(ordinal).ok()?)
    }

    pub(crate) fn headers<'a>(&self, placed: &'a Placed) -> Headers<'a> {
        let entry = &placed.entry;
        Headers {
            name: &entry.name,
            modified: self.modified,
            method: match entry.form {
                Form::Stored => 0,
                Form::Deflated { .. } => 8,
            },
            encrypted: self.protected.is_some(),
            crc32: entry.crc32,
            size: entry.size,
            held: entry.held(),
            at: placed.at,
        }
    }

    pub(crate) fn end(&self) -> End {
        End {
            entries: u64::try_from(self.entries.len()).unwrap_or(u64::MAX),
            directory_at: self.directory.start,
            directory_length: self.directory.end.saturating_sub(self.directory.start),
        }
    }

    /// What stands at this place, and from where to where it does.
    pub(crate) fn segment(&self, at: u64) -> Option<(Segment, Range<u64>)> {
        if at >= self.directory.end {
            return (at < self.length).then_some((Segment::End, self.directory.end..self.length));
        }
        if at >= self.directory.start {
            let index = self.entries.partition_point(|placed| placed.directory_at <= at).checked_sub(1)?;
            let placed = self.entries.get(index)?;
            let end = placed.directory_at.saturating_add(self.headers(placed).central_length());
            return Some((Segment::Directory(u32::try_from(index).ok()?), placed.directory_at..end));
        }
        let index = self.entries.partition_point(|placed| placed.at <= at).checked_sub(1)?;
        let placed = self.entries.get(index)?;
        let ordinal = u32::try_from(index).ok()?;
        let (opening, tag) = if self.is_protected() { (OPENING, TAG) } else { (0, 0) };
        let mut start = placed.at;
        for (segment, length) in [
            (Segment::Header(ordinal), self.headers(placed).local_length()),
            (Segment::Opening(ordinal), opening),
            (Segment::Body(ordinal), placed.entry.held()),
            (Segment::Tag(ordinal), tag),
        ] {
            let end = start.saturating_add(length);
            if at < end {
                return Some((segment, start..end));
            }
            start = end;
        }
        None
    }
}

fn check(entry: &Entry) -> Result<(), LayoutError> {
    if entry.size > LENGTH_MAX || entry.held() > LENGTH_MAX {
        return Err(too_long(entry));
    }
    if matches!(entry.form, Form::Deflated { length: 0, .. }) {
        return Err(LayoutError::EmptyStream { name: entry.name.clone() });
    }
    Ok(())
}

fn too_long(entry: &Entry) -> LayoutError {
    LayoutError::Long { name: entry.name.clone() }
}

/// Which way of writing archives this is. Goes up when [`crate::record`], [`crate::seal`] or the order of segments
/// changes a byte, so that nobody resumes a download across the change.
const WRITING: u8 = 1;

fn etag(entries: &[Entry], modified: DosTime, protection: Option<&Protection>) -> String {
    let mut hash = Sha256::new();
    hash.update(b"handsel archive\0");
    hash.update([WRITING, u8::from(protection.is_some())]);
    if let Some(protection) = protection {
        hash.update(protection.commitment());
    }
    hash.update(modified.date().to_le_bytes());
    hash.update(modified.time().to_le_bytes());
    for entry in entries {
        hash.update(u64::try_from(entry.name.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(entry.name.as_bytes());
        hash.update(entry.content.as_bytes());
        hash.update(entry.crc32.to_le_bytes());
        hash.update(entry.size.to_le_bytes());
        match entry.form {
            Form::Stored => hash.update([0]),
            Form::Deflated { blob, length } => {
                hash.update([8]);
                hash.update(blob.as_bytes());
                hash.update(length.to_le_bytes());
            }
        }
    }
    let whole: [u8; 32] = hash.finalize().into();
    hex::encode(whole.split_at(16).0)
}
