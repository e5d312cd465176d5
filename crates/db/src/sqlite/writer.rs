//! The one thread that writes.
//!
//! It takes the closures that are waiting, runs them in one transaction with a savepoint each,
//! and answers all of them after the COMMIT; nobody waits for company. A closure that fails is
//! rolled back to its savepoint and hurts no other. When the whole transaction is lost (a full
//! disk takes it back, a COMMIT fails), the closures run again, each in a transaction of its own.

use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::Shared;
use super::errors::{of_commit, passing_or_other};
use super::session::KeepingSession;
use crate::work::{Verdict, WriteWork, caught};
use crate::{DbError, Tx};

/// How often a closure is run while another process is in its way, each time after the wait
/// that SQLite itself does.
const ATTEMPTS_MAX: u32 = 5;

type Work = Box<dyn WriteWork>;

/// The life of the writing thread.
pub(crate) fn run(connection: &Connection, shared: &Shared, batch_max: usize) {
    let mut writer = Writer { session: KeepingSession::new(connection), connection, shared };
    loop {
        let mut batch = shared.writes.pop_some(batch_max);
        let Some(last) = batch.pop() else { return };
        let done = caught(|| {
            if batch.is_empty() {
                writer.alone(last);
            } else {
                batch.push(last);
                writer.together(batch);
            }
        });
        // Closures' panics are caught where they run; this is what making their errors did. Whoever
        // was not answered is told that the database is closed, and the thread lives on.
        if let Err(error) = done {
            tracing::error!(%error, "the writer was interrupted");
            writer.rollback();
        }
    }
}

struct Writer<'c> {
    session: KeepingSession<'c>,
    connection: &'c Connection,
    shared: &'c Shared,
}

impl Writer<'_> {
    /// One transaction for all, or one for each when that does not work out.
    fn together(&mut self, mut batch: Vec<Work>) {
        match self.try_together(&mut batch) {
            Ok(again) => {
                let mut redo = Vec::new();
                for (index, work) in batch.into_iter().enumerate() {
                    if again.contains(&index) { redo.push(work) } else { work.answer(Ok(())) }
                }
                for work in redo {
                    self.alone(work);
                }
            }
            Err(error) => {
                tracing::debug!(%error, waiting = batch.len(), "a batch was lost; running one by one");
                for work in batch {
                    self.alone(work);
                }
            }
        }
    }

    /// Runs and commits the batch. Answers with those that must be run again, alone.
    fn try_together(&mut self, batch: &mut [Work]) -> Result<Vec<usize>, DbError> {
        self.begin()?;
        let mut again = Vec::new();
        for (index, work) in batch.iter_mut().enumerate() {
            self.control("SAVEPOINT one")?;
            let verdict = self.run(work.as_mut());
            // A full disk takes back the whole transaction, the work of the others with it.
            if self.connection.is_autocommit() {
                return Err(DbError::DiskFull);
            }
            match verdict {
                Verdict::Commit => self.control("RELEASE one")?,
                Verdict::Rollback => self.take_back()?,
                Verdict::Again(_) => {
                    self.take_back()?;
                    again.push(index);
                }
            }
        }
        self.commit()?;
        Ok(again)
    }

    fn take_back(&mut self) -> Result<(), DbError> {
        self.control("ROLLBACK TO one")?;
        self.control("RELEASE one")
    }

    /// A transaction of its own, again when another process was in the way.
    fn alone(&mut self, mut work: Work) {
        let mut outcome = Err(DbError::Closed);
        for _ in 0..ATTEMPTS_MAX {
            outcome = self.try_alone(work.as_mut());
            match &outcome {
                Err(error) if error.is_passing() => {}
                _ => break,
            }
        }
        work.answer(outcome);
    }

    fn try_alone(&mut self, work: &mut dyn WriteWork) -> Result<(), DbError> {
        self.begin()?;
        match self.run(work) {
            Verdict::Commit => self.commit(),
            Verdict::Rollback => {
                self.rollback();
                Ok(())
            }
            Verdict::Again(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    fn run(&mut self, work: &mut dyn WriteWork) -> Verdict {
        let mut tx = Tx::new(&mut self.session);
        let verdict = work.run(&mut tx);
        if let Some(cause) = tx.poison_cause() {
            self.shared.note(cause);
        }
        verdict
    }

    fn begin(&mut self) -> Result<(), DbError> {
        if let Some(why) = self.shared.broken() {
            return Err(DbError::Broken(why));
        }
        let mut begun = self.control("BEGIN IMMEDIATE");
        for _ in 1..ATTEMPTS_MAX {
            match &begun {
                Err(error) if error.is_passing() => begun = self.control("BEGIN IMMEDIATE"),
                _ => break,
            }
        }
        begun
    }

    fn commit(&mut self) -> Result<(), DbError> {
        match self.session.control("COMMIT") {
            Ok(()) => {
                self.shared.disk_full.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                let error = of_commit(&error);
                self.shared.note(&error);
                self.rollback();
                Err(error)
            }
        }
    }

    fn control(&mut self, text: &'static str) -> Result<(), DbError> {
        self.session.control(text).map_err(|error| {
            let error = passing_or_other(&error);
            self.shared.note(&error);
            self.rollback();
            error
        })
    }

    /// After an error SQLite may have rolled back already.
    fn rollback(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.session.control("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}
