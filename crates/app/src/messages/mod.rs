//! Messages: what is to leave the house, once each.
//!
//! A message is intended in the transaction that gives the reason for it, and holds no secret:
//! links are derived when it is sent, so that a resend carries the same ones. Its Message-ID
//! is its id, so that a second delivery after a crash is recognized as the same mail.

pub mod api;
pub mod compose;
pub mod desk_store;
pub mod flow;
pub mod jobs;
pub mod staff_pages;
pub mod store;
pub mod texts;

use kernel::{CustomerId, EmailAddress, MerchantId, MessageId, OrderId, Span, Timestamp};

use crate::sessions;

db::words! {
    /// What a message says.
    pub enum MessageKind {
        /// Paid: links, checksums, support.
        Receipt = "receipt",
        /// The payment is on its way.
        PaymentPending = "payment_pending",
        /// The payment failed.
        PaymentFailed = "payment_failed",
        /// The money went back; access has ended.
        Refunded = "refunded",
        /// Access is on hold while the payment is in question.
        Suspended = "suspended",
        /// Access is back.
        Reinstated = "reinstated",
        /// The same links again.
        LinksResent = "links_resent",
        /// New links; the old ones are dead.
        LinksReissued = "links_reissued",
        /// The links live longer.
        LinkExtended = "link_extended",
        /// The whole transaction was made again.
        Regenerated = "regenerated",
        /// What was still being made when the receipt left is there.
        Ready = "ready",
        /// The passwords of archives, in a mail without links.
        ArchivePassword = "archive_password",
        /// A product's second text, such as how to get support.
        OtherText = "other_text",
        /// A link that signs a customer in.
        SignIn = "sign_in",
        /// An account has another address: told to the one it had.
        AddressChanged = "address_changed",
        /// A link that signs staff in for the first time.
        StaffInvitation = "staff_invitation",
        /// Something in the shop needs a person.
        Alarm = "alarm",
    }
}

db::words! {
    /// What became of a message.
    pub enum MessageState {
        /// To be sent.
        Waiting = "waiting",
        /// The mail server took it.
        Sent = "sent",
        /// The mail server refused it for good.
        Failed = "failed",
        /// Not deliverable for days; given up.
        Expired = "expired",
    }
}

/// A message to one person.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id, and the left half of its Message-ID.
    pub id: MessageId,
    /// From whom.
    pub merchant: MerchantId,
    /// What it says.
    pub kind: MessageKind,
    /// One message per reason.
    pub dedupe_key: String,
    /// About which order.
    pub order: Option<OrderId>,
    /// To which customer.
    pub customer: Option<CustomerId>,
    /// To which address.
    pub to: EmailAddress,
    /// Its subject, once it was composed.
    pub subject: String,
    /// What composing it needs beside the order. No secrets in clear.
    pub context: serde_json::Value,
    /// What became of it.
    pub state: MessageState,
    /// How often sending was tried.
    pub attempts: u32,
    /// Why it did not leave, the last time.
    pub last_error: String,
    /// When it was intended.
    pub created_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
}

/// Why all mail waits where the operator has named no mail server.
pub const NO_MAIL_SERVER: &str = "no mail server is configured: set host and port in [smtp]";

/// What leaves later than this after its reason counts as late.
const LATE: Span = Span::minutes(10);

impl Message {
    /// Whether it leaves so late that the time of what it hands over has to be looked at.
    pub fn is_late(&self, now: Timestamp) -> bool {
        now.since(self.created_at) >= LATE
    }

    /// Whether its one-time link has run out before it could leave. Such a mail helps nobody: its
    /// reader has asked for another, or gave up long ago.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let life = match self.kind {
            MessageKind::SignIn => sessions::LINK_LIFE,
            MessageKind::StaffInvitation => sessions::INVITATION_LIFE,
            _ => return false,
        };
        now.since(self.created_at) >= life
    }

    /// Whether it says of its links that they work from now on.
    pub const fn promises_links(&self) -> bool {
        matches!(
            self.kind,
            MessageKind::Receipt
                | MessageKind::LinksReissued
                | MessageKind::LinkExtended
                | MessageKind::Regenerated
                | MessageKind::Ready
                | MessageKind::Reinstated
        )
    }
}
