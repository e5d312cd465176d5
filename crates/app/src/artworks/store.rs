//! SQL of artwork: which contents are templates, and which are buyers' pictures.

use std::collections::HashSet;

use db::{DbError, Snapshot, Source, Tx, sql};
use kernel::{LineId, MerchantId, Timestamp};
use stores::Digests;

use crate::products::flow::StoredFile;

db::words! {
    /// What a content is to artwork.
    pub enum Use {
        /// A seller's drawing.
        Template = "template",
        /// A buyer's picture.
        Picture = "picture",
    }
}

/// Records a template, for good.
pub fn insert_template(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    stored: &Digests,
    now: Timestamp,
) -> Result<(), DbError> {
    insert(tx, merchant, (Use::Template, stored, None), (now, Some(now)))
}

/// Records a picture of so many pixels, until it is ordered or forgotten.
pub fn insert_picture(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    (stored, pixels): (&Digests, (u32, u32)),
    now: Timestamp,
) -> Result<(), DbError> {
    insert(tx, merchant, (Use::Picture, stored, Some(pixels)), (now, None))
}

fn insert(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    (usage, stored, pixels): (Use, &Digests, Option<(u32, u32)>),
    (now, kept_at): (Timestamp, Option<Timestamp>),
) -> Result<(), DbError> {
    // The same picture again is as good as new.
    sql("INSERT INTO artwork_contents (merchant_id, sha256, kind, size, crc32, md5, width, height, created_at,
            kept_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (merchant_id, sha256, kind) DO UPDATE
            SET created_at = $9, kept_at = COALESCE(artwork_contents.kept_at, $10)")
    .bind(merchant)
    .bind(stored.sha256.to_string())
    .bind(usage)
    .bind(stored.size)
    .bind(stored.crc32)
    .bind(stored.md5_hex())
    .bind(pixels.map(|(width, _)| width))
    .bind(pixels.map(|(_, height)| height))
    .bind(now)
    .bind(kept_at)
    .execute(tx)
    .map(drop)
}

/// A picture with its content.
#[derive(Debug, Clone)]
pub struct PictureRow {
    /// The content.
    pub stored: StoredFile,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// A merchant's picture by its digest.
pub fn picture(
    source: &mut impl Source,
    merchant: MerchantId,
    sha256: &str,
) -> Result<Option<PictureRow>, DbError> {
    sql("SELECT sha256, size, crc32, md5, width, height FROM artwork_contents
          WHERE merchant_id = $1 AND sha256 = $2 AND kind = 'picture'")
    .bind(merchant)
    .bind(sha256)
    .optional(source, |row| {
        let stored = StoredFile {
            name: String::new(),
            sha256: row.get("sha256")?,
            size: row.get("size")?,
            crc32: row.get("crc32")?,
            md5: row.get("md5")?,
        };
        let side = |side: Option<u32>| side.unwrap_or_default();
        Ok(PictureRow { stored, width: side(row.get("width")?), height: side(row.get("height")?) })
    })
}

/// Keeps a picture for good: it was ordered.
pub fn keep(tx: &mut Tx<'_>, merchant: MerchantId, sha256: &str, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE artwork_contents SET kept_at = $1
          WHERE merchant_id = $2 AND sha256 = $3 AND kind = 'picture' AND kept_at IS NULL")
    .bind(now)
    .bind(merchant)
    .bind(sha256)
    .execute(tx)
    .map(drop)
}

/// How many bytes of pictures a merchant's visitors left that nobody has ordered.
pub fn unordered_bytes(source: &mut impl Source, merchant: MerchantId) -> Result<u64, DbError> {
    sql("SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) AS size FROM artwork_contents
          WHERE merchant_id = $1 AND kept_at IS NULL")
    .bind(merchant)
    .one(source, |row| row.get("size"))
}

/// Whether any that nobody ordered is older than this.
pub fn any_before(source: &mut impl Source, before: Timestamp) -> Result<bool, DbError> {
    let found = sql("SELECT sha256 FROM artwork_contents WHERE kept_at IS NULL AND created_at < $1 LIMIT 1")
        .bind(before)
        .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// Forgets those that nobody ordered and that are older than this.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), DbError> {
    sql("DELETE FROM artwork_contents WHERE kept_at IS NULL AND created_at < $1")
        .bind(before)
        .execute(tx)
        .map(drop)
}

/// The digests of a shelf's contents; see [`stores::BlobStore::list`].
pub fn contents_of_shelf(
    snapshot: &mut Snapshot<'_>,
    (from, to): (&str, &str),
) -> Result<HashSet<String>, DbError> {
    let known = sql("SELECT DISTINCT sha256 FROM artwork_contents WHERE sha256 >= $1 AND sha256 < $2")
        .bind(from)
        .bind(to)
        .all(snapshot, |row| row.get::<String>("sha256"))?;
    Ok(known.into_iter().collect())
}

/// What another unit of the line got already: the same page is not rendered again.
pub fn rendered(
    source: &mut impl Source,
    merchant: MerchantId,
    line: LineId,
) -> Result<Vec<StoredFile>, DbError> {
    sql("SELECT v.name AS name, b.sha256 AS sha256, b.size AS size, b.crc32 AS crc32, b.md5 AS md5
           FROM unit_files f
           JOIN file_versions v ON v.id = f.file_version_id
           JOIN blobs b ON b.sha256 = v.sha256
          WHERE f.merchant_id = $1 AND f.line_id = $2 AND f.part = 'artwork'
            AND f.unit_no = (SELECT min(unit_no) FROM unit_files
                              WHERE merchant_id = $1 AND line_id = $2 AND part = 'artwork')
          ORDER BY f.position")
    .bind(merchant)
    .bind(line)
    .all(source, |row| {
        Ok(StoredFile {
            name: row.get("name")?,
            sha256: row.get("sha256")?,
            size: row.get("size")?,
            crc32: row.get("crc32")?,
            md5: row.get("md5")?,
        })
    })
}
