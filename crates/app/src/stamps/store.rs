//! SQL of copies.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{CustomerId, FileVersionId, MerchantId};
use stamp::Mark;

use super::Copy;

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

fn read(row: &mut Row) -> Result<Known, DbError> {
    let code: Vec<u8> = row.get("code")?;
    let code = <[u8; 10]>::try_from(code.as_slice()).map_err(|_| {
        DbError::Other("a code of a copy in the table stamps does not have 10 bytes".to_owned())
    })?;
    let version: FileVersionId = row.get("file_version_id")?;
    Ok(Known {
        copy: Copy {
            mark: Mark::new(code),
            merchant: row.get("merchant_id")?,
            order: row.get("order_id")?,
            line: row.get("line_id")?,
            unit_no: row.get("unit_no")?,
            version,
            made_at: row.get("made_at")?,
        },
        customer: row.get("customer_id")?,
        name: row.get("buyer_name")?,
        email: row.get("email")?,
        product: row.get("product")?,
        file: row.get("file")?,
    })
}
