//! Migrating a PostgreSQL database.

use super::connect::Target;
use super::errors::classify;
use super::session::PgSession;
use crate::DbError;
use crate::migrations::{Applied, Ground, Migration, TABLE};

/// A connection for migrations.
pub(crate) struct PgGround {
    session: PgSession,
}

/// The key of the lock that keeps two nodes from migrating at once: "handsel" in ASCII.
const LOCK: i64 = 0x68_61_6e_64_73_65_6c;

impl PgGround {
    pub fn open(url: &str) -> Result<Self, DbError> {
        Ok(Self { session: Target::parse(url)?.connect()? })
    }

    fn batch(&mut self, text: &str) -> Result<(), DbError> {
        self.session.client.batch_execute(text).map_err(|e| classify(&e, "a migration"))
    }
}

impl Ground for PgGround {
    /// A migration and the wait for another node's may take longer than a request may.
    fn begin(&mut self) -> Result<(), DbError> {
        self.batch(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED;
             SET LOCAL statement_timeout = 0;
             SELECT pg_advisory_xact_lock({LOCK});"
        ))
    }

    fn applied(&mut self) -> Result<Vec<Applied>, DbError> {
        let client = &mut self.session.client;
        let exists = "SELECT to_regclass('migrations') IS NOT NULL";
        let exists: bool = client.query_one(exists, &[]).map_err(|e| classify(&e, exists))?.get(0);
        if !exists {
            return Ok(Vec::new());
        }
        let text = "SELECT name, checksum FROM migrations ORDER BY name COLLATE \"C\"";
        let rows = client.query(text, &[]).map_err(|e| classify(&e, text))?;
        Ok(rows.iter().map(|row| Applied { name: row.get(0), checksum: row.get(1) }).collect())
    }

    fn run(&mut self, migration: &Migration, checksum: &str) -> Result<(), DbError> {
        self.batch(&TABLE.replace(" TEXT ", " TEXT COLLATE \"C\" "))?;
        self.batch(migration.postgres)?;
        let text = "INSERT INTO migrations (name, checksum) VALUES ($1, $2)";
        let recorded = self.session.client.execute(text, &[&migration.name, &checksum]);
        recorded.map(drop).map_err(|e| classify(&e, text))
    }

    fn commit(&mut self) -> Result<(), DbError> {
        self.batch("COMMIT")
    }

    fn rollback(&mut self) {
        if let Err(error) = self.batch("ROLLBACK") {
            tracing::error!(%error, "a migration could not be rolled back");
        }
    }

    fn text(&self, migration: &'static Migration) -> &'static str {
        migration.postgres
    }
}
