//! A blob store whose disk can be full.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{Span, Timestamp, UploadId};
use stores::{
    Blob, BlobStore, Digests, DirectoryStore, Listed, Progress, Removal, Resumable, Sha256, StoreError,
    Upload,
};

/// A folder with as much room as the test leaves it.
pub struct Disk {
    root: PathBuf,
    folder: DirectoryStore,
    room: Arc<AtomicU64>,
}

impl Disk {
    /// A folder with all the room there is.
    pub fn new(root: PathBuf, folder: DirectoryStore) -> Self {
        Self { root, folder, room: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Turns over a byte of a content, as a broken disk does.
    pub fn damage(&self, sha256: &str, at: u64) {
        use std::os::unix::fs::FileExt as _;
        let path = self.root.join("sha256").join(&sha256[..2]).join(sha256);
        let file = std::fs::File::options().read(true).write(true).open(path).expect("the content");
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).expect("a byte");
        file.write_all_at(&[!byte[0]], at).expect("another byte");
    }

    /// How many contents there are.
    pub fn count(&self) -> usize {
        (0..=u8::MAX).map(|shelf| self.folder.list(shelf).expect("a shelf").len()).sum()
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
        take(&self.room, bytes)?;
        self.upload.write(bytes)
    }

    fn written(&self) -> u64 {
        self.upload.written()
    }

    fn finish(self: Box<Self>) -> Result<Digests, StoreError> {
        self.upload.finish()
    }
}

/// One that is taken up again, which takes from the room too.
struct TakingUp {
    upload: Box<dyn Resumable>,
    room: Arc<AtomicU64>,
}

impl Resumable for TakingUp {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        take(&self.room, bytes)?;
        self.upload.write(bytes)
    }

    fn received(&self) -> u64 {
        self.upload.received()
    }

    fn save(&mut self) -> Result<u64, StoreError> {
        self.upload.save()
    }

    fn digest(&mut self) -> Result<Digests, StoreError> {
        self.upload.digest()
    }

    fn pause(self: Box<Self>) -> Progress {
        self.upload.pause()
    }

    fn finish(self: Box<Self>) -> Result<Digests, StoreError> {
        self.upload.finish()
    }
}

fn take(room: &AtomicU64, bytes: &[u8]) -> Result<(), StoreError> {
    let length = u64::try_from(bytes.len()).expect("a small number");
    let left = |room: u64| if room == u64::MAX { Some(room) } else { room.checked_sub(length) };
    room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).map(drop).map_err(|_| StoreError::Full)
}

impl BlobStore for Disk {
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(Taking { upload: self.folder.begin()?, room: self.room.clone() }))
    }

    fn resume(
        &self,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<Box<dyn Resumable>, StoreError> {
        let upload = self.folder.resume(id, saved, earlier)?;
        Ok(Box::new(TakingUp { upload, room: self.room.clone() }))
    }

    fn discard(&self, id: UploadId) -> Result<(), StoreError> {
        self.folder.discard(id)
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
