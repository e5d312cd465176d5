//! A product's page in the back office, and putting it on sale and off.

use axum::extract::State;
use axum::response::Response;
use kernel::{PriceId, ProductId};
use ui::admin::{Act, ConfirmPage};

use super::staff_view::{self, find};
use super::{ProductStatus, desk_flow, staff_files, staff_form, staff_list};
use crate::app::App;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes of all pages of products.
pub fn desk(desk: Desk) -> Desk {
    let desk = staff_list::desk(desk);
    let desk = staff_form::desk(desk);
    let desk = staff_files::desk(desk);
    desk.get("/admin/products/{product}", Right::Read, show)
        .post("/admin/products/{product}/activate", Right::Products, activate)
        .get("/admin/products/{product}/archive", Right::Products, confirm_archive)
        .post("/admin/products/{product}/archive", Right::Products, archive)
        .post("/admin/products/{product}/prices/{price}/withdraw", Right::Products, withdraw_price)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}")
}

/// `GET /admin/products/{product}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let looking = staff_view::Looking {
        merchant: (*staff.visit.merchant).clone(),
        base_url: app.settings().base_url.clone(),
        now: app.now(),
    };
    let page = app.read(move |snapshot| staff_view::page(snapshot, id, &looking)).await;
    staff.answer(&app, page)
}

/// `POST /admin/products/{product}/activate`
async fn activate(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::set_status(cx, id, ProductStatus::Active)).await;
    staff.after(&app, done, &path(id), "product_activated")
}

/// `GET /admin/products/{product}/archive`
async fn confirm_archive(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let product = find(snapshot, merchant, id)?;
            let action = format!("{}/archive", path(id));
            Ok(ConfirmPage::new(Act::ArchiveProduct, product.name, action, path(id)))
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/products/{product}/archive`
async fn archive(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::set_status(cx, id, ProductStatus::Archived)).await;
    staff.after(&app, done, &path(id), "product_archived")
}

/// `POST /admin/products/{product}/prices/{price}/withdraw`
async fn withdraw_price(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, price)): Ids<(ProductId, PriceId)>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::withdraw_price(cx, id, price)).await;
    staff.after(&app, done, &path(id), "price_withdrawn")
}
