//! SQL of the watch over alarms.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{MerchantId, Timestamp};

use super::Watch;

/// Begins to watch a merchant.
pub fn insert(tx: &mut Tx<'_>, watch: &Watch) -> Result<(), DbError> {
    sql("INSERT INTO alarm_watch (merchant_id, looked_at, mailed_at, told) VALUES ($1, $2, $3, $4)")
        .bind(watch.merchant)
        .bind(watch.looked_at)
        .bind(watch.mailed_at)
        .bind(told_of(watch)?)
        .execute(tx)
        .map(drop)
}

/// Whose alarms were looked at before this moment and not since, the longest ago first.
pub fn due(source: &mut impl Source, before: Timestamp, most: u32) -> Result<Vec<MerchantId>, DbError> {
    sql("SELECT merchant_id FROM alarm_watch WHERE looked_at <= $1 ORDER BY looked_at, merchant_id LIMIT $2")
        .bind(before)
        .bind(most)
        .all(source, |row| row.get("merchant_id"))
}

/// How a merchant is watched.
pub fn by_merchant(source: &mut impl Source, merchant: MerchantId) -> Result<Watch, DbError> {
    sql("SELECT merchant_id, looked_at, mailed_at, told FROM alarm_watch WHERE merchant_id = $1")
        .bind(merchant)
        .one(source, read)
}

/// Moves the watch on from what was read; `false` when another node has looked meanwhile.
pub fn advance(tx: &mut Tx<'_>, seen: &Watch, next: &Watch) -> Result<bool, DbError> {
    let moved = sql("UPDATE alarm_watch SET looked_at = $1, mailed_at = $2, told = $3
          WHERE merchant_id = $4 AND looked_at = $5")
    .bind(next.looked_at)
    .bind(next.mailed_at)
    .bind(told_of(next)?)
    .bind(seen.merchant)
    .bind(seen.looked_at)
    .execute(tx)?;
    Ok(moved == 1)
}

fn told_of(watch: &Watch) -> Result<String, DbError> {
    serde_json::to_string(&watch.told).map_err(|error| DbError::Other(error.to_string()))
}

fn read(row: &mut Row) -> Result<Watch, DbError> {
    let told: serde_json::Value = row.get("told")?;
    Ok(Watch {
        merchant: row.get("merchant_id")?,
        looked_at: row.get("looked_at")?,
        mailed_at: row.get("mailed_at")?,
        told: serde_json::from_value(told).map_err(|error| DbError::Decode {
            column: "told".to_owned(),
            problem: error.to_string(),
            statement: "alarm_watch".to_owned(),
        })?,
    })
}
