//! One synchronous transaction API over SQLite and PostgreSQL; the only crate that names a driver.
//!
//! `db.write(|tx| …)` takes a closure that may run more than once and commits what it did, all
//! or nothing, durably, before it answers. `db.read(|snapshot| …)` sees one moment. Statements
//! are one text for both engines: `$1` placeholders, and words that only PostgreSQL understands
//! in braces, as in `SELECT … WHERE id = $1 {FOR UPDATE}`.

mod cached;
mod database;
pub mod dump;
mod error;
mod health;
mod migrations;
mod pg;
mod queue;
mod sql;
mod sqlite;
mod tx;
mod value;
mod work;

pub use cached::Cached;
pub use database::{Db, Engine, OnPending, Options, Tuning};
pub use error::DbError;
pub use health::Health;
pub use migrations::{MIGRATIONS, Migration};
pub use sql::{Inserted, Sql, sql};
pub use tx::{Snapshot, Source, Tx};
pub use value::{FromColumn, IntoParam, Param, Row, Value};
