//! SQL of the counted sales. A merchant's own days stand under the merchant's id.

use db::{DbError, Source, Tx, sql};
use kernel::{Currency, MerchantId, Timestamp};

use super::Sold;

/// Adds to what a day brought. Units are counted per product, not here.
pub fn add(tx: &mut Tx<'_>, merchant: MerchantId, sold: &Sold) -> Result<(), DbError> {
    sql("INSERT INTO sales (merchant_id, subject, day, currency, orders, units, amount_minor)
         VALUES ($1, $2, $3, $4, $5, 0, $6)
         ON CONFLICT (merchant_id, subject, day, currency) DO UPDATE
            SET orders = sales.orders + excluded.orders, amount_minor = sales.amount_minor + excluded.amount_minor")
    .bind(merchant)
    .bind(merchant.to_string())
    .bind(sold.day)
    .bind(sold.currency)
    .bind(sold.orders)
    .bind(sold.amount_minor)
    .execute(tx)
    .map(drop)
}

/// What was counted under these days, both ends included.
pub fn between(
    source: &mut impl Source,
    merchant: MerchantId,
    first: i64,
    last: i64,
) -> Result<Vec<Sold>, DbError> {
    sql("SELECT day, currency, orders, amount_minor FROM sales
          WHERE merchant_id = $1 AND subject = $2 AND day >= $3 AND day <= $4")
    .bind(merchant)
    .bind(merchant.to_string())
    .bind(first)
    .bind(last)
    .all(source, |row| {
        Ok(Sold {
            day: row.get("day")?,
            currency: row.get("currency")?,
            orders: row.get("orders")?,
            amount_minor: row.get("amount_minor")?,
        })
    })
}

/// An order that was paid and not counted yet.
#[derive(Debug, Clone, Copy)]
pub struct Uncounted {
    /// When what was due had arrived.
    pub paid_at: Timestamp,
    /// Of the amount.
    pub currency: Currency,
    /// What was due.
    pub due_minor: i64,
}

/// Orders paid since a moment that the job has not counted yet.
pub fn uncounted(
    source: &mut impl Source,
    merchant: MerchantId,
    since: Timestamp,
    most: u32,
) -> Result<Vec<Uncounted>, DbError> {
    sql("SELECT paid_at, currency, due_minor FROM orders
          WHERE paid_at IS NOT NULL AND invoiced_at IS NULL AND merchant_id = $1 AND paid_at >= $2
          ORDER BY paid_at, id LIMIT $3")
    .bind(merchant)
    .bind(since)
    .bind(most)
    .all(source, |row| {
        Ok(Uncounted {
            paid_at: row.get("paid_at")?,
            currency: row.get("currency")?,
            due_minor: row.get("due_minor")?,
        })
    })
}

/// How many orders became paid in a stretch of time, counted no further than `most`.
pub fn count_paid(
    source: &mut impl Source,
    merchant: MerchantId,
    from: Timestamp,
    until: Timestamp,
    most: u32,
) -> Result<u32, DbError> {
    sql("SELECT count(*) AS paid FROM (SELECT 1 AS one FROM orders
          WHERE merchant_id = $1 AND paid_at >= $2 AND paid_at < $3 AND paid_at IS NOT NULL LIMIT $4) AS near")
    .bind(merchant)
    .bind(from)
    .bind(until)
    .bind(most)
    .one(source, |row| row.get("paid"))
}
