//! SQL of the back office's list and pages of products.

use db::{DbError, Source, sql};
use kernel::{Currency, FileVersionId, MerchantId, OrderId, PriceId, ProductFileId, ProductId, Timestamp};

use super::store::{COLUMNS, read};
use super::{Price, Product, ProductStatus};
use crate::paging::{self, Ask, By, KeyKind, ListQuery, Slice};

/// What a list of products is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this status.
    pub status: Option<ProductStatus>,
    /// Words in the name or item number, or an id.
    pub words: String,
}

/// By name.
pub const BY_NAME: By = By { name: "name", column: "lower(name)", kind: KeyKind::Text };
/// By item number.
pub const BY_SKU: By = By { name: "sku", column: "sku", kind: KeyKind::Text };
/// By the last change.
pub const BY_UPDATED: By = By { name: "updated", column: "updated_at", kind: KeyKind::Int };

/// A page of a merchant's products.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    filter: &Filter,
    ask: &Ask,
) -> Result<Slice<Product>, DbError> {
    let mut query = ListQuery::new(COLUMNS, merchant);
    if let Some(status) = filter.status {
        query = query.among("status = $", status);
    }
    if let Ok(id) = filter.words.parse::<ProductId>() {
        query = query.narrowed("id = $", id);
    } else if !filter.words.is_empty() {
        // `lower` folds ASCII alike on both engines.
        let words = paging::anywhere(&filter.words.to_ascii_lowercase());
        query = query.among("lower(name || ' ' || sku) LIKE $ ESCAPE '\\'", words);
    }
    query.page(source, ask, read)
}

/// The prices of these products, past and to come.
pub fn prices_of(
    source: &mut impl Source,
    merchant: MerchantId,
    ids: &[ProductId],
) -> Result<Vec<(ProductId, Price)>, DbError> {
    paging::by_ids(ids, |some| {
        let text = format!(
            "SELECT product_id, currency, amount_minor, valid_from FROM prices
              WHERE merchant_id = $1 AND product_id IN ({}) ORDER BY product_id, valid_from, currency",
            some.placeholders(2)
        );
        some.bind(sql(text).bind(merchant)).all(source, |row| {
            let price = Price {
                minor: row.get("amount_minor")?,
                currency: row.get("currency")?,
                valid_from: row.get("valid_from")?,
            };
            Ok((row.get("product_id")?, price))
        })
    })
}

/// How many files each of these products has, and how many bytes they are together.
pub fn sizes_of(
    source: &mut impl Source,
    merchant: MerchantId,
    ids: &[ProductId],
) -> Result<Vec<(ProductId, u32, u64)>, DbError> {
    paging::by_ids(ids, |some| {
        let text = format!(
            "SELECT f.product_id AS product_id, count(*) AS files, CAST(sum(b.size) AS BIGINT) AS bytes
               FROM product_files f
               JOIN file_versions v ON v.product_file_id = f.id
                AND v.id = (SELECT max(newest.id) FROM file_versions newest WHERE newest.product_file_id = f.id)
               JOIN blobs b ON b.sha256 = v.sha256
              WHERE f.merchant_id = $1 AND f.removed_at IS NULL AND f.product_id IN ({})
              GROUP BY f.product_id",
            some.placeholders(2)
        );
        some.bind(sql(text).bind(merchant))
            .all(source, |row| Ok((row.get("product_id")?, row.get("files")?, row.get("bytes")?)))
    })
}

/// How many units of these products were sold in orders that are paid.
pub fn sold_of(
    source: &mut impl Source,
    merchant: MerchantId,
    ids: &[ProductId],
) -> Result<Vec<(ProductId, u64)>, DbError> {
    paging::by_ids(ids, |some| {
        let text = format!(
            "SELECT l.product_id AS product_id, CAST(sum(l.quantity) AS BIGINT) AS units
               FROM order_lines l JOIN orders o ON o.id = l.order_id
              WHERE l.merchant_id = $1 AND o.status = 'paid' AND l.product_id IN ({})
              GROUP BY l.product_id",
            some.placeholders(2)
        );
        some.bind(sql(text).bind(merchant)).all(source, |row| Ok((row.get("product_id")?, row.get("units")?)))
    })
}

/// The prices of a product with their ids, by currency and then by time.
pub fn prices(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Vec<(PriceId, Price)>, DbError> {
    sql("SELECT id, currency, amount_minor, valid_from FROM prices
          WHERE merchant_id = $1 AND product_id = $2 ORDER BY currency, valid_from")
    .bind(merchant)
    .bind(product)
    .all(source, |row| {
        let price = Price {
            minor: row.get("amount_minor")?,
            currency: row.get("currency")?,
            valid_from: row.get("valid_from")?,
        };
        Ok((row.get("id")?, price))
    })
}

/// One content that a file has or had.
#[derive(Debug, Clone)]
pub struct Version {
    /// The slot.
    pub file: ProductFileId,
    /// The content.
    pub id: FileVersionId,
    /// Its name.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// Hex.
    pub sha256: String,
    /// Hex.
    pub md5: String,
    /// When it was added.
    pub added_at: Timestamp,
}

/// All contents of a product's files that are not removed: files in their order, each with its
/// newest content first.
pub fn versions(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Vec<Version>, DbError> {
    sql("SELECT f.id AS file_id, v.id AS version_id, v.name AS name, v.created_at AS created_at,
                b.size AS size, b.sha256 AS sha256, b.md5 AS md5
           FROM product_files f
           JOIN file_versions v ON v.product_file_id = f.id
           JOIN blobs b ON b.sha256 = v.sha256
          WHERE f.merchant_id = $1 AND f.product_id = $2 AND f.removed_at IS NULL
          ORDER BY f.position, f.id, v.id DESC")
    .bind(merchant)
    .bind(product)
    .all(source, |row| {
        Ok(Version {
            file: row.get("file_id")?,
            id: row.get("version_id")?,
            name: row.get("name")?,
            bytes: row.get("size")?,
            sha256: row.get("sha256")?,
            md5: row.get("md5")?,
            added_at: row.get("created_at")?,
        })
    })
}

/// How many order lines hold exactly each content of a product.
pub fn bought(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Vec<(FileVersionId, u64)>, DbError> {
    sql("SELECT f.file_version_id AS version_id, count(*) AS lines
           FROM order_lines l JOIN line_files f ON f.line_id = l.id
          WHERE l.merchant_id = $1 AND l.product_id = $2
          GROUP BY f.file_version_id")
    .bind(merchant)
    .bind(product)
    .all(source, |row| Ok((row.get("version_id")?, row.get("lines")?)))
}

/// What a product brought in a currency.
#[derive(Debug, Clone, Copy)]
pub struct Brought {
    /// The currency.
    pub currency: Currency,
    /// How many units.
    pub units: u64,
    /// What was paid for them.
    pub minor: i64,
}

/// What a product has sold in orders that are paid, per currency.
pub fn brought(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Vec<Brought>, DbError> {
    sql("SELECT o.currency AS currency, CAST(sum(l.quantity) AS BIGINT) AS units,
                CAST(sum(l.gross_minor) AS BIGINT) AS minor
           FROM order_lines l JOIN orders o ON o.id = l.order_id
          WHERE l.merchant_id = $1 AND l.product_id = $2 AND o.status = 'paid'
          GROUP BY o.currency ORDER BY o.currency")
    .bind(merchant)
    .bind(product)
    .all(source, |row| {
        Ok(Brought { currency: row.get("currency")?, units: row.get("units")?, minor: row.get("minor")? })
    })
}

/// What a product brought within a quarter of an hour. No time zone begins its day inside of one.
#[derive(Debug, Clone, Copy)]
pub struct Quarter {
    /// When it begins.
    pub at: Timestamp,
    /// The currency.
    pub currency: Currency,
    /// Orders that became paid.
    pub orders: u32,
    /// What was paid for this product.
    pub minor: i64,
}

const QUARTER_MICROS: i64 = 900_000_000;

/// What a product has brought since a moment, in quarters of an hour.
pub fn brought_since(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
    since: Timestamp,
) -> Result<Vec<Quarter>, DbError> {
    sql(format!(
        "SELECT o.currency AS currency, o.paid_at / {QUARTER_MICROS} AS quarter, count(DISTINCT o.id) AS orders,
                CAST(sum(l.gross_minor) AS BIGINT) AS minor
           FROM order_lines l JOIN orders o ON o.id = l.order_id
          WHERE l.merchant_id = $1 AND l.product_id = $2 AND o.status = 'paid' AND o.paid_at >= $3
          GROUP BY o.currency, o.paid_at / {QUARTER_MICROS} ORDER BY currency, quarter"
    ))
    .bind(merchant)
    .bind(product)
    .bind(since)
    .all(source, |row| {
        let quarter: i64 = row.get("quarter")?;
        Ok(Quarter {
            at: Timestamp::from_micros(quarter.saturating_mul(QUARTER_MICROS)),
            currency: row.get("currency")?,
            orders: row.get("orders")?,
            minor: row.get("minor")?,
        })
    })
}

/// The newest orders with a product, the newest first.
pub fn newest_orders(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
    most: u32,
) -> Result<Vec<OrderId>, DbError> {
    sql("SELECT order_id FROM order_lines WHERE merchant_id = $1 AND product_id = $2 ORDER BY id DESC LIMIT $3")
        .bind(merchant)
        .bind(product)
        .bind(most)
        .all(source, |row| row.get("order_id"))
}
