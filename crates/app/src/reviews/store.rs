//! SQL of the reviews.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{MerchantId, OrderId, ReviewId, Timestamp};

use super::{Review, Which};

/// Writes a review.
pub fn insert(tx: &mut Tx<'_>, review: &Review) -> Result<(), DbError> {
    sql("INSERT INTO reviews (id, merchant_id, kind, order_id, notice_id, detail, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(review.id)
    .bind(review.merchant)
    .bind(review.kind)
    .bind(review.order)
    .bind(review.notice)
    .bind(&review.detail)
    .bind(review.opened_at)
    .execute(tx)
    .map(drop)
}

/// Closes a review that is open.
pub fn resolve(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: ReviewId,
    (by, resolution): (&str, &str),
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE reviews SET resolved_at = $1, resolved_by = $2, resolution = $3
          WHERE merchant_id = $4 AND id = $5 AND resolved_at IS NULL")
    .bind(now)
    .bind(by)
    .bind(resolution)
    .bind(merchant)
    .bind(id)
    .change_one(tx)
}

/// What waits for a person, oldest first.
pub fn open(source: &mut impl Source, merchant: MerchantId, most: u32) -> Result<Vec<Review>, DbError> {
    sql("SELECT id, merchant_id, kind, order_id, notice_id, detail, opened_at, resolved_at, resolution
           FROM reviews WHERE merchant_id = $1 AND resolved_at IS NULL ORDER BY id LIMIT $2")
    .bind(merchant)
    .bind(most)
    .all(source, read)
}

/// How many wait for a person, counted no further than `most`.
pub fn count_open(source: &mut impl Source, merchant: MerchantId, most: u32) -> Result<u32, DbError> {
    sql("SELECT count(*) AS waiting FROM
          (SELECT id FROM reviews WHERE merchant_id = $1 AND resolved_at IS NULL LIMIT $2) AS near")
    .bind(merchant)
    .bind(most)
    .one(source, |row| row.get("waiting"))
}

/// The reviews of an order, oldest first.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Review>, DbError> {
    sql("SELECT id, merchant_id, kind, order_id, notice_id, detail, opened_at, resolved_at, resolution
           FROM reviews WHERE merchant_id = $1 AND order_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: ReviewId,
) -> Result<Option<Review>, DbError> {
    sql("SELECT id, merchant_id, kind, order_id, notice_id, detail, opened_at, resolved_at, resolution
           FROM reviews WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, read)
}

/// Open reviews, or closed ones too, newest first, below an id.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    which: Which,
    before: Option<ReviewId>,
    most: u32,
) -> Result<Vec<Review>, DbError> {
    let only = match which {
        Which::Open => " AND resolved_at IS NULL",
        Which::Resolved => " AND resolved_at IS NOT NULL",
        Which::All => "",
    };
    sql(format!(
        "SELECT id, merchant_id, kind, order_id, notice_id, detail, opened_at, resolved_at, resolution
           FROM reviews WHERE merchant_id = $1 AND id < $2{only} ORDER BY id DESC LIMIT $3"
    ))
    .bind(merchant)
    .bind(before.unwrap_or(ReviewId::from_bits(u128::MAX)))
    .bind(most)
    .all(source, read)
}

/// Reads a review's columns.
pub(super) fn read(row: &mut Row) -> Result<Review, DbError> {
    Ok(Review {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        kind: row.get("kind")?,
        order: row.get("order_id")?,
        notice: row.get("notice_id")?,
        detail: row.get("detail")?,
        opened_at: row.get("opened_at")?,
        resolved_at: row.get("resolved_at")?,
        resolution: row.get("resolution")?,
    })
}
