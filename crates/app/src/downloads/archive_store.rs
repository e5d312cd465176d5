//! SQL of the contents of archives.

use db::{DbError, Source, Tx, sql};
use kernel::FileVersionId;

use super::{Authorized, Download, GrantedFile, store};

/// Writes which contents a new session's archive has, in this order.
pub fn insert(tx: &mut Tx<'_>, download: &Download, files: &[GrantedFile]) -> Result<(), DbError> {
    for (position, file) in (0u32..).zip(files) {
        sql("INSERT INTO download_files (download_id, file_version_id, merchant_id, position, bytes)
             VALUES ($1, $2, $3, $4, 0)")
        .bind(download.id)
        .bind(file.version)
        .bind(download.merchant)
        .bind(position)
        .execute(tx)?;
    }
    Ok(())
}

/// A content of an archive, and the bytes of it that the session has handed out.
#[derive(Debug)]
pub struct Packed {
    /// The content. Its places are not asked for.
    pub file: GrantedFile,
    /// Bytes.
    pub handed_out: u64,
}

/// The contents of a session's archive, in the order of its entries.
pub fn contents(source: &mut impl Source, download: &Download) -> Result<Vec<Packed>, DbError> {
    sql("SELECT v.id AS version_id, v.name AS name, b.size AS size, b.sha256 AS sha256, b.md5 AS md5,
                b.crc32 AS crc32, v.created_at AS created_at, 0 AS taken, f.bytes AS handed_out
           FROM download_files f JOIN file_versions v ON v.id = f.file_version_id JOIN blobs b ON b.sha256 = v.sha256
          WHERE f.merchant_id = $1 AND f.download_id = $2 ORDER BY f.position")
    .bind(download.merchant)
    .bind(download.id)
    .all(source, |row| {
        Ok(Packed { file: store::read_granted(row)?, handed_out: row.get("handed_out")? })
    })
}

/// The name of the product that a session's grant gives, as it was bought.
pub fn product(source: &mut impl Source, download: &Download) -> Result<String, DbError> {
    sql("SELECT l.name AS name FROM grants g JOIN order_lines l ON l.id = g.line_id
          WHERE g.merchant_id = $1 AND g.id = $2")
    .bind(download.merchant)
    .bind(download.grant)
    .one(source, |row| row.get("name"))
}

/// Adds handed-out bytes to a content of a session's archive.
pub fn add_bytes(tx: &mut Tx<'_>, of: &Authorized, file: FileVersionId, bytes: u64) -> Result<(), DbError> {
    sql("UPDATE download_files SET bytes = bytes + $1
          WHERE download_id = $2 AND file_version_id = $3 AND merchant_id = $4")
    .bind(bytes)
    .bind(of.download)
    .bind(file)
    .bind(of.merchant)
    .change_one(tx)
}
