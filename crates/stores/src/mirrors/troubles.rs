//! What reading found missing or damaged, until somebody takes it and does something about it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kernel::Timestamp;

use crate::{Sha256, StoreError};

/// What is wrong with a blob in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// It is not there.
    Missing,
    /// It is not what its name says.
    Damaged,
}

impl Defect {
    /// The blob that an error tells of, and what is wrong with it. Other errors are of the store.
    pub fn told_by(error: &StoreError) -> Option<(Sha256, Self)> {
        match error {
            StoreError::Missing(sha256) => Some((*sha256, Self::Missing)),
            StoreError::Corrupted { sha256, .. } => Some((*sha256, Self::Damaged)),
            _ => None,
        }
    }
}

/// A blob that a store should have given and could not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The store's name.
    pub store: String,
    /// The blob's.
    pub sha256: Sha256,
    /// What is wrong with it.
    pub defect: Defect,
    /// In words.
    pub detail: String,
    /// When it was found.
    pub at: Timestamp,
}

/// How many are kept until they are taken.
const KEPT_MAX: usize = 500;

#[derive(Default)]
pub(super) struct Troubles {
    found: Mutex<BTreeMap<(String, Sha256), Trouble>>,
}

impl Troubles {
    pub(super) fn note(&self, store: &str, error: &StoreError, at: Timestamp) {
        let Some((sha256, defect)) = Defect::told_by(error) else { return };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() < KEPT_MAX {
            let store = store.to_owned();
            let trouble = Trouble { store: store.clone(), sha256, defect, detail: error.to_string(), at };
            found.insert((store, sha256), trouble);
        }
    }

    pub(super) fn take(&self) -> Vec<Trouble> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *found).into_values().collect()
    }
}
