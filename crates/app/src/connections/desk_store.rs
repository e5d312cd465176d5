//! SQL of how connections are doing. Everything is read out of a bounded stretch of the newest
//! notices and orders, so that a page costs the same after a million sales.

use db::{DbError, Source, Tx, sql};
use kernel::{ConnectionId, MerchantId, NoticeId, OrderId, Timestamp};

use super::Connection;
use crate::notices::NoticeState;
use crate::paging::bits_at;

/// So many of the newest notices and orders are looked at.
const NEWEST_MAX: u32 = 10_000;
/// So many failures are shown.
const FAILURES_MAX: u32 = 20;

/// The notices of a connection in one state.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Through which connection.
    pub connection: ConnectionId,
    /// What became of them.
    pub state: NoticeState,
    /// How many.
    pub count: u64,
    /// When the last one came.
    pub last_at: Timestamp,
    /// When the gateway last confirmed one.
    pub verified_at: Option<Timestamp>,
}

/// What was heard since a moment.
pub fn heard(
    source: &mut impl Source,
    merchant: MerchantId,
    since: Timestamp,
) -> Result<Vec<Heard>, DbError> {
    sql("SELECT connection_id, state, count(*) AS notices, max(received_at) AS last_at, max(verified_at) AS verified
           FROM (SELECT connection_id, state, received_at, verified_at FROM notices
                  WHERE merchant_id = $1 AND id >= $2 ORDER BY id DESC LIMIT $3) AS near
          GROUP BY connection_id, state")
    .bind(merchant)
    .bind(NoticeId::from_bits(bits_at(since)))
    .bind(NEWEST_MAX)
    .all(source, |row| {
        Ok(Heard {
            connection: row.get("connection_id")?,
            state: row.get("state")?,
            count: row.get("notices")?,
            last_at: row.get("last_at")?,
            verified_at: row.get("verified")?,
        })
    })
}

/// How many orders were paid through each connection since a moment.
pub fn paid(
    source: &mut impl Source,
    merchant: MerchantId,
    since: Timestamp,
) -> Result<Vec<(ConnectionId, u64)>, DbError> {
    sql("SELECT connection_id, count(*) AS orders
           FROM (SELECT connection_id, paid_at FROM orders
                  WHERE merchant_id = $1 AND id >= $2 ORDER BY id DESC LIMIT $3) AS near
          WHERE paid_at IS NOT NULL AND connection_id IS NOT NULL GROUP BY connection_id")
    .bind(merchant)
    .bind(OrderId::from_bits(bits_at(since)))
    .bind(NEWEST_MAX)
    .all(source, |row| Ok((row.get("connection_id")?, row.get("orders")?)))
}

/// A notice that could not be confirmed yet.
#[derive(Debug, Clone)]
pub struct Stuck {
    /// Through which connection.
    pub connection: ConnectionId,
    /// Which.
    pub notice: NoticeId,
    /// When it came.
    pub received_at: Timestamp,
    /// Why it could not.
    pub reason: String,
}

/// The newest notices whose confirmation has failed so far.
pub fn stuck(source: &mut impl Source, merchant: MerchantId) -> Result<Vec<Stuck>, DbError> {
    sql("SELECT connection_id, id, received_at, reason FROM notices
          WHERE merchant_id = $1 AND state IN ('received', 'unmatched', 'quarantined') AND state = 'received'
            AND reason <> '' ORDER BY id DESC LIMIT $2")
    .bind(merchant)
    .bind(FAILURES_MAX)
    .all(source, |row| {
        Ok(Stuck {
            connection: row.get("connection_id")?,
            notice: row.get("id")?,
            received_at: row.get("received_at")?,
            reason: row.get("reason")?,
        })
    })
}

/// A connection, holding its row.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: ConnectionId) -> Result<Option<Connection>, DbError> {
    let held = sql("SELECT id FROM connections WHERE merchant_id = $1 AND id = $2 {FOR UPDATE}")
        .bind(merchant)
        .bind(id)
        .optional(tx, |_| Ok(()))?;
    match held {
        Some(()) => super::store::by_id(tx, merchant, id),
        None => Ok(None),
    }
}

/// Writes back what a person can change.
pub fn save(tx: &mut Tx<'_>, connection: &Connection) -> Result<(), DbError> {
    let settings = serde_json::to_string(&connection.settings).map_err(|e| DbError::Other(e.to_string()))?;
    sql("UPDATE connections SET name = $1, settings = $2, disabled_at = $3, version = version + 1
          WHERE merchant_id = $4 AND id = $5")
    .bind(&connection.name)
    .bind(settings)
    .bind(connection.disabled_at)
    .bind(connection.merchant)
    .bind(connection.id)
    .change_one(tx)
}
