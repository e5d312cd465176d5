//! Running statements on a SQLite connection.
//!
//! The writer keeps its prepared statements itself, found by the address of their text: at
//! 400,000 statements a second, hashing the text for each would cost a tenth of the time.
//! Readers come from a pool and move between threads, so they borrow from the connection's cache.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use super::errors::{failed, passing_or_other};
use crate::sql::{Braces, Prepared, Shelf, Sql};
use crate::tx::Session;
use crate::value::Shape;
use crate::{DbError, Engine, Param, Row, Value};

/// A statement that was read once, and the names of what it answers with.
pub(crate) struct Known {
    prepared: Prepared,
    shape: Option<Arc<Shape>>,
}

impl Known {
    fn new(text: &str) -> Result<Self, DbError> {
        Ok(Self { prepared: Prepared::new(text, Braces::Drop)?, shape: None })
    }
}

/// The writer's connection with its statements.
pub(crate) struct KeepingSession<'c> {
    connection: &'c Connection,
    shelf: Shelf<(Known, Option<Statement<'c>>)>,
}

impl<'c> KeepingSession<'c> {
    pub fn new(connection: &'c Connection) -> Self {
        Self { connection, shelf: Shelf::new() }
    }

    /// `BEGIN`, `COMMIT` and their like.
    pub fn control(&mut self, text: &'static str) -> Result<(), rusqlite::Error> {
        let found = self.shelf.find(&text.into(), |text| Ok((Known::new(text)?, None)));
        let Ok((known, kept)) = found else { return self.connection.execute_batch(text) };
        let mut statement = taken(self.connection, known, kept)?;
        let ran = statement.raw_execute();
        *kept = Some(statement);
        ran.map(drop)
    }

    fn with<R>(
        &mut self,
        sql: &Sql<'_>,
        run: impl FnOnce(&mut Known, &mut Statement<'c>) -> Result<R, DbError>,
    ) -> Result<R, DbError> {
        let (known, kept) = self.shelf.find(&sql.text, |text| Ok((Known::new(text)?, None)))?;
        known.prepared.check(sql.params.len())?;
        let mut statement = taken(self.connection, known, kept).map_err(|e| failed(&known.prepared, &e))?;
        bind(&mut statement, &known.prepared, &sql.params)?;
        let ran = run(known, &mut statement);
        *kept = Some(statement);
        ran
    }
}

fn taken<'c>(
    connection: &'c Connection,
    known: &Known,
    kept: &mut Option<Statement<'c>>,
) -> Result<Statement<'c>, rusqlite::Error> {
    kept.take().map_or_else(|| connection.prepare(&known.prepared.text), Ok)
}

impl Session for KeepingSession<'_> {
    fn execute(&mut self, sql: &Sql<'_>) -> Result<u64, DbError> {
        self.with(sql, |known, statement| execute(known, statement))
    }

    fn query(&mut self, sql: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        self.with(sql, query)
    }

    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
}

/// A pooled connection with what is known about its statements.
pub(crate) struct BorrowingSession {
    pub connection: Connection,
    shelf: Shelf<Known>,
}

/// How many statements a pooled connection keeps prepared.
const STATEMENTS_KEPT: usize = 512;

impl BorrowingSession {
    pub fn new(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Self { connection, shelf: Shelf::new() }
    }

    pub fn control(&self, text: &'static str) -> Result<(), DbError> {
        let ran = self.connection.prepare_cached(text).and_then(|mut cached| cached.raw_execute());
        ran.map(drop).map_err(|e| passing_or_other(&e))
    }

    fn with<R>(
        &mut self,
        sql: &Sql<'_>,
        run: impl FnOnce(&mut Known, &mut Statement<'_>) -> Result<R, DbError>,
    ) -> Result<R, DbError> {
        let known = self.shelf.find(&sql.text, Known::new)?;
        known.prepared.check(sql.params.len())?;
        let cached = self.connection.prepare_cached(&known.prepared.text);
        let mut cached = cached.map_err(|e| failed(&known.prepared, &e))?;
        bind(&mut cached, &known.prepared, &sql.params)?;
        run(known, &mut cached)
    }
}

impl Session for BorrowingSession {
    fn execute(&mut self, sql: &Sql<'_>) -> Result<u64, DbError> {
        self.with(sql, |known, statement| execute(known, statement))
    }

    fn query(&mut self, sql: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        self.with(sql, query)
    }

    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
}

fn bind(statement: &mut Statement<'_>, prepared: &Prepared, params: &[Param<'_>]) -> Result<(), DbError> {
    for (position, index) in prepared.order.iter().enumerate() {
        let value = match params.get(*index) {
            None | Some(Param::Null) => ValueRef::Null,
            Some(Param::Int(number)) => ValueRef::Integer(*number),
            Some(Param::Text(text)) => ValueRef::Text(text.as_bytes()),
            Some(Param::Bytes(bytes)) => ValueRef::Blob(bytes),
        };
        let bound = statement.raw_bind_parameter(position + 1, ToSqlOutput::Borrowed(value));
        bound.map_err(|e| failed(prepared, &e))?;
    }
    Ok(())
}

/// Runs a change. Rows that `RETURNING` gives are left where they are.
fn execute(known: &Known, statement: &mut Statement<'_>) -> Result<u64, DbError> {
    if statement.column_count() > 0 {
        let problem = "answers with rows; read them with one, optional or all".to_owned();
        return Err(DbError::Statement { statement: known.prepared.name.to_string(), problem });
    }
    let changed = statement.raw_execute().map_err(|e| failed(&known.prepared, &e))?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

fn query(known: &mut Known, statement: &mut Statement<'_>) -> Result<Vec<Row>, DbError> {
    let columns = statement.column_count();
    let mut out = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|e| failed(&known.prepared, &e))? {
        let shape = shape_of(known, row, columns);
        let mut values = Vec::with_capacity(columns);
        for place in 0..columns {
            let value = row.get_ref(place).map_err(|e| failed(&known.prepared, &e))?;
            values.push(owned(value).map_err(|problem| DbError::Decode {
                column: shape.columns.get(place).cloned().unwrap_or_default(),
                problem,
                statement: shape.statement.to_string(),
            })?);
        }
        out.push(Row { shape, values, number: out.len() + 1 });
    }
    Ok(out)
}

/// The names are made once; a statement that was compiled again may answer with other columns.
fn shape_of(known: &mut Known, row: &rusqlite::Row<'_>, columns: usize) -> Arc<Shape> {
    if let Some(shape) = &known.shape
        && shape.columns.len() == columns
    {
        return Arc::clone(shape);
    }
    let names = row.as_ref().column_names();
    let shape = Arc::new(Shape {
        columns: names.into_iter().map(str::to_owned).collect(),
        statement: Arc::clone(&known.prepared.name),
    });
    known.shape = Some(Arc::clone(&shape));
    shape
}

fn owned(value: ValueRef<'_>) -> Result<Value, String> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(real) => Value::Text(real.to_string()),
        ValueRef::Text(text) => {
            let text =
                std::str::from_utf8(text).map_err(|error| format!("text that is not UTF-8: {error}"))?;
            Value::Text(text.to_owned())
        }
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}
