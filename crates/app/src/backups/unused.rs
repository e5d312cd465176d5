//! Whether a database was never used: it holds what a first start writes by itself, and no more.
//!
//! Somebody who moves a shop has often started the program at its new place before they restore.
//! What that start made is worth nothing and may go; whatever a person or a buyer did may not.

use db::dump::{self, Table};
use db::{DbError, Source, Tx, sql};

/// Tables in which a first start writes, those that refer to others first.
const WRITTEN_BY_A_START: [&str; 7] =
    ["store_states", "alarm_watch", "login_tokens", "events", "staff", "merchants", "settings"];

/// Something that is more than a first start makes, in words. `None`: there is nothing to lose.
pub fn in_the_way(source: &mut impl Source) -> Result<Option<String>, DbError> {
    for table in dump::tables(source)? {
        if !is_written_by_a_start(&table) && !dump::page(source, &table, None, 1)?.is_empty() {
            return Ok(Some(format!("rows, such as in {}", table.name)));
        }
    }
    for (what, done) in TRACES_OF_USE {
        let found: i64 = sql(format!("SELECT count(*) AS n FROM {done}")).one(source, |row| row.get("n"))?;
        if found > 0 {
            return Ok(Some((*what).to_owned()));
        }
    }
    Ok(None)
}

/// In tables where a first start writes too, what only somebody can have done.
const TRACES_OF_USE: &[(&str, &str)] = &[
    ("a shop whose settings were changed", "merchants WHERE version > 1"),
    ("several shops", "merchants WHERE id > (SELECT min(id) FROM merchants)"),
    ("somebody who can sign in", "staff WHERE password_hash IS NOT NULL"),
    (
        "acts in its audit log",
        "events WHERE kind NOT IN ('merchant.created', 'staff.invited', 'staff.link_made')",
    ),
];

fn is_written_by_a_start(table: &Table) -> bool {
    WRITTEN_BY_A_START.contains(&table.name.as_str())
}

/// Removes what a first start made. Only after [`in_the_way`] found nothing, in one transaction.
pub fn clear(tx: &mut Tx<'_>) -> Result<(), DbError> {
    WRITTEN_BY_A_START.iter().try_for_each(|table| sql(format!("DELETE FROM {table}")).execute(tx).map(drop))
}
