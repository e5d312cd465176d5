//! SQL of units and grants.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{GrantChangeId, GrantId, LineId, MerchantId, OrderId, Timestamp};

use super::{Grant, GrantChange};
use crate::orders::Line;

/// Writes a unit unless it exists: the key that makes delivery happen once.
pub fn insert_unit(
    tx: &mut Tx<'_>,
    line: &Line,
    unit_no: u32,
    capacity: u32,
    now: Timestamp,
) -> Result<Inserted, DbError> {
    sql("INSERT INTO units (line_id, unit_no, merchant_id, order_id, capacity, state, created_at)
         VALUES ($1, $2, $3, $4, $5, 'done', $6) ON CONFLICT DO NOTHING")
    .bind(line.id)
    .bind(unit_no)
    .bind(line.merchant)
    .bind(line.order)
    .bind(capacity)
    .bind(now)
    .insert_new(tx)
}

/// Writes a grant.
pub fn insert_grant(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), DbError> {
    sql("INSERT INTO grants (id, merchant_id, order_id, line_id, unit_no, customer_id, status, nonce, ring_key,
            generation, download_limit, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
    .bind(grant.id)
    .bind(grant.merchant)
    .bind(grant.order)
    .bind(grant.line)
    .bind(grant.unit_no)
    .bind(grant.customer)
    .bind(grant.status)
    .bind(grant.nonce)
    .bind(grant.ring_key)
    .bind(grant.generation)
    .bind(grant.download_limit)
    .bind(grant.expires_at)
    .bind(grant.created_at)
    .execute(tx)
    .map(drop)
}

/// Writes back what can change of a grant.
pub fn save_grant(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), DbError> {
    sql("UPDATE grants SET status = $1, nonce = $2, ring_key = $3, generation = $4, download_limit = $5,
            expires_at = $6
          WHERE merchant_id = $7 AND id = $8")
    .bind(grant.status)
    .bind(grant.nonce)
    .bind(grant.ring_key)
    .bind(grant.generation)
    .bind(grant.download_limit)
    .bind(grant.expires_at)
    .bind(grant.merchant)
    .bind(grant.id)
    .change_one(tx)
}

/// Records why a grant changed, as the next in the row of its changes.
pub fn insert_change(
    tx: &mut Tx<'_>,
    id: GrantChangeId,
    grant: &Grant,
    change: GrantChange,
    cause: &str,
    (actor, now): (&str, Timestamp),
) -> Result<(), DbError> {
    sql("INSERT INTO grant_changes (id, merchant_id, grant_id, seq, change, cause, actor, changed_at)
         VALUES ($1, $2, $3, (SELECT COALESCE(max(seq), 0) + 1 FROM grant_changes WHERE grant_id = $3), $4, $5, $6, $7)")
    .bind(id)
    .bind(grant.merchant)
    .bind(grant.id)
    .bind(change)
    .bind(cause)
    .bind(actor)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The grants of an order that money took back, and not a person: their last revocation has a
/// fact as its cause.
pub fn revoked_by_money(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<GrantId>, DbError> {
    sql("SELECT g.id AS id FROM grants g JOIN grant_changes c ON c.grant_id = g.id
          WHERE g.merchant_id = $1 AND g.order_id = $2 AND substr(c.cause, 1, 4) = 'fct_'
            AND c.seq = (SELECT max(last.seq) FROM grant_changes last
                          WHERE last.grant_id = g.id AND last.change = 'revoked')")
    .bind(merchant)
    .bind(order)
    .all(source, |row| row.get("id"))
}

/// The grants of an order, by line and unit.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Grant>, DbError> {
    sql("SELECT g.id AS id, g.merchant_id AS merchant_id, g.order_id AS order_id, line_id, unit_no, customer_id, status,
                nonce, ring_key, generation, g.download_limit AS download_limit, expires_at, created_at
           FROM grants g JOIN order_lines l ON l.id = g.line_id
          WHERE g.merchant_id = $1 AND g.order_id = $2 ORDER BY l.position, g.unit_no")
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// By the id in a link, whoever's it is: the code in the link proves the right to it.
pub fn by_link(source: &mut impl Source, id: GrantId) -> Result<Option<Grant>, DbError> {
    sql("SELECT id, merchant_id, order_id, line_id, unit_no, customer_id, status, nonce, ring_key, generation,
                download_limit, expires_at, created_at
           FROM grants WHERE id = $1")
    .bind(id)
    .optional(source, read)
}

/// The generation of a grant's links.
pub fn generation(
    source: &mut impl Source,
    merchant: MerchantId,
    id: GrantId,
) -> Result<Option<u32>, DbError> {
    sql("SELECT generation FROM grants WHERE merchant_id = $1 AND id = $2")
        .bind(merchant)
        .bind(id)
        .optional(source, |row| row.get("generation"))
}

/// By id, kept from being changed for this transaction, but not from being shared.
pub fn share(tx: &mut Tx<'_>, id: GrantId) -> Result<Option<Grant>, DbError> {
    sql("SELECT id, merchant_id, order_id, line_id, unit_no, customer_id, status, nonce, ring_key, generation,
                download_limit, expires_at, created_at
           FROM grants WHERE id = $1 {FOR SHARE}")
    .bind(id)
    .optional(tx, read)
}

/// A merchant's grant.
pub fn by_id(source: &mut impl Source, merchant: MerchantId, id: GrantId) -> Result<Option<Grant>, DbError> {
    sql("SELECT id, merchant_id, order_id, line_id, unit_no, customer_id, status, nonce, ring_key, generation,
                download_limit, expires_at, created_at
           FROM grants WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, read)
}

/// A unit of an order.
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    /// Of which line.
    pub line: LineId,
    /// Its number.
    pub unit_no: u32,
    /// How many it stands for.
    pub capacity: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The units of an order, by line and number.
pub fn units(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    most: u32,
) -> Result<Vec<Unit>, DbError> {
    sql("SELECT line_id, unit_no, capacity, created_at FROM units
          WHERE order_id = $1 AND merchant_id = $2 ORDER BY line_id, unit_no LIMIT $3")
    .bind(order)
    .bind(merchant)
    .bind(most)
    .all(source, |row| {
        Ok(Unit {
            line: row.get("line_id")?,
            unit_no: row.get("unit_no")?,
            capacity: row.get("capacity")?,
            created_at: row.get("created_at")?,
        })
    })
}

/// The grants of one line, by unit.
pub fn of_line(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    line: LineId,
) -> Result<Vec<Grant>, DbError> {
    let mut grants = of_order(source, merchant, order)?;
    grants.retain(|grant| grant.line == line);
    Ok(grants)
}

/// Reads a grant's columns.
pub fn read(row: &mut Row) -> Result<Grant, DbError> {
    Ok(Grant {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        order: row.get("order_id")?,
        line: row.get("line_id")?,
        unit_no: row.get("unit_no")?,
        customer: row.get("customer_id")?,
        status: row.get("status")?,
        nonce: row.get("nonce")?,
        ring_key: row.get("ring_key")?,
        generation: row.get("generation")?,
        download_limit: row.get("download_limit")?,
        expires_at: row.get("expires_at")?,
        created_at: row.get("created_at")?,
    })
}
