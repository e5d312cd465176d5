//! Which event's tickets a product sells, in the back office.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::{ProductId, TicketEventId};
use ui::admin::{Errors, TicketSettingsPage};

use super::staff_view::event_row;
use super::{Ticket, store};
use crate::app::App;
use crate::cx::Cx;
use crate::deliverables;
use crate::problem::{Failure, Flow, Problem};
use crate::products::form::sentence;
use crate::products::staff_view::find;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Events to choose from.
const EVENTS_MAX: u32 = 100;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/ticket", Right::Products, show).post(
        "/admin/products/{product}/ticket",
        Right::Products,
        save,
    )
}

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}/ticket")
}

async fn page(
    app: &App,
    staff: &StaffVisit,
    id: ProductId,
    typed: Option<String>,
    errors: Errors,
) -> Flow<TicketSettingsPage> {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    app.read(move |snapshot| {
        let product = find(snapshot, merchant, id)?;
        let chosen = product.deliverables.ticket.as_ref().map(|ticket| ticket.event);
        let mut events = store::list(snapshot, merchant, EVENTS_MAX)?;
        events.retain(|event| event.ends_at > now || Some(event.id) == chosen);
        let kept = chosen.map(|event| event.to_string()).unwrap_or_default();
        Ok(TicketSettingsPage {
            product: id,
            product_name: product.name,
            version: product.version,
            event: typed.clone().unwrap_or(kept),
            events: events.iter().map(|event| event_row(event, event.taken, now)).collect(),
            errors: errors.clone(),
        })
    })
    .await
}

/// `GET /admin/products/{product}/ticket`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let page = page(&app, &staff, id, None, Errors::new()).await;
    staff.answer(&app, page)
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    version: i64,
    #[serde(default)]
    event: String,
}

/// `POST /admin/products/{product}/ticket`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let wanted = typed.clone();
    let saved = staff.write(&app, move |cx| change(cx, id, wanted.version, &wanted.event)).await;
    match saved {
        Ok(()) => {
            let word = if typed.event.is_empty() { "delivery_off" } else { "delivery_saved" };
            staff.done(&path(id), word)
        }
        Err(Failure::Problem(Problem { pointer: Some(field), detail, .. })) => {
            let errors = Errors::from([(field, sentence(&detail))]);
            match page(&app, &staff, id, Some(typed.event), errors).await {
                Ok(page) => staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page),
                Err(failure) => staff.refuse(&app, failure),
            }
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// Says which event's tickets a product sells; an empty text for none.
pub fn change(cx: &mut Cx<'_, '_>, product: ProductId, version: i64, event: &str) -> Flow<()> {
    let ticket = match event.trim() {
        "" => None,
        text => {
            let refused = || Problem::invalid("event", "choose one of the events");
            let id: TicketEventId = text.parse().map_err(|_| refused())?;
            store::by_id(cx.tx, cx.merchant, id)?.ok_or_else(refused)?;
            Some(Ticket { event: id })
        }
    };
    deliverables::flow::change(cx, product, version, "ticket", move |all| all.ticket = ticket)?;
    Ok(())
}
