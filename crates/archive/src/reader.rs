//! Reads a range of an archive from a source of contents.

use std::ops::Range;
use std::sync::Arc;

use crate::layout::Segment;
use crate::{ContentId, Layout, Piece, ReadError, Sealing, Stretch};

/// Where the contents of an archive are.
pub trait Source {
    /// Reads bytes of a content from this offset on into the buffer, at least one unless the content ends there,
    /// and says how many. The same id and offset give the same bytes, always.
    ///
    /// # Errors
    /// When it cannot be read now.
    fn read_at(&self, blob: &ContentId, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize>;
}

impl<T: Source + ?Sized> Source for &T {
    fn read_at(&self, blob: &ContentId, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        T::read_at(self, blob, offset, buffer)
    }
}

impl<T: Source + ?Sized> Source for Arc<T> {
    fn read_at(&self, blob: &ContentId, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        T::read_at(self, blob, offset, buffer)
    }
}

/// A range of an archive, read from the front. Holds one header at most, whatever the archive's size.
///
/// An entry that is read from its first to its last byte gives its tag on the way. Only the entry in which the
/// range begins may owe one: [`Reader::owed_tag`].
#[derive(Debug)]
pub struct Reader<S> {
    layout: Arc<Layout>,
    source: S,
    left: Range<u64>,
    now: Now,
}

#[derive(Debug)]
enum Now {
    Between,
    Literal { bytes: Vec<u8>, done: usize },
    Content { stretch: Stretch, done: u64 },
    Sealed { stretch: Stretch, done: u64, sealing: Box<Sealing> },
}

impl<S: Source> Reader<S> {
    /// Reads this range; the part of it behind the archive's end is not there.
    pub fn new(layout: Arc<Layout>, source: S, range: Range<u64>) -> Self {
        let end = range.end.min(layout.length());
        let left = range.start.min(end)..end;
        Self { layout, source, left, now: Now::Between }
    }

    /// How many bytes are still to come.
    pub const fn left(&self) -> u64 {
        self.left.end.saturating_sub(self.left.start)
    }

    /// The entry whose tag will be needed and cannot be had on the way, since the range begins behind the entry's
    /// first byte. There is never more than one.
    ///
    /// Unless it is known when it is reached, [`Reader::fill`] computes it there, by a pass over the entry's content:
    /// about a second per GiB. A caller with buyers in a hurry lets [`Layout::tag_from`] do it meanwhile on another thread.
    pub fn owed_tag(&self) -> Option<u32> {
        if !self.layout.is_protected() || self.left.is_empty() {
            return None;
        }
        let ordinal = match (self.layout.segment(self.left.start)?, &self.now) {
            ((Segment::Tag(ordinal), _), _) => ordinal,
            ((Segment::Body(ordinal), body), Now::Between) => {
                let owes = self.left.start > body.start && self.left.end > body.end;
                owes.then_some(ordinal)?
            }
            ((Segment::Body(ordinal), body), Now::Sealed { stretch, .. }) => {
                let owes = stretch.from > 0 && self.left.end > body.end;
                owes.then_some(ordinal)?
            }
            _ => return None,
        };
        self.layout.tag(ordinal).is_none().then_some(ordinal)
    }

    /// Fills the buffer; less only at the end of the range or before an error, which the next call then gives.
    ///
    /// # Errors
    /// When a content cannot be read. What was filled before is right, and reading may go on from there.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.step(rest) {
                Ok(0) => break,
                Ok(read) => filled = filled.saturating_add(read),
                Err(_) if filled > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Reads at least one byte, unless there is none left.
    fn step(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if let Now::Between = self.now {
            let Some((piece, _)) = self.layout.piece(&self.left) else { return Ok(0) };
            self.now = self.begin(piece)?;
        }
        let read = match &mut self.now {
            Now::Between => 0,
            Now::Literal { bytes, done } => {
                let rest = bytes.get(*done..).unwrap_or_default();
                let read = rest.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..read), rest.get(..read)) {
                    to.copy_from_slice(from);
                }
                *done += read;
                if *done == bytes.len() {
                    self.now = Now::Between;
                }
                read
            }
            Now::Content { stretch, done } => {
                let read = stretch.read(*done, &self.source, buffer)?;
                *done = done.saturating_add(wide(read));
                if *done >= stretch.length {
                    self.now = Now::Between;
                }
                read
            }
            Now::Sealed { stretch, done, sealing } => {
                // No more than what is still in the second-level cache when it is encrypted.
                let most = buffer.len().min(SEALED_AT_ONCE);
                let buffer = buffer.get_mut(..most).unwrap_or_default();
                let read = stretch.read(*done, &self.source, buffer)?;
                sealing.seal(buffer.get_mut(..read).unwrap_or_default());
                *done = done.saturating_add(wide(read));
                if *done >= stretch.length {
                    self.end_sealed();
                }
                read
            }
        };
        self.left.start = self.left.start.saturating_add(wide(read));
        Ok(read)
    }

    fn begin(&self, piece: Piece) -> Result<Now, ReadError> {
        Ok(match piece {
            Piece::Literal(bytes) => Now::Literal { bytes, done: 0 },
            Piece::Content(stretch) => Now::Content { stretch, done: 0 },
            Piece::Sealed(stretch) => {
                Now::Sealed { stretch, done: 0, sealing: Box::new(self.layout.sealing(&stretch)?) }
            }
            Piece::Tag { ordinal, part } => {
                let tag = self.layout.tag_from(ordinal, &self.source)?;
                Now::Literal { bytes: tag.as_bytes().get(part).unwrap_or_default().to_vec(), done: 0 }
            }
        })
    }

    fn end_sealed(&mut self) {
        if let Now::Sealed { stretch, sealing, .. } = std::mem::replace(&mut self.now, Now::Between) {
            self.layout.sealed(stretch.ordinal, *sealing);
        }
    }
}

impl<S: Source> std::io::Read for Reader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(self.fill(buffer)?)
    }
}

/// How much is read before it is encrypted.
const SEALED_AT_ONCE: usize = 128 * 1024;

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
