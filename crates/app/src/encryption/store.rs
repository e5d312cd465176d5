//! SQL of buyers' keys, and of the copies that are made for them.

use db::{DbError, Source, Tx, sql};
use kernel::{FileVersionId, LineId, MerchantId, Timestamp};

use crate::downloads::store::VERSION;
use crate::fulfillment::Grant;
use crate::parts::{Part, PartKey};

/// The key that a line's files are encrypted to.
pub fn key(source: &mut impl Source, merchant: MerchantId, line: LineId) -> Result<Option<String>, DbError> {
    sql("SELECT public_key FROM buyer_keys WHERE merchant_id = $1 AND line_id = $2")
        .bind(merchant)
        .bind(line)
        .optional(source, |row| row.get("public_key"))
}

/// Writes the key of a line, in place of the one that it has.
pub fn set_key(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    line: LineId,
    key: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO buyer_keys (line_id, merchant_id, public_key, given_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (line_id) DO UPDATE SET public_key = excluded.public_key, given_at = excluded.given_at")
    .bind(line)
    .bind(merchant)
    .bind(key)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// Keeps downloads of a line from being begun until the transaction ends.
pub fn lock_grants(tx: &mut Tx<'_>, merchant: MerchantId, line: LineId) -> Result<(), DbError> {
    let _: Vec<kernel::GrantId> =
        sql("SELECT id FROM grants WHERE merchant_id = $1 AND line_id = $2 ORDER BY id {FOR UPDATE}")
            .bind(merchant)
            .bind(line)
            .all(tx, |row| row.get("id"))?;
    Ok(())
}

/// Whether anything of a line was downloaded, or is being.
pub fn any_download(source: &mut impl Source, merchant: MerchantId, line: LineId) -> Result<bool, DbError> {
    let found: Option<String> = sql("SELECT d.id AS id FROM grants g JOIN downloads d ON d.grant_id = g.id
          WHERE g.merchant_id = $1 AND g.line_id = $2 LIMIT 1")
    .bind(merchant)
    .bind(line)
    .optional(source, |row| row.get("id"))?;
    Ok(found.is_some())
}

/// A file of the product that has no copy for a unit.
#[derive(Debug, Clone)]
pub struct Missing {
    /// Which content.
    pub version: FileVersionId,
    /// Its name.
    pub name: String,
    /// Hex SHA-256.
    pub sha256: String,
    /// Its size.
    pub size: u64,
}

/// The files of a grant's line that have no copy for its unit, as its file policy has them now.
pub fn missing(source: &mut impl Source, grant: &Grant) -> Result<Vec<Missing>, DbError> {
    sql(format!(
        "SELECT v.id AS version_id, v.name AS name, b.sha256 AS sha256, b.size AS size
           FROM line_files lf
           JOIN order_lines l ON l.id = lf.line_id
           JOIN orders o ON o.id = l.order_id
           JOIN file_versions bought ON bought.id = lf.file_version_id
           JOIN file_versions v ON v.id = {VERSION}
           JOIN blobs b ON b.sha256 = v.sha256
           LEFT JOIN unit_files u ON u.line_id = lf.line_id AND u.unit_no = $1 AND u.replaces_id = v.id
          WHERE lf.merchant_id = $2 AND lf.line_id = $3 AND u.file_version_id IS NULL
          ORDER BY lf.position"
    ))
    .bind(grant.unit_no)
    .bind(grant.merchant)
    .bind(grant.line)
    .all(source, |row| {
        Ok(Missing {
            version: row.get("version_id")?,
            name: row.get("name")?,
            sha256: row.get("sha256")?,
            size: row.get("size")?,
        })
    })
}

/// Forgets what was made of a line for other keys. Their contents have no row any more, and are swept.
pub fn forget_others(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    line: LineId,
    fingerprint: &str,
) -> Result<(), DbError> {
    let forgotten =
        sql("DELETE FROM unit_parts WHERE merchant_id = $1 AND line_id = $2 AND part = $3 AND subject <> $4")
            .bind(merchant)
            .bind(line)
            .bind(Part::Encrypt)
            .bind(fingerprint)
            .execute(tx)?;
    if forgotten == 0 {
        return Ok(());
    }
    let copies: Vec<FileVersionId> = sql("SELECT file_version_id FROM unit_files
          WHERE merchant_id = $1 AND line_id = $2 AND part = $3 ORDER BY file_version_id")
    .bind(merchant)
    .bind(line)
    .bind(Part::Encrypt)
    .all(tx, |row| row.get("file_version_id"))?;
    sql("DELETE FROM unit_files WHERE merchant_id = $1 AND line_id = $2 AND part = $3")
        .bind(merchant)
        .bind(line)
        .bind(Part::Encrypt)
        .execute(tx)?;
    for copy in copies {
        sql("DELETE FROM grant_files WHERE merchant_id = $1 AND file_version_id = $2")
            .bind(merchant)
            .bind(copy)
            .execute(tx)?;
        sql("DELETE FROM file_versions WHERE merchant_id = $1 AND id = $2")
            .bind(merchant)
            .bind(copy)
            .execute(tx)?;
    }
    Ok(())
}

/// Has a part made again that is done, because a file has a newer version.
pub fn begin_again(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    key: &PartKey,
    now: Timestamp,
) -> Result<bool, DbError> {
    let changed = sql("UPDATE unit_parts SET state = 'waiting', detail = '', changed_at = $1
          WHERE merchant_id = $2 AND line_id = $3 AND unit_no = $4 AND part = $5 AND subject = $6 AND state = 'done'")
    .bind(now)
    .bind(merchant)
    .bind(key.line)
    .bind(key.unit_no)
    .bind(key.part)
    .bind(&key.subject)
    .execute(tx)?;
    Ok(changed == 1)
}
