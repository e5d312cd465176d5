//! A small schema of the tests' own, so that they do not hang on the product's.
#![allow(dead_code, reason = "each test file uses its part")]

use db::{Db, DbError, Engine, Migration, Options, Source, Tuning, Tx, sql};
use testkit::ForEngine;

/// Goods with a stock that cannot go below zero.
pub const SCHEMA: &[Migration] = &[Migration {
    name: "0001_goods",
    sqlite: "CREATE TABLE goods (
               id TEXT NOT NULL PRIMARY KEY,
               stock INTEGER NOT NULL CHECK (stock >= 0),
               note TEXT,
               data BLOB
             ) STRICT;",
    postgres: "CREATE TABLE goods (
                 id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY,
                 stock BIGINT NOT NULL CHECK (stock >= 0),
                 note TEXT COLLATE \"C\",
                 data BYTEA
               );",
}];

/// A database with goods in it.
pub struct Shop {
    pub db: Db,
    pub options: Options,
}

impl ForEngine for Shop {
    fn for_engine(engine: Engine) -> Self {
        let options = testkit::fresh_with(engine, SCHEMA);
        let db = Db::open_with(&options, SCHEMA, tuning()).expect("it opens");
        Self { db, options }
    }
}

pub fn tuning() -> Tuning {
    Tuning { sqlite_readers: 2, postgres_writers: 4, postgres_readers: 2, ..Tuning::default() }
}

impl Shop {
    pub fn stock(&self, id: &'static str) -> Option<i64> {
        self.db.read_blocking(|snapshot| stock(snapshot, id)).expect("it reads")
    }

    pub fn add(&self, id: &'static str, stock: i64) {
        self.db.write_blocking(move |tx| add(tx, id, stock)).expect("it writes");
    }
}

pub fn stock(source: &mut impl Source, id: &str) -> Result<Option<i64>, DbError> {
    sql("SELECT stock FROM goods WHERE id = $1").bind(id).optional(source, |row| row.get("stock"))
}

pub fn add(tx: &mut Tx<'_>, id: &str, stock: i64) -> Result<(), DbError> {
    sql("INSERT INTO goods (id, stock) VALUES ($1, $2)").bind(id).bind(stock).change_one(tx)
}

pub fn take(tx: &mut Tx<'_>, id: &str, count: i64) -> Result<(), DbError> {
    sql("UPDATE goods SET stock = stock - $1 WHERE id = $2").bind(count).bind(id).change_one(tx)
}
