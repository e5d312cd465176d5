//! Picking files up in the back office: what is there, and having it taken.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::ProductId;
use ui::admin::{Errors, PickUpFile, PickUpPage, PickUpRow};

use super::{Found, PickUpError, store};
use crate::app::App;
use crate::events;
use crate::jobs::{self, Work};
use crate::problem::Flow;
use crate::products::form::sentence;
use crate::products::staff_view::find;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// So many files are listed; the page says how many more there are.
const LISTED_MAX: usize = 100;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/pick-up", Right::Products, show)
        .post("/admin/products/{product}/pick-up/look", Right::Products, look)
        .post("/admin/products/{product}/pick-up", Right::Products, take)
}

#[derive(Debug, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    spec: String,
}

/// `GET /admin/products/{product}/pick-up`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let page = page(&app, &staff, id, "").await;
    staff.answer(&app, page)
}

/// `POST /admin/products/{product}/pick-up/look`: what is there, and nothing is taken.
async fn look(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(Typed { spec }): Posted<Typed>,
) -> Response {
    match found(&app, &spec).await {
        Ok(found) => {
            let page = page(&app, &staff, id, &spec).await;
            staff.answer(&app, page.map(|page| with(page, &found)))
        }
        Err(error) => wrong(&app, &staff, id, &spec, &error).await,
    }
}

/// `POST /admin/products/{product}/pick-up`
async fn take(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(Typed { spec }): Posted<Typed>,
) -> Response {
    if let Err(error) = found(&app, &spec).await {
        return wrong(&app, &staff, id, &spec, &error).await;
    }
    let asked = staff
        .write(&app, move |cx| {
            find(cx.tx, cx.merchant, id)?;
            let detail = serde_json::json!({ "spec": spec });
            events::flow::record(cx, None, id, "product.pick_up_asked", detail)?;
            let work = Work::PickUp { merchant: cx.merchant, product: id, spec: spec.clone() };
            Ok(jobs::flow::enqueue(cx, &work)?)
        })
        .await;
    staff.after(&app, asked, &format!("/admin/products/{id}/pick-up"), "pick_up_asked")
}

async fn found(app: &App, spec: &str) -> Result<Found, PickUpError> {
    let (roots, text) = (app.settings().file_roots.clone(), spec.to_owned());
    // Disks are slow: this waits for them off the async workers.
    let looking = tokio::task::spawn_blocking(move || super::look(&roots, &text));
    looking.await.unwrap_or_else(|error| Err(PickUpError::Lacking(error.to_string())))
}

async fn wrong(app: &App, staff: &StaffVisit, id: ProductId, spec: &str, error: &PickUpError) -> Response {
    match page(app, staff, id, spec).await {
        Ok(page) => {
            // A spec's error is drawn under the text, and keeps its lines.
            let told = match error {
                PickUpError::Spec(text) => text.clone(),
                PickUpError::Lacking(_) | PickUpError::Source(_) => sentence(&error.to_string()),
            };
            let page = PickUpPage { errors: Errors::from([("spec".to_owned(), told)]), ..page };
            staff.show_as(app, StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

async fn page(app: &App, staff: &StaffVisit, id: ProductId, spec: &str) -> Flow<PickUpPage> {
    let merchant = staff.visit.merchant.id;
    let (product, under_way) = app
        .read(move |snapshot| Ok((find(snapshot, merchant, id)?, store::under_way(snapshot, id)?)))
        .await?;
    let row = |row: store::UnderWay| PickUpRow {
        spec: row.spec,
        failed: row.state == "dead",
        last_error: row.last_error,
        since: row.since,
    };
    Ok(PickUpPage {
        product: id,
        product_name: product.name,
        spec: spec.to_owned(),
        roots: app.settings().file_roots.iter().map(|root| root.name.clone()).collect(),
        files: Vec::new(),
        more: 0,
        bytes: 0,
        under_way: under_way.into_iter().map(row).collect(),
        errors: Errors::new(),
    })
}

fn with(page: PickUpPage, found: &Found) -> PickUpPage {
    let file = |at| PickUpFile { path: found.opened.path(at) };
    PickUpPage {
        files: found.files.iter().take(LISTED_MAX).map(file).collect(),
        more: u64::try_from(found.files.len().saturating_sub(LISTED_MAX)).unwrap_or(u64::MAX),
        bytes: found.bytes,
        ..page
    }
}
