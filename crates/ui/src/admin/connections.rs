//! Connections: the gateway accounts that a merchant is paid through.

use kernel::{ConnectionId, NoticeId, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::sample::{bits, days_ago, minutes_ago};
use super::words::{Health, Mode, NoticeState};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, text};

/// templates/admin/connections.html - `/admin/connections`.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionsPage {
    /// The ones in use first.
    pub connections: Vec<ConnectionRow>,
}

/// A connection in the list.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionRow {
    /// Its id.
    pub id: ConnectionId,
    /// For people.
    pub name: String,
    /// The gateway's name: "PayPal".
    pub gateway: String,
    /// Whether real money moves.
    pub mode: Mode,
    /// How it is doing.
    pub health: Health,
    /// When the last notice came.
    pub last_notice_at: Option<Timestamp>,
    /// Payments through it in the last 30 days.
    pub payments: u64,
}

/// templates/admin/connection_new.html - a new PayPal account.
///
/// Posts `name`, `mode` (`live` or `test`), `receiver`, `endpoint` to `/admin/connections`. The
/// hook address exists only afterwards: the connection's own page then says what to do with it.
#[derive(Debug, Clone, Serialize)]
pub struct NewConnectionPage {
    /// What was typed.
    pub name: String,
    /// Whether real money will move.
    pub mode: Mode,
    /// The mail address of the PayPal account; several are separated by commas.
    pub receiver: String,
    /// For test mode: where payment pages and the postback are, when not at PayPal's sandbox.
    pub endpoint: String,
    /// Whether live mode can be chosen: not while the shop's address is plain HTTP.
    pub live_allowed: bool,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// templates/admin/connection.html - `/admin/connections/{id}`.
///
/// Switching it off and on is confirmed at `/admin/connections/{id}/disable` and `…/enable`. The form posts
/// `name`, `receiver`, `endpoint` to `/admin/connections/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionPage {
    /// The connection.
    pub connection: ConnectionRow,
    /// What the form holds: the mail addresses of the account.
    pub receiver: String,
    /// What the form holds: another endpoint, for test mode.
    pub endpoint: String,
    /// The hook's whole address, to be copied to the gateway.
    pub hook_url: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when it is off.
    pub disabled_at: Option<Timestamp>,
    /// When a notice was last confirmed by the gateway.
    pub last_verified_at: Option<Timestamp>,
    /// How many notices of the last 30 days are in which state; states without any are left out.
    pub notices: Vec<(NoticeState, u64)>,
    /// What went wrong lately, the newest first.
    pub failures: Vec<ConnectionFailure>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// Something that went wrong with a connection.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionFailure {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
    /// Which notice it was about.
    pub notice: Option<NoticeId>,
}

fn connection(number: u128, name: &str, mode: Mode, health: Health) -> ConnectionRow {
    ConnectionRow {
        id: ConnectionId::from_bits(bits(number)),
        name: text(name),
        gateway: text("PayPal"),
        mode,
        health,
        last_notice_at: (health != Health::Silent).then(|| minutes_ago(12)),
        payments: if health == Health::Silent { 0 } else { 214 },
    }
}

impl Template for ConnectionsPage {
    const NAME: &'static str = "admin/connections.html";

    fn samples() -> Vec<Self> {
        vec![
            Self {
                connections: vec![
                    connection(1, "PayPal", Mode::Live, Health::Well),
                    connection(2, RIGHT_TO_LEFT, Mode::Test, Health::Silent),
                    connection(3, LONG, Mode::Live, Health::Failing),
                    connection(4, "PayPal (old account)", Mode::Live, Health::Off),
                ],
            },
            Self { connections: Vec::new() },
        ]
    }
}

impl Template for NewConnectionPage {
    const NAME: &'static str = "admin/connection_new.html";

    fn samples() -> Vec<Self> {
        let page = Self {
            name: String::new(),
            mode: Mode::Live,
            receiver: String::new(),
            endpoint: String::new(),
            live_allowed: true,
            errors: Errors::new(),
        };
        let wrong = errors(&[
            ("receiver", "\"seller\" is not a mail address."),
            ("endpoint", "Another endpoint is only for test mode."),
        ]);
        vec![
            page.clone(),
            Self {
                name: text(LONG),
                mode: Mode::Test,
                receiver: text("seller"),
                endpoint: text("http://127.0.0.1:4000"),
                live_allowed: false,
                errors: wrong,
            },
        ]
    }
}

impl Template for ConnectionPage {
    const NAME: &'static str = "admin/connection.html";

    fn samples() -> Vec<Self> {
        let failure = |minutes, what: &str, notice| ConnectionFailure {
            at: minutes_ago(minutes),
            what: text(what),
            notice,
        };
        let new = Self {
            connection: connection(1, "PayPal", Mode::Test, Health::Silent),
            receiver: text("seller@shop.example"),
            endpoint: String::new(),
            hook_url: text("https://shop.example/hooks/con_01kf3v9y7e8x2m4q6t8w0z1a3c"),
            created_at: minutes_ago(2),
            disabled_at: None,
            last_verified_at: None,
            notices: Vec::new(),
            failures: Vec::new(),
            errors: Errors::new(),
        };
        let well = Self {
            connection: connection(1, "PayPal", Mode::Live, Health::Well),
            created_at: days_ago(200),
            last_verified_at: Some(minutes_ago(12)),
            notices: vec![
                (NoticeState::Quarantined, 1),
                (NoticeState::Applied, 231),
                (NoticeState::Forged, 4),
            ],
            ..new.clone()
        };
        let failing = Self {
            connection: connection(3, LONG, Mode::Live, Health::Failing),
            failures: vec![
                failure(
                    4,
                    "the postback was not answered within 30 seconds",
                    Some(NoticeId::from_bits(bits(1))),
                ),
                failure(61, LONG, None),
            ],
            errors: errors(&[("receiver", "Write at least one mail address.")]),
            ..well.clone()
        };
        let off = Self {
            connection: connection(4, "PayPal (old account)", Mode::Live, Health::Off),
            disabled_at: Some(days_ago(9)),
            ..well.clone()
        };
        vec![new, well, failing, off]
    }
}
