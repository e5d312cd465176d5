//! SQL of packed contents.

use db::{DbError, Inserted, Source, Tx, sql};
use kernel::Timestamp;

use super::{Known, Packed, PackedForm};

/// What is known of a content's form.
pub fn known(source: &mut impl Source, sha256: &str) -> Result<Known, DbError> {
    let found = sql("SELECT p.packed_sha256 AS sha256, b.size AS size
           FROM packed p LEFT JOIN blobs b ON b.sha256 = p.packed_sha256 WHERE p.sha256 = $1")
    .bind(sha256)
    .optional(source, |row| {
        let (sha256, size): (Option<String>, Option<u64>) = (row.get("sha256")?, row.get("size")?);
        Ok(sha256.zip(size).map(|(sha256, size)| Packed { sha256, size }))
    })?;
    Ok(match found {
        None => Known::Nothing,
        Some(None) => Known::Stored,
        Some(Some(packed)) => Known::Deflated(packed),
    })
}

/// The size of a content, if a row knows it.
pub fn size(source: &mut impl Source, sha256: &str) -> Result<Option<u64>, DbError> {
    sql("SELECT size FROM blobs WHERE sha256 = $1").bind(sha256).optional(source, |row| row.get("size"))
}

/// Notes what came of a content. Who comes second changes nothing.
pub fn insert(
    tx: &mut Tx<'_>,
    sha256: &str,
    packed: Option<&str>,
    now: Timestamp,
) -> Result<Inserted, DbError> {
    let form = if packed.is_some() { PackedForm::Deflated } else { PackedForm::Stored };
    sql("INSERT INTO packed (sha256, form, packed_sha256, packed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind(sha256)
        .bind(form)
        .bind(packed)
        .bind(now)
        .insert_new(tx)
}
