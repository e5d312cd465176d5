//! Whether a product's files are encrypted for each buyer, in the back office.

use axum::extract::State;
use axum::response::Response;
use kernel::ProductId;
use ui::admin::{EncryptionSettingsPage, Errors};

use super::{Terms, flow};
use crate::app::App;
use crate::products::staff_view::find;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/encryption", Right::Products, show).post(
        "/admin/products/{product}/encryption",
        Right::Products,
        save,
    )
}

/// `GET /admin/products/{product}/encryption`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let product = find(snapshot, merchant, id)?;
            Ok(EncryptionSettingsPage {
                product: id,
                product_name: product.name,
                version: product.version,
                on: product.deliverables.encryption.is_some(),
                errors: Errors::new(),
            })
        })
        .await;
    staff.answer(&app, page)
}

#[derive(Debug, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    version: i64,
    #[serde(default)]
    on: String,
}

/// `POST /admin/products/{product}/encryption`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let on = !typed.on.is_empty();
    let terms = on.then(Terms::default);
    let done = staff.write(&app, move |cx| flow::change(cx, id, typed.version, terms.clone())).await;
    let word = if on { "delivery_saved" } else { "delivery_off" };
    staff.after(&app, done, &format!("/admin/products/{id}"), word)
}
