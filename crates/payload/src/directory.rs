//! A root on this machine's disk.
//!
//! The root is opened once, and everything below is reached from that handle, one name at a time,
//! by calls that do not follow links. So no name, and no link that somebody puts in while we look,
//! leads out of it: there is no path to be checked and then used.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use crate::tree::{Entry, EntryKind, FileTree, TreeError, TreePath};

/// The files below one folder of this machine.
#[derive(Debug)]
pub struct DirectoryTree {
    root: OwnedFd,
}

impl DirectoryTree {
    /// Opens a folder as a root. Links on the way to it are the operator's, and followed; none below is.
    ///
    /// # Errors
    /// When there is no such folder, or it cannot be read.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let root = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { root })
    }

    /// Opens a file to be read, and tells its length now.
    ///
    /// # Errors
    /// When it is not there any more, has become something else since it was listed, or cannot be read.
    pub fn read(&self, path: &TreePath) -> Result<(File, u64), TreeError> {
        let Some((name, folder)) = path.parts().split_last() else {
            return Err(TreeError::NotAFile(path.clone()));
        };
        let folder = self.folder(folder, path)?;
        confined(name).ok_or_else(|| TreeError::Missing(path.clone()))?;
        let failed = |error| failure(path, error);
        // Looked at before it is opened: opening a device may do something.
        let seen = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        length_of(&seen).ok_or_else(|| TreeError::NotAFile(path.clone()))?;
        // Without waiting, should a pipe be put in its place meanwhile.
        let file = openat(&folder, name, BELOW | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty());
        let file = file.map_err(failed)?;
        let length = length_of(&fstat(&file).map_err(failed)?);
        let length = length.ok_or_else(|| TreeError::NotAFile(path.clone()))?;
        Ok((File::from(file), length))
    }

    /// Goes down by these names; `path` is what the answer is about.
    fn folder(&self, names: &[String], path: &TreePath) -> Result<OwnedFd, TreeError> {
        let failed = |error| failure(path, error);
        let mut at = openat(&self.root, c".", BELOW | OFlags::DIRECTORY, Mode::empty()).map_err(failed)?;
        for name in names {
            confined(name).ok_or_else(|| TreeError::Missing(path.clone()))?;
            at = openat(&at, name, BELOW | OFlags::DIRECTORY, Mode::empty()).map_err(failed)?;
        }
        Ok(at)
    }
}

/// How everything below a root is opened.
const BELOW: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl FileTree for DirectoryTree {
    fn list(&self, path: &TreePath, most: usize) -> Result<Vec<Entry>, TreeError> {
        let failed = |error| failure(path, error);
        let folder = self.folder(path.parts(), path)?;
        let mut entries = Vec::new();
        for entry in Dir::read_from(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let raw = entry.file_name();
            if matches!(raw.to_bytes(), b"." | b"..") {
                continue;
            }
            if entries.len() >= most {
                return Err(TreeError::TooMany { folder: path.clone(), most });
            }
            let kind = match (raw.to_str(), entry.file_type()) {
                (Err(_), _) => EntryKind::Other,
                (Ok(_), FileType::Directory) => EntryKind::Folder,
                (Ok(_), FileType::Symlink) => EntryKind::Link,
                (Ok(_), _) => match statat(&folder, raw, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => kind_of(&stat),
                    // Removed since it was listed.
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(failed(error)),
                },
            };
            entries.push(Entry { name: raw.to_string_lossy().into_owned(), kind });
        }
        Ok(entries)
    }
}

fn kind_of(stat: &Stat) -> EntryKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => length_of(stat).map_or(EntryKind::Other, |bytes| EntryKind::File { bytes }),
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}

/// The length of a regular file.
fn length_of(stat: &Stat) -> Option<u64> {
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    u64::try_from(stat.st_size).ok().filter(|_| regular)
}

/// One name, that stays in its folder.
fn confined(name: &str) -> Option<()> {
    (!matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])).then_some(())
}

fn failure(path: &TreePath, error: Errno) -> TreeError {
    match error {
        Errno::NOENT | Errno::NAMETOOLONG => TreeError::Missing(path.clone()),
        // A link, where links are not followed, is either of the two.
        Errno::NOTDIR | Errno::LOOP => TreeError::NotAFolder(path.clone()),
        other => TreeError::Unreadable { path: path.clone(), why: io::Error::from(other).to_string() },
    }
}
