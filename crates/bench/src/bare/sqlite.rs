//! `rusqlite` alone against the `db` crate.

use std::time::Duration;

use db::{Db, Options, Tuning};
use rusqlite::{Connection, params};

use super::order::{
    BODY, EVENTS, EXPIRES, FINISH, INSERT_EVENT, INSERT_GRANT, INSERT_LINE, INSERT_ORDER, INSERT_UNIT, LINES,
    NONCE, PAY, READ_LINES, READ_ORDER, SCHEMA, at, id,
};
use super::{Numbers, TASKS, through_db};
use crate::report::{Failure, Pace, Report, Stopwatch, timed};

pub fn run(pace: Pace, report: &mut Report) -> Result<(), Failure> {
    eprintln!("SQLite, orders of 20 statements, durable:");
    for (per_commit, tasks) in [(1, vec![1]), (16, TASKS.to_vec())] {
        for tasks in tasks {
            let folder = tempfile::tempdir()?;
            let (bare_path, db_path) = (folder.path().join("bare.db"), folder.path().join("db.db"));
            drop(Db::open_with(&Options::Sqlite(bare_path.clone()), SCHEMA, Tuning::default())?);
            let bare = open(&bare_path)?;
            let db = Db::open_with(&Options::Sqlite(db_path), SCHEMA, Tuning::default())?;
            let numbers = Numbers::default();
            report.compare(
                &format!("SQLite, {tasks} tasks waiting"),
                (
                    &format!("bare, {per_commit} per commit"),
                    &mut timed(|time| loop_bare(&bare, &numbers, per_commit, time)),
                ),
                &mut timed(|time| through_db(&db, &numbers, tasks, time)),
                None,
                pace,
            )?;
        }
    }
    point_reads(pace, report)
}

fn open(path: &std::path::Path) -> Result<Connection, Failure> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn loop_bare(
    connection: &Connection,
    numbers: &Numbers,
    per_commit: u32,
    time: Duration,
) -> Result<u64, Failure> {
    let clock = Stopwatch::start();
    let mut written = 0;
    while clock.elapsed() < time {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..per_commit {
            write(connection, numbers.next())?;
            written += 1;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(written)
}

/// The same 20 statements as `order::write`.
fn write(connection: &Connection, number: u64) -> Result<(), rusqlite::Error> {
    let (order, customer) = (id("ord", number, 0), id("cus", number % 1_000, 0));
    let run = |text: &str, params: &[&dyn rusqlite::ToSql]| connection.prepare_cached(text)?.execute(params);
    run(INSERT_ORDER, params![order, customer, "awaiting", 4900, 1, at(number)])?;
    for line in 0..LINES {
        run(INSERT_LINE, params![id("lin", number, line), order, "SKU-1", 1, 1633])?;
    }
    let version: i64 = connection.prepare_cached(READ_ORDER)?.query_row([&order], |row| {
        let _: (String, String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        row.get(4)
    })?;
    run(PAY, params!["paid", order, version])?;
    let lines: Vec<String> = connection
        .prepare_cached(READ_LINES)?
        .query_map([&order], |row| {
            let _: (String, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            row.get(0)
        })?
        .collect::<Result<_, _>>()?;
    for (part, line) in (0..).zip(&lines) {
        run(INSERT_UNIT, params![line, 1, "delivered"])?;
        run(INSERT_GRANT, params![id("gra", number, part), line, 1, NONCE, EXPIRES])?;
    }
    for event in 0..EVENTS {
        run(INSERT_EVENT, params![id("evt", number, event), order, "payment.settled", BODY, at(number)])?;
    }
    run(FINISH, params![1, order]).map(drop)
}

/// One row by its key, on the thread that wants it.
fn point_reads(pace: Pace, report: &mut Report) -> Result<(), Failure> {
    const ORDERS: u64 = 1_000;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.db");
    let db = Db::open_with(&Options::Sqlite(path.clone()), SCHEMA, Tuning::default())?;
    for number in 0..ORDERS {
        db.write_blocking(move |tx| super::order::write(tx, number))?;
    }
    let bare = open(&path)?;
    let numbers = Numbers::default();
    report.compare(
        "SQLite, point reads inline",
        (
            "bare",
            &mut timed(|time| {
                let (clock, mut read) = (Stopwatch::start(), 0);
                while clock.elapsed() < time {
                    for _ in 0..100 {
                        let order = id("ord", numbers.next() % ORDERS, 0);
                        let _: i64 =
                            bare.prepare_cached(READ_ORDER)?.query_row([&order], |row| row.get(4))?;
                        read += 1;
                    }
                }
                Ok(read)
            }),
        ),
        &mut timed(|time| {
            let (clock, mut read) = (Stopwatch::start(), 0);
            while clock.elapsed() < time {
                for _ in 0..100 {
                    let order = id("ord", numbers.next() % ORDERS, 0);
                    let _: i64 = db.read_blocking(|snapshot| {
                        db::sql(READ_ORDER).bind(&order).one(snapshot, |row| row.get("version"))
                    })?;
                    read += 1;
                }
            }
            Ok::<u64, Failure>(read)
        }),
        None,
        pace,
    )?;
    Ok(())
}
