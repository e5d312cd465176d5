//! SQL of the front page: whether a shop has what it needs.

use db::{DbError, Source, sql};
use kernel::MerchantId;

/// Whether something is for sale, with a price and a file to hand out.
pub fn sells_something(source: &mut impl Source, merchant: MerchantId) -> Result<bool, DbError> {
    let found = sql("SELECT p.id AS id FROM products p
          WHERE p.merchant_id = $1 AND p.status = 'active'
            AND EXISTS (SELECT 1 FROM prices c WHERE c.product_id = p.id AND c.amount_minor IS NOT NULL)
            AND EXISTS (SELECT 1 FROM product_files f WHERE f.product_id = p.id AND f.removed_at IS NULL)
          LIMIT 1")
    .bind(merchant)
    .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}
