//! SQL of orders and their lines.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{CustomerId, FileVersionId, LineId, MerchantId, OrderId, Span, Timestamp};

use super::{Filter, Line, Order};

/// Writes a new order.
pub fn insert(tx: &mut Tx<'_>, order: &Order) -> Result<(), DbError> {
    sql("INSERT INTO orders (id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name,
            buyer_company, buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor,
            settled_minor, returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, $17, $18, 1, $19, $20,
                 $21, 1)")
    .bind(order.id)
    .bind(order.merchant)
    .bind(order.status)
    .bind(order.source)
    .bind(order.connection)
    .bind(order.customer)
    .bind(order.buyer_email.as_ref())
    .bind(&order.buyer_name)
    .bind(&order.buyer_company)
    .bind(order.buyer_country.as_deref())
    .bind(order.buyer_vat_id.as_deref())
    .bind(&order.locale)
    .bind(order.currency)
    .bind(order.net_minor)
    .bind(order.tax_minor)
    .bind(order.due_minor)
    .bind(order.nonce)
    .bind(order.ring_key)
    .bind(order.consent_text.as_deref())
    .bind(order.consent_at)
    .bind(order.created_at)
    .execute(tx)
    .map(drop)
}

/// Writes back an order that was locked in this transaction.
pub fn save(tx: &mut Tx<'_>, order: &Order) -> Result<(), DbError> {
    sql("UPDATE orders
            SET status = $1, connection_id = $2, customer_id = $3, payer_id = $3, buyer_email = $4, buyer_name = $5,
                buyer_country = $6, net_minor = $7, tax_minor = $8, due_minor = $9, settled_minor = $10,
                returned_minor = $11, generation = $12, paid_at = $13, version = version + 1
          WHERE merchant_id = $14 AND id = $15 AND version = $16")
    .bind(order.status)
    .bind(order.connection)
    .bind(order.customer)
    .bind(order.buyer_email.as_ref())
    .bind(&order.buyer_name)
    .bind(order.buyer_country.as_deref())
    .bind(order.net_minor)
    .bind(order.tax_minor)
    .bind(order.due_minor)
    .bind(order.settled_minor)
    .bind(order.returned_minor)
    .bind(order.generation)
    .bind(order.paid_at)
    .bind(order.merchant)
    .bind(order.id)
    .bind(order.version)
    .change_one(tx)
}

/// By id.
pub fn by_id(source: &mut impl Source, merchant: MerchantId, id: OrderId) -> Result<Option<Order>, DbError> {
    sql("SELECT id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name, buyer_company,
                buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor, settled_minor,
                returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, paid_at, version
           FROM orders WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, read)
}

/// By the id in a thank-you page's address, whoever's it is: the code there proves the right to it.
pub fn by_page(source: &mut impl Source, id: OrderId) -> Result<Option<Order>, DbError> {
    sql("SELECT id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name, buyer_company,
                buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor, settled_minor,
                returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, paid_at, version
           FROM orders WHERE id = $1")
    .bind(id)
    .optional(source, read)
}

/// By id, holding the row: the first lock of every transaction that changes an order.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: OrderId) -> Result<Option<Order>, DbError> {
    sql("SELECT id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name, buyer_company,
                buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor, settled_minor,
                returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, paid_at, version
           FROM orders WHERE merchant_id = $1 AND id = $2 {FOR UPDATE}")
    .bind(merchant)
    .bind(id)
    .optional(tx, read)
}

/// A customer's orders, newest first. At most 1,000.
pub fn of_customer(
    source: &mut impl Source,
    merchant: MerchantId,
    customer: CustomerId,
) -> Result<Vec<Order>, DbError> {
    sql("SELECT id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name, buyer_company,
                buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor, settled_minor,
                returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, paid_at, version
           FROM orders WHERE merchant_id = $1 AND customer_id = $2 ORDER BY id DESC LIMIT 1000")
    .bind(merchant)
    .bind(customer)
    .all(source, read)
}

/// Orders that a filter lets through, newest first, below an id.
///
/// Ids begin with the time of minting, so times become bounds of the index that lists walk.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    filter: &Filter,
    before: Option<OrderId>,
    most: u32,
) -> Result<Vec<Order>, DbError> {
    let upper = filter.created_before.map_or(OrderId::from_bits(u128::MAX), first_id_after);
    let lower = filter.created_from.map_or(OrderId::from_bits(0), first_id_at);
    let mut text = format!(
        "SELECT {COLUMNS} FROM orders WHERE merchant_id = $1 AND id < $2 AND id >= $3 AND created_at >= $4
            AND created_at < $5"
    );
    // Each filter has an index of its own; `IS NULL OR` would keep the engine from using it.
    let filters = [
        ("status", 6, filter.status.is_some()),
        ("customer_id", 7, filter.customer.is_some()),
        ("buyer_email", 8, filter.email.is_some()),
    ];
    for (column, place, asked) in filters {
        text.push_str(&if asked {
            format!(" AND {column} = ${place}")
        } else {
            format!(" AND CAST(${place} AS TEXT) IS NULL")
        });
    }
    text.push_str(" ORDER BY id DESC LIMIT $9");
    sql(text)
        .bind(merchant)
        .bind(before.map_or(upper, |before| before.min(upper)))
        .bind(lower)
        .bind(filter.created_from.unwrap_or(Timestamp::from_micros(0)))
        .bind(filter.created_before.unwrap_or(Timestamp::from_micros(i64::MAX)))
        .bind(filter.status)
        .bind(filter.customer)
        .bind(filter.email.as_ref())
        .bind(most)
        .all(source, read)
}

/// An order's columns, as [`read`] wants them.
pub const COLUMNS: &str = "id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name,
    buyer_company, buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor, settled_minor,
    returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, paid_at, version";

/// No id that was minted at this time or later is smaller.
fn first_id_at(at: Timestamp) -> OrderId {
    let millis = u128::try_from(at.as_micros().max(0) / 1000).unwrap_or(0);
    OrderId::from_bits(millis.saturating_mul(1 << 80))
}

/// Every id that was minted before this time is smaller.
fn first_id_after(at: Timestamp) -> OrderId {
    first_id_at(at + Span::micros(1000))
}

/// A customer's orders before one of them, newest first.
pub fn of_customer_before(
    source: &mut impl Source,
    merchant: MerchantId,
    customer: CustomerId,
    before: Option<OrderId>,
    most: u32,
) -> Result<Vec<Order>, DbError> {
    sql("SELECT id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name, buyer_company,
                buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor, settled_minor,
                returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, paid_at, version
           FROM orders
          WHERE merchant_id = $1 AND customer_id = $2 AND (CAST($3 AS TEXT) IS NULL OR id < $3)
          ORDER BY id DESC LIMIT $4")
    .bind(merchant)
    .bind(customer)
    .bind(before.map(|id| id.to_string()))
    .bind(most)
    .all(source, read)
}

/// Marks an order as having its invoice.
pub fn set_invoiced(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: OrderId,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE orders SET invoiced_at = $1 WHERE merchant_id = $2 AND id = $3 AND invoiced_at IS NULL")
        .bind(now)
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

/// Writes a line.
pub fn insert_line(tx: &mut Tx<'_>, line: &Line) -> Result<(), DbError> {
    sql("INSERT INTO order_lines (id, merchant_id, order_id, position, kind, product_id, sku, name, quantity,
            unit_minor, net_minor, tax_minor, gross_minor, tax_rate_ppm, jurisdiction, attributes, inputs, link_life,
            download_limit, file_policy, update_days, pending_policy, deliverables)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)")
    .bind(line.id)
    .bind(line.merchant)
    .bind(line.order)
    .bind(line.position)
    .bind(line.kind)
    .bind(line.product)
    .bind(&line.sku)
    .bind(&line.name)
    .bind(line.quantity)
    .bind(line.unit_minor)
    .bind(line.net_minor)
    .bind(line.tax_minor)
    .bind(line.gross_minor)
    .bind(line.tax_rate_ppm)
    .bind(line.jurisdiction.as_deref())
    .bind(&line.attributes)
    .bind(&line.inputs)
    .bind(line.link_life)
    .bind(line.download_limit)
    .bind(line.file_policy)
    .bind(line.update_days)
    .bind(line.pending_policy)
    .bind(&line.deliverables)
    .execute(tx)
    .map(drop)
}

/// Freezes a file into a line.
pub fn insert_line_file(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    line: LineId,
    position: u32,
    file: FileVersionId,
) -> Result<(), DbError> {
    sql("INSERT INTO line_files (line_id, position, merchant_id, file_version_id) VALUES ($1, $2, $3, $4)")
        .bind(line)
        .bind(position)
        .bind(merchant)
        .bind(file)
        .execute(tx)
        .map(drop)
}

/// Whether a line has a file to give.
pub fn has_files(source: &mut impl Source, merchant: MerchantId, line: LineId) -> Result<bool, DbError> {
    let found = sql("SELECT position FROM line_files WHERE line_id = $1 AND merchant_id = $2 LIMIT 1")
        .bind(line)
        .bind(merchant)
        .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// The lines of an order, in their order.
pub fn lines(source: &mut impl Source, merchant: MerchantId, order: OrderId) -> Result<Vec<Line>, DbError> {
    sql("SELECT id, merchant_id, order_id, position, kind, product_id, sku, name, quantity, unit_minor, net_minor,
                tax_minor, gross_minor, tax_rate_ppm, jurisdiction, attributes, inputs, link_life, download_limit,
                file_policy, update_days, pending_policy, deliverables
           FROM order_lines WHERE merchant_id = $1 AND order_id = $2 ORDER BY position")
    .bind(merchant)
    .bind(order)
    .all(source, read_line)
}

/// Reads an order's columns.
pub fn read(row: &mut Row) -> Result<Order, DbError> {
    Ok(Order {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        status: row.get("status")?,
        source: row.get("source")?,
        connection: row.get("connection_id")?,
        customer: row.get("customer_id")?,
        buyer_email: row.get("buyer_email")?,
        buyer_name: row.get("buyer_name")?,
        buyer_company: row.get("buyer_company")?,
        buyer_country: row.get("buyer_country")?,
        buyer_vat_id: row.get("buyer_vat_id")?,
        locale: row.get("locale")?,
        currency: row.get("currency")?,
        net_minor: row.get("net_minor")?,
        tax_minor: row.get("tax_minor")?,
        due_minor: row.get("due_minor")?,
        settled_minor: row.get("settled_minor")?,
        returned_minor: row.get("returned_minor")?,
        nonce: row.get("nonce")?,
        ring_key: row.get("ring_key")?,
        generation: row.get("generation")?,
        consent_text: row.get("consent_text")?,
        consent_at: row.get("consent_at")?,
        created_at: row.get("created_at")?,
        paid_at: row.get("paid_at")?,
        version: row.get("version")?,
    })
}

fn read_line(row: &mut Row) -> Result<Line, DbError> {
    Ok(Line {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        order: row.get("order_id")?,
        position: row.get("position")?,
        kind: row.get("kind")?,
        product: row.get("product_id")?,
        sku: row.get("sku")?,
        name: row.get("name")?,
        quantity: row.get("quantity")?,
        unit_minor: row.get("unit_minor")?,
        net_minor: row.get("net_minor")?,
        tax_minor: row.get("tax_minor")?,
        gross_minor: row.get("gross_minor")?,
        tax_rate_ppm: row.get("tax_rate_ppm")?,
        jurisdiction: row.get("jurisdiction")?,
        attributes: row.get("attributes")?,
        inputs: row.get("inputs")?,
        link_life: row.get("link_life")?,
        download_limit: row.get("download_limit")?,
        file_policy: row.get("file_policy")?,
        update_days: row.get("update_days")?,
        pending_policy: row.get("pending_policy")?,
        deliverables: row.get("deliverables")?,
    })
}

/// The newest order.
pub fn newest(source: &mut impl Source, merchant: MerchantId) -> Result<OrderId, DbError> {
    sql("SELECT id FROM orders WHERE merchant_id = $1 ORDER BY id DESC LIMIT 1")
        .bind(merchant)
        .one(source, |row| row.get("id"))
}

/// The newest orders.
pub fn newest_first(
    source: &mut impl Source,
    merchant: MerchantId,
    most: u32,
) -> Result<Vec<Order>, DbError> {
    sql("SELECT id, merchant_id, status, source, connection_id, customer_id, buyer_email, buyer_name, buyer_company,
                buyer_country, buyer_vat_id, locale, currency, net_minor, tax_minor, due_minor, settled_minor,
                returned_minor, nonce, ring_key, generation, consent_text, consent_at, created_at, paid_at, version
           FROM orders WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2")
    .bind(merchant)
    .bind(most)
    .all(source, read)
}
