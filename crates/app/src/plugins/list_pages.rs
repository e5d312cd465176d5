//! The drop-ship list: what staff send, as a page and as a file.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use kernel::{LineId, OrderId};
use net::headers::attachment;
use ui::admin::{DropShipPage, ShipmentRow};

use super::flow;
use super::store::{self, Shipment};
use crate::app::App;
use crate::parts::{Part, PartKey};
use crate::staff::Right;
use crate::web::csv;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::StaffVisit;

const LIST: &str = "/admin/drop-ship";
/// So many are shown; the file has more.
const SHOWN_MAX: u32 = 200;
const SENT_SHOWN_MAX: u32 = 50;
const FILE_ROWS_MAX: u32 = 10_000;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(LIST, Right::Orders, list).get("/admin/drop-ship.csv", Right::Orders, file).post(
        "/admin/drop-ship/sent",
        Right::Orders,
        sent,
    )
}

/// Names a unit's entry, as the form posts it.
#[derive(Debug, serde::Deserialize)]
struct Sent {
    order: OrderId,
    line: LineId,
    unit: u32,
    subject: String,
    #[serde(default)]
    note: String,
}

/// `GET /admin/drop-ship`
async fn list(State(app): State<App>, staff: StaffVisit) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app.read(move |snapshot| {
        let waiting = store::shipments(snapshot, merchant, false, SHOWN_MAX)?;
        let sent = store::shipments(snapshot, merchant, true, SENT_SHOWN_MAX)?;
        let rows = |all: Vec<Shipment>| all.into_iter().map(row).collect();
        Ok(DropShipPage { waiting: rows(waiting), sent: rows(sent) })
    });
    staff.answer(&app, page.await)
}

fn row(shipment: Shipment) -> ShipmentRow {
    ShipmentRow {
        order: shipment.order,
        line: shipment.line,
        unit: shipment.unit_no,
        parameter: shipment.parameter,
        sku: shipment.sku,
        item: shipment.item,
        quantity: shipment.capacity,
        buyer: shipment.buyer_name,
        email: shipment.email,
        address: shipment.address,
        country: shipment.country,
        wanted_at: shipment.wanted_at,
        changed_at: shipment.changed_at,
    }
}

const HEAD: [&str; 12] = [
    "order",
    "line",
    "unit",
    "quantity",
    "sku",
    "item",
    "parameter",
    "name",
    "email",
    "address",
    "country",
    "since",
];

/// `GET /admin/drop-ship.csv`: what waits.
async fn file(State(app): State<App>, staff: StaffVisit) -> Response {
    let merchant = staff.visit.merchant.id;
    let read = app.read(move |snapshot| Ok(store::shipments(snapshot, merchant, false, FILE_ROWS_MAX)?));
    let shipments = match read.await {
        Ok(shipments) => shipments,
        Err(failure) => return staff.refuse(&app, failure),
    };
    let mut text = csv::line(&HEAD.map(str::to_owned));
    for shipment in shipments {
        text.push_str(&csv::line(&[
            shipment.order.to_string(),
            shipment.line.to_string(),
            shipment.unit_no.to_string(),
            shipment.capacity.to_string(),
            shipment.sku,
            shipment.item,
            shipment.parameter,
            shipment.buyer_name,
            shipment.email,
            shipment.address,
            shipment.country,
            shipment.wanted_at.to_string(),
        ]));
    }
    let kind = http::HeaderValue::from_static("text/csv; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, attachment("drop-ship.csv"))], text)
        .into_response()
}

/// `POST /admin/drop-ship/sent`
async fn sent(State(app): State<App>, staff: StaffVisit, Posted(sent): Posted<Sent>) -> Response {
    let key =
        PartKey { line: sent.line, unit_no: sent.unit, part: Part::DropShip, subject: sent.subject.clone() };
    let done = staff.write(&app, move |cx| flow::mark_sent(cx, sent.order, &key, &sent.note)).await;
    staff.after(&app, done, LIST, "shipment_sent")
}
