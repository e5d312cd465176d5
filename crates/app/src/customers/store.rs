//! SQL of the customers.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{CustomerId, EmailAddress, MerchantId};

use super::Customer;

/// Writes a customer unless the address is known. Answers the id that the address has.
pub fn insert_or_find(tx: &mut Tx<'_>, customer: &Customer) -> Result<CustomerId, DbError> {
    // The update changes nothing; it makes RETURNING answer for a row that was there already.
    sql("INSERT INTO customers (id, merchant_id, email, name, company, address, country, vat_id, locale, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (merchant_id, email) DO UPDATE SET email = excluded.email
         RETURNING id")
    .bind(customer.id)
    .bind(customer.merchant)
    .bind(&customer.email)
    .bind(&customer.name)
    .bind(&customer.company)
    .bind(&customer.address)
    .bind(customer.country.as_deref())
    .bind(customer.vat_id.as_deref())
    .bind(&customer.locale)
    .bind(customer.created_at)
    .one(tx, |row| row.get("id"))
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: CustomerId,
) -> Result<Option<Customer>, DbError> {
    sql("SELECT id, merchant_id, email, name, company, address, country, vat_id, locale, created_at
           FROM customers WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, read)
}

/// By mail address.
pub fn by_email(
    source: &mut impl Source,
    merchant: MerchantId,
    email: &EmailAddress,
) -> Result<Option<Customer>, DbError> {
    sql("SELECT id, merchant_id, email, name, company, address, country, vat_id, locale, created_at
           FROM customers WHERE merchant_id = $1 AND email = $2")
    .bind(merchant)
    .bind(email)
    .optional(source, read)
}

/// Writes back what customers may change of themselves.
pub fn save_profile(tx: &mut Tx<'_>, customer: &Customer) -> Result<(), DbError> {
    sql("UPDATE customers SET name = $1, address = $2, country = $3, vat_id = $4
          WHERE merchant_id = $5 AND id = $6")
    .bind(&customer.name)
    .bind(&customer.address)
    .bind(customer.country.as_deref())
    .bind(customer.vat_id.as_deref())
    .bind(customer.merchant)
    .bind(customer.id)
    .change_one(tx)
}

/// Accounts, newest first, below an id.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    before: Option<CustomerId>,
    most: u32,
) -> Result<Vec<Customer>, DbError> {
    sql("SELECT id, merchant_id, email, name, company, address, country, vat_id, locale, created_at
           FROM customers WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
    .bind(merchant)
    .bind(before.unwrap_or(CustomerId::from_bits(u128::MAX)))
    .bind(most)
    .all(source, read)
}

/// Reads a customer's columns.
pub fn read(row: &mut Row) -> Result<Customer, DbError> {
    Ok(Customer {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        company: row.get("company")?,
        address: row.get("address")?,
        country: row.get("country")?,
        vat_id: row.get("vat_id")?,
        locale: row.get("locale")?,
        created_at: row.get("created_at")?,
    })
}

/// The newest accounts.
pub fn newest(source: &mut impl Source, merchant: MerchantId, most: u32) -> Result<Vec<Customer>, DbError> {
    sql("SELECT id, merchant_id, email, name, company, address, country, vat_id, locale, created_at
           FROM customers WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2")
    .bind(merchant)
    .bind(most)
    .all(source, read)
}
