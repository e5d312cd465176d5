//! SQL of the messages.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{MerchantId, MessageId, OrderId, Timestamp};

use super::{Message, MessageState};

/// Writes a message unless there is one for the same reason.
pub fn insert(tx: &mut Tx<'_>, message: &Message) -> Result<Inserted, DbError> {
    sql("INSERT INTO messages (id, merchant_id, kind, dedupe_key, order_id, customer_id, to_address, subject, context,
            state, attempts, last_error, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', $11) ON CONFLICT DO NOTHING")
    .bind(message.id)
    .bind(message.merchant)
    .bind(message.kind)
    .bind(&message.dedupe_key)
    .bind(message.order)
    .bind(message.customer)
    .bind(&message.to)
    .bind(&message.subject)
    .bind(&message.context)
    .bind(message.state)
    .bind(message.created_at)
    .insert_new(tx)
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: MessageId,
) -> Result<Option<Message>, DbError> {
    sql("SELECT id, merchant_id, kind, dedupe_key, order_id, customer_id, to_address, subject, context, state, attempts,
                last_error, created_at, sent_at
           FROM messages WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, read)
}

/// What became of the message for a reason, if there is one.
pub fn state_of(
    source: &mut impl Source,
    merchant: MerchantId,
    dedupe_key: &str,
) -> Result<Option<MessageState>, DbError> {
    sql("SELECT state FROM messages WHERE merchant_id = $1 AND dedupe_key = $2")
        .bind(merchant)
        .bind(dedupe_key)
        .optional(source, |row| row.get("state"))
}

/// By id, and nobody else changes it until this transaction ends.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: MessageId) -> Result<Option<Message>, DbError> {
    sql("SELECT id, merchant_id, kind, dedupe_key, order_id, customer_id, to_address, subject, context, state, attempts,
                last_error, created_at, sent_at
           FROM messages WHERE merchant_id = $1 AND id = $2 {FOR UPDATE}")
    .bind(merchant)
    .bind(id)
    .optional(tx, read)
}

/// The messages of an order, oldest first.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Message>, DbError> {
    sql("SELECT id, merchant_id, kind, dedupe_key, order_id, customer_id, to_address, subject, context, state, attempts,
                last_error, created_at, sent_at
           FROM messages WHERE merchant_id = $1 AND order_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// Messages in a state or in any, newest first, below an id.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    state: Option<MessageState>,
    before: Option<MessageId>,
    most: u32,
) -> Result<Vec<Message>, DbError> {
    let mut text =
        "SELECT id, merchant_id, kind, dedupe_key, order_id, customer_id, to_address, subject, context,
            state, attempts, last_error, created_at, sent_at
       FROM messages WHERE merchant_id = $1 AND id < $2"
            .to_owned();
    text.push_str(match state {
        // The literal list is what lets the partial index be used.
        Some(MessageState::Waiting | MessageState::Failed | MessageState::Expired) => {
            " AND state IN ('waiting', 'failed', 'expired') AND state = $3"
        }
        Some(MessageState::Sent) | None => " AND (CAST($3 AS TEXT) IS NULL OR state = $3)",
    });
    text.push_str(" ORDER BY id DESC LIMIT $4");
    sql(text)
        .bind(merchant)
        .bind(before.unwrap_or(MessageId::from_bits(u128::MAX)))
        .bind(state)
        .bind(most)
        .all(source, read)
}

/// Records that sending is about to be tried.
pub fn begin_attempt(tx: &mut Tx<'_>, message: &Message, subject: &str) -> Result<(), DbError> {
    sql("UPDATE messages SET attempts = attempts + 1, subject = $1 WHERE merchant_id = $2 AND id = $3")
        .bind(subject)
        .bind(message.merchant)
        .bind(message.id)
        .change_one(tx)
}

/// Records how an attempt ended.
pub fn end_attempt(
    tx: &mut Tx<'_>,
    message: &Message,
    state: MessageState,
    error: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE messages SET state = $1, last_error = $2, sent_at = $3 WHERE merchant_id = $4 AND id = $5")
        .bind(state)
        .bind(error.chars().take(500).collect::<String>())
        .bind((state == MessageState::Sent).then_some(now))
        .bind(message.merchant)
        .bind(message.id)
        .change_one(tx)
}

/// How many messages since a moment did not leave and are not tried again, counted no further
/// than `most`.
pub fn count_undelivered(
    source: &mut impl Source,
    merchant: MerchantId,
    since: MessageId,
    most: u32,
) -> Result<u32, DbError> {
    sql("SELECT count(*) AS waiting FROM (SELECT id FROM messages
          WHERE merchant_id = $1 AND state IN ('failed', 'expired') AND id >= $2 LIMIT $3) AS near")
    .bind(merchant)
    .bind(since)
    .bind(most)
    .one(source, |row| row.get("waiting"))
}

/// Reads a message's columns.
pub fn read(row: &mut Row) -> Result<Message, DbError> {
    Ok(Message {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        kind: row.get("kind")?,
        dedupe_key: row.get("dedupe_key")?,
        order: row.get("order_id")?,
        customer: row.get("customer_id")?,
        to: row.get("to_address")?,
        subject: row.get("subject")?,
        context: row.get("context")?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        last_error: row.get("last_error")?,
        created_at: row.get("created_at")?,
        sent_at: row.get("sent_at")?,
    })
}

/// Whether a message about an order that had its reader wait has left.
pub fn any_delivery_sent(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<bool, DbError> {
    let found = sql("SELECT id FROM messages
          WHERE merchant_id = $1 AND order_id = $2 AND kind IN ('receipt', 'regenerated', 'links_resent', 'links_reissued')
            AND state = 'sent' LIMIT 1")
    .bind(merchant)
    .bind(order)
    .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}
