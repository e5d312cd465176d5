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

use archive::{ContentId, Layout, Piece as Part, ReadError, Sealing};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use net::range::Piece;
use stores::{Blob, BlobStore, StoreError};
use tokio::task::JoinHandle;

use super::opening::{self, Opened};
use super::running::Use;
use super::{Authorized, Content, Goods};
use crate::archives::tags::KnownTags;

/// How much is handed to the network at once; before each frame the revocation flag is looked
/// at. Large enough that one stream is not held up by wake-ups, small enough that a revocation
/// is felt within a second on a slow line.
const FRAME_BYTES: u64 = 1024 * 1024;
/// How much is encrypted at once: a fraction of a millisecond, in which this thread serves nobody else.
const SEALED_FRAME_BYTES: u64 = 256 * 1024;

/// A body that is cut off when its grant is revoked, and counts what it hands over.
pub struct Transfer {
    authorized: Arc<Authorized>,
    blobs: Arc<dyn BlobStore>,
    opened: Opened,
    fetching: Option<Fetching>,
    /// A pass over an entry whose tag the range needs without having read all of it.
    tagging: Option<JoinHandle<Result<(), ReadError>>>,
    tags: Arc<KnownTags>,
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
    /// Encrypts what is handed out, in a protected archive.
    sealing: Option<Box<Sealing>>,
}

/// A content on its way, and what will be taken from it.
struct Fetching {
    ordinal: usize,
    range: Range<u64>,
    sealing: Option<Box<Sealing>>,
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
        tags: Arc<KnownTags>,
    ) -> Self {
        let left = pieces.iter().map(Piece::length).sum();
        let pieces = pieces.into_iter();
        let (range, stretch, fetching, tagging) = (0..0, None, None, None);
        Self { authorized, blobs, opened, fetching, tagging, tags, pieces, range, stretch, left, transfer }
    }

    fn next_frame(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<Option<Counted>>> {
        loop {
            if let Some(fetching) = &mut self.fetching {
                let arrived = ready!(Pin::new(&mut fetching.blob).poll(cx));
                self.arrived(arrived)?;
            }
            if let Some(tagging) = &mut self.tagging {
                let made = ready!(Pin::new(tagging).poll(cx));
                self.tagging = None;
                self.learned(made)?;
            }
            if let Some(stretch) = self.stretch.as_mut().filter(|stretch| !stretch.range.is_empty()) {
                return Poll::Ready(stretch.frame().map(Some));
            }
            self.leave_stretch();
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
        let Some(Fetching { ordinal, range, sealing, .. }) = self.fetching.take() else { return Ok(()) };
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
        self.stretch = Some(Stretch { ordinal, blob, range, sealing });
        Ok(())
    }

    /// An entry that was encrypted from its first to its last byte has given its tag.
    fn leave_stretch(&mut self) {
        let Some(Stretch { ordinal, sealing: Some(sealing), .. }) = self.stretch.take() else { return };
        if let (Goods::Archive(layout, _), Ok(ordinal)) = (&self.authorized.goods, u32::try_from(ordinal)) {
            layout.sealed(ordinal, *sealing);
            self.tags.remember(layout);
        }
    }

    fn learned(&self, made: Result<Result<(), ReadError>, tokio::task::JoinError>) -> std::io::Result<()> {
        made.map_err(std::io::Error::other)?.map_err(|error| {
            tracing::error!(%error, grant = %self.authorized.grant, "an archive's tag cannot be computed");
            std::io::Error::other("a file cannot be read")
        })?;
        if let Goods::Archive(layout, _) = &self.authorized.goods {
            self.tags.remember(layout);
        }
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
                self.enter(0, range, None)?;
                Ok(None)
            }
            Goods::Archive(layout, _) => {
                let (part, length) = next_part(layout, &self.range)?;
                let (stretch, sealing) = match part {
                    Part::Literal(header) => {
                        self.range.start = self.range.start.saturating_add(length);
                        return Ok(Some(Bytes::from(header)));
                    }
                    Part::Tag { ordinal, part } => {
                        let Some(tag) = layout.tag(ordinal) else {
                            self.tagging = Some(pass_over(&self.authorized, &self.blobs, ordinal));
                            return Ok(None);
                        };
                        self.range.start = self.range.start.saturating_add(length);
                        let bytes = tag.as_bytes().get(part).ok_or_else(not_laid_out)?;
                        return Ok(Some(Bytes::copy_from_slice(bytes)));
                    }
                    Part::Content(stretch) => (stretch, None),
                    Part::Sealed(stretch) => {
                        let sealing = layout.sealing(&stretch).map_err(std::io::Error::other)?;
                        (stretch, Some(Box::new(sealing)))
                    }
                };
                self.range.start = self.range.start.saturating_add(length);
                let ordinal = usize::try_from(stretch.ordinal).map_err(std::io::Error::other)?;
                let range = stretch.from..stretch.from.saturating_add(stretch.length);
                self.enter(ordinal, range, sealing)?;
                Ok(None)
            }
        }
    }

    /// Goes on in this content, which may have to be fetched first.
    fn enter(
        &mut self,
        ordinal: usize,
        range: Range<u64>,
        sealing: Option<Box<Sealing>>,
    ) -> std::io::Result<()> {
        let content = self.authorized.goods.contents().get(ordinal).ok_or_else(not_laid_out)?;
        match self.opened.get(ordinal).and_then(Option::as_ref) {
            Some(blob) => self.stretch = Some(Stretch { ordinal, blob: blob.clone(), range, sealing }),
            None => {
                let blob = opening::fetch(&self.blobs, content);
                self.fetching = Some(Fetching { ordinal, range, sealing, blob });
            }
        }
        Ok(())
    }
}

impl Stretch {
    fn frame(&mut self) -> std::io::Result<Counted> {
        let most = if self.sealing.is_some() { SEALED_FRAME_BYTES } else { FRAME_BYTES };
        let end = self.range.end.min(self.range.start.saturating_add(most));
        let bytes = self.blob.bytes(self.range.start..end);
        self.range.start = end;
        let bytes = bytes.ok_or_else(|| std::io::Error::other("the file is shorter than its row says"))?;
        let bytes = match &mut self.sealing {
            None => bytes,
            Some(sealing) => {
                let mut sealed = bytes.to_vec();
                sealing.seal(&mut sealed);
                Bytes::from(sealed)
            }
        };
        Ok((Some(self.ordinal), bytes))
    }
}

/// Computes the tag of an entry, on a thread that may take its time.
fn pass_over(
    authorized: &Arc<Authorized>,
    blobs: &Arc<dyn BlobStore>,
    ordinal: u32,
) -> JoinHandle<Result<(), ReadError>> {
    let (authorized, blobs) = (Arc::clone(authorized), Arc::clone(blobs));
    tokio::task::spawn_blocking(move || {
        let Goods::Archive(layout, contents) = &authorized.goods else {
            return Err(ReadError::NoEntry(ordinal));
        };
        layout.tag_from(ordinal, &Contents { contents, blobs: &*blobs }).map(drop)
    })
}

/// The contents of an archive, for a pass over one of them.
struct Contents<'a> {
    contents: &'a [Content],
    blobs: &'a dyn BlobStore,
}

impl archive::Source for Contents<'_> {
    fn read_at(&self, blob: &ContentId, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let name = blob.to_string();
        let content = self.contents.iter().find(|content| content.sha256 == name).ok_or_else(not_laid_out)?;
        let blob = opening::open(self.blobs, content).map_err(std::io::Error::other)?;
        let most = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let end = content.size.min(offset.saturating_add(most));
        let bytes = blob.bytes(offset.min(end)..end).ok_or_else(not_laid_out)?;
        buffer.get_mut(..bytes.len()).ok_or_else(not_laid_out)?.copy_from_slice(&bytes);
        Ok(bytes.len())
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
