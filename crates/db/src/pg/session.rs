//! A connection with its prepared statements.

use std::error::Error;
use std::sync::Arc;

use postgres::types::ToSql;
use postgres::{Client, SimpleQueryMessage, Statement};

use super::errors::{classify, is_lost};
use super::params::Bound;
use crate::sql::{Braces, Prepared, Shelf, Sql};
use crate::tx::Session;
use crate::value::Shape;
use crate::{DbError, Engine, Row};

/// Which life of which server a connection was made to. Transaction numbers mean something only
/// within one: after a crash or a failover they may be given out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Counts failovers.
    pub timeline: u32,
    /// When the server's statistics began. They begin anew after a crash.
    pub life: String,
}

/// A connection with its prepared statements.
pub(crate) struct PgSession {
    pub client: Client,
    pub origin: Origin,
    shelf: Shelf<Known>,
}

struct Known {
    prepared: Prepared,
    statement: Statement,
    shape: Arc<Shape>,
}

impl PgSession {
    pub fn new(client: Client, origin: Origin) -> Self {
        Self { client, origin, shelf: Shelf::new() }
    }

    /// Begins a transaction and learns its number in the same round trip, so that its outcome
    /// can be asked for when the connection is lost in COMMIT.
    pub fn begin_write(&mut self) -> Result<u64, DbError> {
        let text = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_current_xact_id()";
        let answers = self.client.simple_query(text).map_err(|e| match classify(&e, "BEGIN") {
            // A server that has become a standby says so here; the primary is elsewhere now.
            DbError::Statement { problem, .. } => DbError::Disconnected(problem),
            known => known,
        })?;
        let id = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        id.ok_or_else(|| DbError::Other("PostgreSQL did not tell the transaction's number".to_owned()))
    }

    pub fn begin_read(&mut self) -> Result<(), DbError> {
        self.control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    pub fn control(&mut self, text: &'static str) -> Result<(), DbError> {
        self.client.batch_execute(text).map_err(|e| classify(&e, text))
    }

    fn with<R>(
        &mut self,
        sql: &Sql<'_>,
        run: impl FnOnce(&mut Client, &Known, &[&(dyn ToSql + Sync)]) -> Result<R, postgres::Error>,
    ) -> Result<R, DbError> {
        let Self { client, shelf, .. } = self;
        let known = shelf.find(&sql.text, |text| Known::new(client, text))?;
        known.prepared.check(sql.params.len())?;
        let bound: Vec<Bound<'_>> = sql.params.iter().map(Bound).collect();
        let params: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| -> &(dyn ToSql + Sync) { b }).collect();
        let ran = run(client, known, &params).map_err(|e| (is_lost(&e), classify(&e, &known.prepared.name)));
        ran.map_err(|(lost, error)| {
            // What is known about the statements may be what is wrong.
            if lost || error.is_passing() {
                shelf.clear();
            }
            error
        })
    }
}

impl Known {
    fn new(client: &mut Client, text: &str) -> Result<Self, DbError> {
        let prepared = Prepared::new(text, Braces::Keep)?;
        let statement = client.prepare(&prepared.text).map_err(|e| classify(&e, &prepared.name))?;
        let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
        let shape = Arc::new(Shape { columns, statement: Arc::clone(&prepared.name) });
        Ok(Self { prepared, statement, shape })
    }
}

impl Session for PgSession {
    fn execute(&mut self, sql: &Sql<'_>) -> Result<u64, DbError> {
        let (changed, columns) = self.with(sql, |client, known, params| {
            Ok((client.execute(&known.statement, params)?, known.shape.columns.len()))
        })?;
        if columns > 0 {
            let problem = "answers with rows; read them with one, optional or all".to_owned();
            return Err(DbError::Statement { statement: sql.beginning(), problem });
        }
        Ok(changed)
    }

    fn query(&mut self, sql: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        let (rows, shape) = self.with(sql, |client, known, params| {
            Ok((client.query(&known.statement, params)?, Arc::clone(&known.shape)))
        })?;
        let mut out = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            out.push(read(row, &shape, index + 1)?);
        }
        Ok(out)
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }
}

fn read(row: &postgres::Row, shape: &Arc<Shape>, number: usize) -> Result<Row, DbError> {
    let mut values = Vec::with_capacity(row.len());
    for place in 0..row.len() {
        let value = row.try_get(place).map_err(|e| DbError::Decode {
            column: shape.columns.get(place).cloned().unwrap_or_default(),
            problem: e.source().map_or_else(|| e.to_string(), ToString::to_string),
            statement: shape.statement.to_string(),
        })?;
        values.push(value);
    }
    Ok(Row { shape: Arc::clone(shape), values, number })
}
