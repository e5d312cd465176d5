//! SQL of lists and their entries.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{AccessEntryId, LineId, MerchantId, ProductId, Timestamp};

use crate::parts::store::read as read_part;
use crate::parts::{Part, UnitPart};

/// Says below how many free entries somebody is told, and makes the list where there is none.
pub fn set_list(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    low_water: u32,
) -> Result<(), DbError> {
    sql("INSERT INTO access_lists (product_id, merchant_id, low_water) VALUES ($1, $2, $3)
         ON CONFLICT (product_id) DO UPDATE SET low_water = excluded.low_water")
    .bind(product)
    .bind(merchant)
    .bind(low_water)
    .execute(tx)
    .map(drop)
}

/// Below how many free entries somebody is told.
pub fn low_water(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Option<u32>, DbError> {
    sql("SELECT low_water FROM access_lists WHERE merchant_id = $1 AND product_id = $2")
        .bind(merchant)
        .bind(product)
        .optional(source, |row| row.get("low_water"))
}

/// Holds a list: entries are taken and added under this lock alone. `false`: there is none.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, product: ProductId) -> Result<bool, DbError> {
    let found: Option<u32> =
        sql("SELECT low_water FROM access_lists WHERE merchant_id = $1 AND product_id = $2 {FOR UPDATE}")
            .bind(merchant)
            .bind(product)
            .optional(tx, |row| row.get("low_water"))?;
    Ok(found.is_some())
}

/// An entry to be written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Its id.
    pub id: AccessEntryId,
    /// Sealed for it.
    pub sealed: Vec<u8>,
    /// What tells it from others without telling it.
    pub code: [u8; 16],
}

/// Writes an entry unless the list has it, or had it.
pub fn insert(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    entry: &NewEntry,
    now: Timestamp,
) -> Result<Inserted, DbError> {
    sql("INSERT INTO access_entries (id, merchant_id, product_id, text_sealed, text_code, imported_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
    .bind(entry.id)
    .bind(merchant)
    .bind(product)
    .bind(&entry.sealed)
    .bind(entry.code)
    .bind(now)
    .insert_new(tx)
}

/// An entry's text, as it lies in the database.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// Which.
    pub id: AccessEntryId,
    /// Its text.
    pub text: Vec<u8>,
}

fn read_sealed(row: &mut Row) -> Result<Sealed, DbError> {
    Ok(Sealed { id: row.get("id")?, text: row.get("text_sealed")? })
}

/// Gives the oldest free entry to a unit; `None` when none is left. The caller holds the list's lock.
pub fn take(
    tx: &mut Tx<'_>,
    (merchant, product): (MerchantId, ProductId),
    line: LineId,
    unit_no: u32,
    now: Timestamp,
) -> Result<Option<Sealed>, DbError> {
    sql("UPDATE access_entries SET line_id = $1, unit_no = $2, taken_at = $3
          WHERE id = (SELECT min(e.id) FROM access_entries e WHERE e.merchant_id = $4 AND e.product_id = $5
                         AND e.taken_at IS NULL AND e.removed_at IS NULL)
            AND taken_at IS NULL AND removed_at IS NULL
      RETURNING id, text_sealed")
    .bind(line)
    .bind(unit_no)
    .bind(now)
    .bind(merchant)
    .bind(product)
    .optional(tx, read_sealed)
}

/// Units of a product that wait for an entry and may have one, those that were paid first at the top.
pub fn waiting(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
    most: u32,
) -> Result<Vec<UnitPart>, DbError> {
    sql("SELECT p.line_id AS line_id, p.unit_no AS unit_no, p.part AS part, p.subject AS subject,
                p.merchant_id AS merchant_id, p.order_id AS order_id, p.state AS state, p.detail AS detail,
                p.created_at AS created_at
           FROM unit_parts p
           JOIN order_lines l ON l.id = p.line_id
           JOIN grants g ON g.line_id = p.line_id AND g.unit_no = p.unit_no
          WHERE p.merchant_id = $1 AND p.part = $2 AND p.state = 'waiting' AND l.product_id = $3
            AND g.status = 'active'
          ORDER BY p.created_at, p.line_id, p.unit_no LIMIT $4")
    .bind(merchant)
    .bind(Part::Access)
    .bind(product)
    .bind(most)
    .all(source, read_part)
}

/// How many entries are free, counted no further than `most`.
pub fn free(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
    most: u32,
) -> Result<u32, DbError> {
    sql("SELECT count(*) AS free FROM (SELECT id FROM access_entries
          WHERE merchant_id = $1 AND product_id = $2 AND taken_at IS NULL AND removed_at IS NULL LIMIT $3) AS near")
    .bind(merchant)
    .bind(product)
    .bind(most)
    .one(source, |row| row.get("free"))
}
