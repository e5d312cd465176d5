//! SQL of the kept answers.

use db::{DbError, Inserted, Source, Tx, sql};
use kernel::Timestamp;

use super::{Kept, Ticket};

/// Takes the key for this transaction, unless it was used before. On PostgreSQL a request
/// with the same key on another node makes this wait until that one has ended.
pub fn take(tx: &mut Tx<'_>, ticket: &Ticket, now: Timestamp) -> Result<Inserted, DbError> {
    sql("INSERT INTO idempotency (merchant_id, api_key_id, key, request_hash, status, response, created_at)
         VALUES ($1, $2, $3, $4, 0, '', $5) ON CONFLICT DO NOTHING")
    .bind(ticket.merchant)
    .bind(ticket.api_key)
    .bind(&ticket.key)
    .bind(ticket.request_hash)
    .bind(now)
    .insert_new(tx)
}

/// What is kept under the key: of which request, and its answer.
pub fn find(source: &mut impl Source, ticket: &Ticket) -> Result<Option<([u8; 32], Kept)>, DbError> {
    sql("SELECT request_hash, status, response FROM idempotency
          WHERE merchant_id = $1 AND api_key_id = $2 AND key = $3")
    .bind(ticket.merchant)
    .bind(ticket.api_key)
    .bind(&ticket.key)
    .optional(source, |row| {
        let kept = Kept { status: row.get("status")?, body: row.get("response")? };
        Ok((row.get("request_hash")?, kept))
    })
}

/// Keeps the answer.
pub fn keep(tx: &mut Tx<'_>, ticket: &Ticket, kept: &Kept) -> Result<(), DbError> {
    sql("UPDATE idempotency SET status = $1, response = $2
          WHERE merchant_id = $3 AND api_key_id = $4 AND key = $5")
    .bind(kept.status)
    .bind(&kept.body)
    .bind(ticket.merchant)
    .bind(ticket.api_key)
    .bind(&ticket.key)
    .change_one(tx)
}

/// Forgets what this key was used for before a time.
pub fn forget_old(tx: &mut Tx<'_>, ticket: &Ticket, before: Timestamp) -> Result<(), DbError> {
    sql("DELETE FROM idempotency
          WHERE merchant_id = $1 AND api_key_id = $2 AND key = $3 AND created_at < $4")
    .bind(ticket.merchant)
    .bind(ticket.api_key)
    .bind(&ticket.key)
    .bind(before)
    .execute(tx)
    .map(drop)
}

/// Whether something older than this is kept.
pub fn any_before(source: &mut impl Source, before: Timestamp) -> Result<bool, DbError> {
    let old = sql("SELECT key FROM idempotency WHERE created_at < $1 LIMIT 1")
        .bind(before)
        .optional(source, |_| Ok(()))?;
    Ok(old.is_some())
}

/// Forgets everything older than this.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, DbError> {
    sql("DELETE FROM idempotency WHERE created_at < $1").bind(before).execute(tx)
}
