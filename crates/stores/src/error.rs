//! What can be wrong with a blob store, and what to do about it.

use crate::Sha256;

/// Why a store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room: nothing was stored.
    #[error("the disk of the blob store is full; free space or enlarge it, then try again")]
    Full,
    /// No such blob.
    #[error("blob {0} is missing from the store; restore it from a backup or upload the file again")]
    Missing(Sha256),
    /// The blob is not what its name says.
    #[error("blob {sha256} is damaged: {found}; restore it from a backup or upload the file again")]
    Corrupted {
        /// Its name.
        sha256: Sha256,
        /// What was found instead.
        found: String,
    },
    /// The folder cannot be used as it is.
    #[error("{path}: {why}")]
    Unfit {
        /// The folder or file.
        path: String,
        /// What is wrong, and the remedy.
        why: String,
    },
    /// Anything else the system answered.
    #[error("{doing} in the blob store: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl StoreError {
    /// Sorts an answer of the system: a full disk and a quota used up are the same to us.
    pub(crate) fn io(doing: &'static str, source: impl Into<std::io::Error>) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let source = source.into();
        match source.kind() {
            StorageFull | QuotaExceeded => Self::Full,
            _ => Self::Io { doing, source },
        }
    }
}
