//! The key ring's file: outside the database, readable by nobody else.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use app::ring::{KEY_LENGTH, Ring, SealError};
use kernel::{Entropy, Secret};

/// Why there is no key ring.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file or folder of ours cannot be used.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Others can read the keys.
    #[error("{path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    Public {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold keys.
    #[error(
        "{path} line {line}: expected a number and {KEY_LENGTH} bytes in hex; restore the file from its export"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// There is a database that the missing keys belong to.
    #[error(
        "{path} is missing, but there is a database that was sealed with its keys; put it back, or restore it with \"handsel secrets import\""
    )]
    Lost {
        /// Where the file should be.
        path: PathBuf,
    },
    /// Rings were replaced again and again.
    #[error("{path} keeps too many replaced rings; move those that no database needs elsewhere")]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// The keys cannot be used.
    #[error("{0}")]
    Ring(#[from] SealError),
}

/// Where the keys are, below the data folder.
pub fn ring_path(data: &Path) -> PathBuf {
    data.join("keys").join("ring")
}

/// Whether the database is new, so that new keys may be made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// Nothing is sealed in it yet.
    Fresh,
    /// It has rows that need the old keys.
    Used,
}

/// Reads the ring; nothing when there is no file.
pub fn read(data: &Path) -> Result<Option<Ring>, KeysError> {
    let path = ring_path(data);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let mode = metadata_mode(&path)?;
            if mode & 0o077 != 0 {
                return Err(KeysError::Public { path, mode });
            }
            Ok(Some(Ring::new(parse(&path, &text)?)?))
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(KeysError::File { path, why }),
    }
}

/// Reads the ring, or makes one for a new database.
pub fn open_or_create(data: &Path, database: Database, entropy: &dyn Entropy) -> Result<Ring, KeysError> {
    if let Some(ring) = read(data)? {
        return Ok(ring);
    }
    if database == Database::Used {
        return Err(KeysError::Lost { path: ring_path(data) });
    }
    let mut key = [0u8; KEY_LENGTH];
    entropy.fill(&mut key);
    let ring = Ring::new(BTreeMap::from([(1, Secret::new(key))]))?;
    write(data, &ring)?;
    Ok(ring)
}

/// The ring as its file has it.
pub fn text(ring: &Ring) -> String {
    ring.keys().map(|(number, key)| format!("{number} {}\n", hex::encode(key.expose()))).collect()
}

/// Keeps a ring that is about to be replaced, beside the one in use and beside those that were
/// kept before: some database may need it. Answers where.
pub fn keep_replaced(data: &Path, ring: &Ring) -> Result<PathBuf, KeysError> {
    let names = std::iter::once("ring.replaced".to_owned())
        .chain((2..=KEPT_MAX).map(|number| format!("ring.replaced-{number}")));
    let folder = data.join("keys");
    let free = names.map(|name| folder.join(name)).find(|path| !path.exists());
    let full = || KeysError::Full { path: folder.clone() };
    let path = free.ok_or_else(full)?;
    write_as(&path, ring)?;
    Ok(path)
}

/// Takes the ring out of use and keeps it, where nothing was ever sealed with it.
pub fn set_aside(data: &Path, ring: &Ring) -> Result<PathBuf, KeysError> {
    let kept = keep_replaced(data, ring)?;
    let path = ring_path(data);
    std::fs::remove_file(&path).map_err(|why| KeysError::File { path, why })?;
    Ok(kept)
}

/// How many rings are kept beside the one in use.
const KEPT_MAX: u32 = 100;

/// Writes the ring durably: a new file beside the old one, then a rename.
pub fn write(data: &Path, ring: &Ring) -> Result<(), KeysError> {
    write_as(&ring_path(data), ring)
}

fn write_as(path: &Path, ring: &Ring) -> Result<(), KeysError> {
    let folder = path.parent().unwrap_or(path);
    let failed = |why| KeysError::File { path: path.to_owned(), why };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let temporary = folder.join("ring.new");
    let _ = std::fs::remove_file(&temporary);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(failed)?;
    file.write_all(text(ring).as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn metadata_mode(path: &Path) -> Result<u32, KeysError> {
    let failed = |why| KeysError::File { path: path.to_owned(), why };
    Ok(std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777)
}

/// Reads lines of `number hex`.
pub fn parse(path: &Path, text: &str) -> Result<BTreeMap<u32, Secret<[u8; KEY_LENGTH]>>, KeysError> {
    let read = |line: &str| {
        let (number, key) = line.split_once(' ')?;
        let key: [u8; KEY_LENGTH] = hex::decode(key.trim()).ok()?.try_into().ok()?;
        Some((number.parse().ok()?, Secret::new(key)))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            read(line).ok_or_else(|| KeysError::Malformed { path: path.to_owned(), line: at + 1 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::SeededEntropy;

    #[test]
    fn keys_are_made_once_and_only_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = SeededEntropy::new(1);
        let first = open_or_create(folder.path(), Database::Fresh, &entropy).unwrap();
        let again = open_or_create(folder.path(), Database::Used, &entropy).unwrap();
        assert_eq!(first.code(1, "x", &[]), again.code(1, "x", &[]));
        assert_eq!(metadata_mode(&ring_path(folder.path())).unwrap(), 0o600);
    }

    #[test]
    fn keys_that_others_can_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        open_or_create(folder.path(), Database::Fresh, &SeededEntropy::new(1)).unwrap();
        let path = ring_path(folder.path());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = open_or_create(folder.path(), Database::Used, &SeededEntropy::new(1));
        assert!(matches!(refused, Err(KeysError::Public { .. })));
    }

    #[test]
    fn replaced_keys_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        let made = [1, 2].map(|seed| {
            let ring = open_or_create(place, Database::Fresh, &SeededEntropy::new(seed)).unwrap();
            set_aside(place, &ring).unwrap();
            text(&ring)
        });
        assert!(read(place).unwrap().is_none());
        let kept = ["ring.replaced", "ring.replaced-2"].map(|name| place.join("keys").join(name));
        assert_eq!(kept.map(|path| std::fs::read_to_string(path).unwrap()), made);
    }

    #[test]
    fn lost_keys_are_never_replaced_by_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let refused = open_or_create(folder.path(), Database::Used, &SeededEntropy::new(1));
        assert!(matches!(refused, Err(KeysError::Lost { .. })));
    }
}
