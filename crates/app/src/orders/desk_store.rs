//! SQL of the back office's lists of orders.

use db::{DbError, Row, Source, sql};
use kernel::{ConnectionId, Currency, MerchantId, OrderId, Timestamp};

use super::{OrderSource, OrderStatus};
use crate::paging::{self, Ask, By, KeyKind, ListQuery, Slice, WINDOW};

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

/// Which of these orders a person has to look at.
pub fn under_review(
    source: &mut impl Source,
    merchant: MerchantId,
    orders: &[OrderId],
) -> Result<Vec<OrderId>, DbError> {
    paging::by_ids(orders, |some| {
        let text = format!(
            "SELECT DISTINCT order_id FROM reviews
              WHERE merchant_id = $1 AND resolved_at IS NULL AND order_id IN ({})",
            some.placeholders(2)
        );
        some.bind(sql(text).bind(merchant)).all(source, |row| row.get("order_id"))
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
