//! Tables and rows as such, without knowing what they mean: for backups that either engine reads.
//!
//! [`tables`] tells what there is, parents before children, so that rows can be put back in that
//! order. [`page`] reads a table in the order of its key, [`insert`] puts a row back. The list
//! of migrations is left out: a restored database has its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::{DbError, Engine, Source, Tx, Value, sql};

/// A table, as both engines see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order they were declared.
    pub columns: Vec<Column>,
    /// Which columns are its primary key, in the key's order, as places in `columns`.
    pub key: Vec<usize>,
    /// The tables it refers to, without itself.
    pub refers_to: BTreeSet<String>,
    /// The columns by which rows refer to other rows of this table, as places in `columns`.
    /// [`insert`] needs them empty, since the other row may come later; [`patch`] fills them.
    pub refers_to_itself: Vec<usize>,
}

/// A column, as both engines see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing.
    pub nullable: bool,
}

/// The kinds of values that both engines have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// INTEGER, BIGINT.
    Int,
    /// TEXT.
    Text,
    /// BLOB, BYTEA.
    Bytes,
}

/// The most rows a page may have.
pub const PAGE_ROWS_MAX: u32 = 10_000;

/// The name of the table that a dump leaves out.
const LEFT_OUT: &str = "migrations";

/// All tables, parents before children, otherwise by name.
///
/// # Errors
/// When a table has a column without a portable kind or no primary key, or when tables refer
/// to each other in a circle.
pub fn tables(source: &mut impl Source) -> Result<Vec<Table>, DbError> {
    let names = match source.engine() {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_schema \
             WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        }
        Engine::Postgres => {
            "SELECT relname::text COLLATE \"C\" AS name FROM pg_class \
             WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1"
        }
    };
    let names: Vec<String> = sql(names).all(source, |row| row.get("name"))?;
    let mut known = BTreeMap::new();
    for name in names.into_iter().filter(|name| name != LEFT_OUT) {
        known.insert(name.clone(), table(source, name)?);
    }
    parents_first(known)
}

fn table(source: &mut impl Source, name: String) -> Result<Table, DbError> {
    let columns = match source.engine() {
        Engine::Sqlite => {
            "SELECT name, type AS kind, \"notnull\" AS filled, pk AS place \
             FROM pragma_table_xinfo($1) WHERE hidden = 0 ORDER BY cid"
        }
        Engine::Postgres => {
            "SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS kind, a.attnotnull AS filled, \
                    coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) AS place \
             FROM pg_attribute a \
             LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = quote_ident($1)::regclass AND a.attnum > 0 \
               AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum"
        }
    };
    let mut places = Vec::new();
    let columns = sql(columns).bind(&name).all(source, |row| {
        let (column, kind): (String, String) = (row.get("name")?, row.get("kind")?);
        places.push(row.get::<i64>("place")?);
        let kind = kind_of(&kind).ok_or_else(|| {
            DbError::Other(format!("column {name}.{column} is {kind}, which has no portable kind"))
        })?;
        Ok(Column { name: column, kind, nullable: row.get::<i64>("filled")? == 0 })
    })?;
    let mut key: Vec<(i64, usize)> =
        places.iter().enumerate().filter(|(_, place)| **place > 0).map(|(at, place)| (*place, at)).collect();
    key.sort_unstable();
    if key.is_empty() {
        return Err(DbError::Other(format!("table {name} has no primary key")));
    }
    let parents = parents_of(source, &name)?;
    let is_own =
        |column: &Column| parents.iter().any(|(parent, from)| *parent == name && *from == column.name);
    let own = |(at, column): (usize, &Column)| is_own(column).then_some(at);
    let refers_to_itself: Vec<usize> = columns.iter().enumerate().filter_map(own).collect();
    if let Some(column) = refers_to_itself.iter().filter_map(|at| columns.get(*at)).find(|c| !c.nullable) {
        return Err(DbError::Other(format!(
            "{name}.{} refers to its own table and may not be empty, so no row could be the first",
            column.name
        )));
    }
    let refers_to =
        parents.iter().map(|(parent, _)| parent.clone()).filter(|parent| *parent != name).collect();
    let key = key.into_iter().map(|(_, at)| at).collect();
    Ok(Table { name, columns, key, refers_to, refers_to_itself })
}

fn kind_of(name: &str) -> Option<Kind> {
    match name.to_ascii_lowercase().as_str() {
        "integer" | "int" | "bigint" | "smallint" => Some(Kind::Int),
        "text" => Some(Kind::Text),
        "blob" | "bytea" => Some(Kind::Bytes),
        _ => None,
    }
}

/// Tables that are referred to, each with the column that does.
fn parents_of(source: &mut impl Source, name: &str) -> Result<Vec<(String, String)>, DbError> {
    let parents = match source.engine() {
        Engine::Sqlite => "SELECT \"table\" AS name, \"from\" AS via FROM pragma_foreign_key_list($1)",
        Engine::Postgres => {
            "SELECT p.relname::text AS name, a.attname::text AS via \
             FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) \
             WHERE c.contype = 'f' AND c.conrelid = quote_ident($1)::regclass"
        }
    };
    sql(parents).bind(name).all(source, |row| Ok((row.get("name")?, row.get("via")?)))
}

fn parents_first(mut known: BTreeMap<String, Table>) -> Result<Vec<Table>, DbError> {
    let mut ordered = Vec::with_capacity(known.len());
    let mut done = BTreeSet::new();
    while !known.is_empty() {
        let free = known.values().find(|table| table.refers_to.is_subset(&done)).map(|t| t.name.clone());
        let Some(table) = free.and_then(|name| known.remove(&name)) else {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(DbError::Other(format!(
                "these tables refer to each other in a circle: {}",
                names.join(", ")
            )));
        };
        done.insert(table.name.clone());
        ordered.push(table);
    }
    Ok(ordered)
}

impl Table {
    /// The key of a row that [`page`] gave, to go on after it.
    pub fn key_of(&self, row: &[Value]) -> Vec<Value> {
        self.key.iter().filter_map(|place| row.get(*place).cloned()).collect()
    }

    fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        names.join(", ")
    }

    /// Key columns for comparing and sorting, in the same order on both engines.
    fn key_list(&self) -> String {
        let columns = self.key.iter().filter_map(|place| self.columns.get(*place));
        let names = columns.map(|column| match column.kind {
            Kind::Text => format!("{}{{ COLLATE \"C\"}}", quoted(&column.name)),
            Kind::Int | Kind::Bytes => quoted(&column.name),
        });
        names.collect::<Vec<_>>().join(", ")
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn placeholders(count: usize) -> String {
    let numbers: Vec<String> = (1..=count).map(|number| format!("${number}")).collect();
    numbers.join(", ")
}

/// The rows that come next in the order of the key, at most [`PAGE_ROWS_MAX`] of them.
///
/// # Errors
/// What the engine refuses.
pub fn page(
    source: &mut impl Source,
    table: &Table,
    after: Option<&[Value]>,
    limit: u32,
) -> Result<Vec<Vec<Value>>, DbError> {
    let (columns, name, key) = (table.column_list(), quoted(&table.name), table.key_list());
    let limit = limit.min(PAGE_ROWS_MAX);
    let beyond = match after {
        Some(last) => format!("WHERE ({key}) > ({})", placeholders(last.len())),
        None => String::new(),
    };
    let mut statement = sql(format!("SELECT {columns} FROM {name} {beyond} ORDER BY {key} LIMIT {limit}"));
    for value in after.unwrap_or_default() {
        statement = statement.bind(value);
    }
    let rows = source.query(&statement)?;
    Ok(rows.into_iter().map(|row| row.values).collect())
}

/// Puts a row back. Its values are in the order of the table's columns.
///
/// # Errors
/// When it has another number of values, or the engine refuses it.
pub fn insert(tx: &mut Tx<'_>, table: &Table, row: &[Value]) -> Result<(), DbError> {
    let (columns, name) = (table.column_list(), quoted(&table.name));
    let values = placeholders(table.columns.len());
    let mut statement = sql(format!("INSERT INTO {name} ({columns}) VALUES ({values})"));
    for value in row {
        statement = statement.bind(value);
    }
    statement.change_one(tx)
}

/// Fills a column of a row that is there: the reference to another row of the same table.
///
/// # Errors
/// When there is no such row or column, or the engine refuses it.
pub fn patch(
    tx: &mut Tx<'_>,
    table: &Table,
    key: &[Value],
    column: usize,
    value: &Value,
) -> Result<(), DbError> {
    let missing = || DbError::Other(format!("table {} has no column {column}", table.name));
    let column = table.columns.get(column).ok_or_else(missing)?;
    let (name, wanted) =
        (quoted(&table.name), table.key.iter().filter_map(|place| table.columns.get(*place)));
    let wanted: Vec<String> =
        wanted.zip(2..).map(|(column, number)| format!("{} = ${number}", quoted(&column.name))).collect();
    let mut statement =
        sql(format!("UPDATE {name} SET {} = $1 WHERE {}", quoted(&column.name), wanted.join(" AND ")))
            .bind(value);
    for part in key {
        statement = statement.bind(part);
    }
    statement.change_one(tx)
}

/// How many rows a table has.
///
/// # Errors
/// What the engine refuses.
pub fn count(source: &mut impl Source, table: &Table) -> Result<u64, DbError> {
    sql(format!("SELECT count(*) AS n FROM {}", quoted(&table.name))).one(source, |row| row.get("n"))
}
