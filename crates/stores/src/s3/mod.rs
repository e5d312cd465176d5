//! Blobs in an S3-compatible bucket, read and written through a folder on this machine.
//!
//! A blob that is handed out is a mapped file, and a bucket has none. So a blob is brought
//! over whole, compared with its digest, and only then opened: no byte of a damaged or
//! half answer can reach a buyer, and what is hot costs what it costs in a folder. What is
//! too large to be brought over for one buyer goes by [`BlobStore::presign`].
//!
//! The folder is a cache with a limit, and where uploads grow until their digest, and so
//! their key, is known. What it holds can be lost without harm.

mod bucket;
mod exchange;
mod network;
mod objects;
mod parts;
mod room;
mod xml;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use kernel::{Clock, Entropy, Secret, Span, Timestamp, UploadId};
use rusty_s3::Method;

pub use bucket::{Checksums, S3Config, UrlStyle};
pub use network::{HttpAnswer, HttpCall, Network, NetworkError};

use crate::resumable::{self, DirectoryResumable};
use crate::upload::DirectoryUpload;
use crate::{
    Blob, BlobStore, Digests, DirectoryStore, Listed, Presign, Progress, Removal, Resumable, Sha256,
    StoreError, Upload,
};
use bucket::Ask;
use exchange::Bucket;
use objects::{Proof, found_size};
use room::{Flights, Room};

/// Blobs in a bucket. Keys are `sha256/ab/<64 digits>` after the prefix, as in a folder, so that
/// either can be made from the other by copying files.
pub struct S3Store {
    shared: Arc<Shared>,
}

struct Shared {
    bucket: Bucket,
    folder: DirectoryStore,
    room: Room,
    flights: Flights,
    live: parts::Live,
}

impl S3Store {
    /// The store in this bucket, which must exist. `folder` is this store's own on this machine;
    /// it keeps at most `folder_bytes_max`, and at least the blob that was last brought over.
    ///
    /// The bucket is not asked yet: [`BlobStore::reach`] does.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when the settings or the folder cannot be used.
    pub fn open(
        config: &S3Config,
        folder: &Path,
        folder_bytes_max: u64,
        network: Arc<dyn Network>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let shared = Shared {
            bucket: Bucket::new(config, network, clock)?,
            folder: DirectoryStore::open(folder, entropy)?,
            room: Room::new(folder_bytes_max),
            flights: Flights::default(),
            live: parts::Live::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A part of a blob, straight from the bucket, without bringing the whole over.
    ///
    /// Checked are its length, its place and the blob's size; that the content is right only
    /// the whole can show. So this is for looking into a blob, not for handing it out.
    ///
    /// # Errors
    /// As [`BlobStore::open`].
    pub fn read(&self, sha256: &Sha256, size: u64, part: Range<u64>) -> Result<Bytes, StoreError> {
        self.shared.bucket.read(sha256, size, part)
    }
}

impl Shared {
    /// Brings a blob over, unless another caller has done so meanwhile.
    fn bring(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        let flight = self.flights.of(sha256);
        let _alone = flight.wait();
        match self.folder.open(sha256, size) {
            Err(StoreError::Missing(_) | StoreError::Corrupted { .. }) => {}
            opened => return opened,
        }
        let mut copy = self.folder.begin_upload()?;
        self.bucket.read_whole(sha256, size, |piece| copy.write(piece))?;
        self.keep(copy, sha256, size)
    }

    /// Makes the copy a blob of the folder, opens it, and makes room again: in this order, and
    /// by one at a time, so that what was just stored is not what has to go.
    fn keep(&self, copy: DirectoryUpload, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        let _alone = self.room.enter();
        copy.finish_as(sha256)?;
        let blob = self.folder.open(sha256, size)?;
        self.room.make(&self.folder, sha256)?;
        Ok(blob)
    }

    /// Writes a blob to the bucket and does not rest until the bucket has shown that it has it.
    fn put(&self, digests: &Digests, blob: &Blob) -> Result<(), StoreError> {
        let proof = if digests.size <= parts::PUT_WHOLE_MAX {
            self.bucket.put(digests, blob.all())?
        } else {
            self.bucket.put_in_parts(digests, blob, &self.live)?
        };
        self.has(&digests.sha256, digests.size)?;
        match proof {
            Proof::Shown => Ok(()),
            Proof::NotShown => self.bucket.read_whole(&digests.sha256, digests.size, |_| Ok(())).map(drop),
        }
    }

    /// Whether the bucket has a blob of this size.
    fn has(&self, sha256: &Sha256, size: u64) -> Result<(), StoreError> {
        match self.bucket.head(sha256)? {
            None => Err(StoreError::Missing(*sha256)),
            Some(head) if head.size == size => Ok(()),
            Some(head) => Err(self.bucket.corrupted(sha256, found_size(head.size, size))),
        }
    }
}

impl BlobStore for S3Store {
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
        let local = self.shared.folder.begin_upload()?;
        Ok(Box::new(S3Upload { local, shared: Arc::clone(&self.shared) }))
    }

    /// It grows in the folder, so whoever goes on with it must come to the same machine.
    fn resume(
        &self,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<Box<dyn Resumable>, StoreError> {
        let local = self.shared.folder.take_up(id, saved, earlier)?;
        Ok(Box::new(S3Resumable { local, shared: Arc::clone(&self.shared) }))
    }

    fn discard(&self, id: UploadId) -> Result<(), StoreError> {
        self.shared.folder.discard(id)
    }

    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        match self.shared.folder.open(sha256, size) {
            Err(StoreError::Missing(_) | StoreError::Corrupted { .. }) => self.shared.bring(sha256, size),
            opened => opened,
        }
    }

    fn at_hand(&self, sha256: &Sha256, size: u64) -> Result<Option<Blob>, StoreError> {
        match self.shared.folder.at_hand(sha256, size) {
            Err(StoreError::Missing(_) | StoreError::Corrupted { .. }) => Ok(None),
            found => found,
        }
    }

    fn size(&self, sha256: &Sha256) -> Result<Option<u64>, StoreError> {
        Ok(self.shared.bucket.head(sha256)?.map(|head| head.size))
    }

    /// Reads the bucket, not the folder.
    fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError> {
        let head = self.shared.bucket.head(sha256)?.ok_or(StoreError::Missing(*sha256))?;
        self.shared.bucket.read_whole(sha256, head.size, |_| Ok(()))
    }

    /// A bucket has no lock: between the look and the removal lie some milliseconds, in which
    /// another node could store the blob again and lose it. The collector's grace of a day
    /// makes that one node's upload of exactly the content that is being collected.
    fn remove(&self, sha256: &Sha256, unused_since: Timestamp) -> Result<Removal, StoreError> {
        let Some(head) = self.shared.bucket.head(sha256)? else { return Ok(Removal::Absent) };
        // The time has whole seconds: the blob may be almost one younger than it says.
        if head.stored_at + Span::seconds(1) > unused_since {
            return Ok(Removal::Young);
        }
        self.shared.bucket.delete(sha256)?;
        self.shared.folder.remove(sha256, Timestamp::from_micros(i64::MAX))?;
        Ok(Removal::Removed)
    }

    fn list(&self, shelf: u8) -> Result<Vec<Listed>, StoreError> {
        self.shared.bucket.list(shelf)
    }

    /// An upload in parts by another node counts as given up after the lease, too: a lease of
    /// a day leaves that node all the time it needs.
    fn sweep(&self, now: Timestamp, lease: Span) -> Result<u64, StoreError> {
        let local = self.shared.folder.sweep(now, lease)?;
        let remote = self.shared.bucket.sweep_parts(now - lease, &self.shared.live)?;
        Ok(local.saturating_add(remote))
    }

    /// Of the folder: a bucket has no end, but an upload has to pass through here.
    fn free_space(&self) -> Result<Option<u64>, StoreError> {
        self.shared.folder.free_space()
    }

    fn presign(&self, wanted: &Presign<'_>) -> Result<Option<Secret<String>>, StoreError> {
        // A buyer who is sent to nothing has lost a download: look first.
        self.shared.has(&wanted.sha256, wanted.size)?;
        let bucket = &self.shared.bucket;
        let key = bucket.signer.key(&wanted.sha256);
        let ask = Ask::new(Method::Get, Some(&key))
            .query("response-content-disposition", wanted.disposition)
            .query("response-content-type", wanted.content_type);
        Ok(Some(bucket.signer.sign(&ask, bucket.clock.now(), wanted.granted())))
    }

    fn presigns_from(&self) -> Vec<String> {
        vec![self.shared.bucket.signer.origin()]
    }

    /// Asks the bucket whether it is there and lets us list it.
    fn reach(&self) -> Result<(), StoreError> {
        let bucket = &self.shared.bucket;
        let ask = Ask::new(Method::Get, None)
            .query("list-type", "2")
            .query("max-keys", "1")
            .query("prefix", bucket.signer.root());
        let answer = bucket.demand(&ask)?;
        bucket.document(&ask, &answer, "ListBucketResult").map(drop)
    }
}

impl std::fmt::Debug for S3Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Store").field("name", &self.shared.bucket.name).finish_non_exhaustive()
    }
}

/// Grows in the folder, since the key is the digest, and goes to the bucket when it is whole.
struct S3Upload {
    local: DirectoryUpload,
    shared: Arc<Shared>,
}

impl Upload for S3Upload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.local.write(bytes)
    }

    fn written(&self) -> u64 {
        self.local.written()
    }

    fn finish(self: Box<Self>) -> Result<Digests, StoreError> {
        let Self { local, shared } = *self;
        let (digests, blob) = {
            let _alone = shared.room.enter();
            let digests = Box::new(local).finish()?;
            let blob = shared.folder.open(&digests.sha256, digests.size)?;
            shared.room.make(&shared.folder, &digests.sha256)?;
            (digests, blob)
        };
        shared.put(&digests, &blob)?;
        Ok(digests)
    }
}

/// Grows in the folder over several calls. It stays there until the bucket has it: a bucket that is
/// away must not cost a seller the hours of sending it.
struct S3Resumable {
    local: DirectoryResumable,
    shared: Arc<Shared>,
}

impl Resumable for S3Resumable {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.local.write(bytes)
    }

    fn received(&self) -> u64 {
        self.local.received()
    }

    fn save(&mut self) -> Result<u64, StoreError> {
        self.local.save()
    }

    fn digest(&mut self) -> Result<Digests, StoreError> {
        self.local.digest()
    }

    fn pause(self: Box<Self>) -> Progress {
        Box::new(self.local).pause()
    }

    fn finish(self: Box<Self>) -> Result<Digests, StoreError> {
        let Self { local, shared } = *self;
        let to = S3Upload { local: shared.folder.begin_upload()?, shared };
        resumable::finish_by_copy(local, Box::new(to))
    }
}
