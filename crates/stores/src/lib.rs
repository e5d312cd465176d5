//! Blob stores: immutable files, named by the SHA-256 of what is in them.
//!
//! A blob is written to a temporary file, made durable, and only then renamed to its
//! name, so that a name never stands for half a file. The database row that uses a blob
//! is written after that; a blob without a row is an orphan for the collector, a row
//! without a blob cannot come about. [`BlobStore`] is the seam; [`DirectoryStore`] keeps
//! blobs in a folder that several nodes may share, [`S3Store`] in a bucket that is read
//! through a folder, [`Mirrors`] in several stores of either kind.
//!
//! Everything here is synchronous and may wait for a disk or a bucket: call it off the async
//! workers, except [`Blob::bytes`] and [`BlobStore::at_hand`].

mod cache;
mod digest;
mod directory;
mod error;
mod map;
mod mirrors;
mod presign;
mod resumable;
mod s3;
mod sync;
mod upload;

pub use digest::{Digests, Sha256, Sha256Error};
pub use directory::DirectoryStore;
pub use error::StoreError;
pub use map::Blob;
pub use mirrors::{Defect, Mirror, Mirrors, Preference, Standing, Trouble};
pub use presign::{PRESIGNED_MAX, Presign};
pub use resumable::{Progress, Resumable};
pub use s3::{Checksums, HttpAnswer, HttpCall, Network, NetworkError, S3Config, S3Store, UrlStyle};
pub use sync::{Step, Synced, copy, sync};

use kernel::{Secret, Span, Timestamp, UploadId};

/// Keeps blobs. The one way to the bytes of what is sold.
pub trait BlobStore: Send + Sync {
    /// Begins to take in a blob of unknown content.
    ///
    /// # Errors
    /// When the store cannot be written to.
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError>;

    /// Takes up an upload, or begins it. `saved` is how much of it was durable by the last
    /// [`Resumable::save`] that the caller has noted; what came after that is cut off. There may be
    /// less ([`Resumable::received`]) when the store is another, or the upload was swept.
    ///
    /// `earlier` spares the reading of what is there; any other upload's would give wrong digests.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while somebody else is at it.
    fn resume(
        &self,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<Box<dyn Resumable>, StoreError>;

    /// Removes an upload that nobody goes on with. One that is not there is no error.
    ///
    /// # Errors
    /// When the store cannot be changed.
    fn discard(&self, id: UploadId) -> Result<(), StoreError>;

    /// Opens a blob whose size the caller knows from its row.
    ///
    /// A blob that is open already is found without asking the system. A blob of up to
    /// [`CHECKED_ON_OPEN_MAX`] is compared with its digest when it is first opened, a
    /// larger one only with its size; [`BlobStore::check`] reads it whole. This may take
    /// as long as that reading, or a journey to a bucket: see [`BlobStore::at_hand`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Corrupted`], which a caller must not
    /// answer by serving something else.
    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError>;

    /// The blob, if it can be opened without keeping anybody waiting: what async workers may
    /// ask. `None` says nothing of whether it is there; [`BlobStore::open`] finds out.
    ///
    /// # Errors
    /// As [`BlobStore::open`].
    fn at_hand(&self, _sha256: &Sha256, _size: u64) -> Result<Option<Blob>, StoreError> {
        Ok(None)
    }

    /// The size of the blob, if it is here.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn size(&self, sha256: &Sha256) -> Result<Option<u64>, StoreError>;

    /// Reads the whole blob and compares it with its name.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Corrupted`].
    fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError>;

    /// Removes a blob that nothing refers to and that was stored before `unused_since`.
    ///
    /// The row goes first, the blob after a grace period: a blob that has just been
    /// stored again may have its new row committed at this moment. Storing a blob
    /// again renews it, so what is young here stays.
    ///
    /// # Errors
    /// When the store cannot be changed.
    fn remove(&self, sha256: &Sha256, unused_since: Timestamp) -> Result<Removal, StoreError>;

    /// The blobs whose digest begins with this byte, in order of their digests.
    ///
    /// Collectors and checks walk the 256 shelves one by one, so that one step is bounded.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list(&self, shelf: u8) -> Result<Vec<Listed>, StoreError>;

    /// Removes uploads that were given up: not written to for `lease`, and in no live
    /// process's hands. Those that can be taken up again stay for [`RESUMABLE_LEASE`]: they are
    /// their caller's to discard. Answers how many.
    ///
    /// `now` is compared with the times the file system gives, so it must be the real time.
    ///
    /// # Errors
    /// When the store cannot be changed.
    fn sweep(&self, now: Timestamp, lease: Span) -> Result<u64, StoreError>;

    /// How many bytes can still be stored; `None` where that is not known.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn free_space(&self) -> Result<Option<u64>, StoreError>;

    /// A URL under which the buyer's browser gets the blob from the store itself, for at most
    /// [`PRESIGNED_MAX`]; `None` where a store has no such thing.
    ///
    /// Whoever has the URL has the bytes until it runs out: it is a secret, and neither a
    /// revocation nor a limit reaches it.
    ///
    /// # Errors
    /// When the blob is not there, with this size, or the store cannot be asked.
    fn presign(&self, _wanted: &Presign<'_>) -> Result<Option<Secret<String>>, StoreError> {
        Ok(None)
    }

    /// Where presigned URLs lead: scheme, host and port.
    fn presigns_from(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the store can be asked at all.
    ///
    /// # Errors
    /// What is wrong, and the remedy where we know it.
    fn reach(&self) -> Result<(), StoreError> {
        self.size(&Sha256::of(b"")).map(drop)
    }
}

/// A blob being taken in. Dropping it without [`Upload::finish`] leaves nothing behind.
pub trait Upload: Send {
    /// Adds bytes.
    ///
    /// # Errors
    /// [`StoreError::Full`] and whatever else writing runs into; the upload is then over.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// How many bytes were written so far.
    fn written(&self) -> u64;

    /// Makes the blob durable under its name.
    ///
    /// Content that is stored already is simply stored again under the same name, which
    /// also mends a copy that had been damaged.
    ///
    /// # Errors
    /// When the blob could not be made durable; nothing may then refer to it.
    fn finish(self: Box<Self>) -> Result<Digests, StoreError>;
}

/// What [`BlobStore::list`] knows of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last stored.
    pub stored_at: Timestamp,
}

/// What [`BlobStore::remove`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// It was not there.
    Absent,
    /// It was stored since, and stays.
    Young,
}

/// How long an upload that can be taken up again may stand still before nobody can be meant to.
pub const RESUMABLE_LEASE: Span = Span::days(30);

/// Blobs up to this size are compared with their digest when first opened: a fraction of a
/// second. A larger one would keep its first buyer waiting for the whole disk.
pub const CHECKED_ON_OPEN_MAX: u64 = 64 << 20;
/// And up to this size at once, also where nobody may be kept waiting.
pub const CHECKED_AT_ONCE_MAX: u64 = 1 << 20;

/// Stores a blob that is in memory.
///
/// # Errors
/// Those of [`BlobStore::begin`] and [`Upload`].
pub fn put(store: &dyn BlobStore, bytes: &[u8]) -> Result<Digests, StoreError> {
    let mut upload = store.begin()?;
    upload.write(bytes)?;
    upload.finish()
}
