//! The folder's limit, and one journey at a time for each blob.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::Span;

use crate::{BlobStore as _, DirectoryStore, Listed, Removal, Sha256, StoreError};

/// How much the folder may hold.
pub(super) struct Room {
    bytes_max: u64,
    alone: Mutex<()>,
}

impl Room {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, alone: Mutex::new(()) }
    }

    /// Whoever stores into the folder or removes from it is the only one.
    pub(super) fn enter(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what has been here longest until the limit is kept, but never `kept`.
    ///
    /// Who has a removed blob open goes on reading it.
    pub(super) fn make(&self, folder: &DirectoryStore, kept: &Sha256) -> Result<(), StoreError> {
        let mut here = all(folder)?;
        let mut held: u64 = here.iter().map(|found| found.size).sum();
        here.sort_unstable_by_key(|found| (found.stored_at, found.sha256));
        for found in here.iter().filter(|found| found.sha256 != *kept) {
            if held <= self.bytes_max {
                break;
            }
            let as_seen = found.stored_at + Span::micros(1);
            if folder.remove(&found.sha256, as_seen)? != Removal::Young {
                held = held.saturating_sub(found.size);
            }
        }
        Ok(())
    }
}

fn all(folder: &DirectoryStore) -> Result<Vec<Listed>, StoreError> {
    let mut here = Vec::new();
    for shelf in 0..=u8::MAX {
        here.extend(folder.list(shelf)?);
    }
    Ok(here)
}

/// Who brings which blob over: a hundred buyers of a new file make one journey, not a hundred.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Sha256, Flight>>);

/// One blob's journey.
#[derive(Clone, Default)]
pub(super) struct Flight(Arc<Mutex<()>>);

impl Flights {
    pub(super) fn of(&self, sha256: &Sha256) -> Flight {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| Arc::strong_count(&flight.0) > 1);
        flights.entry(*sha256).or_default().clone()
    }
}

impl Flight {
    pub(super) fn wait(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::SystemEntropy;

    #[test]
    fn room_is_made_of_what_has_been_here_longest_and_never_of_what_just_came() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DirectoryStore::open(&dir.path().join("folder"), Arc::new(SystemEntropy)).unwrap();
        let [old, middle, new] =
            [b"old!", b"mid!", b"new!"].map(|content| crate::put(&folder, content).unwrap().sha256);
        for (age, blob) in [(3, old), (2, middle), (1, new)] {
            let shelf = dir.path().join("folder/sha256").join(format!("{:02x}", blob.shelf()));
            let file = std::fs::File::options().write(true).open(shelf.join(blob.to_string())).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - age))
                .unwrap();
        }
        let is_here = |sha256: &Sha256| folder.size(sha256).unwrap().is_some();

        Room::new(8).make(&folder, &new).unwrap();
        assert_eq!([old, middle, new].map(|blob| is_here(&blob)), [false, true, true]);

        Room::new(1).make(&folder, &new).unwrap();
        assert_eq!([old, middle, new].map(|blob| is_here(&blob)), [false, false, true]);
    }
}
