//! SQL of the secrets of units' archives.

use db::{DbError, Source, Tx, sql};
use kernel::{LineId, MerchantId, Timestamp};

use crate::deliverables::Deliverables;
use crate::fulfillment::Grant;

/// The secrets of a unit's archive, sealed.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// What salts are derived from.
    pub seed: Vec<u8>,
    /// The password; `None` until the buyer has chosen it.
    pub password: Option<Vec<u8>>,
}

/// Writes the secrets of a unit's archive.
pub fn insert(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    (line, unit_no): (LineId, u32),
    sealed: &Sealed,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO unit_archives (line_id, unit_no, merchant_id, seed_sealed, password_sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(line)
    .bind(unit_no)
    .bind(merchant)
    .bind(&sealed.seed)
    .bind(sealed.password.as_deref())
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The secrets of a grant's archive, if it has any.
pub fn of_grant(source: &mut impl Source, grant: &Grant) -> Result<Option<Sealed>, DbError> {
    sql("SELECT seed_sealed, password_sealed FROM unit_archives
          WHERE merchant_id = $1 AND line_id = $2 AND unit_no = $3")
    .bind(grant.merchant)
    .bind(grant.line)
    .bind(grant.unit_no)
    .optional(source, |row| {
        Ok(Sealed { seed: row.get("seed_sealed")?, password: row.get("password_sealed")? })
    })
}

/// Keeps the password that the buyer chose, unless there is one. Answers whether it was kept.
pub fn choose(tx: &mut Tx<'_>, grant: &Grant, sealed: &[u8]) -> Result<bool, DbError> {
    let changed = sql("UPDATE unit_archives SET password_sealed = $1
          WHERE merchant_id = $2 AND line_id = $3 AND unit_no = $4 AND password_sealed IS NULL")
    .bind(sealed)
    .bind(grant.merchant)
    .bind(grant.line)
    .bind(grant.unit_no)
    .execute(tx)?;
    Ok(changed == 1)
}

/// What a grant's line was sold with.
pub fn sold_with(source: &mut impl Source, grant: &Grant) -> Result<Deliverables, DbError> {
    sql("SELECT deliverables FROM order_lines WHERE merchant_id = $1 AND id = $2")
        .bind(grant.merchant)
        .bind(grant.line)
        .one(source, |row| row.get("deliverables"))
}
