//! What a closure gets: a transaction to write in, or a snapshot to read from.

use std::cell::Cell;

use crate::sql::Sql;
use crate::{DbError, Engine, Row};

/// What rows can be read from: a [`Tx`] or a [`Snapshot`].
pub trait Source {
    /// Runs a statement that answers with rows.
    ///
    /// # Errors
    /// Whatever the engine refuses.
    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError>;

    /// Which engine this is, for the rare text that must differ.
    fn engine(&self) -> Engine;
}

/// One engine's connection inside a transaction. Object-safe, so that statements may be kept
/// beside the connection they belong to without their lifetime showing.
pub(crate) trait Session {
    fn execute(&mut self, statement: &Sql<'_>) -> Result<u64, DbError>;
    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError>;
    fn engine(&self) -> Engine;
}

/// A transaction that is open for writing. An error poisons it: it can no longer commit.
pub struct Tx<'c> {
    session: &'c mut (dyn Session + 'c),
    poisoned: Option<DbError>,
}

/// One moment of the database, for reading.
pub struct Snapshot<'c> {
    session: &'c mut (dyn Session + 'c),
    /// The first error that running again may cure.
    passing: Option<DbError>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(session: &'c mut (dyn Session + 'c)) -> Self {
        Self { session, poisoned: None }
    }

    pub(crate) fn execute(&mut self, statement: &Sql<'_>) -> Result<u64, DbError> {
        self.refuse_if_poisoned()?;
        let result = self.session.execute(statement);
        result.inspect_err(|error| self.poison(error))
    }

    pub(crate) fn poison(&mut self, error: &DbError) {
        if self.poisoned.is_none() {
            self.poisoned = Some(error.clone());
        }
    }

    pub(crate) fn poison_cause(&self) -> Option<&DbError> {
        self.poisoned.as_ref()
    }

    pub(crate) fn refuse_if_poisoned(&self) -> Result<(), DbError> {
        self.poisoned.as_ref().map_or(Ok(()), |error| Err(DbError::Poisoned(error.to_string())))
    }
}

impl<'c> Snapshot<'c> {
    pub(crate) fn new(session: &'c mut (dyn Session + 'c)) -> Self {
        Self { session, passing: None }
    }

    pub(crate) fn passing_cause(&mut self) -> Option<DbError> {
        self.passing.take()
    }
}

impl Source for Tx<'_> {
    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        self.refuse_if_poisoned()?;
        let result = self.session.query(statement);
        result.inspect_err(|error| self.poison(error))
    }

    fn engine(&self) -> Engine {
        self.session.engine()
    }
}

impl Source for Snapshot<'_> {
    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        let result = self.session.query(statement);
        result.inspect_err(|error| {
            if error.is_passing() && self.passing.is_none() {
                self.passing = Some(error.clone());
            }
        })
    }

    fn engine(&self) -> Engine {
        self.session.engine()
    }
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Marks the thread as running a closure, until it is dropped.
///
/// A transaction inside a transaction would wait for itself: the writer has one thread, and
/// a full pool never gets a connection free.
pub(crate) struct Inside(());

impl Inside {
    /// Marks the thread.
    ///
    /// # Errors
    /// When it is marked already.
    pub fn enter() -> Result<Self, DbError> {
        let text = "a transaction was begun inside another one; use the one at hand";
        if INSIDE.replace(true) { Err(DbError::Other(text.to_owned())) } else { Ok(Self(())) }
    }

    /// Refuses on a thread that is marked.
    pub fn refuse() -> Result<(), DbError> {
        if INSIDE.get() { Self::enter().map(drop) } else { Ok(()) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}
