//! SQL of parts, and of what they gave a unit.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{FileVersionId, LineId, MerchantId, OrderId, Timestamp};

use super::{Part, PartKey, PartState, UnitPart};
use crate::fulfillment::Grant;
use crate::orders::Line;

const COLUMNS: &str =
    "SELECT line_id, unit_no, part, subject, merchant_id, order_id, state, detail, created_at
    FROM unit_parts";

/// Writes a part unless there is one.
pub fn insert(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    order: OrderId,
    key: &PartKey,
    now: Timestamp,
) -> Result<Inserted, DbError> {
    sql("INSERT INTO unit_parts (line_id, unit_no, part, subject, merchant_id, order_id, state, detail, created_at,
            changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', '', $7, $7) ON CONFLICT DO NOTHING")
    .bind(key.line)
    .bind(key.unit_no)
    .bind(key.part)
    .bind(&key.subject)
    .bind(merchant)
    .bind(order)
    .bind(now)
    .insert_new(tx)
}

/// A part.
pub fn find(
    source: &mut impl Source,
    merchant: MerchantId,
    key: &PartKey,
) -> Result<Option<UnitPart>, DbError> {
    sql(format!(
        "{COLUMNS} WHERE merchant_id = $1 AND line_id = $2 AND unit_no = $3 AND part = $4 AND subject = $5"
    ))
    .bind(merchant)
    .bind(key.line)
    .bind(key.unit_no)
    .bind(key.part)
    .bind(&key.subject)
    .optional(source, read)
}

/// The parts of an order's units.
pub fn of_order(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<UnitPart>, DbError> {
    sql(format!(
        "{COLUMNS} WHERE merchant_id = $1 AND order_id = $2 ORDER BY line_id, unit_no, part, subject"
    ))
    .bind(merchant)
    .bind(order)
    .all(source, read)
}

/// The parts of one unit.
pub fn of_unit(
    source: &mut impl Source,
    merchant: MerchantId,
    line: LineId,
    unit_no: u32,
) -> Result<Vec<UnitPart>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND line_id = $2 AND unit_no = $3 ORDER BY part, subject"))
        .bind(merchant)
        .bind(line)
        .bind(unit_no)
        .all(source, read)
}

/// The parts of a grant's unit; a line that delivers nothing but files has none, and is not asked.
pub fn of_grant(source: &mut impl Source, grant: &Grant, line: &Line) -> Result<Vec<UnitPart>, DbError> {
    if line.deliverables.is_empty() {
        return Ok(Vec::new());
    }
    of_unit(source, grant.merchant, grant.line, grant.unit_no)
}

/// Parts of one kind that wait, those of the oldest units first.
pub fn waiting(
    source: &mut impl Source,
    merchant: MerchantId,
    part: Part,
    most: u32,
) -> Result<Vec<UnitPart>, DbError> {
    sql(format!(
        "{COLUMNS} WHERE merchant_id = $1 AND part = $2 AND state = 'waiting'
          ORDER BY created_at, line_id, unit_no, subject LIMIT $3"
    ))
    .bind(merchant)
    .bind(part)
    .bind(most)
    .all(source, read)
}

/// Records how far a part is, unless it is there already.
pub fn save(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    key: &PartKey,
    (state, detail): (PartState, &str),
    now: Timestamp,
) -> Result<bool, DbError> {
    let changed = sql("UPDATE unit_parts SET state = $1, detail = $2, changed_at = $3
          WHERE merchant_id = $4 AND line_id = $5 AND unit_no = $6 AND part = $7 AND subject = $8 AND state <> 'done'")
    .bind(state)
    .bind(detail)
    .bind(now)
    .bind(merchant)
    .bind(key.line)
    .bind(key.unit_no)
    .bind(key.part)
    .bind(&key.subject)
    .execute(tx)?;
    Ok(changed == 1)
}

/// Writes a content that no product has.
pub fn insert_version(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: FileVersionId,
    name: &str,
    sha256: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO file_versions (id, merchant_id, product_file_id, name, sha256, created_at)
         VALUES ($1, $2, NULL, $3, $4, $5)")
    .bind(id)
    .bind(merchant)
    .bind(name)
    .bind(sha256)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// Gives a unit a content, after those that it has.
pub fn insert_file(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    key: &PartKey,
    version: FileVersionId,
    replaces: Option<FileVersionId>,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO unit_files (line_id, unit_no, position, merchant_id, part, file_version_id, replaces_id, created_at)
         VALUES ($1, $2, (SELECT COALESCE(max(position), 0) + 1 FROM unit_files WHERE line_id = $1 AND unit_no = $2),
                 $3, $4, $5, $6, $7)")
    .bind(key.line)
    .bind(key.unit_no)
    .bind(merchant)
    .bind(key.part)
    .bind(version)
    .bind(replaces)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The position of the last text that a kind of part told of a unit; 0 before the first.
pub fn last_text(source: &mut impl Source, merchant: MerchantId, key: &PartKey) -> Result<u32, DbError> {
    sql("SELECT COALESCE(max(position), 0) AS last FROM unit_texts
          WHERE merchant_id = $1 AND line_id = $2 AND unit_no = $3 AND part = $4")
    .bind(merchant)
    .bind(key.line)
    .bind(key.unit_no)
    .bind(key.part)
    .one(source, |row| row.get("last"))
}

/// Tells a unit's buyer something.
pub fn insert_text(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    key: &PartKey,
    (position, label): (u32, &str),
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO unit_texts (line_id, unit_no, part, position, merchant_id, label, text_sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(key.line)
    .bind(key.unit_no)
    .bind(key.part)
    .bind(position)
    .bind(merchant)
    .bind(label)
    .bind(sealed)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// A text of a unit, as it lies in the database.
#[derive(Debug, Clone)]
pub struct SealedText {
    /// Of which line.
    pub line: LineId,
    /// Of which unit.
    pub unit_no: u32,
    /// Which part told it.
    pub part: Part,
    /// From 1, within the part.
    pub position: u32,
    /// What it is.
    pub label: String,
    /// Sealed for exactly this place.
    pub sealed: Vec<u8>,
}

/// The texts of a grant's unit.
pub fn texts(source: &mut impl Source, grant: &Grant) -> Result<Vec<SealedText>, DbError> {
    sql("SELECT line_id, unit_no, part, position, label, text_sealed FROM unit_texts
          WHERE merchant_id = $1 AND line_id = $2 AND unit_no = $3 ORDER BY part, position")
    .bind(grant.merchant)
    .bind(grant.line)
    .bind(grant.unit_no)
    .all(source, |row| {
        Ok(SealedText {
            line: row.get("line_id")?,
            unit_no: row.get("unit_no")?,
            part: row.get("part")?,
            position: row.get("position")?,
            label: row.get("label")?,
            sealed: row.get("text_sealed")?,
        })
    })
}

fn read(row: &mut Row) -> Result<UnitPart, DbError> {
    Ok(UnitPart {
        key: PartKey {
            line: row.get("line_id")?,
            unit_no: row.get("unit_no")?,
            part: row.get("part")?,
            subject: row.get("subject")?,
        },
        merchant: row.get("merchant_id")?,
        order: row.get("order_id")?,
        state: row.get("state")?,
        detail: row.get("detail")?,
        created_at: row.get("created_at")?,
    })
}
