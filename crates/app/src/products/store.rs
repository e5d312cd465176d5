//! SQL of products, prices and files.

use std::collections::HashSet;

use db::{DbError, Row, Snapshot, Source, Tx, sql};
use kernel::{Currency, FileVersionId, MerchantId, PriceId, ProductFileId, ProductId, Timestamp};

use super::{Price, Product, ProductFile};
use crate::artworks;

/// Whole rows, for [`read`].
pub const COLUMNS: &str =
    "SELECT id, merchant_id, sku, name, description, status, standard_text, other_text, support_text,
    link_life, download_limit, file_policy, update_days, pending_policy, deliverables, created_at, updated_at, version
    FROM products";

/// Writes a new product.
pub fn insert(tx: &mut Tx<'_>, product: &Product) -> Result<(), DbError> {
    sql("INSERT INTO products (id, merchant_id, sku, name, description, status, standard_text, other_text,
            support_text, link_life, download_limit, file_policy, update_days, pending_policy, created_at, updated_at,
            version, deliverables)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, 1, $16)")
    .bind(product.id)
    .bind(product.merchant)
    .bind(&product.sku)
    .bind(&product.name)
    .bind(&product.description)
    .bind(product.status)
    .bind(&product.standard_text)
    .bind(&product.other_text)
    .bind(&product.support_text)
    .bind(product.link_life)
    .bind(product.download_limit)
    .bind(product.file_policy)
    .bind(product.update_days)
    .bind(product.pending_policy)
    .bind(product.created_at)
    .bind(&product.deliverables)
    .execute(tx)
    .map(drop)
}

/// Writes back a product that was read before; a change by somebody else is a conflict.
pub fn save(tx: &mut Tx<'_>, product: &Product, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE products SET sku = $1, name = $2, description = $3, status = $4, standard_text = $5, other_text = $6,
            support_text = $7, link_life = $8, download_limit = $9, file_policy = $10, update_days = $11,
            pending_policy = $12, deliverables = $13, updated_at = $14, version = version + 1
          WHERE merchant_id = $15 AND id = $16 AND version = $17")
    .bind(&product.sku)
    .bind(&product.name)
    .bind(&product.description)
    .bind(product.status)
    .bind(&product.standard_text)
    .bind(&product.other_text)
    .bind(&product.support_text)
    .bind(product.link_life)
    .bind(product.download_limit)
    .bind(product.file_policy)
    .bind(product.update_days)
    .bind(product.pending_policy)
    .bind(&product.deliverables)
    .bind(now)
    .bind(product.merchant)
    .bind(product.id)
    .bind(product.version)
    .change_one(tx)
}

/// Notes that what hangs on a product has changed: whoever looks at an older version is to notice.
pub fn raise(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE products SET updated_at = $1, version = version + 1 WHERE merchant_id = $2 AND id = $3")
        .bind(now)
        .bind(merchant)
        .bind(product)
        .change_one(tx)
}

/// Notes that a product's files have changed. They are no part of what a version is of: an
/// upload of an hour must not spoil the form that a colleague fills in meanwhile.
pub fn touch(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE products SET updated_at = $1 WHERE merchant_id = $2 AND id = $3")
        .bind(now)
        .bind(merchant)
        .bind(product)
        .change_one(tx)
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: ProductId,
) -> Result<Option<Product>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(id)
        .optional(source, read)
}

/// By id, holding the row: changes of one product wait for each other.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: ProductId) -> Result<Option<Product>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2 {{FOR UPDATE}}"))
        .bind(merchant)
        .bind(id)
        .optional(tx, read)
}

/// By external item number.
pub fn by_sku(source: &mut impl Source, merchant: MerchantId, sku: &str) -> Result<Option<Product>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND sku = $2"))
        .bind(merchant)
        .bind(sku)
        .optional(source, read)
}

/// What is for sale, by name. At most 1,000: a shop window, not a warehouse.
pub fn on_sale(source: &mut impl Source, merchant: MerchantId) -> Result<Vec<Product>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND status = 'active' ORDER BY name, id LIMIT 1000"))
        .bind(merchant)
        .all(source, read)
}

/// All of them, newest first, in pages.
pub fn page(
    source: &mut impl Source,
    merchant: MerchantId,
    before: Option<ProductId>,
    most: u32,
) -> Result<Vec<Product>, DbError> {
    sql(format!(
        "{COLUMNS} WHERE merchant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    ))
    .bind(merchant)
    .bind(before.map(|id| id.to_string()))
    .bind(most)
    .all(source, read)
}

/// Sets the price in a currency from a moment on.
pub fn insert_price(
    tx: &mut Tx<'_>,
    id: PriceId,
    merchant: MerchantId,
    product: ProductId,
    price: Price,
) -> Result<(), DbError> {
    sql("INSERT INTO prices (id, merchant_id, product_id, currency, amount_minor, valid_from)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (product_id, currency, valid_from) DO UPDATE SET amount_minor = excluded.amount_minor")
    .bind(id)
    .bind(merchant)
    .bind(product)
    .bind(price.currency)
    .bind(price.minor)
    .bind(price.valid_from)
    .execute(tx)
    .map(drop)
}

/// All prices of a product, past and to come.
pub fn prices(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Vec<Price>, DbError> {
    sql("SELECT currency, amount_minor, valid_from FROM prices
          WHERE merchant_id = $1 AND product_id = $2 ORDER BY valid_from, currency")
    .bind(merchant)
    .bind(product)
    .all(source, |row| {
        Ok(Price {
            minor: row.get("amount_minor")?,
            currency: row.get("currency")?,
            valid_from: row.get("valid_from")?,
        })
    })
}

/// Takes back the prices in a currency that were to begin after a moment to come. Answers how many.
pub fn delete_coming_prices(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    currency: Currency,
    after: Timestamp,
) -> Result<u64, DbError> {
    sql("DELETE FROM prices WHERE merchant_id = $1 AND product_id = $2 AND currency = $3 AND valid_from > $4")
        .bind(merchant)
        .bind(product)
        .bind(currency)
        .bind(after)
        .execute(tx)
}

/// Takes back one price, if it has not come into force. Answers whether it was there.
pub fn delete_coming_price(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    id: PriceId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let deleted = sql("DELETE FROM prices
          WHERE merchant_id = $1 AND product_id = $2 AND id = $3 AND valid_from > $4")
    .bind(merchant)
    .bind(product)
    .bind(id)
    .bind(now)
    .execute(tx)?;
    Ok(deleted == 1)
}

/// Records a content. The same content again is the same row.
pub fn insert_blob(
    tx: &mut Tx<'_>,
    sha256: &str,
    size: u64,
    crc32: u32,
    md5: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO blobs (sha256, size, crc32, md5, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (sha256) DO UPDATE SET gone_at = NULL WHERE blobs.gone_at IS NOT NULL")
    .bind(sha256)
    .bind(size)
    .bind(crc32)
    .bind(md5)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The digests of a shelf's contents that rows know of; see [`stores::BlobStore::list`].
pub fn blobs_of_shelf(snapshot: &mut Snapshot<'_>, shelf: u8) -> Result<HashSet<String>, DbError> {
    // Digests are lower-case hexadecimal; "g" comes after all that begin with "ff".
    let end = shelf.checked_add(1).map_or_else(|| "g".to_owned(), |next| format!("{next:02x}"));
    let start = format!("{shelf:02x}");
    let known = sql("SELECT sha256 FROM blobs WHERE sha256 >= $1 AND sha256 < $2 AND gone_at IS NULL")
        .bind(&start)
        .bind(&end)
        .all(snapshot, |row| row.get::<String>("sha256"))?;
    let pictures = artworks::store::contents_of_shelf(snapshot, (&start, &end))?;
    Ok(known.into_iter().chain(pictures).collect())
}

/// Writes a new file slot behind the others.
pub fn insert_file(
    tx: &mut Tx<'_>,
    id: ProductFileId,
    merchant: MerchantId,
    product: ProductId,
    name: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO product_files (id, merchant_id, product_id, position, name, created_at)
         SELECT $1, $2, $3, COALESCE(max(position), 0) + 1, $4, $5 FROM product_files WHERE product_id = $3")
    .bind(id)
    .bind(merchant)
    .bind(product)
    .bind(name)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// Gives a file slot a new content.
pub fn insert_version(
    tx: &mut Tx<'_>,
    id: FileVersionId,
    merchant: MerchantId,
    file: ProductFileId,
    name: &str,
    sha256: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO file_versions (id, merchant_id, product_file_id, name, sha256, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(id)
    .bind(merchant)
    .bind(file)
    .bind(name)
    .bind(sha256)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// Takes a file off its product. Answers whether it was on it.
pub fn remove_file(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    product: ProductId,
    file: ProductFileId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let changed = sql("UPDATE product_files SET removed_at = $1
          WHERE merchant_id = $2 AND product_id = $3 AND id = $4 AND removed_at IS NULL")
    .bind(now)
    .bind(merchant)
    .bind(product)
    .bind(file)
    .execute(tx)?;
    Ok(changed == 1)
}

/// The files of a product that are not removed, each with its newest content.
pub fn files(
    source: &mut impl Source,
    merchant: MerchantId,
    product: ProductId,
) -> Result<Vec<ProductFile>, DbError> {
    sql("SELECT f.id AS file_id, v.id AS version_id, v.name AS name, b.size AS size, b.sha256 AS sha256, b.md5 AS md5
           FROM product_files f
           JOIN file_versions v ON v.product_file_id = f.id
            AND v.id = (SELECT max(newest.id) FROM file_versions newest WHERE newest.product_file_id = f.id)
           JOIN blobs b ON b.sha256 = v.sha256
          WHERE f.merchant_id = $1 AND f.product_id = $2 AND f.removed_at IS NULL
          ORDER BY f.position, f.id")
    .bind(merchant)
    .bind(product)
    .all(source, read_file)
}

/// The products of an order that have a second text to send.
pub fn with_other_text(
    source: &mut impl Source,
    merchant: MerchantId,
    order: kernel::OrderId,
) -> Result<Vec<ProductId>, DbError> {
    sql("SELECT DISTINCT p.id AS id FROM order_lines l JOIN products p ON p.id = l.product_id
          WHERE l.merchant_id = $1 AND l.order_id = $2 AND p.other_text <> '' ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, |row| row.get("id"))
}

/// The prices of everything that is for sale: the shop window in one question.
pub fn prices_on_sale(
    source: &mut impl Source,
    merchant: MerchantId,
) -> Result<Vec<(ProductId, Price)>, DbError> {
    sql("SELECT p.product_id AS product_id, p.currency AS currency, p.amount_minor AS amount_minor,
                p.valid_from AS valid_from
           FROM prices p JOIN products ON products.id = p.product_id
          WHERE products.merchant_id = $1 AND products.status = 'active'
          ORDER BY p.product_id, p.valid_from, p.currency")
    .bind(merchant)
    .all(source, |row| {
        let price = Price {
            minor: row.get("amount_minor")?,
            currency: row.get("currency")?,
            valid_from: row.get("valid_from")?,
        };
        Ok((row.get("product_id")?, price))
    })
}

/// How many files each product for sale has, and how many bytes they are together.
pub fn sizes_on_sale(
    source: &mut impl Source,
    merchant: MerchantId,
) -> Result<Vec<(ProductId, u32, u64)>, DbError> {
    sql("SELECT f.product_id AS product_id, count(*) AS files, CAST(sum(b.size) AS BIGINT) AS bytes
           FROM product_files f
           JOIN products ON products.id = f.product_id
           JOIN file_versions v ON v.product_file_id = f.id
            AND v.id = (SELECT max(newest.id) FROM file_versions newest WHERE newest.product_file_id = f.id)
           JOIN blobs b ON b.sha256 = v.sha256
          WHERE products.merchant_id = $1 AND products.status = 'active' AND f.removed_at IS NULL
          GROUP BY f.product_id")
    .bind(merchant)
    .all(source, |row| Ok((row.get("product_id")?, row.get("files")?, row.get("bytes")?)))
}

/// Reads a joined file row: `file_id`, `version_id`, `name`, `size`, `sha256`, `md5`.
pub fn read_file(row: &mut Row) -> Result<ProductFile, DbError> {
    Ok(ProductFile {
        file: row.get("file_id")?,
        version: row.get("version_id")?,
        name: row.get("name")?,
        size: row.get("size")?,
        sha256: row.get("sha256")?,
        md5: row.get("md5")?,
    })
}

/// Reads a whole row of products.
pub fn read(row: &mut Row) -> Result<Product, DbError> {
    Ok(Product {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        sku: row.get("sku")?,
        name: row.get("name")?,
        description: row.get("description")?,
        status: row.get("status")?,
        standard_text: row.get("standard_text")?,
        other_text: row.get("other_text")?,
        support_text: row.get("support_text")?,
        link_life: row.get("link_life")?,
        download_limit: row.get("download_limit")?,
        file_policy: row.get("file_policy")?,
        update_days: row.get("update_days")?,
        pending_policy: row.get("pending_policy")?,
        deliverables: row.get("deliverables")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        version: row.get("version")?,
    })
}
