//! SQL of copies.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{CustomerId, FileVersionId, GrantId, MerchantId, ProductFileId};
use stamp::Mark;

use super::Copy;
use crate::fulfillment::{self, Grant};

/// Keeps whose copy a code is. Made again, it is the same copy.
pub fn insert(tx: &mut Tx<'_>, copy: &Copy) -> Result<(), DbError> {
    sql("INSERT INTO stamps (code, merchant_id, order_id, line_id, unit_no, file_version_id, made_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
    .bind(copy.mark.bytes().as_slice())
    .bind(copy.merchant)
    .bind(copy.order)
    .bind(copy.line)
    .bind(copy.unit_no)
    .bind(copy.version)
    .bind(copy.made_at)
    .execute(tx)
    .map(drop)
}

/// The code of a copy, as it was first kept: a key ring that was changed since gives another.
pub fn code_of(source: &mut impl Source, copy: &Copy) -> Result<Option<Mark>, DbError> {
    sql("SELECT code FROM stamps
          WHERE merchant_id = $1 AND line_id = $2 AND unit_no = $3 AND file_version_id = $4")
    .bind(copy.merchant)
    .bind(copy.line)
    .bind(copy.unit_no)
    .bind(copy.version)
    .optional(source, read_code)
}

/// Whether there is a copy of any version of a file.
pub fn any_of_file(source: &mut impl Source, file: ProductFileId) -> Result<bool, DbError> {
    let found = sql("SELECT s.code FROM file_versions v JOIN stamps s ON s.file_version_id = v.id
          WHERE v.product_file_id = $1 LIMIT 1")
    .bind(file)
    .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// Open grants whose lines give new versions of a file and something made for the unit, by id.
pub fn grants_of_file(
    source: &mut impl Source,
    merchant: MerchantId,
    file: ProductFileId,
    after: Option<GrantId>,
    most: u32,
) -> Result<Vec<Grant>, DbError> {
    sql("SELECT g.id AS id, g.merchant_id AS merchant_id, g.order_id AS order_id, g.line_id AS line_id,
                g.unit_no AS unit_no, g.customer_id AS customer_id, g.status AS status, g.nonce AS nonce,
                g.ring_key AS ring_key, g.generation AS generation, g.download_limit AS download_limit,
                g.expires_at AS expires_at, g.created_at AS created_at
           FROM file_versions b
           JOIN line_files lf ON lf.file_version_id = b.id
           JOIN order_lines l ON l.id = lf.line_id
           JOIN grants g ON g.line_id = l.id
          WHERE b.merchant_id = $1 AND b.product_file_id = $2 AND g.id > $3
            AND l.file_policy <> 'as_bought' AND l.deliverables <> '{}' AND g.status IN ('active', 'provisional')
          ORDER BY g.id LIMIT $4")
    .bind(merchant)
    .bind(file)
    .bind(after.map_or_else(String::new, |after| after.to_string()))
    .bind(most)
    .all(source, fulfillment::store::read)
}

/// A file to make a copy of.
#[derive(Debug, Clone)]
pub struct Original {
    /// Its name.
    pub name: String,
    /// Hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// A version of a file.
pub fn original(
    source: &mut impl Source,
    merchant: MerchantId,
    version: FileVersionId,
) -> Result<Option<Original>, DbError> {
    sql("SELECT v.name AS name, b.sha256 AS sha256, b.size AS size FROM file_versions v
           JOIN blobs b ON b.sha256 = v.sha256 WHERE v.merchant_id = $1 AND v.id = $2")
    .bind(merchant)
    .bind(version)
    .optional(source, |row| {
        Ok(Original { name: row.get("name")?, sha256: row.get("sha256")?, size: row.get("size")? })
    })
}

/// A copy with what a person wants to know of it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The copy.
    pub copy: Copy,
    /// Whose account.
    pub customer: Option<CustomerId>,
    /// The buyer's name, as told with the order.
    pub name: String,
    /// The account's address.
    pub email: String,
    /// The product, as it was called when it was bought.
    pub product: String,
    /// The file's name.
    pub file: String,
}

/// The merchant's copy with this code.
pub fn by_mark(source: &mut impl Source, merchant: MerchantId, mark: Mark) -> Result<Option<Known>, DbError> {
    sql("SELECT s.code AS code, s.merchant_id AS merchant_id, s.order_id AS order_id, s.line_id AS line_id,
                s.unit_no AS unit_no, s.file_version_id AS file_version_id, s.made_at AS made_at,
                o.customer_id AS customer_id, o.buyer_name AS buyer_name, COALESCE(c.email, '') AS email,
                l.name AS product, v.name AS file
           FROM stamps s
           JOIN orders o ON o.id = s.order_id
           JOIN order_lines l ON l.id = s.line_id
           JOIN file_versions v ON v.id = s.file_version_id
           LEFT JOIN customers c ON c.id = o.customer_id
          WHERE s.merchant_id = $1 AND s.code = $2")
    .bind(merchant)
    .bind(mark.bytes().as_slice())
    .optional(source, read)
}

fn read_code(row: &mut Row) -> Result<Mark, DbError> {
    let code: Vec<u8> = row.get("code")?;
    let code = <[u8; 10]>::try_from(code.as_slice()).map_err(|_| {
        DbError::Other("a code of a copy in the table stamps does not have 10 bytes".to_owned())
    })?;
    Ok(Mark::new(code))
}

fn read(row: &mut Row) -> Result<Known, DbError> {
    Ok(Known {
        copy: Copy {
            mark: read_code(row)?,
            merchant: row.get("merchant_id")?,
            order: row.get("order_id")?,
            line: row.get("line_id")?,
            unit_no: row.get("unit_no")?,
            version: row.get("file_version_id")?,
            made_at: row.get("made_at")?,
        },
        customer: row.get("customer_id")?,
        name: row.get("buyer_name")?,
        email: row.get("email")?,
        product: row.get("product")?,
        file: row.get("file")?,
    })
}
