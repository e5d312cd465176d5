//! The list of products in the back office, and the same as a file.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use db::Source;
use kernel::{Currency, MerchantId, Money, ProductId, Timestamp};
use ui::admin::{ProductRow, ProductsPage};

use super::desk_store::{self, BY_NAME, BY_SKU, BY_UPDATED, Filter};
use super::{Price, Product, form};
use crate::app::App;
use crate::paging::{Ask, Slice, Way};
use crate::problem::Flow;
use crate::staff::Right;
use crate::web::csv;
use crate::web::desk::Desk;
use crate::web::listing::{Asked, Column, word};
use crate::web::staff_visit::StaffVisit;

const LIST: &str = "/admin/products";
const FILE: &str = "/admin/products.csv";
const COLUMNS: &[Column] = &[(BY_NAME, Way::Up), (BY_SKU, Way::Up), (BY_UPDATED, Way::Down)];

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(LIST, Right::Read, list).get(FILE, Right::Export, file)
}

fn filter(asked: &Asked) -> Filter {
    Filter { status: asked.stored("status"), words: asked.search().to_owned() }
}

/// `GET /admin/products`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let (merchant, currency) = (staff.visit.merchant.id, staff.visit.merchant.currency);
    let now = app.now();
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let slice = desk_store::page(snapshot, merchant, &filter(&asked), &ask)?;
            let list = asked
                .listing(LIST, COLUMNS, &ask, &slice)
                .search(asked.search())
                .tabs("status", asked.word::<ui::admin::ProductStatus>("status"))
                .csv(FILE)
                .done();
            let beside = Beside::read(snapshot, merchant, &slice.rows, (currency, now))?;
            Ok(ProductsPage {
                list,
                products: slice.rows.iter().map(|product| beside.row(product)).collect(),
            })
        })
        .await;
    staff.answer(&app, page)
}

/// What stands beside the products of a page.
struct Beside {
    prices: HashMap<ProductId, Vec<Price>>,
    sizes: HashMap<ProductId, (u32, u64)>,
    sold: HashMap<ProductId, u64>,
    first: Currency,
    now: Timestamp,
}

impl Beside {
    /// `first`: the currency whose price is told first.
    fn read(
        source: &mut impl Source,
        merchant: MerchantId,
        products: &[Product],
        (first, now): (Currency, Timestamp),
    ) -> Flow<Self> {
        let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
        let mut prices: HashMap<ProductId, Vec<Price>> = HashMap::new();
        for (product, price) in desk_store::prices_of(source, merchant, &ids)? {
            prices.entry(product).or_default().push(price);
        }
        let sizes = desk_store::sizes_of(source, merchant, &ids)?;
        Ok(Self {
            prices,
            sizes: sizes.into_iter().map(|(id, files, bytes)| (id, (files, bytes))).collect(),
            sold: desk_store::sold_of(source, merchant, &ids)?.into_iter().collect(),
            first,
            now,
        })
    }

    fn prices(&self, product: ProductId) -> Vec<Money> {
        let all = self.prices.get(&product).map_or(&[][..], Vec::as_slice);
        let mut prices = form::in_force(all, self.now);
        prices.sort_by_key(|price| price.currency != self.first);
        prices
    }

    fn row(&self, product: &Product) -> ProductRow {
        let (files, bytes) = self.sizes.get(&product.id).copied().unwrap_or_default();
        ProductRow {
            id: product.id,
            sku: product.sku.clone(),
            name: product.name.clone(),
            status: word(product.status.as_str()),
            prices: self.prices(product.id),
            files,
            bytes,
            sold: self.sold.get(&product.id).copied().unwrap_or_default(),
            updated_at: product.updated_at,
        }
    }

    fn cells(&self, product: &Product) -> csv::Cells {
        let row = self.row(product);
        let price = |price: &Money| format!("{} {}", price.decimal(), price.currency);
        vec![
            product.id.to_string(),
            product.sku.clone(),
            product.name.clone(),
            product.status.to_string(),
            row.prices.iter().map(price).collect::<Vec<_>>().join("; "),
            row.files.to_string(),
            row.bytes.to_string(),
            row.sold.to_string(),
            product.created_at.to_string(),
            product.updated_at.to_string(),
        ]
    }
}

/// `GET /admin/products.csv`: the list as it is searched, filtered and sorted, whole.
async fn file(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    if let Err(failure) = staff.note_export(&app, "products").await {
        return staff.refuse(&app, failure);
    }
    let (merchant, currency) = (staff.visit.merchant.id, staff.visit.merchant.currency);
    let ask = Ask { most: csv::ROWS_AT_ONCE, ..asked.ask(COLUMNS) };
    csv::stream("products.csv", HEAD, move |place| {
        let (app, asked) = (app.clone(), asked.clone());
        let ask = Ask { place, ..ask.clone() };
        async move {
            let now = app.now();
            app.read(move |snapshot| {
                let slice = desk_store::page(snapshot, merchant, &filter(&asked), &ask)?;
                let beside = Beside::read(snapshot, merchant, &slice.rows, (currency, now))?;
                let rows = slice.rows.iter().map(|product| beside.cells(product)).collect();
                Ok(Slice { rows, before: slice.before, after: slice.after })
            })
            .await
        }
    })
}

const HEAD: &[&str] =
    &["id", "sku", "name", "status", "prices", "files", "bytes", "sold", "created_at", "updated_at"];
