//! An upload into a folder: temporary file, fsync, rename, fsync of the folder.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_NOW};

use crate::cache::OpenBlobs;
use crate::digest::Hashing;
use crate::directory::{Folders, Lock};
use crate::{Digests, Sha256, StoreError, Upload};

/// The file has a random name and a lock until it is finished or dropped.
pub(crate) struct DirectoryUpload {
    folders: Arc<Folders>,
    open: Arc<OpenBlobs>,
    name: String,
    file: File,
    hashing: Hashing,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Growing,
    /// A write failed: what the file holds is not what was hashed.
    Broken,
    Stored,
}

impl DirectoryUpload {
    pub(crate) fn begin(
        folders: Arc<Folders>,
        open: Arc<OpenBlobs>,
        name: String,
        file: File,
    ) -> Result<Self, StoreError> {
        let upload = Self { folders, open, name, file, hashing: Hashing::new(), state: State::Growing };
        // For as long as we live, no sweep takes the file away.
        upload.file.lock().map_err(|error| StoreError::io("locking an upload", error))?;
        Ok(upload)
    }

    /// Finishes only if the content is what was expected: a copy from elsewhere must not
    /// become a blob under another name.
    pub(crate) fn finish_as(mut self, expected: &Sha256) -> Result<Digests, StoreError> {
        self.finish_if(|digests| {
            if digests.sha256 == *expected {
                return Ok(());
            }
            let found = format!("the copy that came has the digest {}", digests.sha256);
            Err(StoreError::Corrupted { sha256: *expected, found })
        })
    }

    fn finish_if(
        &mut self,
        fits: impl FnOnce(&Digests) -> Result<(), StoreError>,
    ) -> Result<Digests, StoreError> {
        if self.state != State::Growing {
            return Err(broken());
        }
        let digests = std::mem::replace(&mut self.hashing, Hashing::new()).finish();
        fits(&digests)?;
        make_durable(&self.file)?;
        name_blob(&self.folders, &self.open, &self.name, &digests.sha256)?;
        self.state = State::Stored;
        Ok(digests)
    }
}

pub(crate) fn make_durable(file: &File) -> Result<(), StoreError> {
    // The time says when the blob was last stored, which keeps a removal off.
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    rustix::fs::futimens(file, &Timestamps { last_access: now, last_modification: now })
        .map_err(|error| StoreError::io("dating a blob", error))?;
    file.sync_all().map_err(|error| StoreError::io("making a blob durable", error))
}

/// Gives an upload's file its name as a blob.
pub(crate) fn name_blob(
    folders: &Folders,
    open: &OpenBlobs,
    upload: &str,
    sha256: &Sha256,
) -> Result<(), StoreError> {
    let _lock = folders.lock(Lock::Naming)?;
    let shelf = folders.shelf(sha256.shelf())?;
    rustix::fs::renameat(&folders.uploads, upload, &shelf, sha256.to_string())
        .map_err(|error| StoreError::io("naming a blob", error))?;
    open.forget(sha256);
    rustix::fs::fsync(&shelf).map_err(|error| StoreError::io("making a blob's name durable", error))
}

impl Upload for DirectoryUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.state != State::Growing {
            return Err(broken());
        }
        if let Err(error) = self.file.write_all(bytes) {
            self.state = State::Broken;
            return Err(StoreError::io("writing an upload", error));
        }
        self.hashing.update(bytes);
        Ok(())
    }

    fn written(&self) -> u64 {
        self.hashing.size()
    }

    fn finish(mut self: Box<Self>) -> Result<Digests, StoreError> {
        self.finish_if(|_| Ok(()))
    }
}

impl Drop for DirectoryUpload {
    fn drop(&mut self) {
        if self.state != State::Stored {
            // What cannot be removed now, the sweep removes later.
            let _ = rustix::fs::unlinkat(&self.folders.uploads, &self.name, AtFlags::empty());
        }
    }
}

fn broken() -> StoreError {
    StoreError::io(
        "going on with an upload that failed",
        std::io::Error::from(std::io::ErrorKind::BrokenPipe),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlobStore as _, DirectoryStore};
    use kernel::SeededEntropy;

    #[test]
    fn a_full_disk_is_told_apart_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("blobs");
        let store = DirectoryStore::open(&root, Arc::new(SeededEntropy::new(1))).unwrap();
        let mut upload = store.begin_upload().unwrap();
        upload.file = File::options().write(true).open("/dev/full").unwrap();

        assert!(matches!(upload.write(b"more than there is room for"), Err(StoreError::Full)));
        assert!(Box::new(upload).finish().is_err());

        assert_eq!(std::fs::read_dir(root.join("tmp")).unwrap().count(), 0);
        assert_eq!(store.size(&crate::Sha256::of(b"")).unwrap(), None);
    }
}
