//! The life of a thread with a connection.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::connect::Target;
use super::errors::{classify, is_lost};
use super::outcome::{Outcome, outcome_of};
use super::session::{Origin, PgSession};
use super::{Pool, Read, lent};
use crate::work::{ReadWork, Verdict, WriteWork, caught};
use crate::{DbError, Snapshot, Tx};

/// A thread's connection, made when it is needed and thrown away when it fails.
pub(crate) struct Line<'p> {
    pub pool: &'p Pool,
    session: Option<PgSession>,
    number: usize,
}

impl<'p> Line<'p> {
    pub fn new(pool: &'p Pool, number: usize) -> Self {
        Self { pool, session: None, number }
    }

    /// The connection, made anew when there is none or it was closed.
    pub fn session(&mut self) -> Result<&mut PgSession, DbError> {
        if self.session.as_ref().is_some_and(|session| session.client.is_closed()) {
            self.session = None;
        }
        let fresh = match self.session.take() {
            Some(session) => session,
            None => connect(self.pool, &self.pool.target)?,
        };
        Ok(self.session.insert(fresh))
    }

    /// Takes back the transaction; a connection that cannot do that is thrown away.
    pub fn rollback(&mut self) {
        if let Some(session) = &mut self.session
            && session.control("ROLLBACK").is_err()
        {
            self.session = None;
        }
    }

    /// Closures' panics are caught where they run; this is for what making their errors, or the
    /// driver, does. Whoever was not answered is told that the database is closed.
    fn survive(&mut self, work: impl FnOnce(&mut Self)) {
        if let Err(error) = caught(|| work(self)) {
            tracing::error!(%error, "a database thread was interrupted");
            self.session = None;
        }
    }

    /// Runs until it works, or the error does not pass, or there were enough attempts.
    fn persist(
        &mut self,
        pause_for: impl Fn(Duration),
        mut attempt: impl FnMut(&mut Self) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let mut attempts = 0;
        loop {
            let error = match attempt(self) {
                Err(error) if error.is_passing() => error,
                done => return done,
            };
            attempts += 1;
            let Some(pause) = self.pool.pause_before(attempts, &error, self.number) else {
                return Err(error);
            };
            tracing::debug!(%error, attempts, "running a transaction again");
            pause_for(pause);
        }
    }
}

/// Refuses a server that has been left behind by a failover.
fn connect(pool: &Pool, target: &Target) -> Result<PgSession, DbError> {
    let session = target.connect()?;
    let newest = pool.timeline.fetch_max(session.origin.timeline, Ordering::SeqCst);
    if session.origin.timeline < newest {
        return Err(DbError::Disconnected(format!(
            "this PostgreSQL server is on timeline {}, but another one took over on timeline {newest}; \
             it must be stopped or made a standby",
            session.origin.timeline
        )));
    }
    Ok(session)
}

/// The life of a writing thread.
pub(crate) fn write(pool: &Pool, number: usize) {
    let mut line = Line::new(pool, number);
    while let Some(mut work) = pool.writes.pop() {
        line.survive(|line| {
            let done = line.persist(|pause| pool.writes.pause(pause), |line| line.write_once(work.as_mut()));
            pool.disk_full.store(matches!(done, Err(DbError::DiskFull)), Ordering::Relaxed);
            work.answer(done);
        });
    }
}

impl Line<'_> {
    fn write_once(&mut self, work: &mut dyn WriteWork) -> Result<(), DbError> {
        let session = self.session()?;
        let (id, origin) = match session.begin_write() {
            Ok(id) => (id, session.origin.clone()),
            Err(error) => {
                self.session = None;
                return Err(error);
            }
        };
        match work.run(&mut Tx::new(session)) {
            Verdict::Rollback => {
                self.rollback();
                Ok(())
            }
            Verdict::Again(error) => {
                self.rollback();
                Err(error)
            }
            Verdict::Commit => match session.client.batch_execute("COMMIT") {
                Ok(()) => Ok(()),
                Err(error) if is_lost(&error) || session.client.is_closed() => {
                    self.session = None;
                    self.learn(id, &origin)
                }
                Err(error) => {
                    self.rollback();
                    Err(classify(&error, "COMMIT"))
                }
            },
        }
    }

    /// The connection was lost in COMMIT: what came of it is asked on a new one.
    fn learn(&mut self, id: u64, origin: &Origin) -> Result<(), DbError> {
        let mut attempts = 0;
        loop {
            let pending = match self.session().and_then(|session| outcome_of(session, id, origin)) {
                Ok(Outcome::Committed) => return Ok(()),
                Ok(Outcome::Aborted) => {
                    return Err(DbError::Disconnected("the connection was lost in COMMIT".to_owned()));
                }
                Ok(Outcome::Unknown) => return Err(DbError::OutcomeUnknown),
                Ok(Outcome::Running) => DbError::Disconnected("the transaction is still running".to_owned()),
                Err(error) => {
                    self.session = None;
                    error
                }
            };
            attempts += 1;
            let Some(pause) = self.pool.pause_before(attempts, &pending, self.number) else {
                tracing::error!(%pending, id, "a transaction's outcome could not be learned");
                return Err(DbError::OutcomeUnknown);
            };
            self.pool.writes.pause(pause);
        }
    }
}

/// The life of a reading thread.
pub(crate) fn read(pool: &Pool, number: usize) {
    let mut line = Line::new(pool, number);
    while let Some(read) = pool.reads.pop() {
        line.survive(|line| match read {
            Read::Whole(mut work) => {
                let done =
                    line.persist(|pause| pool.reads.pause(pause), |line| line.read_once(work.as_mut()));
                work.answer(done);
            }
            Read::Lent(lent) => lent::serve(line, &lent),
        });
    }
}

impl Line<'_> {
    fn read_once(&mut self, work: &mut dyn ReadWork) -> Result<(), DbError> {
        let session = self.session()?;
        session.begin_read()?;
        let verdict = work.run(&mut Snapshot::new(session));
        self.rollback();
        match verdict {
            Verdict::Again(error) => Err(error),
            Verdict::Commit | Verdict::Rollback => Ok(()),
        }
    }
}
