//! Closures on their way to a database thread, and their answers on the way back.
//!
//! A closure may run several times. What it returned last is kept with it and handed to the
//! caller only when the database has said that the transaction is committed, or rolled back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::tx::Inside;
use crate::{DbError, Snapshot, Tx};

/// What one run of a closure asks for.
#[derive(Debug)]
pub(crate) enum Verdict {
    Commit,
    Rollback,
    /// Roll back and run it again: something passing was in the way.
    Again(DbError),
}

/// A closure that writes.
pub(crate) trait WriteWork: Send {
    /// Runs it once and keeps what it returned. Never panics.
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict;
    /// Tells the caller what it returned, or the error that came instead.
    fn answer(self: Box<Self>, outcome: Result<(), DbError>);
}

/// A closure that reads.
pub(crate) trait ReadWork: Send {
    /// Runs it once and keeps what it returned. Never panics.
    fn run(&mut self, snapshot: &mut Snapshot<'_>) -> Verdict;
    /// Tells the caller what it returned, or the error that came instead.
    fn answer(self: Box<Self>, outcome: Result<(), DbError>);
}

/// The way back to a caller that awaits, or to one that blocks.
pub(crate) enum Reply<T> {
    Awaited(oneshot::Sender<T>),
    Blocked(mpsc::SyncSender<T>),
}

impl<T> Reply<T> {
    /// A caller that went away does not want to know.
    fn send(self, answer: T) {
        let left = match self {
            Self::Awaited(sender) => sender.send(answer).err(),
            Self::Blocked(sender) => sender.send(answer).err().map(|unsent| unsent.0),
        };
        // Somebody else's destructor must not end the database thread.
        drop(catch_unwind(AssertUnwindSafe(|| drop(left))));
    }
}

/// A closure with what it returned last and the way back.
pub(crate) struct Task<F, T, E> {
    work: F,
    returned: Option<Result<T, E>>,
    reply: Reply<Result<T, E>>,
}

impl<F, T, E> Task<F, T, E> {
    pub fn new(work: F, reply: Reply<Result<T, E>>) -> Self {
        Self { work, returned: None, reply }
    }
}

impl<F, T, E> Task<F, T, E>
where
    E: From<DbError>,
{
    fn finish(self, outcome: Result<(), DbError>) {
        let missing = || Err(E::from(DbError::Panicked("a transaction that never ran".to_owned())));
        let Self { work, returned, reply } = self;
        let answer = match outcome {
            Ok(()) => returned.unwrap_or_else(missing),
            Err(error) => Err(E::from(error)),
        };
        drop(catch_unwind(AssertUnwindSafe(|| drop(work))));
        reply.send(answer);
    }
}

impl<F, T, E> WriteWork for Task<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict {
        let _inside = Inside::enter();
        let returned = caught(|| (self.work)(tx)).unwrap_or_else(|panicked| {
            tx.poison(&panicked);
            Err(E::from(panicked))
        });
        let (verdict, returned) = match (tx.poison_cause(), returned) {
            (Some(error), _) if error.is_passing() => {
                let error = error.clone();
                (Verdict::Again(error.clone()), Err(E::from(error)))
            }
            (Some(error), Ok(_)) => (Verdict::Rollback, Err(E::from(DbError::Poisoned(error.to_string())))),
            (_, Err(error)) => (Verdict::Rollback, Err(error)),
            (None, Ok(done)) => (Verdict::Commit, Ok(done)),
        };
        self.returned = Some(returned);
        verdict
    }

    fn answer(self: Box<Self>, outcome: Result<(), DbError>) {
        self.finish(outcome);
    }
}

impl<F, T, E> ReadWork for Task<F, T, E>
where
    F: FnMut(&mut Snapshot<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, snapshot: &mut Snapshot<'_>) -> Verdict {
        let _inside = Inside::enter();
        let returned = caught(|| (self.work)(snapshot));
        self.returned = Some(returned.unwrap_or_else(|panicked| Err(E::from(panicked))));
        match (snapshot.passing_cause(), &self.returned) {
            (Some(error), Some(Err(_))) => Verdict::Again(error),
            _ => Verdict::Commit,
        }
    }

    fn answer(self: Box<Self>, outcome: Result<(), DbError>) {
        self.finish(outcome);
    }
}

/// Runs a closure and turns its panic into an error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, DbError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| DbError::Panicked(message(panic.as_ref())))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// Waits for threads to end. A thread that drops the last handle is not waited for by itself.
pub(crate) fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        joined(thread);
    }
}

/// Waits for one thread to end, and takes what it leaves.
pub(crate) fn joined<T>(thread: JoinHandle<T>) -> Option<T> {
    if thread.thread().id() == std::thread::current().id() {
        return None;
    }
    let left = thread.join();
    if left.is_err() {
        tracing::error!("a database thread ended with a panic");
    }
    left.ok()
}
