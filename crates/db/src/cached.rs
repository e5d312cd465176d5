//! A value computed from the database and kept until the database changes.

use std::sync::{Arc, Mutex, PoisonError};

use crate::database::Backend;
use crate::{Db, DbError, Snapshot};

/// A value computed from the database and kept until the next commit, whichever process makes it.
///
/// Exact on SQLite: shell verbs write beside the server, and the engine's own counter sees
/// them. On PostgreSQL, where other nodes write too, it is computed each time.
#[derive(Debug, Default)]
pub struct Cached<T> {
    known: Mutex<Option<(i64, Arc<T>)>>,
}

impl<T> Cached<T> {
    /// Nothing known yet.
    pub const fn new() -> Self {
        Self { known: Mutex::new(None) }
    }

    /// The value, computed when there was a commit since it was computed last.
    ///
    /// # Errors
    /// What `load` or the database refuses.
    pub fn get<E: From<DbError>>(
        &self,
        db: &Db,
        load: impl FnMut(&mut Snapshot<'_>) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        // Asked before loading: a commit in between makes the next call load again.
        let Some(version) = db.data_version()? else { return Ok(Arc::new(db.read_blocking(load)?)) };
        if let Some((of, value)) = &*self.known.lock().unwrap_or_else(PoisonError::into_inner)
            && *of == version
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(db.read_blocking(load)?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, Arc::clone(&value)));
        Ok(value)
    }
}

impl Db {
    /// A number that changes with every commit of any process. `None` on PostgreSQL, which has
    /// no such counter.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn data_version(&self) -> Result<Option<i64>, DbError> {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.shared.data_version().map(Some),
            Backend::Postgres(_) => Ok(None),
        }
    }
}
