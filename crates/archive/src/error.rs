//! What can go wrong, and what to do about it.

use crate::ContentId;
use crate::layout::{ENTRIES_MAX, LENGTH_MAX};

/// Why an archive cannot be laid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// More files than anybody unpacks.
    #[error("an archive holds at most {ENTRIES_MAX} files, and this one would hold {0}; deliver it in parts")]
    Entries(usize),
    /// Longer than programs can count.
    #[error("with \"{name}\" the archive is longer than {LENGTH_MAX} bytes; check the sizes of its files")]
    Long {
        /// The file with which it became too long.
        name: String,
    },
    /// A deflate stream is never empty.
    #[error("the deflated form of \"{name}\" is empty; deflate the file again or store it as it is")]
    EmptyStream {
        /// Whose it is.
        name: String,
    },
}

/// Why bytes of an archive cannot be given out. What was given out before is right.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source did not answer.
    #[error("content {blob} cannot be read at byte {offset}: {source}")]
    Source {
        /// What was asked for.
        blob: ContentId,
        /// From where.
        offset: u64,
        /// The answer.
        source: std::io::Error,
    },
    /// The source has less than the layout was made for: the blob is damaged or was replaced.
    #[error(
        "content {blob} ends at byte {offset} instead of {length}; restore it from a backup or upload the file again"
    )]
    Ended {
        /// What was asked for.
        blob: ContentId,
        /// Where it ended.
        offset: u64,
        /// Where it should have ended.
        length: u64,
    },
    /// No such entry, or none that is encrypted.
    #[error("the archive has no encrypted entry {0}")]
    NoEntry(u32),
}

impl From<ReadError> for std::io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Source { ref source, .. } => Self::new(source.kind(), error),
            ReadError::Ended { .. } => Self::new(std::io::ErrorKind::UnexpectedEof, error),
            ReadError::NoEntry(_) => Self::new(std::io::ErrorKind::InvalidInput, error),
        }
    }
}

/// Why a frozen layout does not give the archive it was made from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThawError {
    /// Written by a later release.
    #[error(
        "the layout has version {0}, which this release does not know; serve it with the release that wrote it"
    )]
    Version(u16),
    /// It was encrypted, and there is nothing to encrypt it with.
    #[error("the layout is of a protected archive; its seed and password are needed")]
    Protected,
    /// It was not encrypted.
    #[error("the layout is of an archive without password; one was given")]
    Unprotected,
    /// A name that leads out of the folder an archive is unpacked to.
    #[error("entry {ordinal} of the layout has a name that is not safe: {name:?}")]
    Name {
        /// Which entry, counted from zero.
        ordinal: usize,
        /// Its name.
        name: String,
    },
    /// It cannot be laid out any more.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Not the bytes that were promised under this `ETag`.
    #[error(
        "the archive was promised as {promised} and would now be {found}; the layout, its seed or its password was changed"
    )]
    Changed {
        /// What the layout says.
        promised: String,
        /// What comes of it.
        found: String,
    },
}

/// Tags of another archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these tags are of archive {given}, not of {wanted}; compute them again")]
pub struct TagsError {
    /// Whose they are.
    pub given: String,
    /// Whose were wanted.
    pub wanted: String,
}
