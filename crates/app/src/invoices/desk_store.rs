//! SQL of the back office's lists of documents.

use db::{DbError, Source, sql};
use kernel::{InvoiceId, MerchantId, OrderId, Timestamp};

use super::store::read;
use super::{Invoice, InvoiceKind};
use crate::paging::{self, Ask, By, KeyKind, ListQuery, Slice};

/// What a list of documents is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these.
    pub kind: Option<InvoiceKind>,
    /// Issued from this moment on.
    pub from: Option<Timestamp>,
    /// Issued before this moment.
    pub until: Option<Timestamp>,
}

const LISTED: &str =
    "SELECT id, merchant_id, kind, series, number, order_id, cause, corrects_id, currency, net_minor,
    tax_minor, gross_minor, document, issued_at FROM invoices";

/// By age.
pub const BY_AGE: By = By { name: "issued", column: "id", kind: KeyKind::Id };
/// By number, whatever the series.
pub const BY_NUMBER: By = By { name: "number", column: "number", kind: KeyKind::Int };
/// By amount.
pub const BY_GROSS: By = By { name: "gross", column: "gross_minor", kind: KeyKind::Int };

/// A page of a merchant's documents.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    filter: &Filter,
    ask: &Ask,
) -> Result<Slice<Invoice>, DbError> {
    let by_age = ask.by.kind == KeyKind::Id;
    let mut query = ListQuery::new(LISTED, merchant);
    if let Some(from) = filter.from {
        query = query.either(by_age, "id >= $", InvoiceId::from_bits(paging::bits_at(from)));
    }
    if let Some(until) = filter.until {
        query = query.either(by_age, "id < $", InvoiceId::from_bits(paging::bits_at(until)));
    }
    if let Some(kind) = filter.kind {
        query = query.among("kind = $", kind);
    }
    query.page(source, ask, read)
}

/// The documents of these orders.
pub fn of_orders(
    source: &mut impl Source,
    merchant: MerchantId,
    orders: &[OrderId],
) -> Result<Vec<Invoice>, DbError> {
    paging::by_ids(orders, |some| {
        let text = format!("{LISTED} WHERE merchant_id = $1 AND order_id IN ({})", some.placeholders(2));
        some.bind(sql(text).bind(merchant)).all(source, read)
    })
}

/// The orders of the documents with this number, whatever the series.
pub fn orders_of_number(
    source: &mut impl Source,
    merchant: MerchantId,
    number: i64,
) -> Result<Vec<OrderId>, DbError> {
    sql("SELECT order_id FROM invoices WHERE merchant_id = $1 AND number = $2 ORDER BY id LIMIT 10")
        .bind(merchant)
        .bind(number)
        .all(source, |row| row.get("order_id"))
}
