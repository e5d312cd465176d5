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
    /// An upload that somebody else is at.
    #[error("somebody else is writing to this upload at the moment; ask how far it is, then go on")]
    Busy,
    /// The folder cannot be used as it is.
    #[error("{path}: {why}")]
    Unfit {
        /// The folder or file.
        path: String,
        /// What is wrong, and the remedy.
        why: String,
    },
    /// A store elsewhere could not be reached, or was too busy, for as long as we tried.
    #[error("store {store} did not answer for {object}: {why}; it will be tried again")]
    Unanswered {
        /// The store's name.
        store: String,
        /// What was asked for.
        object: String,
        /// What happened instead.
        why: String,
    },
    /// A store elsewhere understood and said no: a person has to change something.
    #[error("store {store} refused {object}: {why}")]
    Refused {
        /// The store's name.
        store: String,
        /// What was asked for.
        object: String,
        /// Its answer, and the remedy where we know it.
        why: String,
    },
    /// What a store elsewhere answered is not what was asked for. Nothing of it was used.
    #[error("store {store} answered rubbish for {object}: {found}; nothing of it was used")]
    Rubbish {
        /// The store's name.
        store: String,
        /// What was asked for.
        object: String,
        /// What came instead.
        found: String,
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
