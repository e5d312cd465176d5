//! How a database is doing: for the readiness check, `doctor` and `audit`.

use std::path::Path;
use std::sync::atomic::Ordering;

use crate::database::Backend;
use crate::{Db, DbError, Engine, Source, sql, sqlite};

/// How a database is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which engine.
    pub engine: Engine,
    /// The engine's version.
    pub version: String,
    /// How much the database takes on the disk, in bytes, with its log.
    pub size: u64,
    /// SQLite: how much of that is the log. It grows while somebody reads for a long time.
    pub log_size: Option<u64>,
    /// How many transactions are waiting for a writer.
    pub waiting: usize,
    /// Whether the last commit did not fit on the disk.
    pub disk_full: bool,
    /// Why nothing is written any more.
    pub failure: Option<String>,
    /// What an operator should change, in words.
    pub warnings: Vec<String>,
}

impl Db {
    /// Whether it answers.
    ///
    /// # Errors
    /// Why not.
    pub fn ping(&self) -> Result<(), DbError> {
        if let Some(why) = self.failure() {
            return Err(DbError::Broken(why));
        }
        self.read_blocking(|snapshot| sql("SELECT 1 AS one").one(snapshot, |_| Ok(())))
    }

    /// Whether the last commit did not fit on the disk. Reads go on; writes try again each time.
    pub fn is_full_disk(&self) -> bool {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.shared.disk_full.load(Ordering::Relaxed),
            Backend::Postgres(postgres) => postgres.pool.disk_full.load(Ordering::Relaxed),
        }
    }

    /// Why nothing is written any more: flushing to the disk failed, or the file is damaged.
    /// The process should end; what is on the disk shows after a restart.
    pub fn failure(&self) -> Option<String> {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.shared.broken(),
            Backend::Postgres(_) => None,
        }
    }

    /// How many transactions are waiting for a writer.
    pub fn waiting(&self) -> usize {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.shared.writes.len(),
            Backend::Postgres(postgres) => postgres.pool.writes.len(),
        }
    }

    /// How much it takes on the disk, in bytes, with its log.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn size(&self) -> Result<u64, DbError> {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => {
                Ok(file_size(&sqlite.shared.path).saturating_add(log_size(&sqlite.shared.path)))
            }
            Backend::Postgres(_) => self.read_blocking(|snapshot| {
                sql("SELECT pg_database_size(current_database()) AS size")
                    .one(snapshot, |row| row.get("size"))
            }),
        }
    }

    /// Everything an operator wants to know at a glance.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn health(&self) -> Result<Health, DbError> {
        let (version, warnings) = self.read_blocking(|snapshot| match snapshot.engine() {
            Engine::Sqlite => Ok::<_, DbError>((rusqlite::version().to_owned(), Vec::new())),
            Engine::Postgres => {
                let version = sql("SELECT current_setting('server_version') AS version")
                    .one(snapshot, |row| row.get("version"))?;
                Ok((version, careless_settings(snapshot)?))
            }
        })?;
        let log_size = match &self.inner.backend {
            Backend::Sqlite(sqlite) => Some(log_size(&sqlite.shared.path)),
            Backend::Postgres(_) => None,
        };
        Ok(Health {
            engine: self.engine(),
            version,
            size: self.size()?,
            log_size,
            waiting: self.waiting(),
            disk_full: self.is_full_disk(),
            failure: self.failure(),
            warnings,
        })
    }

    /// Copies SQLite's log into the file and empties it, as far as readers allow. PostgreSQL
    /// does that itself.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn checkpoint(&self) -> Result<(), DbError> {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite::checkpoint(&sqlite.shared.path),
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// What is damaged, in words; empty when nothing is. Reads the whole of a SQLite file.
    /// PostgreSQL checks its pages when it reads them, if it was made with data checksums.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn integrity(&self) -> Result<Vec<String>, DbError> {
        let found = self.read_blocking(|snapshot| {
            if snapshot.engine() == Engine::Postgres {
                return Ok::<_, DbError>(Vec::new());
            }
            let mut found = sql("SELECT integrity_check AS problem FROM pragma_integrity_check")
                .all(snapshot, |row| row.get::<String>("problem"))?;
            found.retain(|problem| problem != "ok");
            // What is damaged cannot be searched for orphans.
            if !found.is_empty() {
                return Ok(found);
            }
            let orphans = "SELECT \"table\" AS child, parent, count(*) AS n \
                           FROM pragma_foreign_key_check GROUP BY \"table\", parent";
            found.extend(sql(orphans).all(snapshot, |row| {
                let (child, parent) = (row.get::<String>("child")?, row.get::<String>("parent")?);
                let count: i64 = row.get("n")?;
                Ok(format!("{count} rows of {child} refer to rows of {parent} that are not there"))
            })?);
            Ok(found)
        });
        match found {
            Err(DbError::Broken(why)) => Ok(vec![why]),
            other => other,
        }
    }
}

/// Settings of a server that lose what was confirmed when the power goes.
fn careless_settings(snapshot: &mut impl Source) -> Result<Vec<String>, DbError> {
    let text = "SELECT name, setting FROM pg_settings \
                WHERE name IN ('fsync', 'full_page_writes', 'data_checksums') AND setting = 'off' ORDER BY name";
    sql(text).all(snapshot, |row| {
        let name: String = row.get("name")?;
        Ok(match name.as_str() {
            "data_checksums" => "data_checksums is off: damage on the disk is not noticed".to_owned(),
            _ => format!("{name} is off: a power cut loses orders that were confirmed"),
        })
    })
}

fn file_size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn log_size(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    file_size(Path::new(&log))
}
