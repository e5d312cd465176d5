//! Blobs in a folder.
//!
//! Names below the root come only from digests and from random numbers, and are looked up
//! relative to folders that are held open, without following links: nothing that a person
//! types ever becomes a path here.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use kernel::{Entropy, Span, Timestamp, UploadId};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::cache::{Miss, OpenBlobs};
use crate::digest::Hashing;
use crate::resumable::{self, DirectoryResumable};
use crate::upload::DirectoryUpload;
use crate::{
    Blob, BlobStore, CHECKED_AT_ONCE_MAX, CHECKED_ON_OPEN_MAX, Digests, Listed, Progress, RESUMABLE_LEASE,
    Removal, Resumable, Sha256, StoreError, Upload,
};

/// Blobs in a folder: `sha256/ab/<64 digits>`, uploads in `tmp/`. Several processes, and
/// several machines over a network file system, may use one folder.
///
/// Nothing else may write into it: blobs are mapped into memory, and a mapped file that is
/// cut short brings the program down.
pub struct DirectoryStore {
    folders: Arc<Folders>,
    entropy: Arc<dyn Entropy>,
    open: Arc<OpenBlobs>,
}

/// The folders of a store, held open.
pub(crate) struct Folders {
    root: OwnedFd,
    pub(crate) uploads: OwnedFd,
    blobs: OwnedFd,
}

/// Blobs kept mapped; well below the 65,530 maps that Linux allows a process.
const OPEN_MAX: usize = 4096;
/// How much of a blob is read at a time when it is checked.
const READ_PIECE: usize = 1 << 20;
/// Names tried for an upload. More than one is needed only after a crash under a seeded generator.
const NAMES_TRIED_MAX: usize = 64;

const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl DirectoryStore {
    /// Opens the store in this folder; makes the folder if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when the folder is open to other users or is none.
    pub fn open(root: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        let folders = Folders::open(root)?;
        Ok(Self { folders: Arc::new(folders), entropy, open: Arc::new(OpenBlobs::new(OPEN_MAX)) })
    }

    fn open_file(&self, sha256: &Sha256) -> Result<(File, Stat), StoreError> {
        self.folders.open_blob(sha256)?.ok_or(StoreError::Missing(*sha256))
    }

    /// Opens a blob that was not open, and keeps it open.
    fn open_cold(&self, sha256: &Sha256, size: u64, miss: Miss) -> Result<Blob, StoreError> {
        let (file, stat) = self.open_file(sha256)?;
        sized(sha256, size, file_size(&stat))?;
        if size <= CHECKED_ON_OPEN_MAX {
            let piece = usize::try_from(size).unwrap_or(READ_PIECE).clamp(1, READ_PIECE);
            named(sha256, digest_of(&file, piece)?.sha256)?;
        }
        let blob = Blob::map(&file, size).map_err(|error| StoreError::io("mapping a blob", error))?;
        self.open.keep(*sha256, &blob, miss);
        Ok(blob)
    }

    pub(crate) fn begin_upload(&self) -> Result<DirectoryUpload, StoreError> {
        for _ in 0..NAMES_TRIED_MAX {
            let mut random = [0u8; 16];
            self.entropy.fill(&mut random);
            let name = hex::encode(random);
            match self.begin_as(&name) {
                Ok(file) => {
                    return DirectoryUpload::begin(self.folders.clone(), self.open.clone(), name, file);
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(StoreError::io("beginning an upload", error)),
            }
        }
        Err(StoreError::io("finding a free name for an upload", Errno::EXIST))
    }

    pub(crate) fn take_up(
        &self,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<DirectoryResumable, StoreError> {
        DirectoryResumable::take_up(self.folders.clone(), self.open.clone(), id, saved, earlier)
    }

    fn begin_as(&self, name: &str) -> rustix::io::Result<File> {
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.folders.uploads, name, how, Mode::RUSR | Mode::WUSR).map(File::from)
    }
}

impl BlobStore for DirectoryStore {
    fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(self.begin_upload()?))
    }

    fn resume(
        &self,
        id: UploadId,
        saved: u64,
        earlier: Option<Progress>,
    ) -> Result<Box<dyn Resumable>, StoreError> {
        Ok(Box::new(self.take_up(id, saved, earlier)?))
    }

    fn discard(&self, id: UploadId) -> Result<(), StoreError> {
        resumable::discard(&self.folders, id)
    }

    fn open(&self, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
        match self.open.get(sha256) {
            Ok(blob) => sized(sha256, size, blob.len()).map(|()| blob),
            Err(miss) => self.open_cold(sha256, size, miss),
        }
    }

    fn at_hand(&self, sha256: &Sha256, size: u64) -> Result<Option<Blob>, StoreError> {
        match self.open.get(sha256) {
            Ok(blob) => sized(sha256, size, blob.len()).map(|()| Some(blob)),
            Err(_) if CHECKED_AT_ONCE_MAX < size && size <= CHECKED_ON_OPEN_MAX => Ok(None),
            Err(miss) => self.open_cold(sha256, size, miss).map(Some),
        }
    }

    fn size(&self, sha256: &Sha256) -> Result<Option<u64>, StoreError> {
        let found = self.folders.open_blob(sha256)?;
        Ok(found.map(|(_, stat)| file_size(&stat)))
    }

    fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError> {
        let (file, _) = self.open_file(sha256)?;
        let digests = digest_of(&file, READ_PIECE)?;
        if digests.sha256 != *sha256 {
            self.open.forget(sha256);
        }
        named(sha256, digests.sha256).map(|()| digests)
    }

    fn remove(&self, sha256: &Sha256, unused_since: Timestamp) -> Result<Removal, StoreError> {
        let _alone = self.folders.lock(Lock::Removing)?;
        let Some((_, stat)) = self.folders.open_blob(sha256)? else {
            return Ok(Removal::Absent);
        };
        if modified_at(&stat) >= unused_since {
            return Ok(Removal::Young);
        }
        let shelf = self.folders.shelf(sha256.shelf())?;
        rustix::fs::unlinkat(&shelf, sha256.to_string(), AtFlags::empty())
            .map_err(|error| StoreError::io("removing a blob", error))?;
        self.open.forget(sha256);
        Ok(Removal::Removed)
    }

    fn list(&self, shelf: u8) -> Result<Vec<Listed>, StoreError> {
        let mut listed = Vec::new();
        let folder = self.folders.shelf(shelf)?;
        for (name, stat) in entries(&folder)? {
            let Some(sha256) = name.parse::<Sha256>().ok().filter(|sha256| sha256.shelf() == shelf) else {
                continue;
            };
            listed.push(Listed { sha256, size: file_size(&stat), stored_at: modified_at(&stat) });
        }
        listed.sort_unstable_by_key(|found| found.sha256);
        Ok(listed)
    }

    fn sweep(&self, now: Timestamp, lease: Span) -> Result<u64, StoreError> {
        let mut swept = 0;
        for (name, stat) in entries(&self.folders.uploads)? {
            let lease = if resumable::is_resumable(&name) { lease.max(RESUMABLE_LEASE) } else { lease };
            if modified_at(&stat) + lease <= now && self.folders.sweep_upload(&name)? {
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn free_space(&self) -> Result<Option<u64>, StoreError> {
        let space = rustix::fs::fstatvfs(&self.folders.root)
            .map_err(|error| StoreError::io("asking for free space", error))?;
        Ok(Some(space.f_bavail.saturating_mul(space.f_frsize)))
    }
}

impl std::fmt::Debug for DirectoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectoryStore").field("open", &self.open).finish_non_exhaustive()
    }
}

/// Who holds the store's lock: any number of uploads taking their names, or one removal.
///
/// Between a removal's look at a blob's age and its unlink, the same blob must not be stored again.
#[derive(Clone, Copy)]
pub(crate) enum Lock {
    Naming,
    Removing,
}

impl Folders {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let unfit = |error: std::io::Error| StoreError::Unfit {
            path: path.display().to_string(),
            why: format!("cannot be used as a folder for blobs: {error}"),
        };
        let own_only = Mode::RWXU;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(unfit)?;
        }
        match rustix::fs::mkdir(path, own_only) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(unfit(error.into())),
        }
        // The root itself may be a link: its place is the operator's choice.
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, how, Mode::empty()).map_err(|error| unfit(error.into()))?;
        closed_to_others(&root, path)?;
        let uploads = make_folder(&root, "tmp", &path.join("tmp"))?;
        let blobs = make_folder(&root, "sha256", &path.join("sha256"))?;
        for shelf in 0..=u8::MAX {
            let name = hex::encode([shelf]);
            make_folder(&blobs, &name, &path.join("sha256").join(&name))?;
        }
        // All shelves are made and durable before the first blob: one that is made on
        // demand could be lost in a crash together with the blob another process put in it.
        for folder in [&blobs, &root] {
            rustix::fs::fsync(folder).map_err(|error| StoreError::io("making folders durable", error))?;
        }
        Ok(Self { root, uploads, blobs })
    }

    pub(crate) fn shelf(&self, shelf: u8) -> Result<OwnedFd, StoreError> {
        rustix::fs::openat(&self.blobs, hex::encode([shelf]), LOOK | OFlags::DIRECTORY, Mode::empty())
            .map_err(|error| StoreError::io("opening a shelf", error))
    }

    fn open_blob(&self, sha256: &Sha256) -> Result<Option<(File, Stat)>, StoreError> {
        let doing = "opening a blob";
        let name = format!("{}/{sha256}", hex::encode([sha256.shelf()]));
        // Without NONBLOCK a pipe in a blob's place would hang the caller.
        match rustix::fs::openat(&self.blobs, name, LOOK | OFlags::NONBLOCK, Mode::empty()) {
            Ok(file) => {
                let stat = rustix::fs::fstat(&file).map_err(|error| StoreError::io(doing, error))?;
                match FileType::from_raw_mode(stat.st_mode) {
                    FileType::RegularFile => Ok(Some((File::from(file), stat))),
                    other => Err(corrupted(sha256, format!("{other:?} in place of a file"))),
                }
            }
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP) => Err(corrupted(sha256, "a symbolic link in place of a file".to_owned())),
            Err(error) => Err(StoreError::io(doing, error)),
        }
    }

    pub(crate) fn lock(&self, who: Lock) -> Result<File, StoreError> {
        let how = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = rustix::fs::openat(&self.root, "lock", how, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|error| StoreError::io("opening the lock", error))?;
        match who {
            Lock::Naming => lock.lock_shared(),
            Lock::Removing => lock.lock(),
        }
        .map_err(|error| StoreError::io("locking", error))?;
        Ok(lock)
    }

    /// Removes an upload unless somebody is still at it: a slow client's upload may be
    /// older than any lease, but its process holds a lock on the file.
    fn sweep_upload(&self, name: &str) -> Result<bool, StoreError> {
        let how = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.uploads, name, how, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(StoreError::io("opening an old upload", error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(false),
            Err(std::fs::TryLockError::Error(error)) => return Err(StoreError::io("locking", error)),
        }
        match rustix::fs::unlinkat(&self.uploads, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(StoreError::io("removing an old upload", error)),
        }
    }
}

fn make_folder(within: &OwnedFd, name: &str, shown: &Path) -> Result<OwnedFd, StoreError> {
    let unfit = |error: Errno| StoreError::Unfit {
        path: shown.display().to_string(),
        why: format!("cannot be used as a folder of the blob store: {error}"),
    };
    match rustix::fs::mkdirat(within, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(unfit(error)),
    }
    let folder = rustix::fs::openat(within, name, LOOK | OFlags::DIRECTORY, Mode::empty()).map_err(unfit)?;
    closed_to_others(&folder, shown)?;
    Ok(folder)
}

fn closed_to_others(folder: &OwnedFd, shown: &Path) -> Result<(), StoreError> {
    let stat = rustix::fs::fstat(folder).map_err(|error| StoreError::io("looking at a folder", error))?;
    let open_to = Mode::from_raw_mode(stat.st_mode) & (Mode::RWXG | Mode::RWXO);
    if open_to.is_empty() {
        return Ok(());
    }
    Err(StoreError::Unfit {
        path: shown.display().to_string(),
        why: format!("is open to other users of this machine; run: chmod 700 '{}'", shown.display()),
    })
}

/// The regular files of a folder. Anything else that lies around is none of ours.
fn entries(folder: &OwnedFd) -> Result<Vec<(String, Stat)>, StoreError> {
    let failed = |error: Errno| StoreError::io("listing a folder", error);
    let mut found = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
                found.push((name.to_owned(), stat));
            }
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(found)
}

/// Reads a whole file, so many bytes at a time.
///
/// Read, not mapped: a broken disk then answers with an error instead of a signal.
fn digest_of(mut file: &File, piece: usize) -> Result<Digests, StoreError> {
    let mut hashing = Hashing::new();
    let mut piece = vec![0u8; piece];
    loop {
        let count = file.read(&mut piece).map_err(|error| StoreError::io("reading a blob", error))?;
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
        hashing.update(read);
    }
    Ok(hashing.finish())
}

fn file_size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn modified_at(stat: &Stat) -> Timestamp {
    let micros = i64::try_from(stat.st_mtime_nsec / 1000).unwrap_or(0);
    Timestamp::from_seconds(stat.st_mtime) + Span::micros(micros)
}

fn corrupted(sha256: &Sha256, found: String) -> StoreError {
    StoreError::Corrupted { sha256: *sha256, found }
}

fn sized(sha256: &Sha256, expected: u64, found: u64) -> Result<(), StoreError> {
    if expected == found {
        return Ok(());
    }
    Err(corrupted(sha256, format!("it has {found} bytes where {expected} are recorded")))
}

fn named(sha256: &Sha256, found: Sha256) -> Result<(), StoreError> {
    if *sha256 == found {
        return Ok(());
    }
    Err(corrupted(sha256, format!("its content has the digest {found}")))
}
