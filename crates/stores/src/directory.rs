//! Blobs in a folder.

use std::path::Path;
use std::sync::Arc;

use kernel::{Entropy, Span, Timestamp};

use crate::{Blob, BlobStore, Digests, Listed, Removal, Sha256, StoreError, Upload};

/// Blobs in a folder: `sha256/ab/<64 digits>`, uploads in `tmp/`. Several processes, and
/// several machines over a network file system, may use one folder.
#[derive(Debug)]
pub struct DirectoryStore {}

impl DirectoryStore {
    /// Opens the store in this folder; makes the folder if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when the folder is open to other users or is none.
    pub fn open(root: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        let _ = (root, entropy);
        Err(StoreError::Full)
    }
}

impl BlobStore for DirectoryStore {
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
        Err(StoreError::Full)
    }
    fn open(&self, sha256: &Sha256, _size: u64) -> Result<Blob, StoreError> {
        Err(StoreError::Missing(*sha256))
    }
    fn size(&self, _sha256: &Sha256) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
    fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError> {
        Err(StoreError::Missing(*sha256))
    }
    fn remove(&self, _sha256: &Sha256, _unused_since: Timestamp) -> Result<Removal, StoreError> {
        Ok(Removal::Absent)
    }
    fn list(&self, _shelf: u8) -> Result<Vec<Listed>, StoreError> {
        Ok(Vec::new())
    }
    fn sweep(&self, _now: Timestamp, _lease: Span) -> Result<u64, StoreError> {
        Ok(0)
    }
    fn free_space(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
}
