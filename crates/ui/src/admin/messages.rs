//! Notifications: what leaves the house, and what became of it.

use kernel::{CustomerId, MessageId, OrderId, Span, Timestamp};
use serde::Serialize;

use super::list::{Direction, Listing, Sort};
use super::sample::{bits, minutes_ago};
use super::timeline::order_id;
use super::words::{MessageKind, MessageState};
use crate::Template;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, text};

/// templates/admin/messages.html - `/admin/messages`.
///
/// `q` finds addresses and subjects. Filters: `state`, `kind`. Column to sort by: `created`.
#[derive(Debug, Clone, Serialize)]
pub struct MessagesPage {
    /// Search, filters, pages.
    pub list: Listing,
    /// Why mail does not leave at all, when the mail server cannot be reached or none is set up.
    pub trouble: Option<String>,
    /// One page of them.
    pub messages: Vec<MessageRow>,
}

/// A message in a list.
#[derive(Debug, Clone, Serialize)]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub kind: MessageKind,
    /// What became of it.
    pub state: MessageState,
    /// To which address.
    pub to: String,
    /// Its subject, once it was composed.
    pub subject: String,
    /// About which order.
    pub order: Option<OrderId>,
    /// When it was intended.
    pub created_at: Timestamp,
    /// How often sending was tried.
    pub attempts: u32,
    /// Why it did not leave, the last time.
    pub last_error: String,
}

/// templates/admin/message.html - `/admin/messages/{id}`.
///
/// Sending it again is confirmed at `/admin/messages/{id}/resend`.
#[derive(Debug, Clone, Serialize)]
pub struct MessagePage {
    /// The message.
    pub message: MessageRow,
    /// To which customer.
    pub customer: Option<CustomerId>,
    /// The sender's address.
    pub from: String,
    /// The text part, as sent or as it would be sent now, secrets left out; `None` while it cannot be composed.
    pub text: Option<String>,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_try_at: Option<Timestamp>,
    /// The header by which other mail programs know it.
    pub message_id: String,
    /// Whether sending it again makes sense.
    pub can_resend: bool,
}

impl MessageRow {
    /// Messages of every state for samples.
    pub(super) fn samples() -> Vec<Self> {
        let row = |number: u128, kind, state| Self {
            id: MessageId::from_bits(bits(number)),
            kind,
            state,
            to: text("ada@example.com"),
            subject: text("Your order is ready: Forty Knots"),
            order: Some(order_id(number)),
            created_at: minutes_ago(i64::try_from(number * 37).unwrap_or_default()),
            attempts: 1,
            last_error: String::new(),
        };
        vec![
            Self {
                subject: String::new(),
                attempts: 0,
                ..row(1, MessageKind::Receipt, MessageState::Waiting)
            },
            row(2, MessageKind::Receipt, MessageState::Sent),
            Self {
                attempts: 3,
                last_error: text("550 5.1.1 <ada@example.com>: recipient address rejected"),
                ..row(3, MessageKind::LinksReissued, MessageState::Failed)
            },
            Self {
                to: text(LONG),
                subject: text(RIGHT_TO_LEFT),
                attempts: 12,
                last_error: text(LONG),
                ..row(4, MessageKind::OtherText, MessageState::Expired)
            },
            Self { order: None, ..row(5, MessageKind::SignIn, MessageState::Sent) },
        ]
    }
}

impl Template for MessagesPage {
    const NAME: &'static str = "admin/messages.html";

    fn samples() -> Vec<Self> {
        const SORTABLE: &[(&str, Direction)] = &[("created", Direction::Descending)];
        let list = |state: Option<MessageState>| {
            Listing::of("/admin/messages")
                .search("")
                .tabs("state", state)
                .word::<MessageKind>("kind", None)
                .sorted(Sort::by("created", Direction::Descending), SORTABLE)
                .csv("/admin/messages.csv")
        };
        let trouble = Some(text("no mail server is set up: write [smtp] into the configuration"));
        vec![
            Self { list: list(None).pages(None, Some("x")).done(), trouble, messages: MessageRow::samples() },
            Self { list: list(None).done(), trouble: None, messages: Vec::new() },
            Self { list: list(Some(MessageState::Failed)).done(), trouble: None, messages: Vec::new() },
        ]
    }
}

impl Template for MessagePage {
    const NAME: &'static str = "admin/message.html";

    fn samples() -> Vec<Self> {
        let body = "Dear Ada Lovelace,\n\nyour download is ready:\n\nhttps://shop.example/d/(hidden)\n\n\
                    harbor-charts-north-print.pdf\n  SHA-256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n";
        let page = |message: MessageRow| Self {
            customer: Some(CustomerId::from_bits(bits(1))),
            from: text("Sandpiper Press <orders@shop.example>"),
            text: Some(text(body)),
            sent_at: (message.state == MessageState::Sent).then(|| minutes_ago(3)),
            next_try_at: None,
            message_id: format!("<{}@shop.example>", message.id),
            can_resend: message.state != MessageState::Waiting,
            message,
        };
        let mut samples: Vec<Self> = MessageRow::samples().into_iter().map(page).collect();
        if let Some(waiting) = samples.first_mut() {
            waiting.text = None;
            waiting.customer = None;
            waiting.next_try_at = Some(NOW + Span::minutes(4));
        }
        samples
    }
}
