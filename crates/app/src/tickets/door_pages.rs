//! The door: a page for a phone, by which each ticket lets somebody in once.

use axum::extract::State;
use axum::response::Response;
use db::Source;
use http::StatusCode;
use kernel::TicketEventId;
use ui::admin::{AttendeeRow, CheckInOutcome, CheckInPage};

use super::check_in::{self, Entry, Known, Shown, Standing};
use super::desk_store::{self, Attendee};
use super::staff_view::{attendee_row, event_row, find};
use super::{TicketEvent, store};
use crate::app::App;
use crate::problem::Flow;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::Asked;
use crate::web::staff_visit::{Ids, StaffVisit};
use crate::{customers, orders};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/tickets/{event}/check-in", Right::Orders, look).post(
        "/admin/tickets/{event}/check-in",
        Right::Orders,
        enter,
    )
}

/// What is known of a code, and what came of it.
struct Came {
    outcome: CheckInOutcome,
    known: Option<Known>,
}

/// `GET /admin/tickets/{event}/check-in`: where the picture on a ticket leads. Looking lets nobody in.
async fn look(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<TicketEventId>,
    asked: Asked,
) -> Response {
    let (merchant, ring, now) = (staff.visit.merchant.id, app.ring_arc(), app.now());
    let page = app
        .read(move |snapshot| {
            let event = find(snapshot, merchant, id)?;
            let code = asked.get("code");
            let came = match code {
                "" => Came { outcome: CheckInOutcome::Ready, known: None },
                code => seen(check_in::look(snapshot, &ring, &event, code)?),
            };
            page(snapshot, &event, code, came, now)
        })
        .await;
    staff.answer(&app, page)
}

fn seen(shown: Shown) -> Came {
    match shown {
        Shown::Unknown => Came { outcome: CheckInOutcome::Unknown, known: None },
        Shown::Ticket(known) => {
            let outcome = match (&known.entered, known.standing) {
                (Some(_), Standing::Good) => CheckInOutcome::Already,
                (None, Standing::Good) => CheckInOutcome::Good,
                (_, Standing::Suspended | Standing::Revoked | Standing::NoPlace) => CheckInOutcome::Refused,
            };
            Came { outcome, known: Some(*known) }
        }
    }
}

#[derive(Debug, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    code: String,
}

/// `POST /admin/tickets/{event}/check-in`
async fn enter(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<TicketEventId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let now = app.now();
    let entered = staff
        .write(&app, move |cx| {
            let event = find(cx.tx, cx.merchant, id)?;
            let came = came(check_in::enter(cx, &event, &typed.code)?);
            let outcome = came.outcome;
            Ok((outcome, page(cx.tx, &event, &typed.code, came, now)?))
        })
        .await;
    match entered {
        Ok((CheckInOutcome::Admitted, page)) => staff.show(&app, &page),
        Ok((_, page)) => staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page),
        Err(failure) => staff.refuse(&app, failure),
    }
}

fn came(entry: Entry) -> Came {
    match entry {
        Entry::Admitted(known) => Came { outcome: CheckInOutcome::Admitted, known: Some(*known) },
        Entry::Already(known) => Came { outcome: CheckInOutcome::Already, known: Some(*known) },
        Entry::Refused(known) => Came { outcome: CheckInOutcome::Refused, known: Some(*known) },
        Entry::Unknown => Came { outcome: CheckInOutcome::Unknown, known: None },
    }
}

fn page(
    source: &mut impl Source,
    event: &TicketEvent,
    code: &str,
    came: Came,
    now: kernel::Timestamp,
) -> Flow<CheckInPage> {
    let taken = store::counted(source, event.merchant, event.id)?;
    let ticket = came.known.map(|known| row(source, known)).transpose()?;
    Ok(CheckInPage {
        event: event_row(event, taken, now),
        entered: desk_store::entered(source, event.merchant, event.id)?,
        code: code.to_owned(),
        outcome: came.outcome,
        ticket,
    })
}

fn row(source: &mut impl Source, known: Known) -> Flow<AttendeeRow> {
    let customer = customers::store::by_id(source, known.grant.merchant, known.grant.customer)?;
    let lines = orders::store::lines(source, known.grant.merchant, known.grant.order)?;
    let line = lines.into_iter().find(|line| line.id == known.grant.line);
    let (name, email) =
        customer.map(|customer| (customer.name, customer.email.to_string())).unwrap_or_default();
    let product = line.map(|line| line.name).unwrap_or_default();
    Ok(attendee_row(&Attendee { known, name, email, product }))
}
