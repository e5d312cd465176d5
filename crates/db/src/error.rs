//! What can go wrong with a database, as far as a caller can act on it.

/// A database operation that did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The row is not there.
    #[error("not found: {0}")]
    NotFound(String),
    /// The row was changed by somebody else since it was read.
    #[error("changed by somebody else in the meantime: {0}")]
    Conflict(String),
    /// A value in the database is not what its type demands.
    #[error("column {column} of a row of \"{statement}\" holds {problem}")]
    Decode {
        /// The column's name.
        column: String,
        /// What is wrong with its value.
        problem: String,
        /// The beginning of the statement that read it.
        statement: String,
    },
    /// The statement itself is wrong: a missing argument, a syntax error.
    #[error("statement \"{statement}\": {problem}")]
    Statement {
        /// Its beginning.
        statement: String,
        /// What the engine or the check said.
        problem: String,
    },
    /// An earlier statement of this transaction failed, so it cannot commit.
    #[error("the transaction cannot be committed, because a statement in it failed: {0}")]
    Poisoned(String),
    /// Another transaction was in the way; running it again may succeed.
    #[error("in conflict with another transaction: {0}")]
    Busy(String),
    /// The disk is full. Nothing was written.
    #[error("the database's disk is full; nothing was written")]
    DiskFull,
    /// The storage failed or the file is damaged. Nothing more is written until a person has
    /// looked. When it failed in this transaction's commit, a restart may show it committed.
    #[error(
        "the database's storage failed, so nothing more is written: {0}; check the disk, run \"handsel audit\", then start again"
    )]
    Broken(String),
    /// The connection was lost before the commit was asked for. Nothing was written.
    #[error("connection to the database lost: {0}")]
    Disconnected(String),
    /// The connection was lost in COMMIT and the outcome could not be learned.
    #[error("the connection was lost while committing, and whether it was committed is not known")]
    OutcomeUnknown,
    /// The closure panicked; nothing was written.
    #[error("internal error: {0}")]
    Panicked(String),
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// Anything else.
    #[error("database: {0}")]
    Other(String),
}

impl DbError {
    /// Whether the same transaction may succeed when it is run again.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Disconnected(_))
    }
}
