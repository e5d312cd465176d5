//! The form of a product in the back office: a new one, or an old one changed.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::ProductId;
use ui::admin::{
    Errors, PlaceholderHint, PriceField, ProductForm, ProductFormPage, ProductStatus, Word as _,
};
use ui::texts::Placeholder;

use super::desk_flow::{self, Saved};
use super::form::{self, Typed, price_rows, sentence};
use super::staff_view::find;
use super::{DOWNLOAD_LIMIT_DEFAULT, LINK_LIFE_DEFAULT, store};
use crate::app::App;
use crate::orders::staff_view::days;
use crate::problem::{Failure, Flow};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::word;
use crate::web::staff_visit::{Ids, StaffVisit};
use crate::web::stale;

const PRODUCTS: &str = "/admin/products";
/// The form's id: where a sentence leads that is about all of it.
const WHOLE: &str = "product-form";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/new", Right::Products, new)
        .post(PRODUCTS, Right::Products, create)
        .get("/admin/products/{product}/edit", Right::Products, edit)
        .post("/admin/products/{product}", Right::Products, save)
}

/// `GET /admin/products/new`
async fn new(State(app): State<App>, staff: StaffVisit) -> Response {
    let usual = [
        ("status", "draft".to_owned()),
        ("currency_0", staff.visit.merchant.currency.to_string()),
        ("link_life_days", days(LINK_LIFE_DEFAULT).to_string()),
        ("download_limit", DOWNLOAD_LIMIT_DEFAULT.to_string()),
        ("file_policy", "as_bought".to_owned()),
        ("pending_policy", "nothing".to_owned()),
    ];
    let typed = usual.map(|(name, value)| (name.to_owned(), value)).into();
    staff.show(&app, &page(None, 0, &typed, Errors::new()))
}

/// `POST /admin/products`
async fn create(State(app): State<App>, staff: StaffVisit, Posted(typed): Posted<Typed>) -> Response {
    let (fields, zone) = (typed.clone(), staff.visit.merchant.time_zone.clone());
    let saved = staff.write(&app, move |cx| desk_flow::create(cx, &fields, &zone)).await;
    answer(&app, &staff, (None, 0, &typed), saved)
}

/// `GET /admin/products/{product}/edit`
async fn edit(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let page = app
        .read(move |snapshot| {
            let product = find(snapshot, merchant, id)?;
            let typed = form::typed_of(&product, &store::prices(snapshot, merchant, id)?, now);
            Ok(page(Some(id), product.version, &typed, Errors::new()))
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/products/{product}`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let version = typed.get("version").and_then(|version| version.parse().ok()).unwrap_or_default();
    let (fields, zone) = (typed.clone(), staff.visit.merchant.time_zone.clone());
    let saved = staff.write(&app, move |cx| desk_flow::save(cx, id, version, &fields, &zone)).await;
    answer(&app, &staff, (Some(id), version, &typed), saved)
}

/// On to the product, or the form once more with what was typed and what is wrong with it.
fn answer(
    app: &App,
    staff: &StaffVisit,
    (id, version, typed): (Option<ProductId>, i64, &Typed),
    saved: Flow<Saved>,
) -> Response {
    let again = |status, version, errors| staff.show_as(app, status, &page(id, version, typed, errors));
    match saved {
        Ok(Saved::Done(id)) => staff.done(&format!("{PRODUCTS}/{id}"), "saved"),
        Ok(Saved::Wrong(wrong)) => again(StatusCode::UNPROCESSABLE_ENTITY, version, wrong),
        Ok(Saved::Stale { version, theirs }) => {
            let errors = stale::errors(app, &staff.visit.merchant, WHOLE, &theirs);
            again(StatusCode::CONFLICT, version, errors)
        }
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let field = problem.pointer.clone().unwrap_or_default();
            let errors = Errors::from([(field, sentence(&problem.detail))]);
            again(StatusCode::UNPROCESSABLE_ENTITY, version, errors)
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

fn page(id: Option<ProductId>, version: i64, typed: &Typed, errors: Errors) -> ProductFormPage {
    let field = |name: &str| typed.get(name).cloned().unwrap_or_default();
    ProductFormPage {
        id,
        version,
        form: ProductForm {
            sku: field("sku"),
            name: field("name"),
            description: field("description"),
            status: word(&field("status")),
            prices: price_fields(typed),
            link_life_days: field("link_life_days"),
            download_limit: field("download_limit"),
            file_policy: word(&field("file_policy")),
            update_days: field("update_days"),
            pending_policy: word(&field("pending_policy")),
            standard_text: field("standard_text"),
            other_text: field("other_text"),
            support_text: field("support_text"),
        },
        statuses: ProductStatus::choices(),
        placeholders: Placeholder::ALL.map(PlaceholderHint::from).into(),
        errors,
    }
}

/// The rows that were typed, and an empty one for another currency.
fn price_fields(typed: &Typed) -> Vec<PriceField> {
    let row = |row: usize| {
        let field = |name: &str| typed.get(&format!("{name}_{row}")).cloned().unwrap_or_default();
        PriceField { currency: field("currency"), amount: field("amount"), from: field("from") }
    };
    // Without holes, so that a row keeps the number that its error names.
    let last = price_rows(typed).last().copied();
    let mut rows: Vec<PriceField> = (0..last.map_or(0, |last| last + 1)).map(row).collect();
    if rows.last().is_none_or(|row| !row.currency.is_empty() || !row.amount.is_empty()) {
        rows.push(PriceField { currency: String::new(), amount: String::new(), from: String::new() });
    }
    rows
}
