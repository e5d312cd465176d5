//! SQL of the accounts as a person looks through them, and of what staff change.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{Currency, CustomerId, EmailAddress, MerchantId, Timestamp};

use super::Customer;
use super::store::read;
use crate::paging::{self, Ask, By, KeyKind, ListQuery, Slice, WINDOW};

/// What the list is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// Made from this moment on.
    pub from: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
}

const LISTED: &str = "SELECT id, merchant_id, email, name, company, address, country, vat_id, locale, created_at FROM customers";

/// By mail address.
pub const BY_EMAIL: By = By { name: "email", column: "email", kind: KeyKind::Text };
/// By name, whatever its case.
pub const BY_NAME: By = By { name: "name", column: "lower(name)", kind: KeyKind::Text };

/// A page of a merchant's accounts.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    filter: &Filter,
    ask: &Ask,
) -> Result<Slice<Customer>, DbError> {
    let by_age = ask.by.kind == KeyKind::Id;
    let mut query = ListQuery::new(LISTED, merchant);
    if let Some(from) = filter.from {
        query = query.either(by_age, "id >= $", CustomerId::from_bits(paging::bits_at(from)));
    }
    if let Some(until) = filter.until {
        query = query.either(by_age, "id < $", CustomerId::from_bits(paging::bits_at(until)));
    }
    if let Some(country) = &filter.country {
        query = query.among("country = $", country.clone());
    }
    query.page(source, ask, read)
}

/// Most accounts that a search finds: beyond, more letters or a filter help.
pub const FOUND_MAX: u32 = 300;

/// Accounts whose address, name or company begins with these letters, and those of the newest
/// that have them anywhere. `lower` folds ASCII alike on both engines.
pub fn search(source: &mut impl Source, merchant: MerchantId, words: &str) -> Result<Vec<Customer>, DbError> {
    let words = words.to_ascii_lowercase();
    let end = paging::prefix_end(&words);
    let ranges = [
        "email >= $2 AND email < $3 ORDER BY email",
        "lower(name) >= $2 AND lower(name) < $3 ORDER BY lower(name), id",
        "company <> '' AND lower(company) >= $2 AND lower(company) < $3 ORDER BY lower(company), id",
    ];
    let mut found = Vec::new();
    for range in ranges {
        let begins = sql(format!("{LISTED} WHERE merchant_id = $1 AND {range} LIMIT $4"))
            .bind(merchant)
            .bind(&words)
            .bind(&end)
            .bind(FOUND_MAX)
            .all(source, read)?;
        found.extend(begins);
    }
    let newest = sql(format!(
        "SELECT * FROM ({LISTED} WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2) AS near
          WHERE lower(name) LIKE $3 ESCAPE '\\' OR lower(company) LIKE $3 ESCAPE '\\'
             OR email LIKE $3 ESCAPE '\\' ORDER BY id DESC LIMIT $4"
    ))
    .bind(merchant)
    .bind(WINDOW)
    .bind(paging::anywhere(&words))
    .bind(FOUND_MAX)
    .all(source, read)?;
    found.extend(newest);
    Ok(found)
}

/// What an account's orders brought in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brought {
    /// Of the amount.
    pub currency: Currency,
    /// How many were paid.
    pub orders: u64,
    /// What arrived, less what went back.
    pub minor: i64,
}

/// An account's orders are added up no further back: a list of accounts must not wait for one
/// account that buys all day.
const ORDERS_ADDED_MAX: u32 = 1_000;

/// What an account's newest orders brought, per currency, the most orders first.
pub fn brought(
    source: &mut impl Source,
    merchant: MerchantId,
    customer: CustomerId,
) -> Result<Vec<Brought>, DbError> {
    let mut brought = sql("SELECT currency, count(*) AS orders,
                CAST(COALESCE(sum(settled_minor - returned_minor), 0) AS BIGINT) AS minor FROM
            (SELECT currency, settled_minor, returned_minor, merchant_id, paid_at FROM orders
              WHERE customer_id = $1 ORDER BY id DESC LIMIT $2) AS near
          WHERE merchant_id = $3 AND paid_at IS NOT NULL GROUP BY currency")
    .bind(customer)
    .bind(ORDERS_ADDED_MAX)
    .bind(merchant)
    .all(source, read_brought)?;
    brought.sort_by_key(|sum| (std::cmp::Reverse(sum.orders), sum.currency.to_string()));
    Ok(brought)
}

fn read_brought(row: &mut Row) -> Result<Brought, DbError> {
    Ok(Brought { currency: row.get("currency")?, orders: row.get("orders")?, minor: row.get("minor")? })
}

/// An account, held until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: CustomerId) -> Result<Option<Customer>, DbError> {
    sql(format!("{LISTED} WHERE merchant_id = $1 AND id = $2 {{FOR UPDATE}}"))
        .bind(merchant)
        .bind(id)
        .optional(tx, read)
}

/// Writes back what staff may change of an account.
pub fn save(tx: &mut Tx<'_>, customer: &Customer) -> Result<(), DbError> {
    sql("UPDATE customers SET email = $1, name = $2, company = $3 WHERE merchant_id = $4 AND id = $5")
        .bind(&customer.email)
        .bind(&customer.name)
        .bind(&customer.company)
        .bind(customer.merchant)
        .bind(customer.id)
        .change_one(tx)
}

/// Whether another account has an address.
pub fn is_taken(
    source: &mut impl Source,
    customer: &Customer,
    email: &EmailAddress,
) -> Result<bool, DbError> {
    let known = super::store::by_email(source, customer.merchant, email)?;
    Ok(known.is_some_and(|known| known.id != customer.id))
}
