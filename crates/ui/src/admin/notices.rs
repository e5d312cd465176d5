//! Notices: what gateways told us, those that wait for a person first.

use kernel::{NoticeId, OrderId, Timestamp};
use serde::Serialize;

use super::list::{Choice, Direction, Label, Listing, Sort};
use super::orders::ConnectionRef;
use super::sample::{bits, minutes_ago};
use super::timeline::{BODY, order_id};
use super::words::{Mode, NoticeState};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, eur, text};

/// templates/admin/notices.html - `/admin/notices`.
///
/// `q` finds transaction ids, order ids and addresses. Filters: `state`, `connection`, `from`,
/// `to`. Column to sort by: `received`.
#[derive(Debug, Clone, Serialize)]
pub struct NoticesPage {
    /// Search, filters, pages.
    pub list: Listing,
    /// All that wait for a person; only on the first page and without filters.
    pub quarantined: Vec<NoticeRow>,
    /// One page of them.
    pub notices: Vec<NoticeRow>,
}

/// A notice in a list.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeRow {
    /// Its id.
    pub id: NoticeId,
    /// What became of it.
    pub state: NoticeState,
    /// Why.
    pub reason: String,
    /// Through which connection.
    pub connection: ConnectionRef,
    /// What it says in the gateway's words: `Completed`.
    pub says: String,
    /// The gateway's id of the payment that it is about.
    pub gateway_ref: Option<String>,
    /// About how much.
    pub amount: Option<kernel::Money>,
    /// Which order it is about.
    pub order: Option<OrderId>,
    /// How often the same bytes came.
    pub copies: u32,
    /// When it came first.
    pub received_at: Timestamp,
}

/// templates/admin/notice.html - `/admin/notices/{id}`.
///
/// Accepting, refusing and replaying are confirmed at `/admin/notices/{id}/accept`, `…/refuse`
/// and `…/replay`.
#[derive(Debug, Clone, Serialize)]
pub struct NoticePage {
    /// The notice.
    pub notice: NoticeRow,
    /// From which address it came.
    pub address: String,
    /// When its gateway confirmed it.
    pub verified_at: Option<Timestamp>,
    /// When its state was decided.
    pub decided_at: Option<Timestamp>,
    /// What was understood of it, field by field; empty for who sent gibberish.
    pub understood: Vec<(String, String)>,
    /// The request as it came; `None` once it was pruned or for who may not see it.
    pub raw: Option<RawRequest>,
    /// How often verifying or applying was tried, and what came of it, the newest first.
    pub attempts: Vec<Attempt>,
    /// Whether a person can accept or refuse it.
    pub can_decide: bool,
    /// Whether judging it again makes sense.
    pub can_replay: bool,
}

/// A request, byte for byte as far as bytes are text; others are shown as `\xNN`.
#[derive(Debug, Clone, Serialize)]
pub struct RawRequest {
    /// `POST /hooks/…`
    pub line: String,
    /// Names and values as they came.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: String,
    /// The same decoded, name by name, for bodies that are forms.
    pub fields: Vec<(String, String)>,
    /// Its length in bytes.
    pub bytes: u64,
}

/// One try at verifying or applying a notice.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: String,
}

fn connection(name: &str, mode: Mode) -> ConnectionRef {
    ConnectionRef { id: kernel::ConnectionId::from_bits(bits(1)), name: text(name), mode }
}

fn notice(number: u128, state: NoticeState, reason: &str) -> NoticeRow {
    NoticeRow {
        id: NoticeId::from_bits(bits(number)),
        state,
        reason: text(reason),
        connection: connection("PayPal", Mode::Live),
        says: text("Completed"),
        gateway_ref: Some(text("8AC93157TM2957045")),
        amount: Some(eur(117_00)),
        order: Some(order_id(number)),
        copies: 1,
        received_at: minutes_ago(i64::try_from(number * 41).unwrap_or_default()),
    }
}

fn quarantined() -> Vec<NoticeRow> {
    vec![
        notice(1, NoticeState::Quarantined, "the amount is 1.00 EUR where 117.00 EUR were due"),
        NoticeRow {
            connection: connection(LONG, Mode::Test),
            order: None,
            copies: 1_000,
            ..notice(2, NoticeState::Quarantined, LONG)
        },
    ]
}

fn others() -> Vec<NoticeRow> {
    let bare = |row: NoticeRow| NoticeRow {
        gateway_ref: None,
        amount: None,
        order: None,
        says: String::new(),
        ..row
    };
    vec![
        notice(3, NoticeState::Applied, ""),
        bare(notice(4, NoticeState::Received, "")),
        NoticeRow {
            says: text("Refunded"),
            ..notice(5, NoticeState::Unmatched, "waits for the payment that it is about")
        },
        notice(6, NoticeState::Ignored, "authentic, and of no interest here"),
        NoticeRow { copies: 12, ..bare(notice(7, NoticeState::Forged, "PayPal answered INVALID")) },
        NoticeRow {
            says: text(RIGHT_TO_LEFT),
            ..notice(8, NoticeState::Refused, "refused by Grace Hopper: a test of ours")
        },
    ]
}

impl Template for NoticesPage {
    const NAME: &'static str = "admin/notices.html";

    fn samples() -> Vec<Self> {
        const SORTABLE: &[(&str, Direction)] = &[("received", Direction::Descending)];
        let list = |state: Option<NoticeState>| {
            let paypal = Choice { value: text("con_1"), label: Label::text("PayPal") };
            Listing::of("/admin/notices")
                .search("")
                .tabs("state", state)
                .choice("connection", "", vec![paypal])
                .day("from", "")
                .day("to", "")
                .sorted(Sort::by("received", Direction::Descending), SORTABLE)
                .csv("/admin/notices.csv")
        };
        let page = list(None).pages(None, Some("x")).done();
        vec![
            Self { list: page, quarantined: quarantined(), notices: others() },
            Self { list: list(None).done(), quarantined: Vec::new(), notices: Vec::new() },
            Self {
                list: list(Some(NoticeState::Forged)).done(),
                quarantined: Vec::new(),
                notices: Vec::new(),
            },
        ]
    }
}

impl Template for NoticePage {
    const NAME: &'static str = "admin/notice.html";

    fn samples() -> Vec<Self> {
        let pair = |name: &str, value: &str| (text(name), text(value));
        let page = |notice: NoticeRow| Self {
            address: text("173.0.81.65"),
            verified_at: Some(minutes_ago(175)),
            decided_at: Some(minutes_ago(175)),
            understood: vec![
                pair("event", "payment paid"),
                pair("transaction", "8AC93157TM2957045"),
                pair("amount", "117.00 EUR"),
                pair("receiver", "seller@shop.example"),
            ],
            raw: Some(RawRequest {
                line: text("POST /hooks/con_01kf3v9y7e8x2m4q6t8w0z1a3c"),
                headers: vec![
                    pair("Host", "shop.example"),
                    pair("Content-Type", "application/x-www-form-urlencoded"),
                    pair("User-Agent", "PayPal IPN ( https://www.paypal.com/ipn )"),
                ],
                body: text(BODY),
                fields: vec![
                    pair("payment_status", "Completed"),
                    pair("item_name", LONG),
                    pair("custom", ""),
                ],
                bytes: 842,
            }),
            attempts: vec![
                Attempt { at: minutes_ago(175), outcome: text("PayPal answered VERIFIED") },
                Attempt { at: minutes_ago(178), outcome: text("PayPal did not answer within 30 seconds") },
            ],
            can_decide: notice.state == NoticeState::Quarantined,
            can_replay: true,
            notice,
        };
        let mut samples: Vec<Self> = quarantined().into_iter().chain(others()).map(page).collect();
        if let Some(received) = samples.get_mut(3) {
            received.verified_at = None;
            received.decided_at = None;
            received.understood = Vec::new();
            received.raw = None;
            received.attempts = Vec::new();
        }
        samples
    }
}
