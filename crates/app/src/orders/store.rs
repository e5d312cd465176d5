//! SQL of orders and their lines.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{ConnectionId, Currency, CustomerId, FileVersionId, LineId, MerchantId, OrderId, Timestamp};

use super::{Line, Order, OrderSource, OrderStatus};
use crate::paging::{self, Ask, By, KeyKind, ListQuery, Slice, WINDOW};

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
                buyer_country = $6, settled_minor = $7, returned_minor = $8, generation = $9, paid_at = $10,
                version = version + 1
          WHERE merchant_id = $11 AND id = $12 AND version = $13")
    .bind(order.status)
    .bind(order.connection)
    .bind(order.customer)
    .bind(order.buyer_email.as_ref())
    .bind(&order.buyer_name)
    .bind(order.buyer_country.as_deref())
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
            download_limit, file_policy, pending_policy)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)")
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
    .bind(line.pending_policy)
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

/// The lines of an order, in their order.
pub fn lines(source: &mut impl Source, merchant: MerchantId, order: OrderId) -> Result<Vec<Line>, DbError> {
    sql("SELECT id, merchant_id, order_id, position, kind, product_id, sku, name, quantity, unit_minor, net_minor,
                tax_minor, gross_minor, tax_rate_ppm, jurisdiction, attributes, inputs, link_life, download_limit,
                file_policy, pending_policy
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
        pending_policy: row.get("pending_policy")?,
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

/// An order as lists show it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its id.
    pub id: OrderId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// Where it came from.
    pub source: OrderSource,
    /// Through which account it is paid.
    pub connection: Option<ConnectionId>,
    /// The buyer's address, once known.
    pub email: Option<String>,
    /// The buyer's name; may be empty.
    pub name: String,
    /// Of its amounts.
    pub currency: Currency,
    /// What is due.
    pub due_minor: i64,
    /// What went back.
    pub returned_minor: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When what was due had arrived.
    pub paid_at: Option<Timestamp>,
}

/// What a list of orders is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this status.
    pub status: Option<OrderStatus>,
    /// Only from there.
    pub source: Option<OrderSource>,
    /// Only through this account.
    pub connection: Option<ConnectionId>,
    /// Made from this moment on.
    pub from: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
}

const LISTED: &str = "SELECT id, status, source, connection_id, buyer_email, buyer_name, currency, due_minor,
    returned_minor, created_at, paid_at FROM orders";

/// By the amount that is due.
pub const BY_DUE: By = By { name: "total", column: "due_minor", kind: KeyKind::Int };

/// A page of a merchant's orders.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    filter: &Filter,
    ask: &Ask,
) -> Result<Slice<Listed>, DbError> {
    let by_age = ask.by.kind == KeyKind::Id;
    let mut query = ListQuery::new(LISTED, merchant);
    // An id begins with the time it was made at, so a stretch of time is a range of ids.
    let from = filter.from.map(|at| OrderId::from_bits(paging::bits_at(at)));
    let until = filter.until.map(|at| OrderId::from_bits(paging::bits_at(at)));
    if let Some(status) = filter.status {
        query = query.either(by_age, "status = $", status);
    }
    if let Some(from) = from {
        query = query.either(by_age, "id >= $", from);
    }
    if let Some(until) = until {
        query = query.either(by_age, "id < $", until);
    }
    if let Some(place) = filter.source {
        query = query.among("source = $", place);
    }
    if let Some(connection) = filter.connection {
        query = query.among("connection_id = $", connection);
    }
    query.page(source, ask, read_listed)
}

/// Orders by id, in no order. Ids that are not there are left out.
pub fn by_ids(
    source: &mut impl Source,
    merchant: MerchantId,
    ids: &[OrderId],
) -> Result<Vec<Listed>, DbError> {
    paging::by_ids(ids, |some| {
        let text = format!("{LISTED} WHERE merchant_id = $1 AND id IN ({})", some.placeholders(2));
        some.bind(sql(text).bind(merchant)).all(source, read_listed)
    })
}

/// The name of the first line of each order, and how many lines it has.
pub fn first_lines(
    source: &mut impl Source,
    merchant: MerchantId,
    ids: &[OrderId],
) -> Result<Vec<(OrderId, String, u32)>, DbError> {
    paging::by_ids(ids, |some| {
        let text = format!(
            "SELECT l.order_id AS order_id, l.name AS name,
                    (SELECT count(*) FROM order_lines c WHERE c.order_id = l.order_id) AS lines
               FROM order_lines l WHERE l.merchant_id = $1 AND l.position = 1 AND l.order_id IN ({})",
            some.placeholders(2)
        );
        some.bind(sql(text).bind(merchant))
            .all(source, |row| Ok((row.get("order_id")?, row.get("name")?, row.get("lines")?)))
    })
}

/// Most orders that a search finds: beyond, more letters or a filter help.
pub const FOUND_MAX: u32 = 300;

/// Orders whose buyer's address or name begins with these letters, and those of the newest that
/// have them anywhere. `lower` folds ASCII alike on both engines.
pub fn search_buyer(
    source: &mut impl Source,
    merchant: MerchantId,
    words: &str,
) -> Result<Vec<OrderId>, DbError> {
    let words = words.to_ascii_lowercase();
    let end = paging::prefix_end(&words);
    let mut found: Vec<OrderId> = sql("SELECT id FROM orders
          WHERE merchant_id = $1 AND buyer_email >= $2 AND buyer_email < $3 ORDER BY buyer_email, id DESC LIMIT $4")
    .bind(merchant)
    .bind(&words)
    .bind(&end)
    .bind(FOUND_MAX)
    .all(source, |row| row.get("id"))?;
    let named: Vec<OrderId> = sql("SELECT id FROM orders
          WHERE merchant_id = $1 AND buyer_name <> '' AND lower(buyer_name) >= $2 AND lower(buyer_name) < $3
          ORDER BY lower(buyer_name), id LIMIT $4")
    .bind(merchant)
    .bind(&words)
    .bind(&end)
    .bind(FOUND_MAX)
    .all(source, |row| row.get("id"))?;
    found.extend(named);
    let newest: Vec<OrderId> = sql("SELECT id FROM
            (SELECT id, buyer_email, buyer_name FROM orders WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2) AS near
          WHERE lower(buyer_name) LIKE $3 ESCAPE '\\' OR buyer_email LIKE $3 ESCAPE '\\' ORDER BY id DESC LIMIT $4")
    .bind(merchant)
    .bind(WINDOW)
    .bind(paging::anywhere(&words))
    .bind(FOUND_MAX)
    .all(source, |row| row.get("id"))?;
    found.extend(newest);
    Ok(found)
}

fn read_listed(row: &mut Row) -> Result<Listed, DbError> {
    Ok(Listed {
        id: row.get("id")?,
        status: row.get("status")?,
        source: row.get("source")?,
        connection: row.get("connection_id")?,
        email: row.get("buyer_email")?,
        name: row.get("buyer_name")?,
        currency: row.get("currency")?,
        due_minor: row.get("due_minor")?,
        returned_minor: row.get("returned_minor")?,
        created_at: row.get("created_at")?,
        paid_at: row.get("paid_at")?,
    })
}
