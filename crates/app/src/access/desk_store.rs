//! SQL of lists as staff see them, and of those that run low.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{AccessEntryId, MerchantId, OrderId, ProductId, Timestamp};

/// An entry without its text.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: AccessEntryId,
    /// The order that has it.
    pub order: Option<OrderId>,
    /// Whether what it was given for was taken back.
    pub burned: bool,
    /// Since when it is in the list.
    pub imported_at: Timestamp,
    /// When it was given away.
    pub taken_at: Option<Timestamp>,
    /// When it was taken out of the list.
    pub removed_at: Option<Timestamp>,
}

const ENTRY: &str =
    "SELECT e.id AS id, u.order_id AS order_id, g.status AS grant_status, e.imported_at AS imported_at,
        e.taken_at AS taken_at, e.removed_at AS removed_at
   FROM access_entries e
   LEFT JOIN units u ON u.line_id = e.line_id AND u.unit_no = e.unit_no
   LEFT JOIN grants g ON g.line_id = e.line_id AND g.unit_no = e.unit_no";

fn read(row: &mut Row) -> Result<Entry, DbError> {
    let status: Option<String> = row.get("grant_status")?;
    Ok(Entry {
        id: row.get("id")?,
        order: row.get("order_id")?,
        burned: status.is_some_and(|status| status == "revoked"),
        imported_at: row.get("imported_at")?,
        taken_at: row.get("taken_at")?,
        removed_at: row.get("removed_at")?,
    })
}

/// The entries of a product's list below an id, the newest first.
pub fn page(
    source: &mut impl Source,
    (merchant, product): (MerchantId, ProductId),
    before: Option<AccessEntryId>,
    most: u32,
) -> Result<Vec<Entry>, DbError> {
    sql(format!(
        "{ENTRY} WHERE e.merchant_id = $1 AND e.product_id = $2 AND e.id < $3 ORDER BY e.id DESC LIMIT $4"
    ))
    .bind(merchant)
    .bind(product)
    .bind(before.unwrap_or(AccessEntryId::from_bits(u128::MAX)))
    .bind(most)
    .all(source, read)
}

/// One entry of a product's list.
pub fn find(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
    id: AccessEntryId,
) -> Result<Option<Entry>, DbError> {
    sql(format!("{ENTRY} WHERE e.merchant_id = $1 AND e.product_id = $2 AND e.id = $3"))
        .bind(merchant)
        .bind(product)
        .bind(id)
        .optional(source, read)
}

/// An entry's text as it lies in the database.
pub fn sealed(source: &mut impl Source, merchant: MerchantId, id: AccessEntryId) -> Result<Vec<u8>, DbError> {
    sql("SELECT text_sealed FROM access_entries WHERE merchant_id = $1 AND id = $2")
        .bind(merchant)
        .bind(id)
        .one(source, |row| row.get("text_sealed"))
}

/// Takes an entry out of its list if it is free.
pub fn remove(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: AccessEntryId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let changed = sql("UPDATE access_entries SET removed_at = $1
          WHERE merchant_id = $2 AND id = $3 AND taken_at IS NULL AND removed_at IS NULL")
    .bind(now)
    .bind(merchant)
    .bind(id)
    .execute(tx)?;
    Ok(changed == 1)
}

/// How many entries of a list were given away.
pub fn taken(source: &mut impl Source, merchant: MerchantId, product: ProductId) -> Result<u64, DbError> {
    sql("SELECT count(*) AS taken FROM access_entries
          WHERE merchant_id = $1 AND product_id = $2 AND taken_at IS NOT NULL")
    .bind(merchant)
    .bind(product)
    .one(source, |row| row.get("taken"))
}

/// A list with few free entries.
#[derive(Debug, Clone)]
pub struct Low {
    /// Of which product.
    pub product: ProductId,
    /// Its name.
    pub name: String,
    /// How many are free.
    pub free: u32,
    /// How many units wait, counted no further than is shown.
    pub waiting: u32,
}

/// Lists of products on sale that have no more free entries than somebody wants to be told of.
pub fn low(source: &mut impl Source, merchant: MerchantId, most: u32) -> Result<Vec<Low>, DbError> {
    let known =
        sql("SELECT p.id AS id, p.name AS name, l.low_water AS low_water, p.deliverables AS deliverables,
            (SELECT count(*) FROM (SELECT e.id FROM access_entries e WHERE e.product_id = l.product_id
                AND e.taken_at IS NULL AND e.removed_at IS NULL LIMIT 1000) AS near) AS free,
            (SELECT count(*) FROM unit_parts w JOIN order_lines o ON o.id = w.line_id
              WHERE w.merchant_id = l.merchant_id AND w.part = 'access' AND w.state = 'waiting'
                AND o.product_id = l.product_id) AS waiting
       FROM access_lists l JOIN products p ON p.id = l.product_id
      WHERE l.merchant_id = $1 AND p.status <> 'draft' ORDER BY p.id LIMIT $2")
        .bind(merchant)
        .bind(most)
        .all(source, |row| {
            let deliverables: crate::deliverables::Deliverables = row.get("deliverables")?;
            let used = deliverables.access.is_some_and(|terms| terms.source == super::Source::List);
            let low_water: u32 = row.get("low_water")?;
            let low = Low {
                product: row.get("id")?,
                name: row.get("name")?,
                free: row.get("free")?,
                waiting: row.get("waiting")?,
            };
            // A list that is used no more may still have those who wait for it.
            Ok(((used && low.free <= low_water) || low.waiting > 0).then_some(low))
        })?;
    Ok(known.into_iter().flatten().collect())
}
