//! A file for the operator: complete under its name, or not there.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file being written, for nobody else's eyes. It gets its name when it is durable; dropped
/// before that, it leaves nothing behind.
pub struct OutFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
}

impl OutFile {
    /// Begins a file that is not there yet.
    pub fn create(path: &Path) -> Result<Self, Error> {
        if path.exists() {
            let text = "there is such a file already; remove it, or name another one";
            return Err(Error::new(ErrorKind::AlreadyExists, text));
        }
        let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
        name.push(".partial");
        let temporary = path.with_file_name(name);
        // Left by a run that was killed.
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&temporary)?;
        Ok(Self { file, temporary, path: path.to_owned() })
    }

    /// Where to write.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Makes it durable, and gives it its name.
    pub fn finish(self) -> Result<(), Error> {
        self.file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_appears_when_it_is_finished_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let out = OutFile::create(&path).unwrap();
        out.file().write_all(b"whole").unwrap();
        assert!(!path.exists());
        out.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_given_up_leaves_nothing_and_what_is_there_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        drop(OutFile::create(&folder.path().join("backup")).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(folder.path().join("backup"), "older").unwrap();
        assert!(OutFile::create(&folder.path().join("backup")).is_err());
    }
}
