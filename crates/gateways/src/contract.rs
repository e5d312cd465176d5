//! The contract between the product and its gateways: sans-I/O, capabilities as data.

use std::collections::BTreeMap;

use kernel::{ConnectionId, Currency, EmailAddress, Money, Secret, Timestamp};

/// Whether real money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The gateway's sandbox, or a simulator.
    Test,
    /// Real money.
    Live,
}

/// A gateway account as the merchant configured it. Test and live are two connections.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Names the hook path `/hooks/{id}`.
    pub id: ConnectionId,
    /// Which side of the gateway it talks to.
    pub mode: Mode,
    /// What is not secret: receiver address, endpoints, ids. Keys are the adapter's own.
    pub settings: BTreeMap<String, String>,
    /// What is: keys, passwords, tokens.
    pub secrets: BTreeMap<String, Secret<String>>,
}

/// A request as it reached the hook, byte for byte.
#[derive(Debug, Clone)]
pub struct RawPost {
    /// `POST`, for most.
    pub method: String,
    /// Path and query as received.
    pub target: String,
    /// Names as received, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, unmodified.
    pub body: Vec<u8>,
    /// When it came in.
    pub received_at: Timestamp,
}

/// A call for the executor to make. Secrets may be in it: it is never logged whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What this call is for, stable within one judgment: finds its answer among the exchanges.
    pub purpose: &'static str,
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Absolute URL; the executor filters its address and follows no redirect.
    pub url: String,
    /// Headers beside Host and Content-Length.
    pub headers: Vec<(&'static str, String)>,
    /// The body to send.
    pub body: Vec<u8>,
}

/// The answer to a [`Request`], as the executor got it. A call that failed is no exchange.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The purpose of the request.
    pub purpose: &'static str,
    /// HTTP status.
    pub status: u16,
    /// At most the executor's cap.
    pub body: Vec<u8>,
}

/// What an adapter makes of a raw post.
#[derive(Debug, Clone)]
pub enum Judgment {
    /// It is the gateway's own word. Empty: authentic, and of no interest here.
    Authentic(Vec<Notice>),
    /// It is not; nothing changes, neither to paid nor to failed. The text says why.
    Forged(String),
    /// A call decides; judge again with its exchange.
    Needs(Request),
    /// It is the gateway's own word, and what it says cannot be told for sure: a person decides.
    Unreadable(String),
    /// It cannot be decided now: keep the row, ask again later. The text says why.
    Later(String),
}

/// What a notice says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum NoticeKind {
    /// Money is on its way, or its status is one we do not know.
    #[serde(rename = "payment.pending")]
    PaymentPending,
    /// Money has arrived.
    #[serde(rename = "payment.paid")]
    PaymentPaid,
    /// The attempt is over without money.
    #[serde(rename = "payment.failed")]
    PaymentFailed,
    /// The attempt ran out of time, or was voided.
    #[serde(rename = "payment.expired")]
    PaymentExpired,
    /// Money went back, whole or in part.
    #[serde(rename = "refund.created")]
    RefundCreated,
    /// A refund did not happen after all.
    #[serde(rename = "refund.failed")]
    RefundFailed,
    /// The buyer or the bank objects; money may be held.
    #[serde(rename = "dispute.opened")]
    DisputeOpened,
    /// The objection was rejected.
    #[serde(rename = "dispute.won")]
    DisputeWon,
    /// The objection was granted.
    #[serde(rename = "dispute.lost")]
    DisputeLost,
    /// Money was pulled back without our doing.
    #[serde(rename = "payment.reversed")]
    PaymentReversed,
    /// A reversal was undone.
    #[serde(rename = "payment.reversal_canceled")]
    PaymentReversalCanceled,
    /// A subscription was agreed.
    #[serde(rename = "subscription.created")]
    SubscriptionCreated,
    /// Its first period began.
    #[serde(rename = "subscription.activated")]
    SubscriptionActivated,
    /// A further period was paid.
    #[serde(rename = "subscription.renewed")]
    SubscriptionRenewed,
    /// A period's payment failed.
    #[serde(rename = "subscription.payment_failed")]
    SubscriptionPaymentFailed,
    /// Payment is overdue.
    #[serde(rename = "subscription.past_due")]
    SubscriptionPastDue,
    /// Suspended by the gateway or the merchant.
    #[serde(rename = "subscription.suspended")]
    SubscriptionSuspended,
    /// No more billing; access runs to the period's end.
    #[serde(rename = "subscription.canceled")]
    SubscriptionCanceled,
    /// Over: access ends.
    #[serde(rename = "subscription.expired")]
    SubscriptionExpired,
    /// Plan or quantity changed.
    #[serde(rename = "subscription.changed")]
    SubscriptionChanged,
}

/// Who paid, as the gateway tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Buyer {
    /// As sent; may be missing or unusable.
    pub email: Option<EmailAddress>,
    /// Full name.
    pub name: Option<String>,
    /// Company, where given.
    pub company: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// The gateway's id of the payer.
    pub payer_id: Option<String>,
}

/// A line of what was paid for, as the gateway tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NoticeLine {
    /// The merchant's item number.
    pub sku: String,
    /// Its name at the gateway.
    pub name: Option<String>,
    /// At least 1.
    pub quantity: u32,
    /// For the whole line, where the gateway tells it: without shipping, possibly with tax.
    pub gross: Option<Money>,
    /// Option names and choices.
    pub attributes: BTreeMap<String, String>,
}

/// One normalized statement. One post may hold many.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// The gateway's word for it, kept for people: `Completed`, `Pending: echeck`.
    pub status: String,
    /// Transport key, where the gateway gives one.
    pub event_id: Option<String>,
    /// The payment that this is about; for refunds and reversals the *original* one.
    pub payment_id: Option<String>,
    /// The id of this movement itself where it has its own: refund, reversal, case.
    pub movement_id: Option<String>,
    /// The subscription, where there is one.
    pub subscription_id: Option<String>,
    /// What we gave the gateway as our order.
    pub merchant_ref: Option<String>,
    /// When the gateway says it happened.
    pub occurred_at: Option<Timestamp>,
    /// The amount moved, always positive; the kind tells the direction.
    pub amount: Option<Money>,
    /// What the gateway keeps.
    pub fee: Option<Money>,
    /// Tax within the amount.
    pub tax: Option<Money>,
    /// Shipping and handling within the amount.
    pub shipping: Option<Money>,
    /// Every address or id by which the gateway names who received the money.
    pub receivers: Vec<String>,
    /// Whether the gateway says it is a test; `None` when it does not say.
    pub test: Option<bool>,
    /// Who paid.
    pub buyer: Buyer,
    /// What for.
    pub lines: Vec<NoticeLine>,
}

/// What became of a post, for the adapter's acknowledgment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is durably in the inbox (first time or again).
    Stored,
    /// It is not: the gateway is to send it again.
    NotStored,
    /// It was refused at the door and will never be wanted.
    Refused,
}

/// The acknowledgment that this gateway expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, if the body is not empty.
    pub content_type: &'static str,
    /// Often empty.
    pub body: Vec<u8>,
}

/// What a buyer is to be sent to pay for.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// Our order, given to the gateway as the reference that comes back.
    pub merchant_ref: String,
    /// Currency of all amounts.
    pub currency: Currency,
    /// The lines; never empty.
    pub lines: Vec<CheckoutLine>,
    /// Tax on top of the lines.
    pub tax: Money,
    /// Our hook.
    pub notify_url: String,
    /// Where the buyer comes back to.
    pub return_url: String,
    /// Where the buyer comes back to without having paid.
    pub cancel_url: String,
    /// BCP 47, for the gateway's pages.
    pub locale: Option<String>,
}

/// One line to pay for.
#[derive(Debug, Clone)]
pub struct CheckoutLine {
    /// The merchant's item number.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// At least 1.
    pub quantity: u32,
    /// For one.
    pub unit: Money,
}

/// One product, to be sold by a button on any web site. There is no order of ours yet: the
/// payment brings one.
#[derive(Debug, Clone)]
pub struct Button {
    /// The merchant's item number, by which the payment finds its product.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// For one.
    pub price: Money,
    /// Our hook.
    pub notify_url: String,
}

/// How the buyer gets to the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// A form to be posted by the browser. Values are not escaped.
    Form {
        /// Where to.
        action: String,
        /// Hidden fields in order.
        fields: Vec<(String, String)>,
    },
    /// A plain redirect.
    Redirect(String),
    /// A call must be made first; its exchange goes to the adapter again.
    Exchange(Request),
}

/// What a gateway can do, as data: the product asks here, not by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Capabilities {
    /// As in configuration and URLs: `paypal-standard`.
    pub name: &'static str,
    /// For merchants, who tell its products apart.
    pub title: &'static str,
    /// For buyers, who know only the company.
    pub brand: &'static str,
    /// Whether a checkout can be opened.
    pub checkout: bool,
    /// Whether a payment can be asked for.
    pub fetch: bool,
    /// Whether money can be sent back.
    pub refund: bool,
    /// Whether events can be listed.
    pub poll: bool,
    /// Bytes of the largest post that its hook takes; what is larger is refused at the door.
    pub post_bytes_max: usize,
    /// How far it was proven, for the docs.
    pub proof: &'static str,
}

/// The gateway has no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{gateway} cannot {what}")]
pub struct Unsupported {
    /// Its title.
    pub gateway: &'static str,
    /// What was asked for.
    pub what: &'static str,
}

/// A configuration that must not be used, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}; {remedy}")]
pub struct ConfigProblem {
    /// The setting or secret.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// What the product needs from a payment gateway. Builds and judges; never calls.
pub trait Gateway: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether a connection may be used at all: a gateway without its secret is off.
    ///
    /// # Errors
    /// Every problem found, each with its remedy.
    fn check(&self, on: &Connection) -> Result<(), Vec<ConfigProblem>>;

    /// Signature first. An unknown event is authentic and empty; an unknown *status* is
    /// pending, never success and never failure; a check that needs a call says so.
    fn judge(&self, post: &RawPost, on: &Connection, earlier: &[Exchange]) -> Judgment;

    /// What a post states that was confirmed before: nobody is asked again, because a gateway
    /// may have forgotten by then what it once said.
    ///
    /// # Errors
    /// Why what it says cannot be told for sure.
    fn statements(&self, post: &RawPost, on: &Connection) -> Result<Vec<Notice>, String>;

    /// Whether the receivers that an authentic notice names are this connection's account. A
    /// gateway's word is true also when it is about somebody else's money.
    fn is_ours(&self, notice: &Notice, on: &Connection) -> bool;

    /// The answer to a post.
    fn acknowledge(&self, post: &RawPost, outcome: Outcome) -> Reply;

    /// How a buyer gets to pay.
    ///
    /// # Errors
    /// When the gateway has no checkout of its own.
    fn checkout(&self, wanted: &Checkout, on: &Connection) -> Result<Opening, Unsupported>;

    /// What a button on another site posts, for gateways whose payments need no order first.
    ///
    /// # Errors
    /// When the gateway has no such buttons, or cannot take this price.
    fn button(&self, _wanted: &Button, _on: &Connection) -> Result<Opening, Unsupported> {
        Err(Unsupported { gateway: self.capabilities().title, what: "sell by a button on another site" })
    }
}
