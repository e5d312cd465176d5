//! The audit log: who did what, and that nobody changed it afterwards. And work that was given up.

use kernel::{EventId, JobId, OrderId, Timestamp};
use serde::Serialize;

use super::list::{Choice, Direction, Label, Listing, Sort};
use super::sample::{bits, minutes_ago};
use super::timeline::{Actor, order_id};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, text};

/// templates/admin/events.html - `/admin/events`.
///
/// `q` finds ids. Filters: `actor` (`staff`, `gateway`, `system`, …), `kind` (the noun: `order`, `notice`), `from`,
/// `to`. Always the newest first.
#[derive(Debug, Clone, Serialize)]
pub struct EventsPage {
    /// Search, filters, pages.
    pub list: Listing,
    /// One page of them.
    pub events: Vec<EventRow>,
}

/// A line of the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct EventRow {
    /// Its id.
    pub id: EventId,
    /// Its place in the chain, once it was sealed.
    pub seq: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What, as `noun.verb`; known ones have a text under `admin.event`.
    pub kind: String,
    /// The id of what it is about.
    pub subject: String,
    /// The page of that, where there is one.
    pub subject_path: Option<String>,
    /// The order whose timeline has it.
    pub order: Option<OrderId>,
    /// More about it.
    pub detail: Vec<(String, String)>,
}

/// templates/admin/jobs.html - `/admin/jobs`: work for the outside world that was given up.
///
/// Trying again posts to `/admin/jobs/{id}/retry`, dropping is confirmed at `…/drop`.
#[derive(Debug, Clone, Serialize)]
pub struct JobsPage {
    /// The oldest first, one page.
    pub list: Listing,
    /// One page of them.
    pub jobs: Vec<JobRow>,
}

/// A job that was given up.
#[derive(Debug, Clone, Serialize)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// What it was to do; known ones have a text under `admin.job`.
    pub kind: String,
    /// The page of what it is about, where there is one.
    pub subject_path: Option<String>,
    /// What it is about.
    pub subject: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed the last time.
    pub last_error: String,
    /// Since when it exists.
    pub created_at: Timestamp,
}

impl EventRow {
    /// Lines for samples.
    pub(super) fn samples() -> Vec<Self> {
        let row = |number: u128, by, kind: &str| EventRow {
            id: EventId::from_bits(bits(number)),
            seq: (number > 1).then(|| 10_000 - i64::try_from(number).unwrap_or_default()),
            at: minutes_ago(i64::try_from(number * 13).unwrap_or_default()),
            by,
            kind: text(kind),
            subject: order_id(number).to_string(),
            subject_path: Some(format!("/admin/orders/{}", order_id(number))),
            order: Some(order_id(number)),
            detail: vec![(text("days"), text("3")), (text("why"), text("asked by mail"))],
        };
        let odd = EventRow {
            subject: text("fil_01kf3v9y7e8x2m4q6t8w0z1a3c"),
            subject_path: None,
            order: None,
            detail: vec![(text("name"), text(LONG)), (text("was"), text(RIGHT_TO_LEFT))],
            ..row(5, Actor::Api(text("Warehouse")), "product.file_added")
        };
        vec![
            row(1, Actor::Staff(text("Grace Hopper")), "order.links_extended"),
            row(2, Actor::Gateway(text("PayPal")), "notice.quarantined"),
            row(3, Actor::Shell, "connection.added"),
            row(4, Actor::System, "thing.nobody_knows_yet"),
            odd,
            EventRow { detail: Vec::new(), ..row(6, Actor::Customer, "order.placed") },
            EventRow { detail: Vec::new(), ..row(7, Actor::Visitor, "order.placed") },
        ]
    }
}

impl Template for EventsPage {
    const NAME: &'static str = "admin/events.html";

    fn samples() -> Vec<Self> {
        let choice =
            |value: &str| Choice { value: text(value), label: Label::key(format!("admin.actor.{value}")) };
        let list = |search: &str| {
            let actors = ["staff", "gateway", "system", "shell", "api", "customer"].map(choice).into();
            let nouns = ["order", "notice", "product"]
                .map(|noun| Choice { value: text(noun), label: Label::text(noun) });
            Listing::of("/admin/events")
                .search(search)
                .choice("actor", "", actors)
                .choice("kind", "", nouns.into())
                .day("from", "")
                .day("to", "")
                .csv("/admin/events.csv")
        };
        let events = EventRow::samples();
        vec![
            Self { list: list("").pages(None, Some("x")).done(), events },
            Self { list: list("").done(), events: Vec::new() },
            Self { list: list("nothing").done(), events: Vec::new() },
        ]
    }
}

impl Template for JobsPage {
    const NAME: &'static str = "admin/jobs.html";

    fn samples() -> Vec<Self> {
        let list = |mark| {
            Listing::of("/admin/jobs")
                .sorted(Sort::by("created", Direction::Ascending), &[])
                .pages(None, mark)
                .done()
        };
        let job = |number, kind: &str, error: &str| JobRow {
            id: JobId::from_bits(bits(number)),
            kind: text(kind),
            subject_path: (number == 1).then(|| text("/admin/messages/msg_1")),
            subject: order_id(number).to_string(),
            attempts: 12,
            last_error: text(error),
            created_at: minutes_ago(600),
        };
        vec![
            Self {
                list: list(Some("x")),
                jobs: vec![job(1, "send_message", "connection refused"), job(2, "unknown_kind", LONG)],
            },
            Self { list: list(None), jobs: Vec::new() },
        ]
    }
}
