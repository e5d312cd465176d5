//! A blob store whose disk can be full.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{Span, Timestamp};
use stores::{Blob, BlobStore, Digests, DirectoryStore, Listed, Removal, Sha256, StoreError, Upload};

/// A folder with as much room as the test leaves it.
pub struct Disk {
    folder: DirectoryStore,
    room: Arc<AtomicU64>,
}

impl Disk {
    /// A folder with all the room there is.
    pub fn new(folder: DirectoryStore) -> Self {
        Self { folder, room: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Only so many bytes more can be written.
    pub fn leave_room(&self, bytes: u64) {
        self.room.store(bytes, Ordering::SeqCst);
    }
}

/// An upload that takes from the room.
struct Taking {
    upload: Box<dyn Upload>,
    room: Arc<AtomicU64>,
}

impl Upload for Taking {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let length = u64::try_from(bytes.len()).expect("a small number");
        let left = |room: u64| if room == u64::MAX { Some(room) } else { room.checked_sub(length) };
        self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).map_err(|_| StoreError::Full)?;
        self.upload.write(bytes)
    }

    fn written(&self) -> u64 {
        self.upload.written()
    }

    fn finish(self: Box<Self>) -> Result<Digests, StoreError> {
        self.upload.finish()
    }
}

impl BlobStore for Disk {
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(Taking { upload: self.folder.begin()?, room: self.room.clone() }))
    }

    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        self.folder.open(sha256, size)
    }

    fn at_hand(&self, sha256: &Sha256, size: u64) -> Result<Option<Blob>, StoreError> {
        self.folder.at_hand(sha256, size)
    }

    fn size(&self, sha256: &Sha256) -> Result<Option<u64>, StoreError> {
        self.folder.size(sha256)
    }

    fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError> {
        self.folder.check(sha256)
    }

    fn remove(&self, sha256: &Sha256, unused_since: Timestamp) -> Result<Removal, StoreError> {
        self.folder.remove(sha256, unused_since)
    }

    fn list(&self, shelf: u8) -> Result<Vec<Listed>, StoreError> {
        self.folder.list(shelf)
    }

    fn sweep(&self, now: Timestamp, lease: Span) -> Result<u64, StoreError> {
        self.folder.sweep(now, lease)
    }

    fn free_space(&self) -> Result<Option<u64>, StoreError> {
        self.folder.free_space()
    }
}
