//! Whether a product's files come as one archive, and with which password.

use axum::extract::State;
use axum::response::Response;
use kernel::ProductId;
use ui::admin::ArchivePage;

use super::{PasswordRule, Terms};
use crate::app::App;
use crate::deliverables;
use crate::products::staff_view::find;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/packing", Right::Products, show).post(
        "/admin/products/{product}/packing",
        Right::Products,
        save,
    )
}

#[derive(Debug, serde::Deserialize)]
struct Typed {
    version: i64,
    #[serde(default)]
    archive: String,
}

/// The words of the form: each by itself, one archive, or one with this password.
const OFF: &str = "off";
const NONE: &str = "none";

/// `GET /admin/products/{product}/packing`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app.read(move |snapshot| {
        let product = find(snapshot, merchant, id)?;
        let chosen = match &product.deliverables.archive {
            None => OFF,
            Some(terms) => terms.password.map_or(NONE, PasswordRule::as_str),
        };
        let rules = PasswordRule::ALL.iter().map(|rule| rule.as_str());
        Ok(ArchivePage {
            product: id,
            product_name: product.name,
            version: product.version,
            chosen: chosen.to_owned(),
            choices: [OFF, NONE].into_iter().chain(rules).map(str::to_owned).collect(),
        })
    });
    staff.answer(&app, page.await)
}

/// `POST /admin/products/{product}/packing`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let terms = match typed.archive.as_str() {
        NONE => Some(Terms { password: None }),
        // Whatever else the form could not send is the least that can be meant.
        word => word.parse::<PasswordRule>().ok().map(|rule| Terms { password: Some(rule) }),
    };
    let saved = staff.write(&app, move |cx| {
        let terms = terms.clone();
        deliverables::flow::change(cx, id, typed.version, "archive", |all| all.archive.clone_from(&terms))
    });
    staff.after(&app, saved.await, &format!("/admin/products/{id}"), "delivery_saved")
}
