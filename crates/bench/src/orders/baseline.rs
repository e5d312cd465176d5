//! The bare loop: the rows that one fulfilled order leaves behind, written by the driver alone.

use std::collections::BTreeSet;
use std::time::Duration;

use db::dump::{self, Table};
use db::{Options, Value};
use postgres::types::ToSql;
use tokio::runtime::Runtime;

use super::product::{self, Verify};
use super::{BATCH, CONNECTIONS};
use crate::report::{Failure, Stopwatch};
use crate::shop::Shop;

/// Orders whose rows are made ready ahead, outside the measured time.
const MADE_READY: usize = 512;

/// What the loop writes: the new rows of one order, with its own names to be replaced.
pub struct Rows {
    tables: Vec<Table>,
    /// Place of the table, and the row.
    rows: Vec<(usize, Vec<Value>)>,
    ids: Vec<String>,
    order: String,
    line: String,
    email: String,
}

/// One order's statements.
type Written = Vec<(usize, Vec<Value>)>;

impl Rows {
    /// Fulfills one order and looks at what that wrote.
    pub fn of_one_order(shop: &Shop, runtime: &Runtime) -> Result<Self, Failure> {
        let order = shop.place(1)?.pop().ok_or("no order was placed")?;
        let tables = shop.app.db().read_blocking(|snapshot| dump::tables(snapshot))?;
        let before = keys(shop, &tables)?;
        let post = product::notice(shop, &order, 0);
        runtime.block_on(product::deliver(shop, vec![post], Verify::AtTheSeam))?;
        let mut rows = Vec::new();
        for (place, table) in tables.iter().enumerate() {
            for row in all(shop, table)? {
                if !before.contains(&key(place, table, &row)) {
                    rows.push((place, row));
                }
            }
        }
        let line = shop.app.read_now({
            let (merchant, id) = (shop.merchant.id, order.id);
            move |snapshot| Ok(app::orders::store::lines(snapshot, merchant, id)?)
        })?;
        let line = line.first().map(|line| line.id.to_string()).ok_or("the order has no line")?;
        let email = order.buyer_email.as_ref().map(ToString::to_string).unwrap_or_default();
        let ids = rows.iter().filter_map(|(_, row)| id_of(row)).collect();
        Ok(Self { tables, rows, ids, order: order.id.to_string(), line, email })
    }

    /// How many rows it is.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    fn statements(&self) -> Vec<String> {
        let insert = |table: &Table| {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
            format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), places.join(", "))
        };
        self.tables.iter().map(insert).collect()
    }

    /// The rows of another order, which must exist.
    fn renamed(&self, number: u64, order: &str, line: &str) -> Written {
        let fresh: Vec<(String, String)> = self
            .ids
            .iter()
            .zip(0u64..)
            .map(|(id, place)| {
                let prefix = id.split('_').next().unwrap_or("x");
                (id.clone(), format!("{prefix}_{:026}", number * 64 + place))
            })
            .collect();
        let text = |old: &str| {
            let mut text = old.replace(&self.order, order).replace(&self.line, line);
            text = text.replace(&self.email, &format!("bare{number}@example.com"));
            text = text.replace("B0000000000000000", &format!("Z{number:016}"));
            for (before, after) in &fresh {
                text = text.replace(before, after);
            }
            text
        };
        let cell = |value: &Value, name: &str| match value {
            Value::Text(old) => Value::Text(text(old)),
            Value::Bytes(old) if name == "transport_key" => {
                Value::Bytes([&number.to_be_bytes()[..], old.get(8..).unwrap_or_default()].concat())
            }
            other => other.clone(),
        };
        let renamed = |(place, row): &(usize, Vec<Value>)| {
            let columns = self.tables.get(*place).map(|table| table.columns.as_slice()).unwrap_or_default();
            (*place, row.iter().zip(columns).map(|(value, column)| cell(value, &column.name)).collect())
        };
        self.rows.iter().map(renamed).collect()
    }
}

fn all(shop: &Shop, table: &Table) -> Result<Vec<Vec<Value>>, Failure> {
    Ok(shop.app.db().read_blocking(|snapshot| dump::page(snapshot, table, None, dump::PAGE_ROWS_MAX))?)
}

fn keys(shop: &Shop, tables: &[Table]) -> Result<BTreeSet<String>, Failure> {
    let mut keys = BTreeSet::new();
    for (place, table) in tables.iter().enumerate() {
        keys.extend(all(shop, table)?.iter().map(|row| key(place, table, row)));
    }
    Ok(keys)
}

fn key(place: usize, table: &Table, row: &[Value]) -> String {
    format!("{place} {:?}", table.key_of(row))
}

/// A minted id in the first column.
fn id_of(row: &[Value]) -> Option<String> {
    match row.first() {
        Some(Value::Text(text)) if text.len() == 30 && text.get(3..4) == Some("_") => Some(text.clone()),
        _ => None,
    }
}

/// The loop on one engine.
pub enum Bare<'s> {
    /// One connection, several orders in one commit.
    Sqlite(rusqlite::Connection, Loop<'s>),
    /// Many connections, one order in one commit.
    Postgres(Vec<(postgres::Client, Vec<postgres::Statement>)>, Loop<'s>),
}

/// What both need.
pub struct Loop<'s> {
    rows: &'s Rows,
    statements: Vec<String>,
    shop: &'s Shop,
    written: u64,
}

const PAY: &str =
    "UPDATE orders SET status = 'paid', paid_at = 1, settled_minor = due_minor, version = version + 1
    WHERE id = $1";

impl<'s> Bare<'s> {
    /// Opens the loop's own connections to the shop's database.
    pub fn open(options: &Options, rows: &'s Rows, shop: &'s Shop) -> Result<Self, Failure> {
        let mut statements = rows.statements();
        statements.push(PAY.to_owned());
        let work = Loop { rows, statements, shop, written: 0 };
        match options {
            Options::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path)?;
                connection.execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                     PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;
                     PRAGMA busy_timeout = 10000;",
                )?;
                connection.set_prepared_statement_cache_capacity(128);
                Ok(Self::Sqlite(connection, work))
            }
            Options::Postgres(url) => {
                let mut clients = Vec::new();
                for _ in 0..CONNECTIONS {
                    let mut client = postgres::Client::connect(url, postgres::NoTls)?;
                    let prepared = work.statements.iter().map(|text| client.prepare(text));
                    let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
                    clients.push((client, prepared));
                }
                Ok(Self::Postgres(clients, work))
            }
        }
    }

    /// Writes until the time is over. Answers orders, and the time that writing took.
    pub fn run(&mut self, turn: Duration) -> Result<(u64, Duration), Failure> {
        let (mut spent, mut done) = (Duration::ZERO, 0);
        while spent < turn {
            let ready = match self {
                Self::Sqlite(_, work) | Self::Postgres(_, work) => work.make_ready()?,
            };
            let stopwatch = Stopwatch::start();
            match self {
                Self::Sqlite(connection, work) => sqlite(connection, &work.statements, &ready)?,
                Self::Postgres(clients, _) => on_postgres(clients, &ready)?,
            }
            spent += stopwatch.elapsed();
            done += u64::try_from(ready.len())?;
        }
        Ok((done, spent))
    }
}

impl Loop<'_> {
    fn make_ready(&mut self) -> Result<Vec<(String, Written)>, Failure> {
        let orders = self.shop.place(MADE_READY)?;
        let merchant = self.shop.merchant.id;
        let mut ready = Vec::with_capacity(orders.len());
        for order in orders {
            let id = order.id;
            let lines =
                self.shop.app.read_now(move |source| Ok(app::orders::store::lines(source, merchant, id)?))?;
            let line = lines.first().map(|line| line.id.to_string()).unwrap_or_default();
            self.written += 1;
            ready.push((id.to_string(), self.rows.renamed(self.written, &id.to_string(), &line)));
        }
        Ok(ready)
    }
}

fn sqlite(
    connection: &rusqlite::Connection,
    statements: &[String],
    ready: &[(String, Written)],
) -> Result<(), Failure> {
    for batch in ready.chunks(BATCH) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for (order, rows) in batch {
            for (place, row) in rows {
                let text = statements.get(*place).ok_or("no statement")?;
                let mut statement = connection.prepare_cached(text)?;
                for (at, value) in row.iter().enumerate() {
                    match value {
                        Value::Null => statement.raw_bind_parameter(at + 1, rusqlite::types::Null)?,
                        Value::Int(number) => statement.raw_bind_parameter(at + 1, number)?,
                        Value::Text(text) => statement.raw_bind_parameter(at + 1, text)?,
                        Value::Bytes(bytes) => statement.raw_bind_parameter(at + 1, bytes)?,
                    }
                }
                statement.raw_execute()?;
            }
            connection.prepare_cached(PAY)?.execute([order])?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

fn on_postgres(
    clients: &mut [(postgres::Client, Vec<postgres::Statement>)],
    ready: &[(String, Written)],
) -> Result<(), Failure> {
    let share = ready.len().div_ceil(clients.len());
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for ((client, prepared), share) in clients.iter_mut().zip(ready.chunks(share)) {
            threads.push(scope.spawn(move || {
                for (order, rows) in share {
                    client.batch_execute("BEGIN")?;
                    for (place, row) in rows {
                        let Some(statement) = prepared.get(*place) else { continue };
                        let cells: Vec<Cell<'_>> = row.iter().map(Cell).collect();
                        let params: Vec<&(dyn ToSql + Sync)> =
                            cells.iter().map(|cell| -> &(dyn ToSql + Sync) { cell }).collect();
                        client.execute(statement, &params)?;
                    }
                    if let Some(pay) = prepared.last() {
                        client.execute(pay, &[order])?;
                    }
                    client.batch_execute("COMMIT")?;
                }
                Ok::<(), postgres::Error>(())
            }));
        }
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}

/// A value on its way to PostgreSQL.
#[derive(Debug)]
struct Cell<'v>(&'v Value);

impl ToSql for Cell<'_> {
    fn to_sql(
        &self,
        kind: &postgres::types::Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(postgres::types::IsNull::Yes),
            Value::Int(number) => number.to_sql(kind, out),
            Value::Text(text) => text.to_sql(kind, out),
            Value::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_: &postgres::types::Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

/// Says what a row is made of, for people who wonder what is compared.
pub fn describe(rows: &Rows) -> String {
    let mut tables: Vec<&str> = rows
        .rows
        .iter()
        .filter_map(|(place, _)| rows.tables.get(*place))
        .map(|table| table.name.as_str())
        .collect();
    tables.dedup();
    format!("{} rows in {} and one update", rows.len(), tables.join(", "))
}
