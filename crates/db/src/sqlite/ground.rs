//! Migrating a SQLite file.

use std::path::Path;

use rusqlite::Connection;

use super::{open_writer, other, passing_or_other};
use crate::DbError;
use crate::migrations::{Applied, Ground, Migration, TABLE};

/// A connection for migrations. Foreign keys are off while a table is rebuilt, because
/// dropping the old one would delete what refers to it; they are checked before the commit.
pub(crate) struct SqliteGround {
    connection: Connection,
}

impl SqliteGround {
    pub fn open(path: &Path) -> Result<Self, DbError> {
        let connection = open_writer(path)?;
        connection.execute_batch("PRAGMA foreign_keys = OFF").map_err(|e| other(&e))?;
        Ok(Self { connection })
    }

    fn batch(&self, text: &str) -> Result<(), DbError> {
        self.connection.execute_batch(text).map_err(|e| passing_or_other(&e))
    }
}

impl Ground for SqliteGround {
    fn begin(&mut self) -> Result<(), DbError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn applied(&mut self) -> Result<Vec<Applied>, DbError> {
        let exists =
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations')";
        let exists: bool = self.connection.query_row(exists, [], |row| row.get(0)).map_err(|e| other(&e))?;
        if !exists {
            return Ok(Vec::new());
        }
        let text = "SELECT name, checksum FROM migrations ORDER BY name";
        let mut statement = self.connection.prepare(text).map_err(|e| other(&e))?;
        let rows = statement
            .query_map([], |row| Ok(Applied { name: row.get(0)?, checksum: row.get(1)? }))
            .map_err(|e| other(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| other(&e))
    }

    fn run(&mut self, migration: &Migration, checksum: &str) -> Result<(), DbError> {
        self.batch(&format!("{TABLE} STRICT"))?;
        self.batch(migration.sqlite)?;
        let broken = "SELECT count(*) FROM pragma_foreign_key_check";
        let broken: i64 = self.connection.query_row(broken, [], |row| row.get(0)).map_err(|e| other(&e))?;
        if broken > 0 {
            return Err(DbError::Other(format!("{broken} rows refer to rows that are not there")));
        }
        let recorded = self
            .connection
            .execute("INSERT INTO migrations (name, checksum) VALUES (?1, ?2)", [migration.name, checksum]);
        recorded.map(drop).map_err(|e| passing_or_other(&e))
    }

    fn commit(&mut self) -> Result<(), DbError> {
        self.batch("COMMIT")
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.batch("ROLLBACK")
        {
            tracing::error!(%error, "a migration could not be rolled back");
        }
    }

    fn text(&self, migration: &'static Migration) -> &'static str {
        migration.sqlite
    }
}
