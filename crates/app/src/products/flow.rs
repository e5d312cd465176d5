//! Making and changing products.

use kernel::{FileVersionId, Money, PriceId, ProductFileId, ProductId, Timestamp};

use super::{
    DOWNLOAD_LIMIT_DEFAULT, FilePolicy, LINK_LIFE_DEFAULT, PendingPolicy, Price, Product, ProductFile,
    ProductStatus, store,
};
use crate::cx::Cx;
use crate::deliverables::Deliverables;
use crate::events;
use crate::packed;
use crate::problem::{Code, Flow, Problem};
use crate::stamps;

/// What a new product needs; the rest has defaults.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// The external item number.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// For its page.
    pub description: String,
    /// Prices, one per currency.
    pub prices: Vec<Money>,
}

/// A content that lies in the blob store, durably.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The name that buyers save it under.
    pub name: String,
    /// Hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// As zip files have it.
    pub crc32: u32,
    /// Hex.
    pub md5: String,
}

/// Longest item number.
pub const SKU_LENGTH_MAX: usize = 127;
/// Longest name.
pub const NAME_LENGTH_MAX: usize = 127;
/// Longest name of a file, in bytes.
pub const FILE_NAME_LENGTH_MAX: usize = 200;

/// Makes a product and puts it on sale.
pub fn create(cx: &mut Cx<'_, '_>, new: &NewProduct) -> Flow<Product> {
    let sku = valid_sku(&new.sku)?;
    let name = valid_name(&new.name)?;
    if store::by_sku(cx.tx, cx.merchant, &sku)?.is_some() {
        let text = format!("there is already a product with the item number \"{sku}\"");
        return Err(Problem::new(Code::Taken, text).at("sku").into());
    }
    if let Some(twice) = new
        .prices
        .iter()
        .enumerate()
        .find(|(at, price)| new.prices.iter().take(*at).any(|before| before.currency == price.currency))
    {
        return Err(Problem::invalid("prices", format!("two prices in {}", twice.1.currency)).into());
    }
    let product = Product {
        id: ProductId::mint(cx.draws),
        merchant: cx.merchant,
        sku,
        name,
        description: new.description.clone(),
        status: ProductStatus::Active,
        standard_text: String::new(),
        other_text: String::new(),
        support_text: String::new(),
        link_life: LINK_LIFE_DEFAULT,
        download_limit: DOWNLOAD_LIMIT_DEFAULT,
        file_policy: FilePolicy::AsBought,
        update_days: None,
        pending_policy: PendingPolicy::Nothing,
        deliverables: Deliverables::default(),
        created_at: cx.now,
        updated_at: cx.now,
        version: 1,
    };
    store::insert(cx.tx, &product)?;
    events::flow::record(cx, None, product.id, "product.created", serde_json::json!({ "sku": product.sku }))?;
    for price in &new.prices {
        put_price(cx, &product, *price, cx.now)?;
    }
    Ok(product)
}

/// Sets what a product costs in a currency from a moment on.
pub fn set_price(cx: &mut Cx<'_, '_>, product: &Product, price: Money, valid_from: Timestamp) -> Flow<()> {
    put_price(cx, product, price, valid_from)?;
    store::raise(cx.tx, cx.merchant, product.id, cx.now)?;
    Ok(())
}

fn put_price(cx: &mut Cx<'_, '_>, product: &Product, price: Money, valid_from: Timestamp) -> Flow<()> {
    if price.minor < 0 {
        return Err(Problem::invalid("price", "a price cannot be negative").into());
    }
    let row = Price { minor: Some(price.minor), currency: price.currency, valid_from };
    store::insert_price(cx.tx, PriceId::mint(cx.draws), cx.merchant, product.id, row)?;
    let detail = serde_json::json!({ "price": price.to_string(), "from": valid_from });
    events::flow::record(cx, None, product.id, "product.priced", detail)?;
    Ok(())
}

/// Adds a file to a product. The content must lie in the blob store already.
pub fn add_file(cx: &mut Cx<'_, '_>, product: &Product, stored: &StoredFile) -> Flow<ProductFile> {
    let name = valid_file_name(&stored.name)?;
    let (file, version) = (ProductFileId::mint(cx.draws), FileVersionId::mint(cx.draws));
    store::insert_blob(cx.tx, &stored.sha256, stored.size, stored.crc32, &stored.md5, cx.now)?;
    store::insert_file(cx.tx, file, cx.merchant, product.id, &name, cx.now)?;
    store::insert_version(cx.tx, version, cx.merchant, file, &name, &stored.sha256, cx.now)?;
    packed::flow::request(cx, &stored.sha256, stored.size)?;
    store::touch(cx.tx, cx.merchant, product.id, cx.now)?;
    let detail = serde_json::json!({ "name": name, "sha256": stored.sha256, "size": stored.size });
    events::flow::record(cx, None, product.id, "product.file_added", detail)?;
    Ok(ProductFile {
        file,
        version,
        name,
        size: stored.size,
        sha256: stored.sha256.clone(),
        md5: stored.md5.clone(),
    })
}

/// Gives a file a new content, under the name that the content came with. The content must lie
/// in the blob store already. Orders whose files are as bought keep the old one.
pub fn replace_file(
    cx: &mut Cx<'_, '_>,
    product: &Product,
    old: &ProductFile,
    stored: &StoredFile,
) -> Flow<ProductFile> {
    let name = valid_file_name(&stored.name)?;
    let version = FileVersionId::mint(cx.draws);
    store::insert_blob(cx.tx, &stored.sha256, stored.size, stored.crc32, &stored.md5, cx.now)?;
    store::insert_version(cx.tx, version, cx.merchant, old.file, &name, &stored.sha256, cx.now)?;
    packed::flow::request(cx, &stored.sha256, stored.size)?;
    stamps::flow::new_version(cx, product, old.file)?;
    store::touch(cx.tx, cx.merchant, product.id, cx.now)?;
    let detail =
        serde_json::json!({ "name": name, "was": old.name, "sha256": stored.sha256, "size": stored.size });
    events::flow::record(cx, None, product.id, "product.file_replaced", detail)?;
    Ok(ProductFile {
        file: old.file,
        version,
        name,
        size: stored.size,
        sha256: stored.sha256.clone(),
        md5: stored.md5.clone(),
    })
}

/// An item number as gateways can carry it.
pub fn valid_sku(text: &str) -> Result<String, Problem> {
    let sku = text.trim();
    if sku.is_empty() || sku.chars().count() > SKU_LENGTH_MAX || sku.chars().any(char::is_control) {
        return Err(Problem::invalid("sku", "an item number has 1 to 127 printable characters"));
    }
    Ok(sku.to_owned())
}

/// A product name as gateways can carry it.
pub fn valid_name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX || name.chars().any(char::is_control) {
        return Err(Problem::invalid("name", "a name has 1 to 127 printable characters"));
    }
    Ok(name.to_owned())
}

/// A file name that is only a name: no folder, no control characters.
pub fn valid_file_name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    let wrong = |c: char| c.is_control() || matches!(c, '/' | '\\');
    if name.is_empty()
        || name.len() > FILE_NAME_LENGTH_MAX
        || name.chars().any(wrong)
        || name == "."
        || name == ".."
    {
        let text = "a file name has 1 to 200 bytes, and no slash, backslash or control character";
        return Err(Problem::invalid("file", text));
    }
    Ok(name.to_owned())
}
