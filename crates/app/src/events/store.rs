//! SQL of the events.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{MerchantId, OrderId, Timestamp};

use super::Event;

/// The last sealed place of a merchant's chain.
#[derive(Debug, Clone)]
pub struct ChainEnd {
    /// Its number; 0 before the first.
    pub seq: i64,
    /// Its link; empty before the first.
    pub hash: Vec<u8>,
}

/// Writes an event, not yet sealed.
pub fn insert(tx: &mut Tx<'_>, event: &Event) -> Result<(), DbError> {
    sql("INSERT INTO events (id, merchant_id, order_id, subject, kind, actor, detail, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(event.id)
    .bind(event.merchant)
    .bind(event.order)
    .bind(&event.subject)
    .bind(&event.kind)
    .bind(&event.actor)
    .bind(&event.detail)
    .bind(event.at)
    .execute(tx)
    .map(drop)
}

/// The end of the chain.
pub fn chain_end(source: &mut impl Source, merchant: MerchantId) -> Result<ChainEnd, DbError> {
    let end = sql("SELECT seq, hash FROM events WHERE merchant_id = $1 AND seq IS NOT NULL
                    ORDER BY seq DESC LIMIT 1")
    .bind(merchant)
    .optional(source, |row| Ok(ChainEnd { seq: row.get("seq")?, hash: row.get("hash")? }))?;
    Ok(end.unwrap_or(ChainEnd { seq: 0, hash: Vec::new() }))
}

/// Takes the merchant's chain for this transaction, so that two nodes do not fork it.
///
/// Not the stronger lock: every row that refers to the merchant would wait for it, and an order
/// that holds what the chain wants would wait for ever.
pub fn lock_chain(tx: &mut Tx<'_>, merchant: MerchantId) -> Result<(), DbError> {
    sql("SELECT id FROM merchants WHERE id = $1 {FOR NO KEY UPDATE}").bind(merchant).one(tx, |_| Ok(()))
}

/// Events that wait for their place, in the order of their ids.
pub fn unsealed(source: &mut impl Source, merchant: MerchantId, most: u32) -> Result<Vec<Event>, DbError> {
    sql("SELECT id, merchant_id, order_id, subject, kind, actor, detail, happened_at
           FROM events WHERE merchant_id = $1 AND seq IS NULL ORDER BY id LIMIT $2")
    .bind(merchant)
    .bind(most)
    .all(source, read)
}

/// Gives an event its place.
pub fn seal(tx: &mut Tx<'_>, event: &Event, seq: i64, hash: [u8; 32]) -> Result<(), DbError> {
    sql("UPDATE events SET seq = $1, hash = $2 WHERE id = $3 AND merchant_id = $4 AND seq IS NULL")
        .bind(seq)
        .bind(hash)
        .bind(event.id)
        .bind(event.merchant)
        .change_one(tx)
}

/// The timeline of an order, oldest first.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Event>, DbError> {
    sql("SELECT id, merchant_id, order_id, subject, kind, actor, detail, happened_at
           FROM events WHERE merchant_id = $1 AND order_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// An event with its place in the log.
#[derive(Debug, Clone)]
pub struct Placed {
    /// From 1, without gaps.
    pub seq: i64,
    /// The event.
    pub event: Event,
}

/// The log behind a place, oldest first, of one order or of all. Who reads it place by place
/// misses nothing: a place is given after the commit, under a lock.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    order: Option<OrderId>,
    after: i64,
    most: u32,
) -> Result<Vec<Placed>, DbError> {
    let mut text = "SELECT id, merchant_id, order_id, subject, kind, actor, detail, happened_at, seq
       FROM events WHERE merchant_id = $1 AND seq > $2"
        .to_owned();
    text.push_str(match order {
        Some(_) => " AND id IN (SELECT id FROM events WHERE order_id = $3)",
        None => " AND CAST($3 AS TEXT) IS NULL",
    });
    text.push_str(" ORDER BY seq LIMIT $4");
    sql(text)
        .bind(merchant)
        .bind(after)
        .bind(order)
        .bind(most)
        .all(source, |row| Ok(Placed { seq: row.get("seq")?, event: read(row)? }))
}

/// Reads an event's columns.
pub fn read(row: &mut Row) -> Result<Event, DbError> {
    Ok(Event {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        order: row.get("order_id")?,
        subject: row.get("subject")?,
        kind: row.get("kind")?,
        actor: row.get("actor")?,
        detail: row.get("detail")?,
        at: row.get("happened_at")?,
    })
}

/// Merchants with events that wait for their place.
pub fn merchants_unsealed(source: &mut impl Source) -> Result<Vec<MerchantId>, DbError> {
    sql("SELECT DISTINCT merchant_id FROM events WHERE seq IS NULL").all(source, |row| row.get("merchant_id"))
}

/// How often something has happened to an order since a moment.
pub fn count_since(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    kind: &str,
    since: Timestamp,
) -> Result<i64, DbError> {
    sql("SELECT count(*) AS times FROM events
          WHERE merchant_id = $1 AND order_id = $2 AND kind = $3 AND happened_at > $4")
    .bind(merchant)
    .bind(order)
    .bind(kind)
    .bind(since)
    .one(source, |row| row.get("times"))
}

/// How often somebody has done something to an order, or, without one, to another subject.
pub fn count_acts(
    source: &mut impl Source,
    merchant: MerchantId,
    about: (Option<OrderId>, &str),
    kind: &str,
    actor: &str,
) -> Result<i64, DbError> {
    let (order, subject) = about;
    // Each of the two is a range of an index of its own.
    let place =
        if order.is_some() { "order_id = $2" } else { "CAST($2 AS TEXT) IS NULL AND order_id IS NULL" };
    sql(format!(
        "SELECT count(*) AS times FROM events
          WHERE merchant_id = $1 AND {place} AND subject = $3 AND kind = $4 AND actor = $5"
    ))
    .bind(merchant)
    .bind(order)
    .bind(subject)
    .bind(kind)
    .bind(actor)
    .one(source, |row| row.get("times"))
}
