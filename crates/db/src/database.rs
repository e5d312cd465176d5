//! Opening a database, and the two ways in: `write` and `read`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::tx::Connection;
use crate::{DbError, Snapshot, Tx};

/// Which engine is behind a [`Db`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Options {
    /// A file, made when it is missing.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

/// A database. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Mutex<Connection>>,
}

impl Db {
    /// Opens it and runs the migrations that are missing.
    ///
    /// # Errors
    /// When it cannot be opened, or is newer than this program.
    pub fn open(options: &Options) -> Result<Self, DbError> {
        let Options::Sqlite(path) = options else { return Err(DbError::Other("not yet".to_owned())) };
        let other = |e: rusqlite::Error| DbError::Other(e.to_string());
        let sqlite = rusqlite::Connection::open(path).map_err(other)?;
        sqlite.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;").map_err(other)?;
        let version: i64 = sqlite.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(other)?;
        if version == 0 {
            sqlite.execute_batch(include_str!("../../../migrations/sqlite/0001_spine.sql")).map_err(other)?;
            sqlite.execute_batch("PRAGMA user_version=1").map_err(other)?;
        }
        Ok(Self { inner: Arc::new(Mutex::new(Connection::new(sqlite))) })
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    /// Runs the closure in a transaction and answers after the durable commit.
    ///
    /// The closure may run more than once: it must be a function of the database and its captures.
    ///
    /// # Errors
    /// The closure's own error (rolled back), or the database's.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        let joined = tokio::task::spawn_blocking(move || db.write_blocking(work)).await;
        joined.map_err(|e| DbError::Panicked(e.to_string()))?
    }

    /// [`Db::write`] for plain threads: the simulator, the shell, tests.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let other = |e: rusqlite::Error| DbError::Other(e.to_string());
        let mut connection = self.inner.lock().map_err(|e| DbError::Other(e.to_string()))?;
        connection.sqlite.execute_batch("BEGIN IMMEDIATE").map_err(other)?;
        let mut tx = Tx::new(&mut connection);
        let result = work(&mut tx).and_then(|done| tx.refuse_if_poisoned().map(|()| done).map_err(E::from));
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        connection.sqlite.execute_batch(end).map_err(other)?;
        result
    }

    /// Runs the closure on one moment of the database.
    ///
    /// # Errors
    /// The closure's own error, or the database's.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Snapshot<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        let joined = tokio::task::spawn_blocking(move || db.read_blocking(work)).await;
        joined.map_err(|e| DbError::Panicked(e.to_string()))?
    }

    /// [`Db::read`] for plain threads and hot paths that may block for microseconds.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_blocking<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Snapshot<'_>) -> Result<T, E>,
        E: From<DbError>,
    {
        let mut connection = self.inner.lock().map_err(|e| DbError::Other(e.to_string()))?;
        work(&mut Snapshot { connection: &mut connection })
    }
}
