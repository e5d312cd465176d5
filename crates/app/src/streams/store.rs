//! SQL of streams' secrets and visits.

use db::{DbError, Source, Tx, sql};
use kernel::{GrantId, MerchantId, ProductId, Timestamp};

use crate::fulfillment::Grant;

/// Writes the secret of a product's stream, in place of the one that it has.
pub fn set_secret(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO stream_secrets (product_id, merchant_id, secret_sealed, made_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (product_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, made_at = excluded.made_at")
    .bind(product)
    .bind(merchant)
    .bind(sealed)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The sealed secret of a product's stream.
pub fn secret(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Option<Vec<u8>>, DbError> {
    sql("SELECT secret_sealed FROM stream_secrets WHERE merchant_id = $1 AND product_id = $2")
        .bind(merchant)
        .bind(product)
        .optional(source, |row| row.get("secret_sealed"))
}

/// Counts that a stream was opened.
pub fn count_visit(tx: &mut Tx<'_>, grant: &Grant, address: &str, now: Timestamp) -> Result<(), DbError> {
    sql("INSERT INTO stream_visits (grant_id, merchant_id, opened, first_opened_at, last_opened_at, last_address)
         VALUES ($1, $2, 1, $3, $3, $4)
         ON CONFLICT (grant_id) DO UPDATE SET opened = stream_visits.opened + 1,
            last_opened_at = excluded.last_opened_at, last_address = excluded.last_address")
    .bind(grant.id)
    .bind(grant.merchant)
    .bind(now)
    .bind(address)
    .execute(tx)
    .map(drop)
}

/// How often a stream was opened, and when last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visits {
    /// How often.
    pub opened: u32,
    /// When last.
    pub last_opened_at: Timestamp,
    /// From where.
    pub last_address: String,
}

/// The visits of a grant's stream.
pub fn visits(
    source: &mut impl Source,
    merchant: MerchantId,
    grant: GrantId,
) -> Result<Option<Visits>, DbError> {
    sql("SELECT opened, last_opened_at, last_address FROM stream_visits WHERE merchant_id = $1 AND grant_id = $2")
        .bind(merchant)
        .bind(grant)
        .optional(source, |row| {
            Ok(Visits {
                opened: row.get("opened")?,
                last_opened_at: row.get("last_opened_at")?,
                last_address: row.get("last_address")?,
            })
        })
}
