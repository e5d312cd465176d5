//! SQL of open checkouts and of how far news are known.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{ConnectionId, MerchantId, OrderId, Timestamp};

use super::{OpenCheckout, Poll, Round};

/// Remembers a checkout, and when it is asked about. One that is known is left as it is.
pub fn note_checkout(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    checkout: &OpenCheckout,
    (now, ask_at): (Timestamp, Option<Timestamp>),
) -> Result<(), DbError> {
    sql("INSERT INTO checkouts (connection_id, session_ref, merchant_id, order_id, opened_at, ask_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
    .bind(checkout.connection)
    .bind(&checkout.session_ref)
    .bind(merchant)
    .bind(checkout.order)
    .bind(now)
    .bind(ask_at)
    .execute(tx)
    .map(drop)
}

/// The checkouts that were opened for an order, newest first, with their opening times.
pub fn checkouts_of(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<(OpenCheckout, Timestamp)>, DbError> {
    sql("SELECT connection_id, session_ref, order_id, opened_at FROM checkouts
          WHERE merchant_id = $1 AND order_id = $2 ORDER BY opened_at DESC, session_ref")
    .bind(merchant)
    .bind(order)
    .all(source, |row| {
        let checkout = OpenCheckout {
            connection: row.get("connection_id")?,
            session_ref: row.get("session_ref")?,
            order: row.get("order_id")?,
        };
        Ok((checkout, row.get("opened_at")?))
    })
}

/// The orders whose checkouts are to be asked about by now; at most so many.
pub fn orders_due(
    source: &mut impl Source,
    now: Timestamp,
    most: u32,
) -> Result<Vec<(MerchantId, OrderId)>, DbError> {
    let mut due: Vec<(MerchantId, OrderId)> =
        sql("SELECT merchant_id, order_id FROM checkouts WHERE ask_at <= $1 ORDER BY ask_at LIMIT $2")
            .bind(now)
            .bind(i64::from(most))
            .all(source, |row| Ok((row.get("merchant_id")?, row.get("order_id")?)))?;
    due.sort_unstable();
    due.dedup();
    Ok(due)
}

/// When the checkouts of an order are asked about next; `None`: no more.
pub fn ask_order_at(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    order: OrderId,
    ask_at: Option<Timestamp>,
) -> Result<(), DbError> {
    sql("UPDATE checkouts SET ask_at = $1 WHERE merchant_id = $2 AND order_id = $3")
        .bind(ask_at)
        .bind(merchant)
        .bind(order)
        .execute(tx)
        .map(drop)
}

/// Begins to follow a connection's news.
pub fn follow(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO polls (connection_id, merchant_id, watermark, failures, trouble, ask_at)
         VALUES ($1, $2, $3, 0, '', $4) ON CONFLICT DO NOTHING")
    .bind(connection)
    .bind(merchant)
    .bind(now)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The connections that are on and whose gateways are to be asked by now.
pub fn connections_due(
    source: &mut impl Source,
    now: Timestamp,
) -> Result<Vec<(MerchantId, ConnectionId)>, DbError> {
    sql("SELECT polls.merchant_id AS merchant_id, polls.connection_id AS connection_id
           FROM polls JOIN connections ON connections.id = polls.connection_id
          WHERE polls.ask_at <= $1 AND connections.disabled_at IS NULL ORDER BY polls.connection_id")
    .bind(now)
    .all(source, |row| Ok((row.get("merchant_id")?, row.get("connection_id")?)))
}

/// Has every gateway asked now: a process begins, and what happened while none ran is not known.
pub fn ask_all_now(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE polls SET ask_at = $1 WHERE ask_at > $2").bind(now).bind(now).execute(tx).map(drop)
}

/// When a connection is asked next.
pub fn ask_connection_at(
    tx: &mut Tx<'_>,
    connection: ConnectionId,
    ask_at: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE polls SET ask_at = $1 WHERE connection_id = $2")
        .bind(ask_at)
        .bind(connection)
        .execute(tx)
        .map(drop)
}

const POLL: &str =
    "SELECT connection_id, merchant_id, watermark, round_until, page_cursor, newest, answered_at, failures,
    trouble FROM polls";

/// How far a connection's news are known.
pub fn poll(source: &mut impl Source, connection: ConnectionId) -> Result<Option<Poll>, DbError> {
    sql(format!("{POLL} WHERE connection_id = $1")).bind(connection).optional(source, read)
}

/// Of all connections of a merchant.
pub fn polls(source: &mut impl Source, merchant: MerchantId) -> Result<Vec<Poll>, DbError> {
    sql(format!("{POLL} WHERE merchant_id = $1 ORDER BY connection_id")).bind(merchant).all(source, read)
}

/// Saves how far it is known by now.
pub fn save(tx: &mut Tx<'_>, poll: &Poll, ask_at: Timestamp) -> Result<(), DbError> {
    let (until, cursor) = match &poll.round {
        Some(round) => (Some(round.until), round.cursor.clone()),
        None => (None, None),
    };
    sql("UPDATE polls SET watermark = $1, round_until = $2, page_cursor = $3, newest = $4, answered_at = $5,
            failures = $6, trouble = $7, ask_at = $8 WHERE connection_id = $9")
    .bind(poll.watermark)
    .bind(until)
    .bind(cursor)
    .bind(poll.newest)
    .bind(poll.answered_at)
    .bind(i64::from(poll.failures))
    .bind(&poll.trouble)
    .bind(ask_at)
    .bind(poll.connection)
    .change_one(tx)
}

fn read(row: &mut Row) -> Result<Poll, DbError> {
    let until: Option<Timestamp> = row.get("round_until")?;
    let cursor: Option<String> = row.get("page_cursor")?;
    let failures: i64 = row.get("failures")?;
    Ok(Poll {
        connection: row.get("connection_id")?,
        merchant: row.get("merchant_id")?,
        watermark: row.get("watermark")?,
        round: until.map(|until| Round { until, cursor }),
        newest: row.get("newest")?,
        answered_at: row.get("answered_at")?,
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        trouble: row.get("trouble")?,
    })
}
