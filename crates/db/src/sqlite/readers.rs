//! Read-only connections: a pool for threads that read inline, and threads for those that await.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::{BorrowingSession, Shared, open_reader};
use crate::work::{ReadWork, Verdict, caught};
use crate::{DbError, Snapshot};

/// How many connections are kept open while nobody reads.
const KEPT_MAX: usize = 32;
/// How often a read is run again while other processes are in its way.
const ATTEMPTS_MAX: u32 = 5;

/// Connections that are not in use. One thread holds one at a time.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<BorrowingSession>>,
}

impl Readers {
    pub fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    /// Runs the closure on one moment of the database, on this thread.
    pub fn with<R>(&self, run: impl FnOnce(&mut Snapshot<'_>) -> R) -> Result<R, DbError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let session = match idle {
            Some(session) => session,
            None => BorrowingSession::new(open_reader(&self.path)?),
        };
        // Dropped on the way out of a panic too: the connection closes and is not used again.
        let mut session = session;
        session.control("BEGIN")?;
        let ran = run(&mut Snapshot::new(&mut session));
        session.control("COMMIT")?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT_MAX {
            idle.push(session);
        }
        Ok(ran)
    }

    /// Runs the closure on this thread, again when another process was in the way.
    pub fn read_here<T, E: From<DbError>>(
        &self,
        work: &mut dyn FnMut(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut last = DbError::Closed;
        for _ in 0..ATTEMPTS_MAX {
            match self.with(|snapshot| (work(snapshot), snapshot.passing_cause())) {
                Ok((Err(_), Some(error))) => last = error,
                Ok((result, _)) => return result,
                Err(error) if error.is_passing() => last = error,
                Err(error) => return Err(E::from(error)),
            }
        }
        Err(E::from(last))
    }

    /// Closes what is not in use.
    pub fn clear(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }
}

/// The life of a reading thread.
pub(crate) fn run(shared: &Shared) {
    while let Some(mut work) = shared.reads.pop() {
        let done = caught(|| {
            let outcome = attempt(shared, work.as_mut());
            work.answer(outcome);
        });
        if let Err(error) = done {
            tracing::error!(%error, "a reader was interrupted");
        }
    }
}

fn attempt(shared: &Shared, work: &mut dyn ReadWork) -> Result<(), DbError> {
    let mut last = DbError::Closed;
    for _ in 0..ATTEMPTS_MAX {
        match shared.readers.with(|snapshot| work.run(snapshot)) {
            Ok(Verdict::Again(error)) => last = error,
            Ok(_) => return Ok(()),
            Err(error) if error.is_passing() => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
