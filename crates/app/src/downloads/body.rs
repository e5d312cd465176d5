//! The bytes of a transfer, frame by frame.
//!
//! A file is views into its map; an archive is its headers, made when they are reached, and
//! views into the maps of its contents. Nothing is written anywhere, and nothing is held but the
//! frame at hand.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use archive::{Layout, Piece as Part};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use net::range::Piece;
use stores::{Blob, BlobStore, Sha256, StoreError};

use super::running::Use;
use super::{Authorized, Content, Goods};

/// How much is handed to the network at once; before each frame the revocation flag is looked
/// at. Large enough that one stream is not held up by wake-ups, small enough that a revocation
/// is felt within a second on a slow line.
const FRAME_BYTES: u64 = 1024 * 1024;

/// A body that is cut off when its grant is revoked, and counts what it hands over.
pub struct Transfer {
    authorized: Arc<Authorized>,
    blobs: Arc<dyn BlobStore>,
    /// The content of a single file, which was opened before anything was promised.
    opened: Option<Blob>,
    pieces: std::vec::IntoIter<Piece>,
    /// What is left of the present piece.
    range: Range<u64>,
    /// What is left of the present content.
    stretch: Option<Stretch>,
    left: u64,
    transfer: Use,
}

/// Bytes of one content.
struct Stretch {
    ordinal: usize,
    blob: Blob,
    range: Range<u64>,
}

/// Bytes for the network, and the content that they are counted for; headers of an archive are
/// counted for none.
type Counted = (Option<usize>, Bytes);

/// Opens a content.
pub fn open(blobs: &dyn BlobStore, content: &Content) -> Result<Blob, StoreError> {
    let sha256: Sha256 = content.sha256.parse().map_err(|error| StoreError::Io {
        doing: "reading the name of a content",
        source: std::io::Error::other(error),
    })?;
    blobs.open(&sha256, content.size)
}

impl Transfer {
    /// Hands out these pieces of what was authorized.
    pub fn new(
        authorized: Arc<Authorized>,
        blobs: Arc<dyn BlobStore>,
        opened: Option<Blob>,
        pieces: Vec<Piece>,
        transfer: Use,
    ) -> Self {
        let left = pieces.iter().map(Piece::length).sum();
        let pieces = pieces.into_iter();
        Self { authorized, blobs, opened, pieces, range: 0..0, stretch: None, left, transfer }
    }

    fn next_frame(&mut self) -> std::io::Result<Option<Counted>> {
        loop {
            if let Some(stretch) = self.stretch.as_mut().filter(|stretch| !stretch.range.is_empty()) {
                return stretch.frame().map(Some);
            }
            if !self.range.is_empty() {
                if let Some(header) = self.advance()? {
                    return Ok(Some((None, header)));
                }
                continue;
            }
            match self.pieces.next() {
                None => return Ok(None),
                Some(Piece::Text(text)) => return Ok(Some((self.counts_text(), Bytes::from(text)))),
                Some(Piece::Bytes(range)) => self.range = range,
            }
        }
    }

    /// What stands between parts counts like a file's own bytes: parts may be as short as one byte.
    fn counts_text(&self) -> Option<usize> {
        matches!(self.authorized.goods, Goods::File(_)).then_some(0)
    }

    /// Goes on to the next content, or answers the header that comes before it.
    fn advance(&mut self) -> std::io::Result<Option<Bytes>> {
        match &self.authorized.goods {
            Goods::File(content) => {
                let range = std::mem::replace(&mut self.range, 0..0);
                let blob = match &self.opened {
                    Some(blob) => blob.clone(),
                    None => open(&*self.blobs, content).map_err(|error| unreadable(content, &error))?,
                };
                self.stretch = Some(Stretch { ordinal: 0, blob, range });
                Ok(None)
            }
            Goods::Archive(layout, contents) => {
                let (part, length) = next_part(layout, &self.range)?;
                self.range.start = self.range.start.saturating_add(length);
                let stretch = match part {
                    Part::Literal(header) => return Ok(Some(Bytes::from(header))),
                    Part::Content(stretch) => stretch,
                    Part::Sealed(_) | Part::Tag { .. } => return Err(not_laid_out()),
                };
                let ordinal = usize::try_from(stretch.ordinal).map_err(std::io::Error::other)?;
                let content = contents.get(ordinal).ok_or_else(not_laid_out)?;
                let blob = open(&*self.blobs, content).map_err(|error| unreadable(content, &error))?;
                let range = stretch.from..stretch.from.saturating_add(stretch.length);
                self.stretch = Some(Stretch { ordinal, blob, range });
                Ok(None)
            }
        }
    }
}

impl Stretch {
    fn frame(&mut self) -> std::io::Result<Counted> {
        let end = self.range.end.min(self.range.start.saturating_add(FRAME_BYTES));
        let bytes = self.blob.bytes(self.range.start..end);
        self.range.start = end;
        let bytes = bytes.ok_or_else(|| std::io::Error::other("the file is shorter than its row says"))?;
        Ok((Some(self.ordinal), bytes))
    }
}

fn next_part(layout: &Layout, range: &Range<u64>) -> std::io::Result<(Part, u64)> {
    let part = layout.pieces(range.clone()).next().ok_or_else(not_laid_out)?;
    let length = match &part {
        Part::Literal(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        Part::Content(stretch) | Part::Sealed(stretch) => stretch.length,
        Part::Tag { part, .. } => u64::try_from(part.len()).unwrap_or(u64::MAX),
    };
    Ok((part, length))
}

fn not_laid_out() -> std::io::Error {
    std::io::Error::other("the archive has no such bytes")
}

/// The client sees a transfer that breaks off; why is for the log.
fn unreadable(content: &Content, error: &StoreError) -> std::io::Error {
    tracing::error!(%error, sha256 = content.sha256, "a file that was sold cannot be read");
    std::io::Error::other("a file cannot be read")
}

impl http_body::Body for Transfer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.transfer.running().is_revoked() {
            // An error and not an end: the client must not take half a file for a whole one.
            return Poll::Ready(Some(Err(std::io::Error::other("revoked"))));
        }
        let (counted_for, bytes) = match self.next_frame() {
            Ok(None) => return Poll::Ready(None),
            Ok(Some(counted)) => counted,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(length);
        if let Some(ordinal) = counted_for {
            self.transfer.running().add(ordinal, length);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
