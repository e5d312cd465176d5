//! SQL of the installation: rows of the settings.

use db::{DbError, Source, Tx, sql};
use kernel::Timestamp;

use super::{Identity, Quarantine, Restoring};

/// The row that says who the database is.
pub const IDENTITY: &str = "installation";
/// The row that keeps everything in the house.
pub const QUARANTINE: &str = "quarantine";
/// The row of a restore that has not been finished.
pub const RESTORING: &str = "restoring";

/// Who the database is; nobody yet when it is new.
pub fn identity(source: &mut impl Source) -> Result<Option<Identity>, DbError> {
    read(source, IDENTITY)
}

/// [`identity`], holding the row.
pub fn lock_identity(tx: &mut Tx<'_>) -> Result<Option<Identity>, DbError> {
    let value = sql("SELECT value FROM settings WHERE name = $1 {FOR UPDATE}")
        .bind(IDENTITY)
        .optional(tx, |row| row.get::<serde_json::Value>("value"))?;
    value.map(|value| parsed(IDENTITY, value)).transpose()
}

/// Why nothing leaves the house, if so.
pub fn quarantine(source: &mut impl Source) -> Result<Option<Quarantine>, DbError> {
    read(source, QUARANTINE)
}

/// Whether nothing may leave the house, now and until the transaction ends: a lifting waits for it.
pub fn quarantine_holds(tx: &mut Tx<'_>) -> Result<bool, DbError> {
    let found = sql("SELECT name FROM settings WHERE name = $1 {FOR UPDATE}")
        .bind(QUARANTINE)
        .optional(tx, |_| Ok(()))?;
    Ok(found.is_some())
}

/// How far a restore has come that was not finished.
pub fn restoring(source: &mut impl Source) -> Result<Option<Restoring>, DbError> {
    read(source, RESTORING)
}

/// Writes who the database is.
pub fn save_identity(tx: &mut Tx<'_>, identity: &Identity, now: Timestamp) -> Result<(), DbError> {
    write(tx, IDENTITY, identity, now)
}

/// Writes why nothing leaves the house.
pub fn save_quarantine(tx: &mut Tx<'_>, quarantine: &Quarantine, now: Timestamp) -> Result<(), DbError> {
    write(tx, QUARANTINE, quarantine, now)
}

/// Writes how far a restore has come.
pub fn save_restoring(tx: &mut Tx<'_>, restoring: &Restoring, now: Timestamp) -> Result<(), DbError> {
    write(tx, RESTORING, restoring, now)
}

/// Removes one of the rows.
pub fn remove(tx: &mut Tx<'_>, name: &'static str) -> Result<(), DbError> {
    sql("DELETE FROM settings WHERE name = $1").bind(name).execute(tx).map(drop)
}

/// When the database was last told the time: a clock that is behind it was set back.
pub fn last_told(source: &mut impl Source) -> Result<Option<Timestamp>, DbError> {
    sql("SELECT changed_at FROM settings WHERE name = $1")
        .bind(IDENTITY)
        .optional(source, |row| row.get("changed_at"))
}

/// What waits behind a quarantine: how many messages and notices, and since when.
pub fn held_back(source: &mut impl Source) -> Result<Vec<(String, i64, Option<Timestamp>)>, DbError> {
    sql("SELECT kind, count(*) AS n, min(created_at) AS since FROM jobs WHERE state <> 'dead'
          GROUP BY kind ORDER BY kind")
    .all(source, |row| Ok((row.get("kind")?, row.get("n")?, row.get("since")?)))
}

/// Has messages that wait never leave, and removes their jobs. Answers how many.
pub fn drop_waiting_messages(tx: &mut Tx<'_>, why: &str) -> Result<u64, DbError> {
    // An announcement that is half done here may have been told whole where the backup is from.
    sql("DELETE FROM jobs WHERE kind IN ('send_message', 'tell_of_version') AND state <> 'dead'")
        .execute(tx)?;
    sql("UPDATE messages SET state = 'expired', last_error = $1 WHERE state = 'waiting'")
        .bind(why)
        .execute(tx)
}

fn read<T: serde::de::DeserializeOwned>(
    source: &mut impl Source,
    name: &'static str,
) -> Result<Option<T>, DbError> {
    let value = sql("SELECT value FROM settings WHERE name = $1")
        .bind(name)
        .optional(source, |row| row.get::<serde_json::Value>("value"))?;
    value.map(|value| parsed(name, value)).transpose()
}

fn parsed<T: serde::de::DeserializeOwned>(
    name: &'static str,
    value: serde_json::Value,
) -> Result<T, DbError> {
    serde_json::from_value(value).map_err(|error| DbError::Decode {
        column: "value".to_owned(),
        problem: format!("{error} (setting {name})"),
        statement: "settings".to_owned(),
    })
}

fn write(
    tx: &mut Tx<'_>,
    name: &'static str,
    value: &impl serde::Serialize,
    now: Timestamp,
) -> Result<(), DbError> {
    let value = serde_json::to_string(value).map_err(|error| DbError::Other(error.to_string()))?;
    sql("INSERT INTO settings (name, value, changed_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at")
    .bind(name)
    .bind(value)
    .bind(now)
    .execute(tx)
    .map(drop)
}
