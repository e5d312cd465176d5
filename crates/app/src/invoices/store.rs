//! SQL of the invoices.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{Currency, FactId, InvoiceId, MerchantId, Money, OrderId, Timestamp};

use super::{Invoice, InvoiceKind};

/// Merchants with documents to issue.
pub fn merchants_with_due(source: &mut impl Source) -> Result<Vec<MerchantId>, DbError> {
    sql("SELECT merchant_id FROM orders WHERE paid_at IS NOT NULL AND invoiced_at IS NULL
          UNION SELECT merchant_id FROM credits_due")
    .all(source, |row| row.get("merchant_id"))
}

/// Paid orders without an invoice, in the order of their payment.
pub fn orders_due(
    source: &mut impl Source,
    merchant: MerchantId,
    most: u32,
) -> Result<Vec<OrderId>, DbError> {
    sql("SELECT id FROM orders WHERE paid_at IS NOT NULL AND invoiced_at IS NULL AND merchant_id = $1
          ORDER BY paid_at, id LIMIT $2")
    .bind(merchant)
    .bind(most)
    .all(source, |row| row.get("id"))
}

/// A movement of money after an order was paid that may want a document.
#[derive(Debug, Clone)]
pub struct CreditDue {
    /// The fact.
    pub fact: FactId,
    /// Of which order.
    pub order: OrderId,
    /// When.
    pub occurred_at: Timestamp,
}

/// Money that moved and was not looked at yet, of orders that have their invoice.
pub fn credits_due(
    source: &mut impl Source,
    merchant: MerchantId,
    most: u32,
) -> Result<Vec<CreditDue>, DbError> {
    sql("SELECT c.fact_id AS fact_id, c.order_id AS order_id, f.occurred_at AS occurred_at
           FROM credits_due c JOIN facts f ON f.id = c.fact_id JOIN orders o ON o.id = c.order_id
          WHERE c.merchant_id = $1 AND o.invoiced_at IS NOT NULL ORDER BY c.fact_id LIMIT $2")
    .bind(merchant)
    .bind(most)
    .all(source, |row| {
        Ok(CreditDue {
            fact: row.get("fact_id")?,
            order: row.get("order_id")?,
            occurred_at: row.get("occurred_at")?,
        })
    })
}

/// Which movements of an order's money were not looked at yet.
pub fn due_of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<FactId>, DbError> {
    sql("SELECT fact_id FROM credits_due WHERE merchant_id = $1 AND order_id = $2 ORDER BY fact_id")
        .bind(merchant)
        .bind(order)
        .all(source, |row| row.get("fact_id"))
}

/// Takes a movement off the list.
pub fn clear_credit_due(tx: &mut Tx<'_>, merchant: MerchantId, fact: FactId) -> Result<(), DbError> {
    sql("DELETE FROM credits_due WHERE merchant_id = $1 AND fact_id = $2")
        .bind(merchant)
        .bind(fact)
        .change_one(tx)
}

/// The next number of a series.
#[derive(Debug, Clone, Copy)]
pub struct Next {
    /// From 1, without gaps.
    pub number: i64,
    /// When the document before it was issued.
    pub not_before: Option<Timestamp>,
}

/// Takes the next number of a series; the row stays held until the commit, so none is skipped.
pub fn next_number(tx: &mut Tx<'_>, merchant: MerchantId, series: &str) -> Result<Next, DbError> {
    let number = sql("INSERT INTO invoice_series (merchant_id, series, last_number) VALUES ($1, $2, 1)
         ON CONFLICT (merchant_id, series) DO UPDATE SET last_number = invoice_series.last_number + 1
         RETURNING last_number")
    .bind(merchant)
    .bind(series)
    .one(tx, |row| row.get::<i64>("last_number"))?;
    let not_before =
        sql("SELECT issued_at FROM invoices WHERE merchant_id = $1 AND series = $2 AND number = $3")
            .bind(merchant)
            .bind(series)
            .bind(number - 1)
            .optional(tx, |row| row.get("issued_at"))?;
    Ok(Next { number, not_before })
}

/// Whether an order has a document for this cause.
pub fn exists(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    cause: &str,
) -> Result<bool, DbError> {
    let found = sql("SELECT id FROM invoices WHERE merchant_id = $1 AND order_id = $2 AND cause = $3")
        .bind(merchant)
        .bind(order)
        .bind(cause)
        .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// Writes a document.
pub fn insert(tx: &mut Tx<'_>, invoice: &Invoice) -> Result<Inserted, DbError> {
    let document =
        serde_json::to_string(&invoice.document).map_err(|error| DbError::Other(error.to_string()))?;
    sql("INSERT INTO invoices (id, merchant_id, kind, series, number, order_id, cause, corrects_id, currency, net_minor,
            tax_minor, gross_minor, document, issued_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
    .bind(invoice.id)
    .bind(invoice.merchant)
    .bind(invoice.kind)
    .bind(&invoice.series)
    .bind(invoice.number)
    .bind(invoice.order)
    .bind(&invoice.cause)
    .bind(invoice.corrects)
    .bind(invoice.gross.currency)
    .bind(invoice.net.minor)
    .bind(invoice.tax.minor)
    .bind(invoice.gross.minor)
    .bind(document)
    .bind(invoice.issued_at)
    .insert_new(tx)
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: InvoiceId,
) -> Result<Option<Invoice>, DbError> {
    sql("SELECT id, merchant_id, kind, series, number, order_id, cause, corrects_id, currency, net_minor, tax_minor,
                gross_minor, document, issued_at
           FROM invoices WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, read)
}

/// The documents of an order, oldest first.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Invoice>, DbError> {
    sql("SELECT id, merchant_id, kind, series, number, order_id, cause, corrects_id, currency, net_minor, tax_minor,
                gross_minor, document, issued_at
           FROM invoices WHERE merchant_id = $1 AND order_id = $2 ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// Documents of a kind or of all kinds, newest first, below an id.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    kind: Option<InvoiceKind>,
    before: Option<InvoiceId>,
    most: u32,
) -> Result<Vec<Invoice>, DbError> {
    sql("SELECT id, merchant_id, kind, series, number, order_id, cause, corrects_id, currency, net_minor, tax_minor,
                gross_minor, document, issued_at
           FROM invoices WHERE merchant_id = $1 AND id < $2 AND (CAST($3 AS TEXT) IS NULL OR kind = $3)
          ORDER BY id DESC LIMIT $4")
    .bind(merchant)
    .bind(before.unwrap_or(InvoiceId::from_bits(u128::MAX)))
    .bind(kind)
    .bind(most)
    .all(source, read)
}

/// Reads an invoice's columns.
pub fn read(row: &mut Row) -> Result<Invoice, DbError> {
    let currency: Currency = row.get("currency")?;
    let document: String = row.get("document")?;
    Ok(Invoice {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        kind: row.get("kind")?,
        series: row.get("series")?,
        number: row.get("number")?,
        order: row.get("order_id")?,
        cause: row.get("cause")?,
        corrects: row.get("corrects_id")?,
        net: Money::new(row.get("net_minor")?, currency),
        tax: Money::new(row.get("tax_minor")?, currency),
        gross: Money::new(row.get("gross_minor")?, currency),
        document: serde_json::from_str(&document).map_err(|error| DbError::Decode {
            column: "document".to_owned(),
            problem: error.to_string(),
            statement: "invoices".to_owned(),
        })?,
        issued_at: row.get("issued_at")?,
    })
}
