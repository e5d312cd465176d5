//! SQL of announcements: who is entitled to a version.

use db::{DbError, Row, Source, sql};
use kernel::{
    CustomerId, EmailAddress, FileVersionId, LineId, MerchantId, OrderId, ProductFileId, ProductId, Timestamp,
};

/// A version, and the file of a product that it is of.
#[derive(Debug, Clone)]
pub struct Version {
    /// Which.
    pub id: FileVersionId,
    /// Of which file.
    pub file: ProductFileId,
    /// Of which product.
    pub product: ProductId,
    /// The name that buyers save it under.
    pub name: String,
    /// When it came out.
    pub created_at: Timestamp,
}

/// A version of a product's file.
pub fn version(
    source: &mut impl Source,
    merchant: MerchantId,
    id: FileVersionId,
) -> Result<Option<Version>, DbError> {
    sql("SELECT v.id AS id, f.id AS file_id, f.product_id AS product_id, v.name AS name, v.created_at AS created_at
           FROM file_versions v JOIN product_files f ON f.id = v.product_file_id
          WHERE v.merchant_id = $1 AND v.id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, |row| {
        Ok(Version {
            id: row.get("id")?,
            file: row.get("file_id")?,
            product: row.get("product_id")?,
            name: row.get("name")?,
            created_at: row.get("created_at")?,
        })
    })
}

/// A line that entitles its customer to a version.
#[derive(Debug, Clone)]
pub struct Entitled {
    /// The line.
    pub line: LineId,
    /// Of which order.
    pub order: OrderId,
    /// Whose.
    pub customer: CustomerId,
    /// The account's address.
    pub email: EmailAddress,
}

/// Lines of a product that were sold with a file, whose policy covers what comes out at a moment,
/// and whose access is open.
const ENTITLED: &str =
    "FROM order_lines l JOIN orders o ON o.id = l.order_id JOIN customers c ON c.id = o.customer_id
      WHERE l.merchant_id = $1 AND l.product_id = $2
        AND (l.file_policy = 'latest'
             OR (l.file_policy = 'updates_until'
                 AND $3 < COALESCE(o.paid_at, o.created_at) + l.update_days * 86400000000))
        AND EXISTS (SELECT 1 FROM line_files lf JOIN file_versions b ON b.id = lf.file_version_id
                     WHERE lf.line_id = l.id AND b.product_file_id = $4)
        AND EXISTS (SELECT 1 FROM grants g WHERE g.line_id = l.id AND g.status = 'active')";

/// How many customers are entitled to what comes out of a file at a moment.
pub fn count(
    source: &mut impl Source,
    merchant: MerchantId,
    (product, file): (ProductId, ProductFileId),
    at: Timestamp,
) -> Result<u64, DbError> {
    sql(format!("SELECT count(DISTINCT o.customer_id) AS n {ENTITLED}"))
        .bind(merchant)
        .bind(product)
        .bind(at)
        .bind(file)
        .one(source, |row| row.get("n"))
}

/// Some of the lines that entitle to a version, in the order of their ids, behind one.
pub fn entitled(
    source: &mut impl Source,
    merchant: MerchantId,
    version: &Version,
    after: Option<LineId>,
    most: u32,
) -> Result<Vec<Entitled>, DbError> {
    sql(format!(
        "SELECT l.id AS line_id, o.id AS order_id, c.id AS customer_id, c.email AS email {ENTITLED}
            AND l.id > $5 ORDER BY l.id LIMIT $6"
    ))
    .bind(merchant)
    .bind(version.product)
    .bind(version.created_at)
    .bind(version.file)
    .bind(after.unwrap_or(LineId::from_bits(0)))
    .bind(most)
    .all(source, read)
}

fn read(row: &mut Row) -> Result<Entitled, DbError> {
    Ok(Entitled {
        line: row.get("line_id")?,
        order: row.get("order_id")?,
        customer: row.get("customer_id")?,
        email: row.get("email")?,
    })
}
