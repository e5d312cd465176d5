//! Events in the back office: the list, the form, who comes.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::{GrantId, LineId, MerchantId, TicketEventId, Timestamp};
use ui::admin::{
    Errors, OverRow, TicketEventForm, TicketEventFormPage, TicketEventPage, TicketEventsPage, TicketProduct,
};

use super::check_in::Standing;
use super::desk_store::Attendee;
use super::form::{self, Saved, Typed, local};
use super::staff_view::{attendee_row, event_row, find};
use super::{check_in, code, desk_store, door_pages, flow, store};
use crate::app::App;
use crate::paging::{Key, Mark, Place, Slice};
use crate::problem::{Flow, Problem};
use crate::ring::Ring;
use crate::staff::Right;
use crate::web::csv::{self, Cells, ROWS_AT_ONCE};
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::Asked;
use crate::web::staff_visit::{Ids, StaffVisit};

const EVENTS: &str = "/admin/tickets";
/// Events shown.
const EVENTS_MAX: u32 = 500;
/// Tickets of one page.
const ATTENDEES: u32 = 100;
/// Lines shown for which there was no place.
const OVER_MAX: u32 = 100;
const HEAD: [&str; 9] =
    ["number", "name", "email", "product", "order", "standing", "code", "checked_in_at", "bought_at"];

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    let desk = desk
        .get(EVENTS, Right::Read, list)
        .get("/admin/tickets/new", Right::Products, new)
        .post(EVENTS, Right::Products, create)
        .get("/admin/tickets/{event}", Right::Read, show)
        .get("/admin/tickets/{event}/edit", Right::Products, edit)
        .post("/admin/tickets/{event}", Right::Products, save)
        .get("/admin/tickets/{event}/attendees.csv", Right::Export, export)
        .post("/admin/tickets/{event}/admit", Right::Decide, admit)
        .post("/admin/tickets/{event}/undo", Right::Orders, undo);
    door_pages::desk(desk)
}

fn path(id: TicketEventId) -> String {
    format!("{EVENTS}/{id}")
}

/// `GET /admin/tickets`
async fn list(State(app): State<App>, staff: StaffVisit) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let page = app
        .read(move |snapshot| {
            let events = store::list(snapshot, merchant, EVENTS_MAX)?;
            let rows = events.iter().map(|event| {
                // Of many events, what is held may be a little more than what is taken in the end.
                event_row(event, event.taken, now)
            });
            Ok(TicketEventsPage { events: rows.collect() })
        })
        .await;
    staff.answer(&app, page)
}

/// `GET /admin/tickets/new`
async fn new(State(app): State<App>, staff: StaffVisit) -> Response {
    let zone = staff.visit.merchant.time_zone.clone();
    let typed = [("time_zone".to_owned(), zone)].into();
    staff.show(&app, &form_page(None, 0, &typed, Errors::new()))
}

/// `POST /admin/tickets`
async fn create(State(app): State<App>, staff: StaffVisit, Posted(typed): Posted<Typed>) -> Response {
    let fields = typed.clone();
    let saved = staff.write(&app, move |cx| form::create(cx, &fields)).await;
    answer(&app, &staff, (None, 0, &typed), saved)
}

/// `GET /admin/tickets/{event}/edit`
async fn edit(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<TicketEventId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let event = find(snapshot, merchant, id)?;
            Ok(form_page(Some(id), event.version, &form::typed_of(&event), Errors::new()))
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/tickets/{event}`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<TicketEventId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let version = typed.get("version").and_then(|version| version.parse().ok()).unwrap_or_default();
    let fields = typed.clone();
    let saved = staff.write(&app, move |cx| form::save(cx, id, version, &fields)).await;
    answer(&app, &staff, (Some(id), version, &typed), saved)
}

fn answer(
    app: &App,
    staff: &StaffVisit,
    (id, version, typed): (Option<TicketEventId>, i64, &Typed),
    saved: Flow<Saved>,
) -> Response {
    match saved {
        Ok(Saved::Done(id)) => staff.done(&path(id), "saved"),
        Ok(Saved::Wrong(wrong)) => {
            staff.show_as(app, StatusCode::UNPROCESSABLE_ENTITY, &form_page(id, version, typed, wrong))
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

fn form_page(id: Option<TicketEventId>, version: i64, typed: &Typed, errors: Errors) -> TicketEventFormPage {
    let field = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let form = TicketEventForm {
        title: field("title"),
        place: field("place"),
        starts: field("starts"),
        ends: field("ends"),
        time_zone: field("time_zone"),
        capacity: field("capacity"),
    };
    TicketEventFormPage { id, version, form, errors }
}

/// `GET /admin/tickets/{event}`
async fn show(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<TicketEventId>,
    asked: Asked,
) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let page = app
        .read(move |snapshot| {
            let event = find(snapshot, merchant, id)?;
            let after = asked.get("after").parse().unwrap_or(0);
            let known = (merchant, id);
            let found = desk_store::attendees(snapshot, known, asked.search(), after, ATTENDEES)?;
            let full = found.len() >= usize::try_from(ATTENDEES).unwrap_or(usize::MAX);
            let last = found.last().filter(|_| full).map(|last| last.known.number());
            let over = desk_store::over(snapshot, merchant, id, OVER_MAX)?;
            let taken = store::counted(snapshot, merchant, id)?;
            let products = desk_store::products(snapshot, merchant, id)?;
            Ok(TicketEventPage {
                event: event_row(&event, taken, now),
                entered: desk_store::entered(snapshot, merchant, id)?,
                products: products.into_iter().map(|(id, name)| TicketProduct { id, name }).collect(),
                over: over.into_iter().map(over_row).collect(),
                more: last.map(|last| more(id, asked.search(), last)),
                search: asked.search().to_owned(),
                attendees: found.iter().map(attendee_row).collect(),
            })
        })
        .await;
    staff.answer(&app, page)
}

fn more(id: TicketEventId, words: &str, after: u32) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !words.is_empty() {
        query.append_pair("q", words);
    }
    format!("{}?{}", path(id), query.append_pair("after", &after.to_string()).finish())
}

fn over_row(over: desk_store::Over) -> OverRow {
    OverRow { line: over.line, order: over.order, buyer: over.buyer, places: over.places, since: over.since }
}

/// `GET /admin/tickets/{event}/attendees.csv`
async fn export(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<TicketEventId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let event = match app.read(move |snapshot| find(snapshot, merchant, id)).await {
        Ok(event) => event,
        Err(failure) => return staff.refuse(&app, failure),
    };
    if let Err(failure) = staff.note_export(&app, "attendees").await {
        return staff.refuse(&app, failure);
    }
    let zone = event.time_zone.clone();
    csv::stream("attendees.csv", &HEAD, move |place| {
        let (app, zone) = (app.clone(), zone.clone());
        async move { rows(&app, (merchant, id), &zone, &place).await }
    })
}

/// One stretch of the file. A place in it is the number of a ticket.
async fn rows(
    app: &App,
    known: (MerchantId, TicketEventId),
    zone: &str,
    place: &Place,
) -> Flow<Slice<Cells>> {
    let after = match place {
        Place::After(Mark { key: Key::Int(number), .. }) => u32::try_from(*number).unwrap_or(u32::MAX),
        Place::Start | Place::After(_) | Place::Before(_) => 0,
    };
    let (ring, zone) = (app.ring_arc(), zone.to_owned());
    app.read(move |snapshot| {
        let found = desk_store::attendees(snapshot, known, "", after, ROWS_AT_ONCE)?;
        let full = found.len() >= usize::try_from(ROWS_AT_ONCE).unwrap_or(usize::MAX);
        let last = found.last().filter(|_| full);
        let mark = |last: &Attendee| Mark {
            key: Key::Int(i64::from(last.known.number())),
            id: last.known.grant.id.to_string(),
        };
        Ok(Slice {
            before: None,
            after: last.map(mark),
            rows: found.iter().map(|found| cells(found, &ring, &zone)).collect(),
        })
    })
    .await
}

fn cells(found: &Attendee, ring: &Ring, zone: &str) -> Cells {
    let known = &found.known;
    let at = |at: Timestamp| local(at, zone, "%Y-%m-%d %H:%M");
    let code = code::of(ring, &known.hold, known.grant.unit_no);
    vec![
        known.number().to_string(),
        found.name.clone(),
        found.email.clone(),
        found.product.clone(),
        known.hold.order.to_string(),
        known.standing.to_string(),
        // Whoever has the list could let others in by codes of tickets that are not good.
        code.filter(|_| known.standing == Standing::Good).unwrap_or_default(),
        known.entered.as_ref().map(|entered| at(entered.at)).unwrap_or_default(),
        at(known.grant.created_at),
    ]
}

#[derive(Debug, serde::Deserialize)]
struct Admitted {
    #[serde(default)]
    line: String,
}

/// `POST /admin/tickets/{event}/admit`
async fn admit(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<TicketEventId>,
    Posted(admitted): Posted<Admitted>,
) -> Response {
    let done = staff
        .write(&app, move |cx| {
            let line: LineId = admitted.line.parse().map_err(|_| Problem::not_found("ticket"))?;
            flow::admit(cx, id, line)
        })
        .await;
    staff.after(&app, done, &path(id), "ticket_admitted")
}

/// A ticket whose entry is taken back, and from which page.
#[derive(Debug, serde::Deserialize)]
struct Undone {
    #[serde(default)]
    grant: String,
    #[serde(default)]
    door: String,
}

/// `POST /admin/tickets/{event}/undo`
async fn undo(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<TicketEventId>,
    Posted(undone): Posted<Undone>,
) -> Response {
    let back = if undone.door.is_empty() { path(id) } else { format!("{}/check-in", path(id)) };
    let done = staff
        .write(&app, move |cx| {
            let event = store::by_id(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("event"))?;
            let grant: GrantId = undone.grant.parse().map_err(|_| Problem::not_found("ticket"))?;
            check_in::undo(cx, &event, grant)
        })
        .await;
    staff.after(&app, done, &back, "ticket_undone")
}
