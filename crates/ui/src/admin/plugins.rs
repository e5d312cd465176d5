//! What is handed over elsewhere: plug-ins, and the drop-ship list.

use kernel::{LineId, OrderId, PluginId, Timestamp};
use serde::Serialize;

use super::access::Errors;
use super::sample::{bits, days_ago};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, SHORT, text};

/// templates/admin/plugins.html - `/admin/plugins`. Posts `name` and `url`; a row posts to `…/url`,
/// `…/secret` and `…/remove`.
#[derive(Debug, Clone, Serialize)]
pub struct PluginsPage {
    /// All of them.
    pub plugins: Vec<PluginRow>,
    /// What was typed for a new one.
    pub name: String,
    /// What was typed for a new one.
    pub url_typed: String,
    /// The secret that was just made, shown this once.
    pub secret: Option<ShownSecret>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// A plug-in.
#[derive(Debug, Clone, Serialize)]
pub struct PluginRow {
    /// Its id.
    pub id: PluginId,
    /// The name that specs have for it.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A secret that is shown once.
#[derive(Debug, Clone, Serialize)]
pub struct ShownSecret {
    /// Of which plug-in.
    pub name: String,
    /// It.
    pub secret: String,
}

/// templates/admin/drop_ship.html - `/admin/drop-ship`. A row posts `order`, `line`, `unit`,
/// `subject` and `note` to `…/sent`.
#[derive(Debug, Clone, Serialize)]
pub struct DropShipPage {
    /// What waits, oldest first.
    pub waiting: Vec<ShipmentRow>,
    /// What was sent, newest first.
    pub sent: Vec<ShipmentRow>,
}

/// Something that staff send.
#[derive(Debug, Clone, Serialize)]
pub struct ShipmentRow {
    /// For which order.
    pub order: OrderId,
    /// For which line.
    pub line: LineId,
    /// For which of its units.
    pub unit: u32,
    /// What the spec says of it.
    pub parameter: String,
    /// The item number.
    pub sku: String,
    /// The item.
    pub item: String,
    /// How many.
    pub quantity: u32,
    /// To whom.
    pub buyer: String,
    /// Their mail address.
    pub email: String,
    /// Their postal address, as far as it is known.
    pub address: String,
    /// Their country.
    pub country: String,
    /// Since when it is owed.
    pub wanted_at: Timestamp,
    /// When it was sent.
    pub changed_at: Timestamp,
}

impl Template for PluginsPage {
    const NAME: &'static str = "admin/plugins.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str, url: &str| PluginRow {
            id: PluginId::from_bits(bits(1)),
            name: text(name),
            url: text(url),
            created_at: days_ago(3),
        };
        let some = Self {
            plugins: vec![
                row("default", "https://fulfillment.example/handsel"),
                row("printer", &format!("https://print.example/{}", LONG.replace(' ', "-"))),
            ],
            name: String::new(),
            url_typed: String::new(),
            secret: None,
            errors: Errors::new(),
        };
        let shown = ShownSecret {
            name: text("printer"),
            secret: text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="),
        };
        let new = Self { secret: Some(shown), ..some.clone() };
        let wrong = Self {
            plugins: Vec::new(),
            name: text(RIGHT_TO_LEFT),
            url_typed: text("ftp://x"),
            errors: [(text("url"), text("The address begins with https://."))].into(),
            ..some.clone()
        };
        vec![some, new, wrong]
    }
}

impl Template for DropShipPage {
    const NAME: &'static str = "admin/drop_ship.html";

    fn samples() -> Vec<Self> {
        let row = |item: &str, buyer: &str| ShipmentRow {
            order: OrderId::from_bits(bits(1)),
            line: LineId::from_bits(bits(2)),
            unit: 1,
            parameter: text("T-shirt, size L"),
            sku: text("SP-0001"),
            item: text(item),
            quantity: 1,
            buyer: text(buyer),
            email: text("jo@example.com"),
            address: text("Quay 1\n20457 Hamburg"),
            country: text("DE"),
            wanted_at: days_ago(2),
            changed_at: days_ago(1),
        };
        let bare = ShipmentRow { address: String::new(), country: String::new(), ..row(SHORT, SHORT) };
        let some = Self {
            waiting: vec![row("Forty Knots", "Jo Buyer"), row(LONG, RIGHT_TO_LEFT), bare],
            sent: vec![row("Forty Knots", "Al Buyer")],
        };
        vec![some, Self { waiting: Vec::new(), sent: Vec::new() }]
    }
}
