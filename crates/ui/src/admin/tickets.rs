//! Events that tickets are sold for: the list, the form, who comes, and the door.

use kernel::{GrantId, LineId, OrderId, ProductId, TicketEventId, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::sample::{bits, days_ago, minutes_ago};
use super::words::{TicketStanding, Word as _};
use crate::Template;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, text};

/// templates/admin/ticket_events.html - `/admin/tickets`.
#[derive(Debug, Clone, Serialize)]
pub struct TicketEventsPage {
    /// The latest first.
    pub events: Vec<TicketEventRow>,
}

/// An event with how full it is.
#[derive(Debug, Clone, Serialize)]
pub struct TicketEventRow {
    /// Its id.
    pub id: TicketEventId,
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub place: String,
    /// When it begins, in its own time zone, as people there say it: `2027-05-01 19:30`.
    pub starts: String,
    /// When it is over.
    pub ends: String,
    /// The name of that time zone.
    pub time_zone: String,
    /// Whether it is over.
    pub over: bool,
    /// Places that are held or kept.
    pub taken: u32,
    /// Places that there are.
    pub capacity: u32,
}

/// templates/admin/ticket_event_form.html - `/admin/tickets/new` and `/admin/tickets/{id}/edit`.
///
/// Posts `version`, `title`, `place`, `starts`, `ends`, `time_zone` and `capacity` to
/// `/admin/tickets` or `/admin/tickets/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct TicketEventFormPage {
    /// The event that is changed; `None` for a new one.
    pub id: Option<TicketEventId>,
    /// The version that was loaded.
    pub version: i64,
    /// What was typed.
    pub form: TicketEventForm,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// An event as staff type it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TicketEventForm {
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub place: String,
    /// As the browser's field has it: `2027-05-01T19:30`.
    pub starts: String,
    /// The same.
    pub ends: String,
    /// IANA name.
    pub time_zone: String,
    /// For how many there is room.
    pub capacity: String,
}

/// templates/admin/ticket_event.html - `/admin/tickets/{id}`: who comes.
///
/// `POST /admin/tickets/{id}/admit` with `line` lets in who paid after the last place was gone;
/// `POST …/undo` with `grant` takes an entry back. The list as a file: `…/attendees.csv`.
#[derive(Debug, Clone, Serialize)]
pub struct TicketEventPage {
    /// The event.
    pub event: TicketEventRow,
    /// How many are in.
    pub entered: u32,
    /// The products that sell its tickets.
    pub products: Vec<TicketProduct>,
    /// Who paid after the last place was gone.
    pub over: Vec<OverRow>,
    /// What is looked for: a name, an address.
    pub search: String,
    /// One page of them, by number.
    pub attendees: Vec<AttendeeRow>,
    /// The address of the next page.
    pub more: Option<String>,
}

/// A product that sells tickets.
#[derive(Debug, Clone, Serialize)]
pub struct TicketProduct {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: String,
}

/// Somebody for whom there was no place any more.
#[derive(Debug, Clone, Serialize)]
pub struct OverRow {
    /// The line that they paid for.
    pub line: LineId,
    /// Of which order.
    pub order: OrderId,
    /// Who.
    pub buyer: String,
    /// How many places.
    pub places: u32,
    /// When they bought.
    pub since: Timestamp,
}

/// Somebody who comes.
#[derive(Debug, Clone, Serialize)]
pub struct AttendeeRow {
    /// The right to come.
    pub grant: GrantId,
    /// The ticket's number.
    pub number: u32,
    /// The buyer's name.
    pub name: String,
    /// The buyer's address.
    pub email: String,
    /// Of which order.
    pub order: OrderId,
    /// What was bought.
    pub product: String,
    /// Whether the ticket lets somebody in.
    pub standing: TicketStanding,
    /// When it did.
    pub entered_at: Option<Timestamp>,
}

/// templates/admin/check_in.html - `/admin/tickets/{id}/check-in`: made for a phone at a door.
///
/// Posts `code` to itself, and `grant` to `…/undo`. With `?code=` it shows the ticket, which
/// changes nothing: this is where the picture on a ticket leads.
#[derive(Debug, Clone, Serialize)]
pub struct CheckInPage {
    /// The event.
    pub event: TicketEventRow,
    /// How many are in.
    pub entered: u32,
    /// What was typed or scanned.
    pub code: String,
    /// What came of it.
    pub outcome: CheckInOutcome,
    /// The ticket, if it is one of this event.
    pub ticket: Option<AttendeeRow>,
}

/// What came of a code at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckInOutcome {
    /// Nothing was asked.
    Ready,
    /// A good ticket was scanned; a button lets its holder in.
    Good,
    /// They are in.
    Admitted,
    /// Somebody came with this ticket before.
    Already,
    /// The ticket is not good; its standing says why.
    Refused,
    /// The code is none of this event's.
    Unknown,
}

impl TicketEventRow {
    fn sample(title: &str, taken: u32, capacity: u32) -> Self {
        Self {
            id: TicketEventId::from_bits(bits(1)),
            title: text(title),
            place: text("Old Harbor Hall, Pier 4"),
            starts: text("2027-05-01 19:30"),
            ends: text("2027-05-01 22:00"),
            time_zone: text("Europe/Berlin"),
            over: false,
            taken,
            capacity,
        }
    }
}

impl TicketEventRow {
    pub(super) fn samples() -> Vec<Self> {
        vec![
            Self::sample("Evening of Charts", 41, 120),
            Self { over: true, ..Self::sample(LONG, 1_000_000, 1_000_000) },
            Self { place: String::new(), ..Self::sample(RIGHT_TO_LEFT, 0, 0) },
        ]
    }
}

impl AttendeeRow {
    fn sample(number: u32, name: &str, standing: TicketStanding) -> Self {
        Self {
            grant: GrantId::from_bits(bits(u128::from(number))),
            number,
            name: text(name),
            email: text("ada@example.com"),
            order: OrderId::from_bits(bits(u128::from(number))),
            product: text("Evening of Charts, seat"),
            standing,
            entered_at: (number % 2 == 1).then(|| minutes_ago(12)),
        }
    }

    fn samples() -> Vec<Self> {
        let names = ["Ada Lovelace", LONG, RIGHT_TO_LEFT, SHORT];
        let row = |(place, standing): (usize, &TicketStanding)| {
            let number = u32::try_from(place + 17).unwrap_or_default();
            Self::sample(number, names.get(place).copied().unwrap_or_default(), *standing)
        };
        TicketStanding::ALL.iter().enumerate().map(row).collect()
    }
}

impl Template for TicketEventsPage {
    const NAME: &'static str = "admin/ticket_events.html";

    fn samples() -> Vec<Self> {
        vec![Self { events: TicketEventRow::samples() }, Self { events: Vec::new() }]
    }
}

impl Template for TicketEventFormPage {
    const NAME: &'static str = "admin/ticket_event_form.html";

    fn samples() -> Vec<Self> {
        let form = TicketEventForm {
            title: text("Evening of Charts"),
            place: text("Old Harbor Hall, Pier 4"),
            starts: text("2027-05-01T19:30"),
            ends: text("2027-05-01T22:00"),
            time_zone: text("Europe/Berlin"),
            capacity: text("120"),
        };
        let id = Some(TicketEventId::from_bits(bits(1)));
        vec![
            Self { id: None, version: 0, form: TicketEventForm::default(), errors: Errors::new() },
            Self { id, version: 3, form: form.clone(), errors: Errors::new() },
            Self {
                id,
                version: 3,
                form: TicketEventForm { title: text(LONG), ..form },
                errors: errors(&[
                    ("ends", "It ends before it begins."),
                    ("capacity", "Write a whole number."),
                ]),
            },
        ]
    }
}

impl Template for TicketEventPage {
    const NAME: &'static str = "admin/ticket_event.html";

    fn samples() -> Vec<Self> {
        let over = |buyer: &str, places| OverRow {
            line: LineId::from_bits(bits(9)),
            order: OrderId::from_bits(bits(9)),
            buyer: text(buyer),
            places,
            since: days_ago(1),
        };
        let product = |name: &str| TicketProduct { id: ProductId::from_bits(bits(1)), name: text(name) };
        let full = Self {
            event: TicketEventRow::sample("Evening of Charts", 120, 120),
            entered: 17,
            products: vec![product("Evening of Charts, seat"), product(LONG)],
            over: vec![over("grace@example.com", 2), over(LONG, 1)],
            search: String::new(),
            attendees: AttendeeRow::samples(),
            more: Some(text("/admin/tickets/x?after=20")),
        };
        let empty = Self {
            event: TicketEventRow::sample(RIGHT_TO_LEFT, 0, 120),
            entered: 0,
            products: Vec::new(),
            over: Vec::new(),
            attendees: Vec::new(),
            more: None,
            ..full.clone()
        };
        let none = Self { search: text("nobody"), attendees: Vec::new(), more: None, ..full.clone() };
        vec![full, empty, none]
    }
}

impl Template for CheckInPage {
    const NAME: &'static str = "admin/check_in.html";

    fn samples() -> Vec<Self> {
        let page = |outcome, ticket: Option<AttendeeRow>| Self {
            event: TicketEventRow::sample("Evening of Charts", 41, 120),
            entered: 17,
            code: if outcome == CheckInOutcome::Ready { String::new() } else { text("17-K7QX9-MZP2R") },
            outcome,
            ticket,
        };
        let ticket = |number, standing| Some(AttendeeRow::sample(number, "Ada Lovelace", standing));
        let refused = TicketStanding::ALL.iter().filter(|standing| **standing != TicketStanding::Good);
        let refused = refused.map(|standing| page(CheckInOutcome::Refused, ticket(18, *standing)));
        let mut pages = vec![
            page(CheckInOutcome::Ready, None),
            page(CheckInOutcome::Good, ticket(18, TicketStanding::Good)),
            page(CheckInOutcome::Admitted, ticket(17, TicketStanding::Good)),
            page(CheckInOutcome::Already, ticket(17, TicketStanding::Good)),
            page(CheckInOutcome::Unknown, None),
        ];
        pages.extend(refused);
        let long =
            AttendeeRow { entered_at: Some(NOW), ..AttendeeRow::sample(19, LONG, TicketStanding::Good) };
        pages.push(page(CheckInOutcome::Admitted, Some(long)));
        pages
    }
}
