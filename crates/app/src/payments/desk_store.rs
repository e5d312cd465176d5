//! SQL of the back office's searches among payments.

use db::{DbError, Source, sql};
use kernel::{MerchantId, OrderId, PaymentId};

/// The orders that were paid by a gateway's payment with this id, at any of the merchant's accounts.
pub fn orders_of_gateway_ref(
    source: &mut impl Source,
    merchant: MerchantId,
    gateway_ref: &str,
) -> Result<Vec<OrderId>, DbError> {
    sql("SELECT order_id FROM payments
          WHERE connection_id IN (SELECT id FROM connections WHERE merchant_id = $1) AND gateway_ref = $2
            AND merchant_id = $1 AND order_id IS NOT NULL ORDER BY order_id LIMIT 100")
    .bind(merchant)
    .bind(gateway_ref)
    .all(source, |row| row.get("order_id"))
}

/// The order that a payment pays.
pub fn order_of(
    source: &mut impl Source,
    merchant: MerchantId,
    id: PaymentId,
) -> Result<Option<OrderId>, DbError> {
    let found = sql("SELECT order_id FROM payments WHERE merchant_id = $1 AND id = $2")
        .bind(merchant)
        .bind(id)
        .optional(source, |row| row.get("order_id"))?;
    Ok(found.flatten())
}
