//! Schema changes: paired files, one transaction each, recorded with a checksum.
//!
//! What was released never changes: a database that was made by another text is refused, and
//! so is one that knows migrations this program does not. On PostgreSQL a lock keeps two nodes
//! from migrating at once; on SQLite the write transaction does.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::{DbError, Options, pg, sqlite};

/// One schema change, for both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its number and name, as its files are called.
    pub name: &'static str,
    /// What SQLite runs.
    pub sqlite: &'static str,
    /// What PostgreSQL runs.
    pub postgres: &'static str,
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(Migration {
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

/// The product's schema, oldest first.
pub const MIGRATIONS: &[Migration] = embedded![
    "0001_spine",
    "0002_deliveries",
    "0011_artwork",
    "0012_stamps",
    "0014_stores",
    "0015_access",
    "0016_assets",
    "0017_plugins",
    "0018_reconciler"
];

/// The table that remembers what ran. One text: no time, no default, nothing to differ.
pub(crate) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS migrations (name TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL)";

/// A migration that ran on a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub name: String,
    pub checksum: String,
}

/// One engine's way to run migrations.
pub(crate) trait Ground {
    /// Begins a transaction that no other migrator can be in.
    fn begin(&mut self) -> Result<(), DbError>;
    /// What ran so far, by name. Empty when the table is not there.
    fn applied(&mut self) -> Result<Vec<Applied>, DbError>;
    /// Runs a migration and records it.
    fn run(&mut self, migration: &Migration, checksum: &str) -> Result<(), DbError>;
    fn commit(&mut self) -> Result<(), DbError>;
    fn rollback(&mut self);
    /// The engine's text of a migration.
    fn text(&self, migration: &'static Migration) -> &'static str;
}

/// What has not run on this database.
pub(crate) fn pending(
    options: &Options,
    list: &'static [Migration],
) -> Result<Vec<&'static Migration>, DbError> {
    on_ground(options, move |ground| {
        let applied = ground.applied()?;
        Ok(missing(ground, list, &applied)?.iter().collect())
    })
}

/// Runs what has not run on this database.
pub(crate) fn migrate(
    options: &Options,
    list: &'static [Migration],
) -> Result<Vec<&'static Migration>, DbError> {
    on_ground(options, move |ground| advance(ground, list))
}

/// On a thread of its own: the PostgreSQL driver panics on an async worker.
fn on_ground<R: Send>(
    options: &Options,
    run: impl FnOnce(&mut dyn Ground) -> Result<R, DbError> + Send,
) -> Result<R, DbError> {
    match options {
        Options::Sqlite(path) => run(&mut sqlite::SqliteGround::open(path)?),
        Options::Postgres(url) => std::thread::scope(|scope| {
            let thread = scope.spawn(|| run(&mut pg::PgGround::open(url)?));
            thread.join().unwrap_or_else(|_| Err(DbError::Panicked("while migrating".to_owned())))
        }),
    }
}

/// A transaction for each: what ran before one that fails stays.
fn advance(ground: &mut dyn Ground, list: &'static [Migration]) -> Result<Vec<&'static Migration>, DbError> {
    let mut ran = Vec::new();
    // One round more than there are migrations: the last finds nothing left.
    for _ in 0..=list.len() {
        ground.begin()?;
        match advance_by_one(ground, list) {
            Ok(Some(migration)) => {
                ground.commit()?;
                tracing::info!(name = migration.name, "migrated");
                ran.push(migration);
            }
            Ok(None) => {
                ground.rollback();
                break;
            }
            Err(error) => {
                ground.rollback();
                return Err(error);
            }
        }
    }
    Ok(ran)
}

fn advance_by_one(
    ground: &mut dyn Ground,
    list: &'static [Migration],
) -> Result<Option<&'static Migration>, DbError> {
    let applied = ground.applied()?;
    let Some(next) = missing(ground, list, &applied)?.first() else { return Ok(None) };
    let checksum = checksum(ground.text(next));
    ground.run(next, &checksum).map_err(|error| match error {
        DbError::Statement { problem, .. } | DbError::Other(problem) => {
            DbError::Other(format!("migration {} failed: {problem}", next.name))
        }
        known => known,
    })?;
    Ok(Some(next))
}

/// The migrations after those that ran, when those are the first of the list and unchanged.
fn missing(
    ground: &dyn Ground,
    list: &'static [Migration],
    applied: &[Applied],
) -> Result<&'static [Migration], DbError> {
    let known: HashSet<&str> = list.iter().map(|migration| migration.name).collect();
    if let Some(newer) = applied.iter().find(|applied| !known.contains(applied.name.as_str())) {
        return Err(DbError::Other(format!(
            "the database is newer than this program, which does not know migration {}; \
             run the newer program, or restore a backup made by this one",
            newer.name
        )));
    }
    for (expected, found) in list.iter().zip(applied) {
        if expected.name != found.name {
            return Err(DbError::Other(format!(
                "migration {} ran on this database before {}, which comes first",
                found.name, expected.name
            )));
        }
        if checksum(ground.text(expected)) != found.checksum {
            return Err(DbError::Other(format!(
                "migration {} is not the one that ran on this database: its file was changed after \
                 its release; put the released file back",
                found.name
            )));
        }
    }
    Ok(list.get(applied.len()..).unwrap_or_default())
}

/// Line ends do not count: a checkout may change them.
fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.replace("\r\n", "\n").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_list_and_in_order() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut listed: Vec<String> = MIGRATIONS.iter().map(|m| format!("{}.sql", m.name)).collect();
        listed.sort();
        assert_eq!(files(&format!("{root}/sqlite")), listed);
        assert_eq!(files(&format!("{root}/postgres")), listed);
        assert!(MIGRATIONS.is_sorted_by_key(|migration| migration.name));
    }

    fn files(folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn line_ends_do_not_change_a_checksum() {
        assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
        assert_ne!(checksum("a"), checksum("b"));
    }
}
