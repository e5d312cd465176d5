//! A buyer's ticket, on a screen and on paper.

use kernel::Timestamp;
use serde::Serialize;

use crate::Template;
use crate::gallery::{Exhibit, page};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, text};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] = embed!["delivery/ticket.html"];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    page::<TicketPage>()
}

/// templates/delivery/ticket.html - one person's admission, made to be printed or shown at the door.
#[derive(Debug, Clone, Serialize)]
pub struct TicketPage {
    /// What it admits to.
    pub title: String,
    /// Where that is.
    pub place: String,
    /// When it begins, in its own time zone: `2027-05-01 19:30`.
    pub starts: String,
    /// When it is over: the same form, or the time alone on the same day.
    pub ends: String,
    /// The name of that time zone.
    pub time_zone: String,
    /// What was bought.
    pub product: String,
    /// The ticket's number.
    pub number: u32,
    /// The buyer's name; may be empty.
    pub holder: String,
    /// The order's number, for questions.
    pub order_number: String,
    /// What is typed at the door; none for a ticket that admits nobody.
    pub code: Option<String>,
    /// The same as a picture: one `<svg>` element of ours.
    pub qr_svg: Option<String>,
    /// Whether it admits.
    pub standing: TicketShown,
    /// When somebody came in with it.
    pub entered_at: Option<Timestamp>,
}

/// Whether a ticket admits somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketShown {
    /// It does.
    Good,
    /// Its money was pulled back and may come again.
    Suspended,
    /// It was refunded or taken back.
    Revoked,
    /// It was paid for after the last place was gone.
    NoPlace,
}

impl Template for TicketPage {
    const NAME: &'static str = "delivery/ticket.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            title: text("Evening of Charts"),
            place: text("Old Harbor Hall, Pier 4\n27568 Bremerhaven"),
            starts: text("2027-05-01 19:30"),
            ends: text("22:00"),
            time_zone: text("Europe/Berlin"),
            product: text("Evening of Charts, seat"),
            number: 17,
            holder: text("Ada Lovelace"),
            order_number: text("2026-000117"),
            code: Some(text("17-K7QX9-MZP2R")),
            qr_svg: Some(text(
                "<svg viewBox=\"0 0 29 29\" width=\"29\" height=\"29\"><path fill=\"#fff\" d=\"M0 0h29v29H0z\"/><path fill=\"#000\" d=\"M4 4h7v7H4zM18 4h7v7h-7zM4 18h7v7H4zM13 13h3v3h-3z\"/></svg>",
            )),
            standing: TicketShown::Good,
            entered_at: None,
        };
        let not = |standing| Self { standing, code: None, qr_svg: None, ..plain.clone() };
        vec![
            plain.clone(),
            Self { entered_at: Some(NOW), holder: String::new(), place: String::new(), ..plain.clone() },
            Self {
                title: text(LONG),
                place: text(LONG),
                product: text(LONG),
                holder: text(LONG),
                number: 999_999,
                ends: text("2027-05-03 04:00"),
                ..plain.clone()
            },
            Self { title: text(RIGHT_TO_LEFT), holder: text(SHORT), ..plain.clone() },
            not(TicketShown::Suspended),
            not(TicketShown::Revoked),
            not(TicketShown::NoPlace),
        ]
    }
}
