//! SQL of uploads.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{FileVersionId, MerchantId, Timestamp, UploadId};

use super::Upload;

const COLUMNS: &str = "SELECT id, merchant_id, product_id, product_file_id, name, size, received, sha256,
    file_version_id, created_at, touched_at FROM uploads";

/// Writes a new upload.
pub fn insert(tx: &mut Tx<'_>, upload: &Upload) -> Result<(), DbError> {
    sql("INSERT INTO uploads (id, merchant_id, product_id, product_file_id, name, size, received, created_at, touched_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(upload.id)
    .bind(upload.merchant)
    .bind(upload.product)
    .bind(upload.file)
    .bind(&upload.name)
    .bind(upload.size)
    .bind(upload.received)
    .bind(upload.created_at)
    .bind(upload.touched_at)
    .execute(tx)
    .map(drop)
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: UploadId,
) -> Result<Option<Upload>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(id)
        .optional(source, read)
}

/// By id, holding the row: two that finish it wait for each other.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: UploadId) -> Result<Option<Upload>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2 {{FOR UPDATE}}"))
        .bind(merchant)
        .bind(id)
        .optional(tx, read)
}

/// How many are under way, counted no further than `most`.
pub fn under_way(source: &mut impl Source, merchant: MerchantId, most: u32) -> Result<u32, DbError> {
    sql("SELECT count(*) AS n FROM (SELECT id FROM uploads
          WHERE merchant_id = $1 AND file_version_id IS NULL LIMIT $2) AS near")
    .bind(merchant)
    .bind(most)
    .one(source, |row| row.get("n"))
}

/// Notes how many bytes are durable.
pub fn note(tx: &mut Tx<'_>, upload: &Upload, received: u64, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE uploads SET received = $1, sha256 = NULL, touched_at = $2
          WHERE merchant_id = $3 AND id = $4 AND file_version_id IS NULL")
    .bind(received)
    .bind(now)
    .bind(upload.merchant)
    .bind(upload.id)
    .change_one(tx)
}

/// Notes the digest of all of it, before it becomes a blob.
pub fn note_digest(tx: &mut Tx<'_>, upload: &Upload, sha256: &str, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE uploads SET sha256 = $1, touched_at = $2
          WHERE merchant_id = $3 AND id = $4 AND file_version_id IS NULL")
    .bind(sha256)
    .bind(now)
    .bind(upload.merchant)
    .bind(upload.id)
    .change_one(tx)
}

/// Notes what came of it.
pub fn complete(
    tx: &mut Tx<'_>,
    upload: &Upload,
    version: FileVersionId,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE uploads SET file_version_id = $1, touched_at = $2 WHERE merchant_id = $3 AND id = $4")
        .bind(version)
        .bind(now)
        .bind(upload.merchant)
        .bind(upload.id)
        .change_one(tx)
}

/// Gives an upload up: it has run out as of now.
pub fn give_up(tx: &mut Tx<'_>, upload: &Upload) -> Result<(), DbError> {
    sql("UPDATE uploads SET touched_at = 0 WHERE merchant_id = $1 AND id = $2")
        .bind(upload.merchant)
        .bind(upload.id)
        .change_one(tx)
}

/// Some that nothing arrived for since a time, of any merchant.
pub fn idle(source: &mut impl Source, since: Timestamp, most: u32) -> Result<Vec<UploadId>, DbError> {
    sql("SELECT id FROM uploads WHERE touched_at < $1 ORDER BY touched_at, id LIMIT $2")
        .bind(since)
        .bind(most)
        .all(source, |row| row.get("id"))
}

/// Removes the row of one that is idle still.
pub fn delete_idle(tx: &mut Tx<'_>, id: UploadId, since: Timestamp) -> Result<(), DbError> {
    sql("DELETE FROM uploads WHERE id = $1 AND touched_at < $2").bind(id).bind(since).execute(tx).map(drop)
}

fn read(row: &mut Row) -> Result<Upload, DbError> {
    Ok(Upload {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        product: row.get("product_id")?,
        file: row.get("product_file_id")?,
        name: row.get("name")?,
        size: row.get("size")?,
        received: row.get("received")?,
        sha256: row.get("sha256")?,
        version: row.get("file_version_id")?,
        created_at: row.get("created_at")?,
        touched_at: row.get("touched_at")?,
    })
}
