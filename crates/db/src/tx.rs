//! What a closure gets: a transaction to write in, or a snapshot to read from.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sql::{Braces, Prepared, Sql};
use crate::{DbError, Engine, Param, Row, Value};

/// What rows can be read from: a [`Tx`] or a [`Snapshot`].
pub trait Source {
    /// Runs a statement that answers with rows.
    ///
    /// # Errors
    /// Whatever the engine refuses.
    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError>;

    /// Which engine this is, for the rare text that must differ.
    fn engine(&self) -> Engine;
}

/// A transaction that is open for writing. An error poisons it: it can no longer commit.
pub struct Tx<'c> {
    pub(crate) connection: &'c mut Connection,
    poisoned: Option<DbError>,
}

/// One moment of the database, for reading.
pub struct Snapshot<'c> {
    pub(crate) connection: &'c mut Connection,
}

pub(crate) struct Connection {
    pub sqlite: rusqlite::Connection,
    prepared: HashMap<String, Arc<Prepared>>,
}

impl Connection {
    pub fn new(sqlite: rusqlite::Connection) -> Self {
        sqlite.set_prepared_statement_cache_capacity(512);
        Self { sqlite, prepared: HashMap::new() }
    }

    fn prepare(&mut self, statement: &Sql<'_>) -> Result<Arc<Prepared>, DbError> {
        if let Some(known) = self.prepared.get(statement.text.as_ref()) {
            known.check(statement.params.len())?;
            return Ok(Arc::clone(known));
        }
        let prepared = Arc::new(Prepared::new(&statement.text, Braces::Drop)?);
        prepared.check(statement.params.len())?;
        self.prepared.insert(statement.text.to_string(), Arc::clone(&prepared));
        Ok(prepared)
    }

    fn execute(&mut self, statement: &Sql<'_>) -> Result<u64, DbError> {
        let prepared = self.prepare(statement)?;
        let mut cached = self.sqlite.prepare_cached(&prepared.text).map_err(|e| failed(&prepared, &e))?;
        bind(&mut cached, &prepared, &statement.params)?;
        let changed = cached.raw_execute().map_err(|e| failed(&prepared, &e))?;
        Ok(u64::try_from(changed).unwrap_or(0))
    }

    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        let prepared = self.prepare(statement)?;
        let mut cached = self.sqlite.prepare_cached(&prepared.text).map_err(|e| failed(&prepared, &e))?;
        bind(&mut cached, &prepared, &statement.params)?;
        let columns: Arc<[String]> = cached.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = cached.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(|e| failed(&prepared, &e))? {
            let values = (0..columns.len())
                .map(|place| row.get_ref(place).map(owned).map_err(|e| failed(&prepared, &e)));
            let values = values.collect::<Result<Vec<_>, _>>()?;
            out.push(Row { columns: Arc::clone(&columns), values, statement: Arc::clone(&prepared.name) });
        }
        Ok(out)
    }
}

fn bind(
    statement: &mut rusqlite::Statement<'_>,
    prepared: &Prepared,
    params: &[Param<'_>],
) -> Result<(), DbError> {
    use rusqlite::types::{ToSqlOutput, ValueRef};
    for (position, index) in prepared.order.iter().enumerate() {
        let value = match params.get(*index) {
            None | Some(Param::Null) => ValueRef::Null,
            Some(Param::Int(number)) => ValueRef::Integer(*number),
            Some(Param::Text(text)) => ValueRef::Text(text.as_bytes()),
            Some(Param::Bytes(bytes)) => ValueRef::Blob(bytes),
        };
        statement
            .raw_bind_parameter(position + 1, ToSqlOutput::Borrowed(value))
            .map_err(|e| failed(prepared, &e))?;
    }
    Ok(())
}

fn owned(value: rusqlite::types::ValueRef<'_>) -> Value {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(real) => Value::Text(real.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn failed(prepared: &Prepared, error: &rusqlite::Error) -> DbError {
    DbError::Statement { statement: prepared.name.to_string(), problem: error.to_string() }
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c mut Connection) -> Self {
        Self { connection, poisoned: None }
    }

    pub(crate) fn execute(&mut self, statement: &Sql<'_>) -> Result<u64, DbError> {
        self.refuse_if_poisoned()?;
        let result = self.connection.execute(statement);
        result.inspect_err(|error| self.poison(error))
    }

    pub(crate) fn poison(&mut self, error: &DbError) {
        if self.poisoned.is_none() {
            self.poisoned = Some(error.clone());
        }
    }

    pub(crate) fn refuse_if_poisoned(&self) -> Result<(), DbError> {
        self.poisoned.as_ref().map_or(Ok(()), |error| Err(DbError::Poisoned(error.to_string())))
    }
}

impl Source for Tx<'_> {
    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        self.refuse_if_poisoned()?;
        let result = self.connection.query(statement);
        result.inspect_err(|error| self.poison(error))
    }

    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
}

impl Source for Snapshot<'_> {
    fn query(&mut self, statement: &Sql<'_>) -> Result<Vec<Row>, DbError> {
        self.connection.query(statement)
    }

    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
}
