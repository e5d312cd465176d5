//! Opening what a request is about to be handed, before anything is promised.
//!
//! What lies on this machine is opened at once. What has to be fetched from a bucket, or read
//! whole before it can be trusted, is left to a thread that may wait. A file is opened before its
//! headers leave. An archive would keep its buyer waiting for all of its files; so of those that
//! are not at hand it is only made sure that some store has them, and each is fetched when its
//! turn comes.

use std::ops::Range;
use std::sync::Arc;

use stores::{Blob, BlobStore, Sha256, StoreError};

use super::{Content, Goods};

/// The contents of a transfer, by their place in its goods, as far as they are open.
pub type Opened = Vec<Option<Blob>>;

/// Opens what these parts of the goods take, if none of it has to be waited for.
pub fn at_hand(
    blobs: &dyn BlobStore,
    goods: &Goods,
    parts: &[Range<u64>],
) -> Result<Option<Opened>, Unreadable> {
    let contents = goods.contents();
    let mut opened: Opened = vec![None; contents.len()];
    for ordinal in taken(goods, parts) {
        let (Some(content), Some(place)) = (contents.get(ordinal), opened.get_mut(ordinal)) else { continue };
        let found = name_of(content).and_then(|sha256| blobs.at_hand(&sha256, content.size));
        match found.map_err(|error| Unreadable::new(content, error))? {
            Some(blob) => *place = Some(blob),
            None => return Ok(None),
        }
    }
    Ok(Some(opened))
}

/// Opens a file, and makes sure of an archive's. On a thread that may wait.
pub fn wait_for(blobs: &dyn BlobStore, goods: &Goods, parts: &[Range<u64>]) -> Result<Opened, Unreadable> {
    let contents = goods.contents();
    let mut opened: Opened = vec![None; contents.len()];
    for ordinal in taken(goods, parts) {
        let (Some(content), Some(place)) = (contents.get(ordinal), opened.get_mut(ordinal)) else { continue };
        let found = match goods {
            Goods::File(_) => open(blobs, content).map(Some),
            Goods::Archive(..) => make_sure_of(blobs, content),
        };
        *place = found.map_err(|error| Unreadable::new(content, error))?;
    }
    Ok(opened)
}

/// Opens a content, however long that takes.
pub fn open(blobs: &dyn BlobStore, content: &Content) -> Result<Blob, StoreError> {
    blobs.open(&name_of(content)?, content.size)
}

/// Opens a content on a thread that may wait.
pub fn fetch(
    blobs: &Arc<dyn BlobStore>,
    content: &Content,
) -> tokio::task::JoinHandle<Result<Blob, StoreError>> {
    let (blobs, content) = (Arc::clone(blobs), content.clone());
    tokio::task::spawn_blocking(move || open(&*blobs, &content))
}

/// Opens a content of an archive if it is at hand, and otherwise only looks whether it is there.
fn make_sure_of(blobs: &dyn BlobStore, content: &Content) -> Result<Option<Blob>, StoreError> {
    let sha256 = name_of(content)?;
    if let Some(blob) = blobs.at_hand(&sha256, content.size)? {
        return Ok(Some(blob));
    }
    if blobs.size(&sha256)? == Some(content.size) {
        return Ok(None);
    }
    // Missing or damaged where it was looked at: another store may have it.
    blobs.open(&sha256, content.size).map(Some)
}

/// Which contents these parts take. An empty file has its part, too: that of no bytes.
fn taken(goods: &Goods, parts: &[Range<u64>]) -> Vec<usize> {
    match goods {
        Goods::File(_) => vec![0],
        Goods::Archive(layout, _) => {
            let mut taken: Vec<usize> = parts.iter().flat_map(|part| layout.entries_in(part)).collect();
            taken.sort_unstable();
            taken.dedup();
            taken
        }
    }
}

fn name_of(content: &Content) -> Result<Sha256, StoreError> {
    content.sha256.parse().map_err(|error| StoreError::Io {
        doing: "reading the name of a content",
        source: std::io::Error::other(error),
    })
}

/// A content that was sold and that no store can give.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unreadable {
    sha256: String,
    error: StoreError,
}

impl Unreadable {
    fn new(content: &Content, error: StoreError) -> Self {
        Self { sha256: content.sha256.clone(), error }
    }

    /// Tells the log.
    pub fn log(&self) {
        tracing::error!(error = %self.error, sha256 = self.sha256, "a file that was sold cannot be read");
    }
}
