//! The audit log in the back office.

use axum::extract::State;
use axum::response::Response;
use ui::admin::{Choice, EventRow, EventsPage, Label};

use super::desk_store::{self, Line, Narrow};
use super::names::{self, Names};
use crate::app::App;
use crate::paging::{BY_ID, Way};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::listing::{Asked, Column};
use crate::web::staff_visit::StaffVisit;

const EVENTS: &str = "/admin/events";
const COLUMNS: &[Column] = &[(BY_ID, Way::Down)];

/// Who can be asked for, and how their ids begin.
const ACTORS: [(&str, &str); 7] = [
    ("staff", "stf_"),
    ("gateway", "con_"),
    ("api", "key_"),
    ("customer", "cus_"),
    ("system", "system"),
    ("shell", "shell"),
    ("visitor", "visitor"),
];
/// What events are about.
const NOUNS: [&str; 17] = [
    "order",
    "payment",
    "notice",
    "product",
    "customer",
    "message",
    "invoice",
    "review",
    "connection",
    "merchant",
    "staff",
    "api_key",
    "job",
    "list",
    "ticket",
    "access",
    "stream",
];

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(EVENTS, Right::Read, list)
}

/// `GET /admin/events`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.id;
    let narrow = Narrow {
        actor: ACTORS.iter().find(|(name, _)| *name == asked.get("actor")).map(|(_, start)| *start),
        noun: NOUNS
            .iter()
            .find(|noun| **noun == asked.get("kind"))
            .map(ToString::to_string)
            .unwrap_or_default(),
        subject: asked.search().to_owned(),
        days: asked.days(&staff.visit.merchant.time_zone),
    };
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let slice = desk_store::list(snapshot, merchant, &narrow, &ask)?;
            let names = Names::read(snapshot, merchant)?;
            let actor = |(name, _): &(&str, &str)| choice(name, Label::key(format!("admin.actor.{name}")));
            let listing = asked
                .listing(EVENTS, COLUMNS, &ask, &slice)
                .search(asked.search())
                .choice("actor", asked.get("actor"), ACTORS.iter().map(actor).collect())
                .choice(
                    "kind",
                    &narrow.noun,
                    NOUNS.iter().map(|noun| choice(noun, Label::text(*noun))).collect(),
                )
                .day("from", asked.get("from"))
                .day("to", asked.get("to"));
            let events = slice.rows.into_iter().map(|line| row(line, &names)).collect();
            Ok(EventsPage { list: listing.done(), events })
        })
        .await;
    staff.answer(&app, page)
}

fn choice(value: &str, label: Label) -> Choice {
    Choice { value: value.to_owned(), label }
}

/// A line of the log as lists show it.
pub fn row(line: Line, names: &Names) -> EventRow {
    let Line { event, seq } = line;
    EventRow {
        id: event.id,
        seq,
        at: event.at,
        by: names.actor(&event.actor),
        kind: event.kind,
        subject_path: names::path_of(&event.subject),
        subject: event.subject,
        order: event.order,
        detail: names::pairs(&event.detail),
    }
}
