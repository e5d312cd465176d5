//! Opening a database, and the two ways in: `write` and `read`.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::migrations::{MIGRATIONS, Migration};
use crate::pg::Postgres;
use crate::sqlite::Sqlite;
use crate::tx::Inside;
use crate::work::{ReadWork, Reply, Task, WriteWork};
use crate::{DbError, Snapshot, Tx, migrations};

/// Which engine is behind a [`Db`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the database is.
#[derive(Clone)]
pub enum Options {
    /// A file, made when it is missing.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

/// Without the URL, which may hold a password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// What to do at opening when migrations are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnPending {
    /// Run them.
    Migrate,
    /// Refuse, and say which.
    Refuse,
    /// Open as it is: for `handsel migrate` and `doctor`, which ask first.
    Leave,
}

/// How many of everything.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// How many waiting closures share one commit on SQLite.
    pub batch_max: usize,
    /// Threads for `read(…).await` on SQLite.
    pub sqlite_readers: usize,
    /// How long one attempt on SQLite waits for another process that is writing.
    pub busy_wait: Duration,
    /// Connections that write to PostgreSQL.
    pub postgres_writers: usize,
    /// Connections that only read, so that long reads never keep a receipt waiting.
    pub postgres_readers: usize,
    /// How often a PostgreSQL server that cannot be reached is tried again, with growing pauses.
    pub reconnect_attempts_max: u32,
    /// What to do about missing migrations.
    pub on_pending: OnPending,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            batch_max: 64,
            sqlite_readers: 4,
            busy_wait: Duration::from_secs(5),
            postgres_writers: 16,
            postgres_readers: 8,
            // About ten seconds.
            reconnect_attempts_max: 14,
            on_pending: OnPending::Migrate,
        }
    }
}

/// A database. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Db {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub options: Options,
    pub migrations: &'static [Migration],
    pub backend: Backend,
}

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens it and runs the migrations that are missing.
    ///
    /// # Errors
    /// When it cannot be opened, or is newer than this program.
    pub fn open(options: &Options) -> Result<Self, DbError> {
        Self::open_with(options, MIGRATIONS, Tuning::default())
    }

    /// Opens it with a schema and numbers of the caller's.
    ///
    /// # Errors
    /// When it cannot be opened, is newer than this program, was migrated by files that are
    /// not these, or is behind them and [`Tuning::on_pending`] says to refuse.
    pub fn open_with(
        options: &Options,
        migrations: &'static [Migration],
        tuning: Tuning,
    ) -> Result<Self, DbError> {
        match tuning.on_pending {
            OnPending::Migrate => {
                migrations::migrate(options, migrations)?;
            }
            OnPending::Refuse => match migrations::pending(options, migrations)?.as_slice() {
                [] => {}
                missing => {
                    let names: Vec<&str> = missing.iter().map(|migration| migration.name).collect();
                    return Err(DbError::Other(format!(
                        "the database is behind this program; run \"handsel migrate\" for {}",
                        names.join(", ")
                    )));
                }
            },
            OnPending::Leave => {}
        }
        let backend = match options {
            Options::Sqlite(path) => Backend::Sqlite(Sqlite::start(path, &tuning)?),
            Options::Postgres(url) => Backend::Postgres(Postgres::start(url, &tuning)?),
        };
        Ok(Self { inner: Arc::new(Inner { options: options.clone(), migrations, backend }) })
    }

    /// The migrations that have not run on this database.
    ///
    /// # Errors
    /// When it is newer than this program, or was migrated by files that are not these.
    pub fn pending(&self) -> Result<Vec<&'static Migration>, DbError> {
        migrations::pending(&self.inner.options, self.inner.migrations)
    }

    /// Runs the migrations that are missing, and tells which they were.
    ///
    /// # Errors
    /// As [`Db::pending`], and when one fails; what ran before it stays.
    pub fn migrate(&self) -> Result<Vec<&'static Migration>, DbError> {
        migrations::migrate(&self.inner.options, self.inner.migrations)
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        match self.inner.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs the closure in a transaction and answers after the durable commit.
    ///
    /// The closure may run more than once: it must be a function of the database and its
    /// captures. It must be short, since others wait for it, and must not begin another
    /// transaction. Dropping the future does not stop it.
    ///
    /// # Errors
    /// The closure's own error (rolled back), or the database's.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.hand_over(Box::new(Task::new(work, Reply::Awaited(sender))))?;
        receiver.await.map_err(|_| DbError::Closed)?
    }

    /// [`Db::write`] for plain threads: the simulator, the shell, tests.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.hand_over(Box::new(Task::new(work, Reply::Blocked(sender))))?;
        receiver.recv().map_err(|_| DbError::Closed)?
    }

    fn hand_over(&self, work: Box<dyn WriteWork>) -> Result<(), DbError> {
        Inside::refuse()?;
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.write(work),
            Backend::Postgres(postgres) => postgres.write(work),
        }
        Ok(())
    }

    /// Runs the closure on one moment of the database, on a database thread.
    ///
    /// # Errors
    /// The closure's own error, or the database's.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Snapshot<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        Inside::refuse()?;
        let (sender, receiver) = oneshot::channel();
        let work: Box<dyn ReadWork> = Box::new(Task::new(work, Reply::Awaited(sender)));
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.read(work),
            Backend::Postgres(postgres) => postgres.read(work),
        }
        receiver.await.map_err(|_| DbError::Closed)?
    }

    /// [`Db::read`] on this thread, for plain threads and hot paths.
    ///
    /// On SQLite a point read takes microseconds and never waits for the writer, so an async
    /// handler may call this. On PostgreSQL each statement is handed to a database thread and
    /// this thread blocks until the server has answered: safe on an async worker, but it holds
    /// that worker up for a round trip per statement.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_blocking<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Snapshot<'_>) -> Result<T, E>,
        E: From<DbError>,
    {
        let _inside = Inside::enter()?;
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.shared.readers.read_here(&mut work),
            Backend::Postgres(postgres) => postgres.read_here(&mut work),
        }
    }

    /// Finishes what is queued, refuses what comes later, and closes the connections.
    pub fn close(&self) {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.close(),
            Backend::Postgres(postgres) => postgres.close(),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close(),
            Backend::Postgres(postgres) => postgres.close(),
        }
    }
}
