//! `/v1/products`: products, their prices and their files.

use std::pin::Pin;

use db::{Snapshot, Source};
use kernel::{Currency, FileVersionId, MerchantId, ProductFileId, ProductId, Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::change::{self, Change};
use super::flow::{self, NewProduct};
use super::{FilePolicy, PendingPolicy, Product, ProductFile, ProductStatus, price_at, store, upload};
use crate::api_keys::Scope;
use crate::cx::Cx;
use crate::failpoint;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, Upload, at};
use crate::web::api::input::Paging;
use crate::web::api::view::{Amount, AmountInput, Nothing, Page};

const READ: Access = Access::Scope(Scope::ProductsRead);
const WRITE: Access = Access::Scope(Scope::ProductsWrite);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(at("listProducts", "/v1/products", READ, "Products, newest first."), list),
        Endpoint::create(
            at("createProduct", "/v1/products", WRITE, "Makes a product and puts it on sale."),
            create,
        ),
        Endpoint::get(at("getProduct", "/v1/products/{id}", READ, "A product with prices and files."), get),
        Endpoint::patch(
            at("changeProduct", "/v1/products/{id}", WRITE, "Changes the fields that are sent."),
            patch,
        ),
        Endpoint::act(
            at("archiveProduct", "/v1/products/{id}/archive", WRITE, "Takes a product off sale."),
            archive,
        ),
        Endpoint::put(
            at(
                "setPrice",
                "/v1/products/{id}/prices/{currency}",
                WRITE,
                "Sets the price in a currency, now or from a moment on.",
            ),
            set_price,
        ),
        Endpoint::delete(
            at("endPrice", "/v1/products/{id}/prices/{currency}", WRITE, "Ends the sale in a currency."),
            end_price,
        ),
        Endpoint::list(at("listFiles", "/v1/products/{id}/files", READ, "The files of a product."), files),
        Endpoint::upload(
            at(
                "putFile",
                "/v1/products/{id}/files/{name}",
                WRITE,
                "Adds a file, or a new version of the file with this name.",
            ),
            put_file,
        ),
    ]
}

/// What is sold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub struct ProductView {
    id: ProductId,
    /// The external item number; unique.
    sku: String,
    name: String,
    description: String,
    status: ProductStatus,
    /// The prices in force now, one per currency.
    prices: Vec<Amount>,
    /// The text in the mail with the links.
    standard_text: String,
    /// The text of a second message; empty: none is sent.
    other_text: String,
    /// Support information under its mails.
    support_text: String,
    /// How long links live.
    link_life_seconds: i64,
    /// How often each file may be fetched.
    download_limit: u32,
    file_policy: FilePolicy,
    /// For how many days from the purchase buyers get new versions; only with `updates_until`.
    update_days: Option<u32>,
    pending_policy: PendingPolicy,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Raised by every change; send it with a change to notice changes by others.
    version: i64,
}

/// A product with what hangs on it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductDetail)]
pub struct ProductDetailView {
    #[serde(flatten)]
    product: ProductView,
    /// Prices of the past and to come as well.
    price_history: Vec<PriceView>,
    files: Vec<FileView>,
}

/// A price from a moment on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Price)]
pub struct PriceView {
    /// `null` ends the sale in this currency.
    price: Option<Amount>,
    currency: Currency,
    valid_from: Timestamp,
}

/// A file with its newest content.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = File)]
pub struct FileView {
    id: ProductFileId,
    /// The content; a new one makes a new version.
    version: FileVersionId,
    /// What buyers save it under.
    name: String,
    /// In bytes.
    size: u64,
    sha256: String,
    md5: String,
}

impl From<ProductFile> for FileView {
    fn from(file: ProductFile) -> Self {
        let ProductFile { file: id, version, name, size, sha256, md5 } = file;
        Self { id, version, name, size, sha256, md5 }
    }
}

fn view(
    source: &mut impl Source,
    merchant: MerchantId,
    product: Product,
    now: Timestamp,
) -> Flow<ProductView> {
    let prices = store::prices(source, merchant, product.id)?;
    let mut currencies: Vec<Currency> = prices.iter().map(|price| price.currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let prices = currencies.into_iter().filter_map(|currency| price_at(&prices, currency, now));
    Ok(ProductView {
        id: product.id,
        sku: product.sku,
        name: product.name,
        description: product.description,
        status: product.status,
        prices: prices.map(Amount::from).collect(),
        standard_text: product.standard_text,
        other_text: product.other_text,
        support_text: product.support_text,
        link_life_seconds: product.link_life.as_seconds(),
        download_limit: product.download_limit,
        file_policy: product.file_policy,
        update_days: product.update_days,
        pending_policy: product.pending_policy,
        created_at: product.created_at,
        updated_at: product.updated_at,
        version: product.version,
    })
}

fn detail(
    source: &mut impl Source,
    merchant: MerchantId,
    product: Product,
    now: Timestamp,
) -> Flow<ProductDetailView> {
    let prices = store::prices(source, merchant, product.id)?;
    let files = store::files(source, merchant, product.id)?;
    Ok(ProductDetailView {
        product: view(source, merchant, product, now)?,
        price_history: prices
            .into_iter()
            .map(|price| PriceView {
                price: price.minor.map(|minor| Amount::of(minor, price.currency)),
                currency: price.currency,
                valid_from: price.valid_from,
            })
            .collect(),
        files: files.into_iter().map(FileView::from).collect(),
    })
}

fn found(source: &mut impl Source, merchant: MerchantId, id: ProductId) -> Flow<Product> {
    Ok(store::by_id(source, merchant, id)?.ok_or_else(|| Problem::not_found("product"))?)
}

fn held(cx: &mut Cx<'_, '_>, id: ProductId) -> Flow<Product> {
    Ok(store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("product"))?)
}

/// Which products.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only the one with this item number.
    sku: Option<String>,
}

/// `GET /v1/products`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Filter>,
    paging: Paging<ProductId>,
) -> Flow<Page<ProductView>> {
    let (merchant, now) = (asked.merchant, asked.app.now());
    let rows = match &asked.input.sku {
        Some(sku) => store::by_sku(snapshot, merchant, sku)?.into_iter().collect(),
        None => store::page(snapshot, merchant, paging.after, paging.rows())?,
    };
    let page = Page::of(rows, paging.limit, |row: &Product| row.id.to_string(), |row| row);
    let items = page.items.into_iter().map(|row| view(snapshot, merchant, row, now));
    Ok(Page { items: items.collect::<Flow<_>>()?, next: page.next })
}

/// `GET /v1/products/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<ProductId, Nothing>) -> Flow<ProductDetailView> {
    let product = found(snapshot, asked.merchant, asked.at)?;
    detail(snapshot, asked.merchant, product, asked.app.now())
}

/// A new product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProduct)]
pub struct NewProductBody {
    /// The external item number; unique.
    sku: String,
    name: String,
    /// One per currency.
    #[serde(default)]
    prices: Vec<AmountInput>,
    description: Option<String>,
    status: Option<ProductStatus>,
    standard_text: Option<String>,
    other_text: Option<String>,
    support_text: Option<String>,
    link_life_seconds: Option<i64>,
    download_limit: Option<u32>,
    file_policy: Option<FilePolicy>,
    /// For how many days from the purchase buyers get new versions; only with `updates_until`.
    update_days: Option<u32>,
    pending_policy: Option<PendingPolicy>,
}

/// `POST /v1/products`
fn create(cx: &mut Cx<'_, '_>, asked: &Asked<(), NewProductBody>) -> Flow<ProductDetailView> {
    let body = &asked.input;
    let mut prices = Vec::new();
    for (place, price) in body.prices.iter().enumerate() {
        prices.push(price.money(&format!("/prices/{place}"))?);
    }
    let new =
        NewProduct { sku: body.sku.clone(), name: body.name.clone(), description: String::new(), prices };
    let made = flow::create(cx, &new)?;
    let rest = Change {
        description: body.description.clone(),
        status: body.status,
        standard_text: body.standard_text.clone(),
        other_text: body.other_text.clone(),
        support_text: body.support_text.clone(),
        link_life: body.link_life_seconds.map(Span::seconds),
        download_limit: body.download_limit,
        file_policy: body.file_policy,
        update_days: body.update_days,
        pending_policy: body.pending_policy,
        ..Change::default()
    };
    let product = change::change(cx, made.id, &rest)?;
    detail(cx.tx, cx.merchant, product, cx.now)
}

/// What is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductChange)]
pub struct ProductChangeBody {
    sku: Option<String>,
    name: Option<String>,
    description: Option<String>,
    status: Option<ProductStatus>,
    standard_text: Option<String>,
    other_text: Option<String>,
    support_text: Option<String>,
    link_life_seconds: Option<i64>,
    download_limit: Option<u32>,
    file_policy: Option<FilePolicy>,
    /// For how many days from the purchase buyers get new versions; only with `updates_until`.
    update_days: Option<u32>,
    pending_policy: Option<PendingPolicy>,
    /// The version that was looked at; a change by somebody else since is refused.
    version: Option<i64>,
}

/// `PATCH /v1/products/{id}`
fn patch(cx: &mut Cx<'_, '_>, asked: &Asked<ProductId, ProductChangeBody>) -> Flow<ProductDetailView> {
    let body = &asked.input;
    let wanted = Change {
        sku: body.sku.clone(),
        name: body.name.clone(),
        description: body.description.clone(),
        status: body.status,
        standard_text: body.standard_text.clone(),
        other_text: body.other_text.clone(),
        support_text: body.support_text.clone(),
        link_life: body.link_life_seconds.map(Span::seconds),
        download_limit: body.download_limit,
        file_policy: body.file_policy,
        update_days: body.update_days,
        pending_policy: body.pending_policy,
        version: body.version,
    };
    let product = change::change(cx, asked.at, &wanted)?;
    detail(cx.tx, cx.merchant, product, cx.now)
}

/// `POST /v1/products/{id}/archive`
fn archive(cx: &mut Cx<'_, '_>, asked: &Asked<ProductId, Nothing>) -> Flow<ProductDetailView> {
    let wanted = Change { status: Some(ProductStatus::Archived), ..Change::default() };
    let product = change::change(cx, asked.at, &wanted)?;
    detail(cx.tx, cx.merchant, product, cx.now)
}

/// A price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPrice)]
pub struct PriceBody {
    /// With a point before the decimals.
    #[schema(example = "12.34")]
    amount: Option<String>,
    /// In whole minor units, instead of `amount`.
    minor: Option<i64>,
    /// From when; now, if it is left out.
    valid_from: Option<Timestamp>,
}

/// `PUT /v1/products/{id}/prices/{currency}`
fn set_price(
    cx: &mut Cx<'_, '_>,
    asked: &Asked<(ProductId, Currency), PriceBody>,
) -> Flow<ProductDetailView> {
    let ((id, currency), body) = (asked.at, &asked.input);
    let product = held(cx, id)?;
    let input = AmountInput { amount: body.amount.clone(), minor: body.minor, currency };
    let price = input.money("amount")?;
    let from = change::valid_from(cx.now, body.valid_from)?;
    flow::set_price(cx, &product, price, from)?;
    let product = found(cx.tx, cx.merchant, id)?;
    detail(cx.tx, cx.merchant, product, cx.now)
}

/// `DELETE /v1/products/{id}/prices/{currency}`
fn end_price(cx: &mut Cx<'_, '_>, asked: &Asked<(ProductId, Currency), Nothing>) -> Flow<ProductDetailView> {
    let (id, currency) = asked.at;
    let product = held(cx, id)?;
    change::end_price(cx, &product, currency, cx.now)?;
    let product = found(cx.tx, cx.merchant, id)?;
    detail(cx.tx, cx.merchant, product, cx.now)
}

/// `GET /v1/products/{id}/files`
fn files(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<ProductId, Nothing>,
    paging: Paging<ProductFileId>,
) -> Flow<Page<FileView>> {
    let product = found(snapshot, asked.merchant, asked.at)?;
    let mut rows = store::files(snapshot, asked.merchant, product.id)?;
    if let Some(after) = paging.after {
        let seen = rows.iter().position(|row| row.file == after);
        rows.drain(..seen.map_or(rows.len(), |place| place + 1));
    }
    Ok(Page::of(rows, paging.limit, |row: &ProductFile| row.file.to_string(), FileView::from))
}

/// `PUT /v1/products/{id}/files/{name}`
fn put_file(upload: Upload<(ProductId, String)>) -> Pin<Box<dyn Future<Output = Flow<FileView>> + Send>> {
    Box::pin(async move {
        let Upload { asked, body } = upload;
        let (id, name) = asked.at;
        let (app, merchant) = (asked.app, asked.merchant);
        let name = flow::valid_file_name(&name)?;
        // Looked up before a long upload begins, and again when it is done.
        app.read(move |snapshot| found(snapshot, merchant, id)).await?;
        let stored = upload::receive(app.blobs().clone(), &name, body).await?;
        let file = app.write(merchant, asked.caller.actor(), move |cx| {
            let product = held(cx, id)?;
            change::put_file(cx, &product, &stored)
        });
        let file = file.await?;
        failpoint!(UploadRecorded);
        Ok(FileView::from(file))
    })
}
