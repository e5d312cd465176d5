//! What a package delivers beside its files: access data, streams, tickets, copies for a buyer's key.

use kernel::{AccessEntryId, OrderId, ProductId, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::products::PlaceholderHint;
use super::sample::{bits, days_ago};
use super::tickets::TicketEventRow;
use super::words::{AccessEntryState, Word as _};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, text};
use crate::texts::Placeholder;

/// templates/admin/product_access.html - `/admin/products/{id}/access`.
///
/// Posts `version`, `source` (none, template, list), `label`, `template` and `low_water` to itself,
/// `entries` and `form` (lines, csv) to `…/import`; an entry's buttons post to
/// `…/entries/{entry}/show` and `…/remove`.
#[derive(Debug, Clone, Serialize)]
pub struct AccessPage {
    /// The package.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The version that was loaded.
    pub version: i64,
    /// What was typed.
    pub form: AccessForm,
    /// What the text can name.
    pub placeholders: Vec<PlaceholderHint>,
    /// Whether there is a list.
    pub has_list: bool,
    /// Entries that are free.
    pub free: u32,
    /// Entries that were given away.
    pub taken: u64,
    /// Units that wait for an entry.
    pub waiting: u32,
    /// One page of entries, the newest first.
    pub rows: Vec<AccessEntryRow>,
    /// The address of the next page.
    pub older: Option<String>,
    /// Entries that were pasted and could not be taken.
    pub typed: String,
    /// Whether they were a table.
    pub table: bool,
    /// What an import came to.
    pub report: Option<AccessReport>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// The form of access data.
#[derive(Debug, Clone, Serialize)]
pub struct AccessForm {
    /// none, template or list.
    pub source: String,
    /// What it is.
    pub label: String,
    /// The text.
    pub template: String,
    /// Below how many free entries somebody is told.
    pub low_water: String,
}

/// An entry of a list.
#[derive(Debug, Clone, Serialize)]
pub struct AccessEntryRow {
    /// Its id.
    pub id: AccessEntryId,
    /// What became of it.
    pub state: AccessEntryState,
    /// Who has it.
    pub order: Option<OrderId>,
    /// Since when it is in the list.
    pub imported_at: Timestamp,
    /// When it was given away.
    pub taken_at: Option<Timestamp>,
    /// Its text, for who has just asked for it.
    pub text: Option<String>,
}

/// What an import came to.
#[derive(Debug, Clone, Serialize)]
pub struct AccessReport {
    /// Entries that are new.
    pub added: u32,
    /// Lines that repeat an earlier one.
    pub repeated: u32,
    /// The first of them.
    pub repeated_lines: Vec<u64>,
    /// Lines that the list has, or had.
    pub known: u32,
    /// The first of them.
    pub known_lines: Vec<u64>,
}

/// templates/admin/product_stream.html - `/admin/products/{id}/stream`.
///
/// Posts `version`, `on`, `title`, `url`, `shown` (redirect, player, text), `text` and `signed` to
/// itself; `…/secret` makes a new secret.
#[derive(Debug, Clone, Serialize)]
pub struct StreamSettingsPage {
    /// The package.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The version that was loaded.
    pub version: i64,
    /// What was typed.
    pub form: StreamForm,
    /// What the stream's server checks signatures with, for who has just asked for it.
    pub secret: Option<String>,
    /// Whether there is one.
    pub has_secret: bool,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// The form of a stream.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StreamForm {
    /// none, redirect, player or text.
    pub shown: String,
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// The words beside it.
    pub text: String,
    /// Whether addresses are signed.
    pub signed: bool,
}

/// templates/admin/product_ticket.html - `/admin/products/{id}/ticket`.
///
/// Posts `version` and `event` (empty for none) to itself.
#[derive(Debug, Clone, Serialize)]
pub struct TicketSettingsPage {
    /// The package.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The version that was loaded.
    pub version: i64,
    /// The event that is chosen; empty for none.
    pub event: String,
    /// What can be chosen.
    pub events: Vec<TicketEventRow>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// templates/admin/product_encryption.html - `/admin/products/{id}/encryption`.
///
/// Posts `version` and `on` to itself.
#[derive(Debug, Clone, Serialize)]
pub struct EncryptionSettingsPage {
    /// The package.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The version that was loaded.
    pub version: i64,
    /// Whether copies are made for the buyer's key.
    pub on: bool,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

fn product() -> ProductId {
    ProductId::from_bits(bits(1))
}

impl Template for AccessPage {
    const NAME: &'static str = "admin/product_access.html";

    fn samples() -> Vec<Self> {
        let row = |(place, state): (usize, &AccessEntryState)| AccessEntryRow {
            id: AccessEntryId::from_bits(bits(u128::try_from(place).unwrap_or_default())),
            state: *state,
            order: (place > 0).then(|| OrderId::from_bits(bits(3))),
            imported_at: days_ago(9),
            taken_at: (place > 0).then(|| days_ago(1)),
            text: (place == 1).then(|| text("User: ada\nPassword: 1815")),
        };
        let form = |source: &str| AccessForm {
            source: text(source),
            label: text("Webcast login"),
            template: text("User: {email}\nhttps://webcast.example/{order}"),
            low_water: text("10"),
        };
        let list = Self {
            product: product(),
            product_name: text("Evening of Charts, webcast"),
            version: 3,
            form: form("list"),
            placeholders: [Placeholder::Email, Placeholder::Order].map(PlaceholderHint::from).into(),
            has_list: true,
            free: 4,
            taken: 1_248,
            waiting: 0,
            rows: AccessEntryState::ALL.iter().enumerate().map(row).collect(),
            older: Some(text("/admin/products/x/access?before=ace_1")),
            typed: String::new(),
            table: false,
            report: None,
            errors: Errors::new(),
        };
        let report = AccessReport {
            added: 120,
            repeated: 2,
            repeated_lines: vec![4, 17],
            known: 1,
            known_lines: vec![9],
        };
        let nothing = Self {
            form: AccessForm {
                source: text("none"),
                label: String::new(),
                template: String::new(),
                low_water: text("10"),
            },
            has_list: false,
            free: 0,
            taken: 0,
            rows: Vec::new(),
            older: None,
            ..list.clone()
        };
        vec![
            list.clone(),
            Self { report: Some(report), free: 0, waiting: 12, ..list.clone() },
            nothing.clone(),
            Self { form: form("template"), product_name: text(RIGHT_TO_LEFT), ..nothing },
            Self {
                product_name: text(LONG),
                typed: text(LONG),
                table: true,
                errors: errors(&[("entries", "Line 2 is not UTF-8."), ("label", "Write one line.")]),
                ..list
            },
        ]
    }
}

impl Template for StreamSettingsPage {
    const NAME: &'static str = "admin/product_stream.html";

    fn samples() -> Vec<Self> {
        let page = Self {
            product: product(),
            product_name: text("Evening of Charts, webcast"),
            version: 3,
            form: StreamForm {
                shown: text("player"),
                title: text("Evening of Charts, live"),
                url: text("https://player.example/embed/42"),
                text: text("The stream begins at 19:30."),
                signed: true,
            },
            secret: None,
            has_secret: true,
            errors: Errors::new(),
        };
        let off = StreamForm { shown: text("none"), ..StreamForm::default() };
        vec![
            page.clone(),
            Self { secret: Some("0123456789abcdef".repeat(4)), ..page.clone() },
            Self { form: off, has_secret: false, product_name: text(RIGHT_TO_LEFT), ..page.clone() },
            Self {
                product_name: text(LONG),
                errors: errors(&[
                    ("url", "Write an address that begins with https://."),
                    ("title", "Write one line."),
                ]),
                ..page
            },
        ]
    }
}

impl Template for TicketSettingsPage {
    const NAME: &'static str = "admin/product_ticket.html";

    fn samples() -> Vec<Self> {
        let events = TicketEventRow::samples();
        let chosen = events.first().map(|event| event.id.to_string()).unwrap_or_default();
        let page = Self {
            product: product(),
            product_name: text("Evening of Charts, seat"),
            version: 3,
            event: chosen,
            events,
            errors: Errors::new(),
        };
        vec![
            page.clone(),
            Self { event: String::new(), events: Vec::new(), product_name: text(LONG), ..page.clone() },
            Self { errors: errors(&[("event", "Choose one.")]), product_name: text(RIGHT_TO_LEFT), ..page },
        ]
    }
}

impl Template for EncryptionSettingsPage {
    const NAME: &'static str = "admin/product_encryption.html";

    fn samples() -> Vec<Self> {
        let page = |on, name: &str| Self {
            product: product(),
            product_name: text(name),
            version: 3,
            on,
            errors: Errors::new(),
        };
        vec![page(true, "Survey of the Outer Harbor"), page(false, LONG), page(false, RIGHT_TO_LEFT)]
    }
}
