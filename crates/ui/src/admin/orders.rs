//! Transactions: the list, and the page that has every component of one.

use std::collections::BTreeMap;

use kernel::{
    ConnectionId, CustomerId, GrantId, InvoiceId, LineId, Money, OrderId, PaymentId, ProductId, ReviewId,
    Span, Timestamp,
};
use serde::Serialize;

use super::list::{Choice, Direction, Label, Listing, Sort};
use super::sample::{bits, days_ago, minutes_ago};
use super::timeline::{Entry, sample_timeline};
use super::words::{
    AlarmKind, FilePolicy, InvoiceKind, LinkState, Mode, OrderSource, OrderStatus, Part, PartState,
    PaymentStatus, PendingPolicy, ReviewKind, Word,
};
use crate::Template;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, eur, text, usd};

/// templates/admin/orders.html - `/admin/orders`.
///
/// `q` finds ids, mail addresses, names and gateways' transaction ids. Filters: `status`, `source`,
/// `connection`, `from`, `to`. Columns to sort by: `created`, `total`.
#[derive(Debug, Clone, Serialize)]
pub struct OrdersPage {
    /// Search, filters, sort, pages.
    pub list: Listing,
    /// One page of them.
    pub orders: Vec<OrderRow>,
}

/// An order in a list.
#[derive(Debug, Clone, Serialize)]
pub struct OrderRow {
    /// Its id.
    pub id: OrderId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// Where it came from.
    pub source: OrderSource,
    /// The buyer's address, once known.
    pub email: Option<String>,
    /// The buyer's name; may be empty.
    pub buyer: String,
    /// The name of its first line.
    pub product: String,
    /// How many lines there are beside.
    pub more_lines: u32,
    /// What is due.
    pub total: Money,
    /// What went back, when something did.
    pub returned: Option<Money>,
    /// Whether a person has to look at it.
    pub needs_review: bool,
    /// Whether it was paid with play money.
    pub is_test: bool,
}

/// templates/admin/order.html - `/admin/orders/{id}`: everything about one transaction.
///
/// Buttons lead to confirmations at `/admin/orders/{id}/ACT`, with ACT one of `resend`, `receipt`,
/// `extend`, `reissue`, `regenerate`; per line `…/lines/{line}/revoke` and `…/reinstate`. All of
/// them are a [`super::ConfirmPage`].
#[derive(Debug, Clone, Serialize)]
pub struct OrderPage {
    /// Its id.
    pub id: OrderId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// Where it came from.
    pub source: OrderSource,
    /// Who bought.
    pub buyer: Buyer,
    /// The way it is paid.
    pub connection: Option<ConnectionRef>,
    /// The amounts.
    pub sums: OrderSums,
    /// When it was made.
    pub created_at: Timestamp,
    /// When what was due had arrived.
    pub paid_at: Option<Timestamp>,
    /// How often it was regenerated, plus one.
    pub generation: u32,
    /// The statement that the buyer agreed to, and when.
    pub consent: Option<(String, Timestamp)>,
    /// What is wrong with it, from the standing checks.
    pub alarms: Vec<AlarmKind>,
    /// Questions that wait for a person.
    pub reviews: Vec<ReviewRef>,
    /// What may be done now.
    pub can: OrderActions,
    /// What was bought, with what it delivers.
    pub lines: Vec<LineRow>,
    /// Attempts to move money.
    pub payments: Vec<PaymentRow>,
    /// Its documents.
    pub invoices: Vec<InvoiceRef>,
    /// Everything that happened, the newest first.
    pub timeline: Vec<Entry>,
    /// Where the timeline goes on, when it was cut.
    pub timeline_older: Option<String>,
}

/// Who bought, as told at checkout or by the gateway.
#[derive(Debug, Clone, Serialize)]
pub struct Buyer {
    /// Their account, once money made one.
    pub customer: Option<CustomerId>,
    /// Where the mail goes.
    pub email: Option<String>,
    /// Their name; may be empty.
    pub name: String,
    /// Their company; may be empty.
    pub company: String,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// VAT id, where given.
    pub vat_id: Option<String>,
    /// The language of their mails.
    pub locale: String,
}

/// A gateway account with its name.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionRef {
    /// Its id.
    pub id: ConnectionId,
    /// For people.
    pub name: String,
    /// Whether real money moves.
    pub mode: Mode,
}

/// An order's amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OrderSums {
    /// Without tax.
    pub net: Money,
    /// Tax.
    pub tax: Money,
    /// What must be paid.
    pub due: Money,
    /// What arrived.
    pub settled: Money,
    /// What went back and stays there.
    pub returned: Money,
}

/// A question about it.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewRef {
    /// Its id.
    pub id: ReviewId,
    /// Why a person is asked.
    pub kind: ReviewKind,
    /// In words.
    pub detail: String,
}

/// The acts that make sense for an order as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OrderActions {
    /// Mail the same links again.
    pub resend: bool,
    /// Mail the receipt again.
    pub receipt: bool,
    /// Let the links live longer.
    pub extend: bool,
    /// Make new links; the old ones die.
    pub reissue: bool,
    /// Make the whole transaction again.
    pub regenerate: bool,
}

/// What was bought, with the terms of that day.
#[derive(Debug, Clone, Serialize)]
pub struct LineRow {
    /// Its id.
    pub id: LineId,
    /// The product; `None` for a discount.
    pub product: Option<ProductId>,
    /// The item number then.
    pub sku: String,
    /// The name then.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// For one.
    pub unit_price: Money,
    /// For the line, with tax.
    pub gross: Money,
    /// Tax of the line.
    pub tax: Money,
    /// Millionths: 190000 is 19 %.
    pub tax_rate_ppm: u32,
    /// Options and what the buyer wrote, by name.
    pub inputs: Vec<(String, String)>,
    /// Whether the buyer filled a drawing in, which `…/lines/{id}/artwork` shows.
    pub artwork: bool,
    /// The terms then.
    pub terms: Terms,
    /// What it delivers.
    pub units: Vec<UnitRow>,
    /// How many units are not shown, because there are very many.
    pub more_units: u32,
    /// Whether it can be taken back now.
    pub can_revoke: bool,
    /// Whether it can be given back now.
    pub can_reinstate: bool,
}

/// How something is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// How long links live.
    pub link_life_days: u32,
    /// How often each file may be fetched.
    pub download_limit: u32,
    /// Which versions of files it covers.
    pub file_policy: FilePolicy,
    /// For how many days from the purchase new ones.
    pub update_days: Option<u32>,
    /// What is given while the payment is pending.
    pub pending_policy: PendingPolicy,
}

/// One unit and its link.
#[derive(Debug, Clone, Serialize)]
pub struct UnitRow {
    /// From 1.
    pub number: u32,
    /// More than 1 when a unit stands for many.
    pub capacity: u32,
    /// The right to have it; `None` while it waits.
    pub link: Option<LinkRow>,
    /// What is made for it beside the files.
    pub parts: Vec<PartRow>,
}

/// Something that is made for a unit.
#[derive(Debug, Clone, Serialize)]
pub struct PartRow {
    /// What.
    pub part: Part,
    /// Which of several, such as the name of a file; empty for the only one.
    pub subject: String,
    /// How far it is.
    pub state: PartState,
    /// Why it waits or is held.
    pub detail: String,
    /// Since when it is wanted.
    pub wanted_at: Timestamp,
    /// What the buttons post: names the part.
    pub fields: BTreeMap<String, String>,
}

/// A link as staff see it.
#[derive(Debug, Clone, Serialize)]
pub struct LinkRow {
    /// The grant that it gives access to.
    pub grant: GrantId,
    /// Whether it can be used.
    pub state: LinkState,
    /// Raised by every reissue.
    pub generation: u32,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// Its address, to read out to a buyer; `None` for who may not see it.
    pub url: Option<String>,
    /// What it leads to.
    pub files: Vec<LinkFileRow>,
}

/// A file of a link with its places.
#[derive(Debug, Clone, Serialize)]
pub struct LinkFileRow {
    /// The name that buyers save it under.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// Places that are spent.
    pub spent: u32,
    /// Places that are reserved by running downloads.
    pub open: u32,
    /// Places in all.
    pub limit: u32,
    /// Bytes handed out so far.
    pub sent_bytes: u64,
}

/// A payment at a gateway.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentRow {
    /// Its id.
    pub id: PaymentId,
    /// The gateway's id.
    pub gateway_ref: String,
    /// Its page at the gateway, where there is one.
    pub gateway_url: Option<String>,
    /// The gateway account.
    pub connection: ConnectionRef,
    /// What its facts say.
    pub status: PaymentStatus,
    /// What arrived.
    pub settled: Money,
    /// What went back.
    pub returned: Option<Money>,
    /// What the gateway kept, where told.
    pub fee: Option<Money>,
    /// When we first heard of it.
    pub created_at: Timestamp,
}

/// A document of an order.
#[derive(Debug, Clone, Serialize)]
pub struct InvoiceRef {
    /// Its id.
    pub id: InvoiceId,
    /// Invoice or credit note.
    pub kind: InvoiceKind,
    /// Series and number as printed.
    pub number: String,
    /// With tax.
    pub gross: Money,
}

impl OrderRow {
    /// Orders of every status for samples.
    pub(super) fn samples() -> Vec<Self> {
        let row = |number, status, name: &str| Self {
            id: OrderId::from_bits(bits(number)),
            created_at: minutes_ago(i64::try_from(number * number * 17).unwrap_or_default()),
            status,
            source: OrderSource::Checkout,
            email: Some(format!("buyer{number}@example.com")),
            buyer: text(name),
            product: text("Forty Knots"),
            more_lines: 0,
            total: eur(19_00),
            returned: None,
            needs_review: false,
            is_test: false,
        };
        vec![
            Self { more_lines: 2, total: eur(117_00), ..row(1, OrderStatus::Paid, "Ada Lovelace") },
            Self { email: None, ..row(2, OrderStatus::AwaitingPayment, "") },
            Self { needs_review: true, ..row(3, OrderStatus::Pending, RIGHT_TO_LEFT) },
            Self { source: OrderSource::Button, is_test: true, ..row(4, OrderStatus::Paid, SHORT) },
            Self { returned: Some(eur(9_00)), product: text(LONG), ..row(5, OrderStatus::Paid, LONG) },
            Self {
                returned: Some(usd(1_234_567_89)),
                total: usd(1_234_567_89),
                ..row(9, OrderStatus::Refunded, "Katherine Johnson")
            },
            row(30, OrderStatus::Void, "Joan Clarke"),
        ]
    }
}

impl Template for OrdersPage {
    const NAME: &'static str = "admin/orders.html";

    fn samples() -> Vec<Self> {
        const SORTABLE: &[(&str, Direction)] =
            &[("created", Direction::Descending), ("total", Direction::Descending)];
        let connections = || {
            let choice = |value: &str, name: &str| Choice { value: text(value), label: Label::text(name) };
            vec![choice("con_1", "PayPal"), choice("con_2", "PayPal (test)")]
        };
        let list = |search: &str, status: Option<OrderStatus>, from: &str| {
            Listing::of("/admin/orders")
                .search(search)
                .tabs("status", status)
                .word::<OrderSource>("source", None)
                .choice("connection", "", connections())
                .day("from", from)
                .day("to", "")
                .sorted(Sort::by("created", Direction::Descending), SORTABLE)
                .csv("/admin/orders.csv")
        };
        let paged = list("", None, "").pages(Some("ord_1"), Some("ord_2")).done();
        vec![
            Self { list: paged, orders: OrderRow::samples() },
            Self { list: list("", None, "").done(), orders: Vec::new() },
            Self {
                list: list("nobody@example.com", Some(OrderStatus::Paid), "2026-09-01").done(),
                orders: Vec::new(),
            },
        ]
    }
}

fn connection() -> ConnectionRef {
    ConnectionRef { id: ConnectionId::from_bits(bits(1)), name: text("PayPal"), mode: Mode::Live }
}

fn link(number: u128, state: LinkState) -> LinkRow {
    let file = |name: &str, spent, open| LinkFileRow {
        name: text(name),
        bytes: 412_500_000,
        spent,
        open,
        limit: 5,
        sent_bytes: 1_020_000_000,
    };
    LinkRow {
        grant: GrantId::from_bits(bits(number)),
        state,
        generation: 2,
        expires_at: NOW + Span::hours(50),
        url: Some(text("https://shop.example/d/gt_7Qm2Vx9fKp4RtZ1cWb8NsY6hJd3L")),
        files: vec![file("harbor-charts-north-print.pdf", 2, 1), file("harbor-charts-north-s57.zip", 0, 0)],
    }
}

fn line(number: u128, name: &str, units: Vec<UnitRow>) -> LineRow {
    LineRow {
        id: LineId::from_bits(bits(number)),
        product: Some(ProductId::from_bits(bits(number))),
        sku: format!("SP-{number:04}"),
        name: text(name),
        quantity: u32::try_from(units.len()).unwrap_or(1).max(1),
        unit_price: eur(49_00),
        gross: eur(98_00),
        tax: eur(15_65),
        tax_rate_ppm: 190_000,
        inputs: Vec::new(),
        artwork: false,
        terms: Terms {
            link_life_days: 3,
            download_limit: 5,
            file_policy: FilePolicy::UpdatesUntil,
            update_days: Some(365),
            pending_policy: PendingPolicy::Nothing,
        },
        units,
        more_units: 0,
        can_revoke: true,
        can_reinstate: false,
    }
}

/// A paid order with everything.
fn paid() -> OrderPage {
    let unit = |number, state| UnitRow {
        number,
        capacity: 1,
        link: Some(link(u128::from(number), state)),
        parts: PartRow::samples(),
    };
    OrderPage {
        id: OrderId::from_bits(bits(1)),
        status: OrderStatus::Paid,
        source: OrderSource::Checkout,
        buyer: Buyer {
            customer: Some(CustomerId::from_bits(bits(1))),
            email: Some(text("ada@example.com")),
            name: text("Ada Lovelace"),
            company: text("Analytical Engines Ltd"),
            country: Some(text("GB")),
            vat_id: Some(text("GB123456789")),
            locale: text("en"),
        },
        connection: Some(connection()),
        sums: OrderSums {
            net: eur(98_33),
            tax: eur(18_67),
            due: eur(117_00),
            settled: eur(117_00),
            returned: eur(0),
        },
        created_at: minutes_ago(180),
        paid_at: Some(minutes_ago(175)),
        generation: 1,
        consent: Some((
            text("I agree that delivery begins at once and lose my right of withdrawal."),
            minutes_ago(181),
        )),
        alarms: Vec::new(),
        reviews: Vec::new(),
        can: OrderActions { resend: true, receipt: true, extend: true, reissue: true, regenerate: true },
        lines: vec![
            line(1, "Forty Knots", vec![unit(1, LinkState::Open)]),
            line(2, "Harbor Charts, North", vec![unit(1, LinkState::Open), unit(2, LinkState::UsedUp)]),
        ],
        payments: vec![PaymentRow {
            id: PaymentId::from_bits(bits(1)),
            gateway_ref: text("8AC93157TM2957045"),
            gateway_url: Some(text("https://www.paypal.com/activity/payment/8AC93157TM2957045")),
            connection: connection(),
            status: PaymentStatus::Settled,
            settled: eur(117_00),
            returned: None,
            fee: Some(eur(3_86)),
            created_at: minutes_ago(176),
        }],
        invoices: vec![InvoiceRef {
            id: InvoiceId::from_bits(bits(1)),
            kind: InvoiceKind::Invoice,
            number: text("2026-0042"),
            gross: eur(117_00),
        }],
        timeline: sample_timeline(),
        timeline_older: Some(text("/admin/orders/ord_1?before=evt_1")),
    }
}

/// An order in which everything is odd.
fn troubled() -> OrderPage {
    let waiting = UnitRow { number: 1, capacity: 20_000, link: None, parts: Vec::new() };
    let revoked =
        UnitRow { number: 1, capacity: 1, link: Some(link(7, LinkState::Revoked)), parts: Vec::new() };
    let discount = LineRow {
        product: None,
        gross: eur(-20_00),
        unit_price: eur(-20_00),
        can_revoke: false,
        ..line(9, "Autumn", Vec::new())
    };
    let review = |number, kind: ReviewKind| ReviewRef {
        id: ReviewId::from_bits(bits(number)),
        kind,
        detail: text(LONG),
    };
    let page = paid();
    OrderPage {
        source: OrderSource::Button,
        buyer: Buyer { name: text(RIGHT_TO_LEFT), company: text(LONG), ..page.buyer },
        sums: OrderSums { settled: eur(137_00), returned: eur(20_00), ..page.sums },
        generation: 3,
        alarms: AlarmKind::ALL.to_vec(),
        reviews: vec![review(1, ReviewKind::Surplus), review(2, ReviewKind::Dispute)],
        lines: vec![
            LineRow {
                quantity: 20_000,
                inputs: vec![(text("Name for the license"), text(RIGHT_TO_LEFT))],
                artwork: true,
                ..line(3, LONG, vec![waiting])
            },
            LineRow {
                can_revoke: false,
                can_reinstate: true,
                more_units: 940,
                ..line(4, SHORT, vec![revoked])
            },
            discount,
        ],
        payments: page
            .payments
            .iter()
            .cloned()
            .map(|payment| PaymentRow {
                status: PaymentStatus::Disputed,
                returned: Some(eur(20_00)),
                connection: ConnectionRef { mode: Mode::Test, name: text(LONG), ..payment.connection },
                gateway_url: None,
                ..payment
            })
            .collect(),
        ..page
    }
}

impl Template for OrderPage {
    const NAME: &'static str = "admin/order.html";

    fn samples() -> Vec<Self> {
        let nothing =
            OrderActions { resend: false, receipt: false, extend: false, reissue: false, regenerate: false };
        let awaiting = Self {
            status: OrderStatus::AwaitingPayment,
            buyer: Buyer {
                customer: None,
                email: None,
                name: String::new(),
                company: String::new(),
                country: None,
                vat_id: None,
                locale: text("de"),
            },
            sums: OrderSums { settled: eur(0), ..paid().sums },
            created_at: days_ago(2),
            paid_at: None,
            consent: None,
            can: nothing,
            lines: vec![LineRow { can_revoke: false, ..line(1, "Forty Knots", Vec::new()) }],
            payments: Vec::new(),
            invoices: Vec::new(),
            timeline: sample_timeline().into_iter().rev().take(1).collect(),
            timeline_older: None,
            connection: None,
            ..paid()
        };
        vec![paid(), troubled(), awaiting]
    }
}

impl PartRow {
    fn samples() -> Vec<Self> {
        let part = |state, detail: &str| Self {
            part: Part::Payload,
            subject: String::new(),
            state,
            detail: text(detail),
            wanted_at: NOW,
            fields: BTreeMap::from([("part".to_owned(), "payload".to_owned())]),
        };
        vec![
            part(PartState::Done, ""),
            part(PartState::Waiting, ""),
            part(PartState::Held, "the payload's item /srv/goods/book.pdf came to no file"),
            part(PartState::LeftOut, LONG),
        ]
    }
}
