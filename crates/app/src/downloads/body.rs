//! The bytes of a transfer, frame by frame.
//!
//! A file is views into its map; an archive is its headers, made when they are reached, and
//! views into the maps of its contents. Nothing is written anywhere, and nothing is held but the
//! frame at hand. A content that was not open when the transfer began is fetched by another
//! thread when its turn comes.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use archive::{Layout, Piece as Part};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use net::range::Piece;
use stores::{Blob, BlobStore, StoreError};
use tokio::task::JoinHandle;

use super::opening::{self, Opened};
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
    opened: Opened,
    fetching: Option<Fetching>,
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

/// A content on its way, and what will be taken from it.
struct Fetching {
    ordinal: usize,
    range: Range<u64>,
    blob: JoinHandle<Result<Blob, StoreError>>,
}

/// Bytes for the network, and the content that they are counted for; headers of an archive are
/// counted for none.
type Counted = (Option<usize>, Bytes);

impl Transfer {
    /// Hands out these pieces of what was authorized.
    pub fn new(
        authorized: Arc<Authorized>,
        (blobs, opened): (Arc<dyn BlobStore>, Opened),
        pieces: Vec<Piece>,
        transfer: Use,
    ) -> Self {
        let left = pieces.iter().map(Piece::length).sum();
        let pieces = pieces.into_iter();
        let (range, stretch, fetching) = (0..0, None, None);
        Self { authorized, blobs, opened, fetching, pieces, range, stretch, left, transfer }
    }

    fn next_frame(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<Option<Counted>>> {
        loop {
            if let Some(fetching) = &mut self.fetching {
                let arrived = ready!(Pin::new(&mut fetching.blob).poll(cx));
                self.arrived(arrived)?;
            }
            if let Some(stretch) = self.stretch.as_mut().filter(|stretch| !stretch.range.is_empty()) {
                return Poll::Ready(stretch.frame().map(Some));
            }
            if !self.range.is_empty() {
                if let Some(header) = self.advance()? {
                    return Poll::Ready(Ok(Some((None, header))));
                }
                continue;
            }
            match self.pieces.next() {
                None => return Poll::Ready(Ok(None)),
                Some(Piece::Text(text)) => {
                    return Poll::Ready(Ok(Some((self.counts_text(), Bytes::from(text)))));
                }
                Some(Piece::Bytes(range)) => self.range = range,
            }
        }
    }

    /// A content has been fetched, and stays open for the rest of the transfer.
    fn arrived(
        &mut self,
        arrived: Result<Result<Blob, StoreError>, tokio::task::JoinError>,
    ) -> std::io::Result<()> {
        let Some(Fetching { ordinal, range, .. }) = self.fetching.take() else { return Ok(()) };
        let blob = match arrived.map_err(std::io::Error::other)? {
            Ok(blob) => blob,
            Err(error) => {
                let content = self.authorized.goods.contents().get(ordinal).ok_or_else(not_laid_out)?;
                return Err(unreadable(content, &error));
            }
        };
        if let Some(place) = self.opened.get_mut(ordinal) {
            *place = Some(blob.clone());
        }
        self.stretch = Some(Stretch { ordinal, blob, range });
        Ok(())
    }

    /// What stands between parts counts like a file's own bytes: parts may be as short as one byte.
    fn counts_text(&self) -> Option<usize> {
        matches!(self.authorized.goods, Goods::File(_)).then_some(0)
    }

    /// Goes on to the next content, or answers the header that comes before it.
    fn advance(&mut self) -> std::io::Result<Option<Bytes>> {
        match &self.authorized.goods {
            Goods::File(_) => {
                let range = std::mem::replace(&mut self.range, 0..0);
                self.enter(0, range)?;
                Ok(None)
            }
            Goods::Archive(layout, _) => {
                let (part, length) = next_part(layout, &self.range)?;
                self.range.start = self.range.start.saturating_add(length);
                let stretch = match part {
                    Part::Literal(header) => return Ok(Some(Bytes::from(header))),
                    Part::Content(stretch) => stretch,
                    Part::Sealed(_) | Part::Tag { .. } => return Err(not_laid_out()),
                };
                let ordinal = usize::try_from(stretch.ordinal).map_err(std::io::Error::other)?;
                let range = stretch.from..stretch.from.saturating_add(stretch.length);
                self.enter(ordinal, range)?;
                Ok(None)
            }
        }
    }

    /// Goes on in this content, which may have to be fetched first.
    fn enter(&mut self, ordinal: usize, range: Range<u64>) -> std::io::Result<()> {
        let content = self.authorized.goods.contents().get(ordinal).ok_or_else(not_laid_out)?;
        match self.opened.get(ordinal).and_then(Option::as_ref) {
            Some(blob) => self.stretch = Some(Stretch { ordinal, blob: blob.clone(), range }),
            None => {
                let blob = opening::fetch(&self.blobs, content);
                self.fetching = Some(Fetching { ordinal, range, blob });
            }
        }
        Ok(())
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
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.transfer.running().is_revoked() {
            // An error and not an end: the client must not take half a file for a whole one.
            return Poll::Ready(Some(Err(std::io::Error::other("revoked"))));
        }
        let (counted_for, bytes) = match ready!(self.next_frame(cx)) {
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
