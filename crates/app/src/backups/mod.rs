//! Backups: the whole database as one stream that either engine reads, and contents if asked.
//!
//! A backup is a header, then rows table by table with parents before children, then the list
//! of blobs, then an end with the SHA-256 of everything before it. A file that was cut or
//! changed anywhere is refused before anything is restored from it. What is sealed in the
//! database stays sealed in the backup, and the keys are not in it: they are exported apart.
//! Buyers' names and addresses are in it, in clear, so the file is for its owner only.
//!
//! Restoring goes into a database that is empty or was never used, in batches that each note how far they came, so that
//! a restore that was killed goes on where it stopped; until it is finished nothing serves. What
//! was restored is quarantined: it does not know what was sent after the backup was made.

pub mod make;
mod records;
pub mod restore;
pub mod unused;

use db::DbError;
use kernel::Timestamp;
use stores::{Sha256, StoreError};

use crate::installation::Identity;
use crate::ring::Ring;

/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Header {
    /// How the file is to be read.
    pub format: u32,
    /// The program's version.
    pub program: String,
    /// The one moment of the database that it shows.
    pub made_at: Timestamp,
    /// Which engine it came from; any engine can take it.
    pub engine: String,
    /// Who the database is.
    pub installation: Option<Identity>,
    /// The schema: the migrations that had run.
    pub migrations: Vec<String>,
    /// The keys that it needs, without telling them.
    pub keys: Vec<KeyProof>,
    /// The tables, parents before children.
    pub tables: Vec<TableHead>,
}

/// That a key is a certain one, without telling it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyProof {
    /// Its number in the ring.
    pub number: u32,
    /// A code made with it.
    pub proof: String,
}

/// A table of a backup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableHead {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of the values in its rows.
    pub columns: Vec<String>,
    /// Which columns are its key, as places in `columns`.
    pub key: Vec<usize>,
    /// How many rows it has.
    pub rows: u64,
}

/// What a backup holds, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Rows of all tables.
    pub rows: u64,
    /// References of rows to rows of the same table, which follow after the table.
    pub patches: u64,
    /// Blobs that the database knows.
    pub blobs: u64,
    /// Blobs whose contents are in the backup.
    pub contents: u64,
}

/// Why a backup could not be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is something else.
    #[error("this is not a backup made by handsel")]
    NotABackup,
    /// The file is from the future.
    #[error(
        "the backup has format {0}, which this program does not read; restore it with the program that made it"
    )]
    TooNew(u32),
    /// The file was cut.
    #[error("the backup ends too early, after {0} bytes: it was cut off; nothing was restored from it")]
    CutOff(u64),
    /// The file was changed.
    #[error("the backup is damaged: {0}; nothing was restored from it, use another one")]
    Damaged(String),
    /// The place to restore to cannot take it.
    #[error("{problem}; {remedy}")]
    Refused {
        /// What is in the way.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The blob store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn refused(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Refused { problem: problem.into(), remedy: remedy.into() }
    }
}

/// Told how far a long work has come: done, of how much.
pub type Told<'a> = &'a mut dyn FnMut(u64, u64);

/// Proofs of the ring's keys.
pub fn proofs(ring: &Ring) -> Vec<KeyProof> {
    let proof = |number| ring.code(number, "backup: which key", &[]).map(hex::encode);
    ring.keys().filter_map(|(number, _)| proof(number).map(|proof| KeyProof { number, proof })).collect()
}

/// The numbers of keys that a backup needs and this ring does not have.
pub fn keys_missing(header: &Header, ring: &Ring) -> Vec<u32> {
    let have = proofs(ring);
    header.keys.iter().filter(|needed| !have.contains(needed)).map(|needed| needed.number).collect()
}

/// A blob of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BlobHead {
    sha256: Sha256,
    size: u64,
    /// Whether its contents follow.
    contained: bool,
}
