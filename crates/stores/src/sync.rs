//! Makes one store hold what another holds.

use crate::{BlobStore, Digests, Listed, Sha256, StoreError};

/// What the sync of a shelf did.
#[derive(Debug, Default)]
pub struct Synced {
    /// Blobs that both had, with one size.
    pub had: u64,
    /// Blobs that were copied.
    pub copied: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that could not be copied, and why. They did not stop the others.
    pub failed: Vec<(Sha256, StoreError)>,
}

/// What the sync is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Both have this one.
    Had(Listed),
    /// This one is on its way.
    Copying(Listed),
    /// It has arrived.
    Copied(Listed),
    /// It has not; [`Synced::failed`] says why.
    Failed(Listed),
}

/// How much is handed from one store to the other at a time.
const PIECE: usize = 1 << 20;

/// Copies to `to` what `from` has on this shelf and `to` has not, or has with another size.
///
/// A copy is compared with its digest before it is written. What both have with one size is
/// taken for equal: whether it is, [`BlobStore::check`] tells. Nothing is ever removed.
///
/// # Errors
/// When one of them cannot be listed.
pub fn sync(
    from: &dyn BlobStore,
    to: &dyn BlobStore,
    shelf: u8,
    progress: &mut dyn FnMut(Step),
) -> Result<Synced, StoreError> {
    let there = to.list(shelf)?;
    let mut synced = Synced::default();
    for blob in from.list(shelf)? {
        if there.iter().any(|copy| (copy.sha256, copy.size) == (blob.sha256, blob.size)) {
            synced.had += 1;
            progress(Step::Had(blob));
            continue;
        }
        progress(Step::Copying(blob));
        match copy(from, to, &blob.sha256, blob.size) {
            Ok(()) => {
                synced.copied += 1;
                synced.bytes = synced.bytes.saturating_add(blob.size);
                progress(Step::Copied(blob));
            }
            Err(error) => {
                synced.failed.push((blob.sha256, error));
                progress(Step::Failed(blob));
            }
        }
    }
    Ok(synced)
}

/// Copies one blob, compared with its digest before it is written. Mends a damaged copy too.
///
/// # Errors
/// When it cannot be read from the one, or written to the other.
pub fn copy(from: &dyn BlobStore, to: &dyn BlobStore, sha256: &Sha256, size: u64) -> Result<(), StoreError> {
    let content = from.open(sha256, size)?.all();
    let found = Digests::of(&content).sha256;
    if found != *sha256 {
        let found = format!("its content has the digest {found}, so it was not copied");
        return Err(StoreError::Corrupted { sha256: *sha256, found });
    }
    let mut upload = to.begin()?;
    content.chunks(PIECE).try_for_each(|piece| upload.write(piece))?;
    upload.finish().map(drop)
}
