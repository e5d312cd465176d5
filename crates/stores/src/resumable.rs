//! Uploads that outlive the process that takes them in, and that anybody may go on with.
//!
//! What has arrived grows in a file that is named after the upload. The caller keeps a row with
//! how many bytes of it are durable, and says so when the upload is taken up again: what the file
//! has beyond that is cut off, since nobody was told of it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use kernel::UploadId;

use crate::cache::OpenBlobs;
use crate::digest::Hashing;
use crate::directory::Folders;
use crate::upload::{make_durable, name_blob};
use crate::{Digests, StoreError, Upload};

/// An upload that can be left and taken up again. Dropping it leaves what was saved.
pub trait Resumable: Send {
    /// Adds bytes.
    ///
    /// # Errors
    /// [`StoreError::Full`] and whatever else writing runs into. What was saved is still there.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// How many bytes there are by now.
    fn received(&self) -> u64;

    /// Makes what there is durable, and answers how much that is.
    ///
    /// # Errors
    /// When it could not be made durable.
    fn save(&mut self) -> Result<u64, StoreError>;

    /// The digests of all of it. Reads the whole when it came in more than one process.
    ///
    /// # Errors
    /// When it cannot be read.
    fn digest(&mut self) -> Result<Digests, StoreError>;

    /// Lets go of it. What is answered spares whoever takes it up the reading of what is there.
    fn pause(self: Box<Self>) -> Progress;

    /// Makes it a blob. Nothing of the upload is left then.
    ///
    /// # Errors
    /// When the blob could not be made durable; the upload is then still there.
    fn finish(self: Box<Self>) -> Result<Digests, StoreError>;
}

/// The digests of an upload as far as it has come. It belongs to one upload and one length.
pub struct Progress {
    hashing: Option<Hashing>,
    received: u64,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("received", &self.received).finish_non_exhaustive()
    }
}

/// How much of an upload is read at a time.
const READ_PIECE: usize = 1 << 20;

/// In a folder: a file with the upload's name, locked while somebody is at it.
pub(crate) struct DirectoryResumable {
    folders: Arc<Folders>,
    open: Arc<OpenBlobs>,
    name: String,
    file: File,
    received: u64,
    /// Of all that was received, as far as it went through our hands.
    hashing: Option<Hashing>,
    /// A write failed: what the file holds is not what was hashed.
    broken: bool,
}

/// What the file of an upload is called, beside those of uploads that are never taken up again.
pub(crate) fn file_name(id: UploadId) -> String {
    id.to_string()
}

/// Whether a file among the uploads is one that may be taken up again.
pub(crate) fn is_resumable(name: &str) -> bool {
    name.parse::<UploadId>().is_ok()
}

impl DirectoryResumable {
    pub(crate) fn take_up(
        folders: Arc<Folders>,
        open: Arc<OpenBlobs>,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<Self, StoreError> {
        let name = file_name(id);
        let how = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = rustix::fs::openat(&folders.uploads, &name, how, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|error| StoreError::io("opening an upload", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(StoreError::Busy),
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(StoreError::io("locking an upload", error));
            }
        }
        let failed = |error| StoreError::io("taking up an upload", error);
        if !is_still(&file, &folders, &name)? {
            // Somebody has made it a blob since it was opened: not a byte of it may change now.
            return Err(StoreError::Busy);
        }
        let received = file.metadata().map_err(failed)?.len().min(saved);
        file.set_len(received).map_err(failed)?;
        file.seek(SeekFrom::Start(received)).map_err(failed)?;
        let fits = earlier.filter(|earlier| earlier.received == received);
        let hashing = match fits {
            Some(earlier) => earlier.hashing,
            None => (received == 0).then(Hashing::new),
        };
        Ok(Self { folders, open, name, file, received, hashing, broken: false })
    }

    fn sound(&self) -> Result<(), StoreError> {
        if self.broken {
            let cause = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            return Err(StoreError::io("going on with an upload that failed", cause));
        }
        Ok(())
    }

    /// Reads the file from its beginning.
    pub(crate) fn read_all(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("reading an upload", error);
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut piece = vec![0u8; READ_PIECE];
        loop {
            let count = self.file.read(&mut piece).map_err(failed)?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { return Ok(()) };
            take(read)?;
        }
    }

    /// Removes the file: what it held is a blob elsewhere.
    pub(crate) fn remove(self) -> Result<(), StoreError> {
        unlink(&self.folders, &self.name)
    }
}

/// Whether a file that was opened is the one that has this name now.
fn is_still(file: &File, folders: &Folders, name: &str) -> Result<bool, StoreError> {
    let failed = |error| StoreError::io("looking at an upload", error);
    let opened = rustix::fs::fstat(file).map_err(failed)?;
    match rustix::fs::statat(&folders.uploads, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(named) => Ok(named.st_ino == opened.st_ino && named.st_dev == opened.st_dev),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Removes an upload that nobody goes on with.
pub(crate) fn discard(folders: &Folders, id: UploadId) -> Result<(), StoreError> {
    unlink(folders, &file_name(id))
}

fn unlink(folders: &Folders, name: &str) -> Result<(), StoreError> {
    match rustix::fs::unlinkat(&folders.uploads, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(StoreError::io("removing an upload", error)),
    }
}

impl Resumable for DirectoryResumable {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.sound()?;
        if let Err(error) = self.file.write_all(bytes) {
            self.broken = true;
            return Err(StoreError::io("writing an upload", error));
        }
        if let Some(hashing) = &mut self.hashing {
            hashing.update(bytes);
        }
        self.received = self.received.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn save(&mut self) -> Result<u64, StoreError> {
        self.sound()?;
        self.file.sync_all().map_err(|error| StoreError::io("making an upload durable", error))?;
        // The name of the file, too: it may have been made in this call.
        rustix::fs::fsync(&self.folders.uploads)
            .map_err(|error| StoreError::io("making an upload durable", error))?;
        Ok(self.received)
    }

    fn digest(&mut self) -> Result<Digests, StoreError> {
        self.sound()?;
        if let Some(hashing) = &self.hashing {
            return Ok(hashing.clone().finish());
        }
        let mut hashing = Hashing::new();
        self.read_all(|read| {
            hashing.update(read);
            Ok(())
        })?;
        self.hashing = Some(hashing.clone());
        Ok(hashing.finish())
    }

    fn pause(self: Box<Self>) -> Progress {
        let hashing = self.hashing.filter(|_| !self.broken);
        Progress { hashing, received: self.received }
    }

    fn finish(mut self: Box<Self>) -> Result<Digests, StoreError> {
        let digests = self.digest()?;
        make_durable(&self.file)?;
        name_blob(&self.folders, &self.open, &self.name, &digests.sha256)?;
        Ok(digests)
    }
}

/// Makes an upload a blob of a store that has no such files: by a second copy, which is complete
/// before the first goes.
pub(crate) fn finish_by_copy(
    mut from: DirectoryResumable,
    mut to: Box<dyn Upload>,
) -> Result<Digests, StoreError> {
    from.sound()?;
    from.read_all(|read| to.write(read))?;
    let digests = to.finish()?;
    from.remove()?;
    Ok(digests)
}
