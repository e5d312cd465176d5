//! The bare loop: the rows that one fulfilled order leaves behind, written by the driver alone.

use std::time::Duration;

use db::{Options, Value};
use postgres::types::ToSql;

use super::rows::{Cast, Known, Mold, line_of};
use super::{BATCH, CONNECTIONS};
use crate::report::{Failure, Stopwatch};
use crate::shop::Shop;

/// Orders whose rows are made ready ahead, outside the measured time.
const MADE_READY: usize = 512;

/// The loop on one engine.
pub enum Bare<'s> {
    /// One connection, several orders in one commit.
    Sqlite(rusqlite::Connection, Loop<'s>),
    /// Many connections, one order in one commit.
    Postgres(Vec<(postgres::Client, Vec<postgres::Statement>)>, Loop<'s>),
}

/// What both need.
pub struct Loop<'s> {
    mold: &'s Mold,
    statements: Vec<String>,
    shop: &'s Shop,
    written: u64,
}

const PAY: &str =
    "UPDATE orders SET status = 'paid', paid_at = 1, settled_minor = due_minor, version = version + 1
    WHERE id = $1";

impl<'s> Bare<'s> {
    /// Opens the loop's own connections to the shop's database. `first` is the number of its
    /// first order: none may be used twice in a database.
    pub fn open(options: &Options, mold: &'s Mold, shop: &'s Shop, first: u64) -> Result<Self, Failure> {
        let mut statements = mold.statements();
        statements.push(PAY.to_owned());
        let work = Loop { mold, statements, shop, written: first };
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
    fn make_ready(&mut self) -> Result<Vec<(String, Cast)>, Failure> {
        let orders = self.shop.place(MADE_READY)?;
        let mut ready = Vec::with_capacity(orders.len());
        for order in orders {
            let known = Known { order: order.id.to_string(), line: line_of(self.shop, &order)? };
            self.written += 1;
            ready.push((order.id.to_string(), self.mold.cast(self.written, Some(known))));
        }
        Ok(ready)
    }
}

fn sqlite(
    connection: &rusqlite::Connection,
    statements: &[String],
    ready: &[(String, Cast)],
) -> Result<(), Failure> {
    for batch in ready.chunks(BATCH) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for (order, rows) in batch {
            insert(connection, statements, rows)?;
            connection.prepare_cached(PAY)?.execute([order])?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

/// Inserts one order's rows.
pub fn insert(connection: &rusqlite::Connection, statements: &[String], rows: &Cast) -> Result<(), Failure> {
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
    Ok(())
}

fn on_postgres(
    clients: &mut [(postgres::Client, Vec<postgres::Statement>)],
    ready: &[(String, Cast)],
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
