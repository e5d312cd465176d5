//! Which bytes make up a range of an archive, and where they come from.

use std::ops::Range;

use crate::layout::Segment;
use crate::{ContentId, Layout, ReadError, Source};

/// The next bytes of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes: headers, and what stands in front of encrypted contents.
    Literal(Vec<u8>),
    /// Bytes of a content, as they are.
    Content(Stretch),
    /// Bytes of a content, encrypted: see [`Layout::sealing`].
    Sealed(Stretch),
    /// Bytes of the tag behind an encrypted content: see [`Layout::tag`] and [`Layout::tag_from`].
    Tag {
        /// Whose tag, counted from zero.
        ordinal: u32,
        /// Which of its 10 bytes.
        part: Range<usize>,
    },
}

/// A part of an entry's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Whose content, counted from zero.
    pub ordinal: u32,
    /// What to ask a source for.
    pub blob: ContentId,
    /// From which byte of the blob on.
    pub from: u64,
    /// How many bytes.
    pub length: u64,
}

impl Stretch {
    /// Reads what comes after the first `done` bytes, at least one byte and as many as fit.
    pub(crate) fn read(
        &self,
        done: u64,
        source: &impl Source,
        buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        let left = usize::try_from(self.length.saturating_sub(done)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        let offset = self.from.saturating_add(done);
        loop {
            match source.read_at(&self.blob, offset, buffer) {
                Ok(0) => {
                    let length = self.from.saturating_add(self.length);
                    return Err(ReadError::Ended { blob: self.blob, offset, length });
                }
                Ok(read) => return Ok(read.min(most)),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ReadError::Source { blob: self.blob, offset, source }),
            }
        }
    }
}

/// The pieces of a range, in order. Each is made when it is asked for.
#[derive(Debug)]
pub struct Pieces<'a> {
    layout: &'a Layout,
    range: Range<u64>,
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (piece, length) = self.layout.piece(&self.range)?;
        self.range.start = self.range.start.saturating_add(length);
        Some(piece)
    }
}

impl Layout {
    /// What a range of the archive is made of; the part of it behind the archive's end is not there.
    ///
    /// Together the pieces are the range. A piece of content is as long as the range and the content
    /// allow, the others are short. The keys of a protected entry are derived when the range touches
    /// it: half a millisecond for the first that does.
    pub fn pieces(&self, range: Range<u64>) -> Pieces<'_> {
        Pieces { layout: self, range }
    }

    /// The whole content of an entry.
    pub fn whole(&self, ordinal: u32) -> Option<Stretch> {
        let entry = self.entry(ordinal)?;
        Some(Stretch { ordinal, blob: entry.blob(), from: 0, length: entry.held() })
    }

    /// The piece at the beginning of a range, and its length, which is not zero.
    pub(crate) fn piece(&self, range: &Range<u64>) -> Option<(Piece, u64)> {
        if range.is_empty() {
            return None;
        }
        let (segment, place) = self.segment(range.start)?;
        let part =
            range.start.saturating_sub(place.start)..range.end.min(place.end).saturating_sub(place.start);
        let length = part.end.saturating_sub(part.start);
        let piece = match segment {
            Segment::Header(ordinal) => literal(&self.headers(self.placed(ordinal)?).local(), &part)?,
            Segment::Opening(ordinal) => literal(&self.keys(ordinal)?.opening(), &part)?,
            Segment::Body(ordinal) => {
                let stretch = Stretch { from: part.start, length, ..self.whole(ordinal)? };
                if self.is_protected() { Piece::Sealed(stretch) } else { Piece::Content(stretch) }
            }
            Segment::Tag(ordinal) => Piece::Tag { ordinal, part: small(&part)? },
            Segment::Directory(ordinal) => literal(&self.headers(self.placed(ordinal)?).central(), &part)?,
            Segment::End => literal(&self.end().bytes(), &part)?,
        };
        Some((piece, length))
    }
}

fn literal(bytes: &[u8], part: &Range<u64>) -> Option<Piece> {
    Some(Piece::Literal(bytes.get(small(part)?)?.to_vec()))
}

fn small(part: &Range<u64>) -> Option<Range<usize>> {
    Some(usize::try_from(part.start).ok()?..usize::try_from(part.end).ok()?)
}
