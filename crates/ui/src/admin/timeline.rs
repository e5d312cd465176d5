//! The timeline of an order: everything that happened to it, each kind with its own facts.

use kernel::{InvoiceId, MessageId, Money, NoticeId, OrderId, ReviewId, Span, Timestamp};
use serde::Serialize;

use super::sample::{bits, minutes_ago};
use super::words::{
    DownloadState, FactKind, GrantChange, InvoiceKind, MessageKind, MessageState, NoticeState, OrderSource,
    ReviewKind, ReviewState,
};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, eur, text};

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Actor {
    /// The program itself.
    System,
    /// The operator at the shell.
    Shell,
    /// A gateway, by its connection's name.
    Gateway(String),
    /// Somebody in the back office.
    Staff(String),
    /// A program, by its key's name.
    Api(String),
    /// The buyer.
    Customer,
    /// Whoever it was.
    Visitor,
}

/// What can happen to an order.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// It was made.
    Made {
        /// Where.
        source: OrderSource,
        /// What is due.
        due: Money,
        /// By whom.
        by: Actor,
    },
    /// A gateway told something.
    Notice(NoticeEntry),
    /// What was told became part of a payment's facts.
    Fact(FactEntry),
    /// A unit was made.
    Unit {
        /// The product's name.
        product: String,
        /// Which unit, from 1.
        number: u32,
        /// More than 1 when it stands for many.
        capacity: u32,
    },
    /// A link was given, changed or taken.
    Grant {
        /// What happened.
        change: GrantChange,
        /// The product's name.
        product: String,
        /// Which unit, from 1.
        number: u32,
        /// The link's generation after it.
        generation: Option<u32>,
        /// Until when the link works after it.
        expires_at: Option<Timestamp>,
        /// Why.
        cause: String,
        /// By whom.
        by: Actor,
    },
    /// Somebody fetched a file.
    Download(DownloadEntry),
    /// A message was intended, and what became of it.
    Message(MessageEntry),
    /// A document was issued.
    Invoice {
        /// Its id.
        id: InvoiceId,
        /// Invoice or credit note.
        document: InvoiceKind,
        /// Series and number as printed.
        number: String,
        /// With tax.
        gross: Money,
    },
    /// A person was asked, or has answered.
    Review {
        /// Its id.
        id: ReviewId,
        /// Why.
        about: ReviewKind,
        /// Whether this entry is the question or the answer.
        state: ReviewState,
        /// The question or the answer in words.
        detail: String,
        /// By whom.
        by: Actor,
    },
    /// Staff, the shell or a program did something, and anything else that the audit log has.
    Act {
        /// The event's kind, such as `order.links_resent`; known ones have a text under `admin.event`.
        event: String,
        /// By whom.
        by: Actor,
        /// More about it.
        detail: Vec<(String, String)>,
    },
}

/// A notice in the timeline.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeEntry {
    /// Its id.
    pub id: NoticeId,
    /// Through which connection.
    pub connection: String,
    /// What became of it.
    pub state: NoticeState,
    /// Why.
    pub reason: String,
    /// What it says in the gateway's words: `Completed`, `Refunded`.
    pub says: String,
    /// When its gateway confirmed it.
    pub verified_at: Option<Timestamp>,
    /// How often the same bytes came.
    pub copies: u32,
    /// From which address.
    pub address: String,
    /// The body as it came, as text; `None` once it was pruned or for who may not see it.
    pub raw_body: Option<String>,
}

/// A fact in the timeline.
#[derive(Debug, Clone, Serialize)]
pub struct FactEntry {
    /// What is stated.
    pub fact: FactKind,
    /// The amount of the movement.
    pub amount: Money,
    /// The gateway's id of the payment.
    pub gateway_ref: String,
    /// The gateway's id of the movement, where there can be several.
    pub movement_ref: String,
    /// The gateway's word.
    pub detail: String,
    /// When it happened, by the gateway.
    pub occurred_at: Timestamp,
    /// Where it was said.
    pub notice: NoticeId,
}

/// A download in the timeline.
#[derive(Debug, Clone, Serialize)]
pub struct DownloadEntry {
    /// The file's name.
    pub file: String,
    /// What became of its place.
    pub state: DownloadState,
    /// Handed out so far.
    pub bytes: u64,
    /// Of the content.
    pub size: u64,
    /// The client's address.
    pub address: String,
    /// The client's program.
    pub user_agent: String,
    /// The link's generation.
    pub generation: u32,
    /// When bytes last flowed.
    pub last_byte_at: Timestamp,
}

/// A message in the timeline.
#[derive(Debug, Clone, Serialize)]
pub struct MessageEntry {
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub about: MessageKind,
    /// What became of it.
    pub state: MessageState,
    /// To which address.
    pub to: String,
    /// Its subject, once it was composed.
    pub subject: String,
    /// How often sending was tried.
    pub attempts: u32,
    /// Why it did not leave, the last time.
    pub last_error: String,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
}

/// A body of a notice for samples.
pub(super) const BODY: &str = "mc_gross=117.00&protection_eligibility=Eligible&payer_id=LPLWNMTBWMFAY&tax=0.00\
    &payment_date=20%3A12%3A59+Jan+13%2C+2026+PST&payment_status=Completed&charset=windows-1252&first_name=Ada\
    &mc_fee=3.86&notify_version=2.6&custom=&payer_status=verified&business=seller%40shop.example&quantity=1\
    &verify_sign=AtkOfCXbDm2hu0ZELryHFjY-Vb7PAUvS6nMXgysbElEn9v-1XcmSoGtf&payer_email=ada%40example.com\
    &txn_id=8AC93157TM2957045&payment_type=instant&last_name=Lovelace&receiver_email=seller%40shop.example\
    &mc_currency=EUR&item_name=<b>Forty+Knots</b>";

fn notice(number: u128, state: NoticeState, says: &str) -> NoticeEntry {
    NoticeEntry {
        id: NoticeId::from_bits(bits(number)),
        connection: text("PayPal"),
        state,
        reason: if state == NoticeState::Applied {
            String::new()
        } else {
            text("the amount is 1.00 USD where 117.00 EUR were due")
        },
        says: text(says),
        verified_at: (state != NoticeState::Received).then(|| minutes_ago(175)),
        copies: if number == 1 { 1 } else { 4 },
        address: text("173.0.81.65"),
        raw_body: (number != 3).then(|| text(BODY)),
    }
}

fn message(number: u128, about: MessageKind, state: MessageState) -> MessageEntry {
    let failed = matches!(state, MessageState::Failed | MessageState::Expired);
    MessageEntry {
        id: MessageId::from_bits(bits(number)),
        about,
        state,
        to: text("ada@example.com"),
        subject: text("Your order is ready: Forty Knots"),
        attempts: if failed { 12 } else { 1 },
        last_error: if failed {
            text("550 5.1.1 <ada@example.com>: recipient address rejected")
        } else {
            String::new()
        },
        sent_at: (state == MessageState::Sent).then(|| minutes_ago(174)),
    }
}

fn fact(kind: FactKind, cents: i64) -> Happening {
    Happening::Fact(FactEntry {
        fact: kind,
        amount: eur(cents),
        gateway_ref: text("8AC93157TM2957045"),
        movement_ref: if kind == FactKind::Settlement { String::new() } else { text("1DX48613KX7764219") },
        detail: text("Completed"),
        occurred_at: minutes_ago(176),
        notice: NoticeId::from_bits(bits(1)),
    })
}

fn download(state: DownloadState, bytes: u64) -> Happening {
    Happening::Download(DownloadEntry {
        file: text("harbor-charts-north-print.pdf"),
        state,
        bytes,
        size: 412_500_000,
        address: text("2001:db8:85a3::8a2e:370:7334"),
        user_agent: text("Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0"),
        generation: 1,
        last_byte_at: minutes_ago(60),
    })
}

fn grant(change: GrantChange, by: Actor, cause: &str) -> Happening {
    Happening::Grant {
        change,
        product: text("Harbor Charts, North"),
        number: 1,
        generation: Some(2),
        expires_at: Some(NOW + Span::hours(50)),
        cause: text(cause),
        by,
    }
}

/// One entry of every kind, the newest first.
pub(super) fn sample_timeline() -> Vec<Entry> {
    let entry = |minutes, what| Entry { at: minutes_ago(minutes), what };
    let grace = || Actor::Staff(text("Grace Hopper"));
    let gateway = || Actor::Gateway(text("PayPal"));
    let act =
        |event: &str, by, detail: Vec<(String, String)>| Happening::Act { event: text(event), by, detail };
    let review = |state, detail: &str, by| Happening::Review {
        id: ReviewId::from_bits(bits(1)),
        about: ReviewKind::Surplus,
        state,
        detail: text(detail),
        by,
    };
    let from = |hours: i64, what| Entry { at: NOW - Span::hours(hours), what };
    vec![
        entry(2, download(DownloadState::Open, 120_000_000)),
        entry(12, Happening::Message(message(4, MessageKind::LinksReissued, MessageState::Failed))),
        entry(14, grant(GrantChange::Reissued, grace(), "the buyer posted the link in a forum")),
        entry(14, act("order.links_reissued", grace(), vec![(text("links"), text("2"))])),
        entry(30, act("order.something_newer", Actor::Shell, Vec::new())),
        entry(40, review(ReviewState::Resolved, RIGHT_TO_LEFT, grace())),
        entry(45, review(ReviewState::Open, LONG, Actor::System)),
        entry(60, download(DownloadState::Spent, 412_500_000)),
        entry(61, download(DownloadState::Returned, 4_000)),
        entry(
            170,
            Happening::Invoice {
                id: InvoiceId::from_bits(bits(1)),
                document: InvoiceKind::Invoice,
                number: text("2026-0042"),
                gross: eur(117_00),
            },
        ),
        entry(174, Happening::Message(message(1, MessageKind::Receipt, MessageState::Sent))),
        entry(175, grant(GrantChange::Granted, gateway(), "paid")),
        entry(175, Happening::Unit { product: text("Harbor Charts, North"), number: 1, capacity: 1 }),
        entry(175, Happening::Unit { product: text(LONG), number: 1, capacity: 20_000 }),
        entry(175, fact(FactKind::Settlement, 117_00)),
        entry(176, Happening::Notice(notice(1, NoticeState::Applied, "Completed"))),
        entry(177, Happening::Notice(notice(2, NoticeState::Quarantined, "Completed"))),
        from(30, fact(FactKind::Pending, 0)),
        from(30, Happening::Notice(notice(3, NoticeState::Received, "Pending"))),
        from(31, Happening::Made { source: OrderSource::Checkout, due: eur(117_00), by: Actor::Visitor }),
    ]
}

/// An order's id for samples of other pages.
pub(super) const fn order_id(number: u128) -> OrderId {
    OrderId::from_bits(bits(number))
}
