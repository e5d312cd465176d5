//! How a database is doing: for the readiness check, `doctor` and `audit`.

use std::path::Path;
use std::sync::atomic::Ordering;

use kernel::Timestamp;

use crate::database::Backend;
use crate::{Db, DbError, Engine, Snapshot, Source, sql, sqlite};

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
        self.damage("SELECT integrity_check AS problem FROM pragma_integrity_check", |snapshot| {
            let orphans = "SELECT \"table\" AS child, parent, count(*) AS n \
                           FROM pragma_foreign_key_check GROUP BY \"table\", parent";
            sql(orphans).all(snapshot, |row| {
                let (child, parent) = (row.get::<String>("child")?, row.get::<String>("parent")?);
                let count: i64 = row.get("n")?;
                Ok(format!("{count} rows of {child} refer to rows of {parent} that are not there"))
            })
        })
    }

    /// [`Db::integrity`] in a fraction of the time: pages and rows, without comparing indexes.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn quick_integrity(&self) -> Result<Vec<String>, DbError> {
        self.damage("SELECT quick_check AS problem FROM pragma_quick_check", |_| Ok(Vec::new()))
    }

    fn damage(
        &self,
        check: &'static str,
        mut then: impl FnMut(&mut Snapshot<'_>) -> Result<Vec<String>, DbError>,
    ) -> Result<Vec<String>, DbError> {
        let found = self.read_blocking(|snapshot| {
            if snapshot.engine() == Engine::Postgres {
                return Ok::<_, DbError>(Vec::new());
            }
            let mut found = sql(check).all(snapshot, |row| row.get::<String>("problem"))?;
            found.retain(|problem| problem != "ok");
            // What is damaged cannot be searched for orphans.
            if found.is_empty() { then(snapshot) } else { Ok(found) }
        });
        match found {
            Err(DbError::Broken(why)) => Ok(vec![why]),
            other => other,
        }
    }

    /// The database server's clock. `None` on SQLite, which has none of its own.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn server_time(&self) -> Result<Option<Timestamp>, DbError> {
        self.read_blocking(|snapshot| match snapshot.engine() {
            Engine::Sqlite => Ok(None),
            Engine::Postgres => {
                let text = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS micros";
                sql(text).one(snapshot, |row| row.get("micros")).map(Some)
            }
        })
    }

    /// Which database this is, whatever it holds: a copy in another file, or in another server
    /// or under another name, has another identity.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn place(&self) -> Result<String, DbError> {
        if let Backend::Sqlite(sqlite) = &self.inner.backend {
            use std::os::unix::fs::MetadataExt as _;
            // Not the device's number, which may change when the machine starts again.
            let file = std::fs::metadata(&sqlite.shared.path);
            let file = file.map_err(|error| DbError::Other(error.to_string()))?;
            return Ok(format!("sqlite:{}", file.ino()));
        }
        // Some providers do not let their customers ask for the server's identity.
        let server = self.read_blocking(|snapshot| {
            sql("SELECT CAST(system_identifier AS TEXT) AS id FROM pg_control_system()")
                .one(snapshot, |row| row.get::<String>("id"))
        });
        let server = match server {
            Ok(id) => id,
            Err(DbError::Statement { .. } | DbError::Other(_)) => "unknown".to_owned(),
            Err(error) => return Err(error),
        };
        let database = self.read_blocking(|snapshot| {
            sql("SELECT CAST(oid AS BIGINT) AS id FROM pg_database WHERE datname = current_database()")
                .one(snapshot, |row| row.get::<i64>("id"))
        })?;
        Ok(format!("postgres:{server}/{database}"))
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
