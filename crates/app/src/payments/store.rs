//! SQL of payments, their facts and the ledger.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{ConnectionId, FactId, MerchantId, NoticeId, OrderId, PaymentId, Timestamp, TransferId};

use super::{Fact, Payment};

/// The payment with this gateway id, held for this transaction.
pub fn lock_by_ref(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    connection: ConnectionId,
    gateway_ref: &str,
) -> Result<Option<Payment>, DbError> {
    sql("SELECT id, merchant_id, connection_id, gateway_ref, order_id, status, currency, settled_minor, returned_minor,
                fee_minor, created_at
           FROM payments WHERE connection_id = $1 AND gateway_ref = $2 AND merchant_id = $3 {FOR UPDATE}")
    .bind(connection)
    .bind(gateway_ref)
    .bind(merchant)
    .optional(tx, read)
}

/// Which order a gateway's payment id belongs to, without holding anything.
pub fn order_of_ref(
    source: &mut impl Source,
    merchant: MerchantId,
    connection: ConnectionId,
    gateway_ref: &str,
) -> Result<Option<OrderId>, DbError> {
    let row = sql(
        "SELECT order_id FROM payments WHERE connection_id = $1 AND gateway_ref = $2 AND merchant_id = $3",
    )
    .bind(connection)
    .bind(gateway_ref)
    .bind(merchant)
    .optional(source, |row| row.get("order_id"))?;
    Ok(row.flatten())
}

/// Writes a payment unless the gateway's id is known.
pub fn insert(tx: &mut Tx<'_>, payment: &Payment) -> Result<Inserted, DbError> {
    sql("INSERT INTO payments (id, merchant_id, connection_id, gateway_ref, order_id, status, currency, settled_minor,
            returned_minor, fee_minor, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT DO NOTHING")
    .bind(payment.id)
    .bind(payment.merchant)
    .bind(payment.connection)
    .bind(&payment.gateway_ref)
    .bind(payment.order)
    .bind(payment.status)
    .bind(payment.currency)
    .bind(payment.settled_minor)
    .bind(payment.returned_minor)
    .bind(payment.fee_minor)
    .bind(payment.created_at)
    .insert_new(tx)
}

/// Writes back what the facts amount to, and which order is paid.
pub fn save(tx: &mut Tx<'_>, payment: &Payment, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE payments SET order_id = $1, status = $2, settled_minor = $3, returned_minor = $4, fee_minor = $5,
            updated_at = $6
          WHERE merchant_id = $7 AND id = $8")
    .bind(payment.order)
    .bind(payment.status)
    .bind(payment.settled_minor)
    .bind(payment.returned_minor)
    .bind(payment.fee_minor)
    .bind(now)
    .bind(payment.merchant)
    .bind(payment.id)
    .change_one(tx)
}

/// Records a fact unless it is known.
pub fn insert_fact(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    payment: PaymentId,
    fact: &Fact,
    now: Timestamp,
) -> Result<Inserted, DbError> {
    sql("INSERT INTO facts (id, merchant_id, payment_id, kind, movement_ref, amount_minor, currency, detail, notice_id,
            occurred_at, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING")
    .bind(fact.id)
    .bind(merchant)
    .bind(payment)
    .bind(fact.kind)
    .bind(&fact.movement_ref)
    .bind(fact.amount_minor)
    .bind(fact.currency)
    .bind(&fact.detail)
    .bind(fact.notice)
    .bind(fact.occurred_at)
    .bind(now)
    .insert_new(tx)
}

/// All that has been said of a payment.
pub fn facts(
    source: &mut impl Source,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<Fact>, DbError> {
    sql("SELECT id, kind, movement_ref, amount_minor, currency, detail, notice_id, occurred_at
           FROM facts WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(payment)
    .all(source, read_fact)
}

/// Reads a fact's columns.
pub fn read_fact(row: &mut Row) -> Result<Fact, DbError> {
    Ok(Fact {
        id: row.get("id")?,
        kind: row.get("kind")?,
        movement_ref: row.get("movement_ref")?,
        amount_minor: row.get("amount_minor")?,
        currency: row.get("currency")?,
        detail: row.get("detail")?,
        notice: row.get("notice_id")?,
        occurred_at: row.get("occurred_at")?,
    })
}

/// Writes one movement of money into the ledger.
pub fn insert_transfer(
    tx: &mut Tx<'_>,
    id: TransferId,
    payment: &Payment,
    fact: &Fact,
    (debit, credit): (&str, &str),
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO transfers (id, merchant_id, fact_id, payment_id, debit, credit, amount_minor, currency, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(id)
    .bind(payment.merchant)
    .bind(fact.id)
    .bind(payment.id)
    .bind(debit)
    .bind(credit)
    .bind(fact.amount_minor)
    .bind(fact.currency)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The payments of an order, oldest first.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Payment>, DbError> {
    sql("SELECT id, merchant_id, connection_id, gateway_ref, order_id, status, currency, settled_minor, returned_minor,
                fee_minor, created_at
           FROM payments WHERE merchant_id = $1 AND order_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// Records that a movement of a paid order's money may want a document.
pub fn insert_document_due(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    order: OrderId,
    fact: FactId,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO credits_due (fact_id, merchant_id, order_id, due_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING")
    .bind(fact)
    .bind(merchant)
    .bind(order)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The same for all that was told of a payment before it had settled, when nothing was there yet
/// that could go back.
pub fn insert_corrections_due(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    (order, payment): (OrderId, PaymentId),
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO credits_due (fact_id, merchant_id, order_id, due_at)
         SELECT f.id, f.merchant_id, $1, CAST($2 AS BIGINT) FROM facts f
          WHERE f.merchant_id = $3 AND f.payment_id = $4 AND f.amount_minor > 0
            AND f.kind IN ('refund', 'refund_failure', 'reversal', 'reversal_cancellation', 'dispute_lost')
         ON CONFLICT DO NOTHING")
    .bind(order)
    .bind(now)
    .bind(merchant)
    .bind(payment)
    .execute(tx)
    .map(drop)
}

/// The cases that a notice opened: the payment's id at its connection, and which case.
pub fn cases_of_notice(
    source: &mut impl Source,
    merchant: MerchantId,
    notice: NoticeId,
) -> Result<Vec<(ConnectionId, String, String)>, DbError> {
    sql("SELECT p.connection_id AS connection_id, p.gateway_ref AS gateway_ref, f.movement_ref AS movement_ref
           FROM facts f JOIN payments p ON p.id = f.payment_id
          WHERE f.merchant_id = $1 AND f.notice_id = $2 AND f.kind = 'dispute' ORDER BY f.id")
    .bind(merchant)
    .bind(notice)
    .all(source, |row| Ok((row.get("connection_id")?, row.get("gateway_ref")?, row.get("movement_ref")?)))
}

/// The notices that stated something about an order's payments.
pub fn notices_of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<NoticeId>, DbError> {
    sql("SELECT DISTINCT f.notice_id AS notice_id FROM facts f JOIN payments p ON p.id = f.payment_id
          WHERE p.merchant_id = $1 AND p.order_id = $2 ORDER BY notice_id")
    .bind(merchant)
    .bind(order)
    .all(source, |row| row.get("notice_id"))
}

/// Reads a payment's columns.
pub fn read(row: &mut Row) -> Result<Payment, DbError> {
    Ok(Payment {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        connection: row.get("connection_id")?,
        gateway_ref: row.get("gateway_ref")?,
        order: row.get("order_id")?,
        status: row.get("status")?,
        currency: row.get("currency")?,
        settled_minor: row.get("settled_minor")?,
        returned_minor: row.get("returned_minor")?,
        fee_minor: row.get("fee_minor")?,
        created_at: row.get("created_at")?,
    })
}
