//! SQL of the inbox.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{ConnectionId, MerchantId, NoticeId, OrderId, Timestamp};

use super::{NoticeState, Stored};

/// Writes a notice unless the same bytes are there, not counting forgeries.
pub fn insert(tx: &mut Tx<'_>, notice: &Stored, transport_key: [u8; 32]) -> Result<Inserted, DbError> {
    sql("INSERT INTO notices (id, merchant_id, connection_id, transport_key, state, reason, summary, raw_sealed,
            address, copies, received_at, verified_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11) ON CONFLICT DO NOTHING")
    .bind(notice.id)
    .bind(notice.merchant)
    .bind(notice.connection)
    .bind(transport_key)
    .bind(notice.state)
    .bind(&notice.reason)
    .bind(&notice.summary)
    .bind(notice.raw_sealed.as_ref())
    .bind(&notice.address)
    .bind(notice.received_at)
    .bind(notice.verified_at)
    .insert_new(tx)
}

/// Counts a repetition of the same bytes and answers which notice they are.
pub fn count_copy(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    connection: ConnectionId,
    transport_key: [u8; 32],
) -> Result<Option<(NoticeId, NoticeState)>, DbError> {
    sql("UPDATE notices SET copies = copies + 1
          WHERE connection_id = $1 AND transport_key = $2 AND merchant_id = $3 AND state <> 'forged'
      RETURNING id, state")
    .bind(connection)
    .bind(transport_key)
    .bind(merchant)
    .optional(tx, |row| Ok((row.get("id")?, row.get("state")?)))
}

/// Whether more than so many notices of a connection wait for confirmation.
pub fn any_beyond(
    source: &mut impl Source,
    merchant: MerchantId,
    connection: ConnectionId,
    most: i64,
) -> Result<bool, DbError> {
    let beyond = sql(
        "SELECT id FROM notices WHERE merchant_id = $1 AND state IN ('received', 'unmatched', 'quarantined')
                        AND state = 'received' AND connection_id = $2
                       ORDER BY id LIMIT 1 OFFSET $3",
    )
    .bind(merchant)
    .bind(connection)
    .bind(most)
    .optional(source, |_| Ok(()))?;
    Ok(beyond.is_some())
}

/// Every payment asks this, so it must not read more as the inbox grows.
pub const WAITING_FOR: &str = "SELECT id FROM notices
          WHERE connection_id = $1 AND waits_for = $2 AND state = 'unmatched' AND merchant_id = $3
          ORDER BY id LIMIT 100";

/// Notices that wait until a payment is announced. At most 100 at a time: more are not said of
/// one payment before it is.
pub fn waiting_for(
    source: &mut impl Source,
    merchant: MerchantId,
    connection: ConnectionId,
    gateway_ref: &str,
) -> Result<Vec<NoticeId>, DbError> {
    sql(WAITING_FOR).bind(connection).bind(gateway_ref).bind(merchant).all(source, |row| row.get("id"))
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: NoticeId,
) -> Result<Option<Stored>, DbError> {
    sql("SELECT id, merchant_id, connection_id, state, reason, summary, raw_sealed, address, order_id, copies,
                received_at, verified_at, decided_at
           FROM notices WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, read)
}

/// By id, holding the row.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: NoticeId) -> Result<Option<Stored>, DbError> {
    sql("SELECT id, merchant_id, connection_id, state, reason, summary, raw_sealed, address, order_id, copies,
                received_at, verified_at, decided_at
           FROM notices WHERE merchant_id = $1 AND id = $2 {FOR UPDATE}")
    .bind(merchant)
    .bind(id)
    .optional(tx, read)
}

/// What was decided of a notice.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Its state from now on.
    pub state: NoticeState,
    /// Why.
    pub reason: String,
    /// What it says.
    pub summary: serde_json::Value,
    /// Which order it is about.
    pub order: Option<OrderId>,
    /// Until which transaction is announced it has to wait.
    pub waits_for: Option<String>,
    /// When its gateway confirmed it.
    pub verified_at: Option<Timestamp>,
}

/// Records what was decided.
pub fn decide(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: NoticeId,
    decision: &Decision,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE notices SET state = $1, reason = $2, summary = $3, order_id = COALESCE($4, order_id),
            waits_for = $5, verified_at = COALESCE($6, verified_at), decided_at = $7
          WHERE merchant_id = $8 AND id = $9")
    .bind(decision.state)
    .bind(&decision.reason)
    .bind(&decision.summary)
    .bind(decision.order)
    .bind(decision.waits_for.as_deref())
    .bind(decision.verified_at)
    .bind(now)
    .bind(merchant)
    .bind(id)
    .change_one(tx)
}

/// Notes why a notice could not be verified yet.
pub fn set_reason(tx: &mut Tx<'_>, merchant: MerchantId, id: NoticeId, reason: &str) -> Result<(), DbError> {
    sql("UPDATE notices SET reason = $1 WHERE merchant_id = $2 AND id = $3 AND state = 'received'")
        .bind(reason.chars().take(500).collect::<String>())
        .bind(merchant)
        .bind(id)
        .execute(tx)
        .map(drop)
}

/// The notices about an order, oldest first.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Stored>, DbError> {
    sql("SELECT id, merchant_id, connection_id, state, reason, summary, raw_sealed, address, order_id, copies,
                received_at, verified_at, decided_at
           FROM notices WHERE merchant_id = $1 AND order_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// Notices in a state or in any, newest first, below an id. Of the raw bytes only the first is
/// read: whether they are kept.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    state: Option<NoticeState>,
    before: Option<NoticeId>,
    most: u32,
) -> Result<Vec<Stored>, DbError> {
    let mut text =
        "SELECT id, merchant_id, connection_id, state, reason, summary, substr(raw_sealed, 1, 1) AS raw_sealed,
            address, order_id,
            copies, received_at, verified_at, decided_at
       FROM notices WHERE merchant_id = $1 AND id < $2"
            .to_owned();
    text.push_str(match state {
        // The literal list is what lets the partial index be used.
        Some(NoticeState::Received | NoticeState::Unmatched | NoticeState::Quarantined) => {
            " AND state IN ('received', 'unmatched', 'quarantined') AND state = $3"
        }
        _ => " AND (CAST($3 AS TEXT) IS NULL OR state = $3)",
    });
    text.push_str(" ORDER BY id DESC LIMIT $4");
    sql(text)
        .bind(merchant)
        .bind(before.unwrap_or(NoticeId::from_bits(u128::MAX)))
        .bind(state)
        .bind(most)
        .all(source, read)
}

/// Drops the raw bytes of decided notices from before this time, at most 500 at a time. Answers
/// how many.
pub fn prune_raw(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, DbError> {
    sql("UPDATE notices SET raw_sealed = NULL WHERE id IN (
           SELECT id FROM notices
            WHERE raw_sealed IS NOT NULL AND received_at < $1 AND state IN ('applied', 'ignored', 'refused', 'forged')
            ORDER BY received_at LIMIT 500)")
    .bind(before)
    .execute(tx)
}

/// Removes the oldest forgeries of the connection of this one, beyond so many.
pub fn drop_forged(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    latest: NoticeId,
    kept: u32,
) -> Result<(), DbError> {
    sql("DELETE FROM notices WHERE id IN (
           SELECT id FROM notices
            WHERE state = 'forged'
              AND connection_id = (SELECT connection_id FROM notices WHERE merchant_id = $1 AND id = $2)
            ORDER BY id DESC LIMIT 100 OFFSET $3)")
    .bind(merchant)
    .bind(latest)
    .bind(kept)
    .execute(tx)
    .map(drop)
}

/// Puts a notice back to be judged.
pub fn reopen(tx: &mut Tx<'_>, merchant: MerchantId, id: NoticeId) -> Result<(), DbError> {
    sql("UPDATE notices SET state = 'received' WHERE merchant_id = $1 AND id = $2")
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

/// Whether the bytes of a forged notice came again and were not forged then.
pub fn has_twin(source: &mut impl Source, merchant: MerchantId, id: NoticeId) -> Result<bool, DbError> {
    let twin = sql("SELECT t.id AS id FROM notices n JOIN notices t
             ON t.connection_id = n.connection_id AND t.transport_key = n.transport_key AND t.state <> 'forged'
          WHERE n.merchant_id = $1 AND n.id = $2 LIMIT 1")
    .bind(merchant)
    .bind(id)
    .optional(source, |_| Ok(()))?;
    Ok(twin.is_some())
}

/// Notices that have waited for their payment since before this time. At most 100 at a time.
pub fn waiting_since(
    source: &mut impl Source,
    before: Timestamp,
) -> Result<Vec<(MerchantId, NoticeId)>, DbError> {
    sql("SELECT merchant_id, id FROM notices WHERE state = 'unmatched' AND received_at < $1 ORDER BY id LIMIT 100")
        .bind(before)
        .all(source, |row| Ok((row.get("merchant_id")?, row.get("id")?)))
}

/// Whether there is anything for the aging of notices to do.
pub fn any_to_age(
    source: &mut impl Source,
    raw_before: Timestamp,
    waiting_before: Timestamp,
) -> Result<bool, DbError> {
    let raw = sql("SELECT id FROM notices WHERE raw_sealed IS NOT NULL AND received_at < $1
                      AND state IN ('applied', 'ignored', 'refused', 'forged') LIMIT 1")
    .bind(raw_before)
    .optional(source, |_| Ok(()))?;
    Ok(raw.is_some() || !waiting_since(source, waiting_before)?.is_empty())
}

/// Reads a notice's columns.
pub fn read(row: &mut Row) -> Result<Stored, DbError> {
    Ok(Stored { raw_sealed: row.get("raw_sealed")?, ..read_listed(row)? })
}

/// Reads a notice's columns without its raw bytes, which no list shows.
pub(super) fn read_listed(row: &mut Row) -> Result<Stored, DbError> {
    Ok(Stored {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        connection: row.get("connection_id")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        summary: row.get("summary")?,
        raw_sealed: None,
        address: row.get("address")?,
        order: row.get("order_id")?,
        copies: row.get("copies")?,
        received_at: row.get("received_at")?,
        verified_at: row.get("verified_at")?,
        decided_at: row.get("decided_at")?,
    })
}

/// Whether news about an order's money waits for a person.
pub fn any_quarantined(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<bool, DbError> {
    let found = sql(
        "SELECT id FROM notices WHERE merchant_id = $1 AND order_id = $2 AND state = 'quarantined' LIMIT 1",
    )
    .bind(merchant)
    .bind(order)
    .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// The newest notices, of one state or of all.
pub fn newest_first(
    source: &mut impl Source,
    merchant: MerchantId,
    state: Option<NoticeState>,
    most: u32,
) -> Result<Vec<Stored>, DbError> {
    sql("SELECT id, merchant_id, connection_id, state, reason, summary, raw_sealed, address, order_id, copies,
                received_at, verified_at, decided_at
           FROM notices WHERE merchant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR state = $2) ORDER BY id DESC LIMIT $3")
    .bind(merchant)
    .bind(state)
    .bind(most)
    .all(source, read)
}

/// How many notices wait in this state, counted no further than `most`.
pub fn count_waiting(
    source: &mut impl Source,
    merchant: MerchantId,
    state: NoticeState,
    most: u32,
) -> Result<u32, DbError> {
    sql("SELECT count(*) AS waiting FROM (SELECT id FROM notices
          WHERE merchant_id = $1 AND state = $2 AND state IN ('received', 'unmatched', 'quarantined') LIMIT $3) AS near")
    .bind(merchant)
    .bind(state)
    .bind(most)
    .one(source, |row| row.get("waiting"))
}

/// When a connection last heard from its gateway. Forgeries do not count: anybody can post.
pub fn last_heard(
    source: &mut impl Source,
    merchant: MerchantId,
    connection: ConnectionId,
) -> Result<Option<Timestamp>, DbError> {
    sql("SELECT received_at FROM notices
          WHERE merchant_id = $1 AND connection_id = $2 AND verified_at IS NOT NULL ORDER BY id DESC LIMIT 1")
    .bind(merchant)
    .bind(connection)
    .optional(source, |row| row.get("received_at"))
}

/// How many notices of a connection nobody has decided on: waiting for their gateway's word or
/// for their payment, and quarantined.
pub fn undecided(
    source: &mut impl Source,
    merchant: MerchantId,
    connection: ConnectionId,
) -> Result<(i64, i64), DbError> {
    sql("SELECT CAST(COALESCE(SUM(CASE WHEN state = 'quarantined' THEN 0 ELSE 1 END), 0) AS BIGINT) AS waiting,
                CAST(COALESCE(SUM(CASE WHEN state = 'quarantined' THEN 1 ELSE 0 END), 0) AS BIGINT) AS quarantined
           FROM notices WHERE merchant_id = $1 AND connection_id = $2
            AND state IN ('received', 'unmatched', 'quarantined')")
    .bind(merchant)
    .bind(connection)
    .one(source, |row| Ok((row.get("waiting")?, row.get("quarantined")?)))
}
