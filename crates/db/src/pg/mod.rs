//! PostgreSQL: a pool of threads, each with a connection of its own.
//!
//! The blocking driver panics on an async worker, so it only ever runs on these threads.
//! Writers and readers are apart: a long report must not keep a receipt waiting.

mod connect;
mod errors;
mod ground;
mod lent;
mod outcome;
mod params;
mod session;
mod tls;
mod worker;

use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::queue::Queue;
use crate::work::{ReadWork, WriteWork};
use crate::{DbError, Snapshot, Tuning};

pub(crate) use ground::PgGround;

use connect::Target;
use lent::Lent;

/// How many closures may wait for a connection.
const WAITING_MAX: usize = 4_096;

/// What the threads and the handle share.
pub(crate) struct Pool {
    target: Target,
    pub writes: Queue<Box<dyn WriteWork>>,
    reads: Queue<Read>,
    /// The newest timeline seen: a primary on an older one has been replaced and must not be
    /// written to when it comes back.
    timeline: AtomicU32,
    reconnect_attempts_max: u32,
    /// Whether the last commit did not fit on the server's disk.
    pub disk_full: AtomicBool,
}

/// A closure that moves to the thread, or a connection lent to one that cannot.
enum Read {
    Whole(Box<dyn ReadWork>),
    Lent(Lent),
}

/// A PostgreSQL database with its threads.
pub(crate) struct Postgres {
    pub pool: Arc<Pool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Postgres {
    /// Starts the threads; they connect when they have something to do.
    pub fn start(url: &str, tuning: &Tuning) -> Result<Self, DbError> {
        let pool = Arc::new(Pool {
            target: Target::parse(url)?,
            writes: Queue::new(WAITING_MAX),
            reads: Queue::new(WAITING_MAX),
            timeline: AtomicU32::new(0),
            reconnect_attempts_max: tuning.reconnect_attempts_max,
            disk_full: AtomicBool::new(false),
        });
        let mut threads = Vec::new();
        for number in 0..tuning.postgres_writers.max(1) {
            let pool = Arc::clone(&pool);
            threads.push(spawn("db-writer", move || worker::write(&pool, number))?);
        }
        for number in 0..tuning.postgres_readers.max(1) {
            let pool = Arc::clone(&pool);
            threads.push(spawn("db-reader", move || worker::read(&pool, number))?);
        }
        Ok(Self { pool, threads: Mutex::new(threads) })
    }

    pub fn write(&self, work: Box<dyn WriteWork>) {
        if let Err((refused, work)) = self.pool.writes.push(work) {
            work.answer(Err(refused.into()));
        }
    }

    pub fn read(&self, work: Box<dyn ReadWork>) {
        if let Err((refused, Read::Whole(work))) = self.pool.reads.push(Read::Whole(work)) {
            work.answer(Err(refused.into()));
        }
    }

    /// Runs the closure on this thread, its statements on a database thread.
    pub fn read_here<T, E: From<DbError>>(
        &self,
        work: &mut dyn FnMut(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        lent::read_here(&self.pool, work)
    }

    /// Ends the threads after what is queued is done.
    pub fn close(&self) {
        self.pool.writes.close();
        self.pool.reads.close();
        crate::work::join(std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DbError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map_err(|e| DbError::Other(format!("cannot start the thread {name}: {e}")))
}

/// How often a transaction is run again after a conflict with others.
const CONFLICT_ATTEMPTS_MAX: u32 = 12;

impl Pool {
    /// The pause before the next attempt, or `None` when there has been enough of them.
    ///
    /// `salt` spreads the workers, so that those that collided do not collide again.
    fn pause_before(&self, attempt: u32, error: &DbError, salt: usize) -> Option<Duration> {
        pause_before(attempt, self.reconnect_attempts_max, error, salt)
    }
}

fn pause_before(attempt: u32, reconnects_max: u32, error: &DbError, salt: usize) -> Option<Duration> {
    let (attempts, first, longest) = match error {
        DbError::Busy(_) => (CONFLICT_ATTEMPTS_MAX, 2, 250),
        _ => (reconnects_max, 50, 1_000),
    };
    if attempt >= attempts {
        return None;
    }
    let whole: u64 = (first << attempt.min(16)).min(longest);
    let spread = u64::try_from(salt).unwrap_or(0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let spread = spread.wrapping_add(u64::from(attempt).wrapping_mul(0xbf58_476d_1ce4_e5b9)) >> 33;
    Some(Duration::from_millis(whole / 2 + spread % (whole / 2 + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_and_outages_end_after_a_bounded_wait() {
        let reconnects_max = Tuning::default().reconnect_attempts_max;
        let wait = |error: DbError| -> Duration {
            (1..).map_while(|attempt| pause_before(attempt, reconnects_max, &error, 3)).sum()
        };
        assert!(wait(DbError::Busy(String::new())) < Duration::from_secs(3));
        let outage = wait(DbError::Disconnected(String::new()));
        assert!((Duration::from_secs(5)..Duration::from_secs(15)).contains(&outage), "{outage:?}");
    }

    #[test]
    fn workers_that_collided_wait_differently() {
        let reconnects_max = 1;
        let busy = DbError::Busy(String::new());
        let pauses: Vec<_> = (0..16).map(|salt| pause_before(8, reconnects_max, &busy, salt)).collect();
        let first = pauses.first().expect("sixteen pauses");
        assert!(pauses.iter().any(|pause| pause != first));
    }
}
