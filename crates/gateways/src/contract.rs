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
///
/// `received_at` is the clock that a signature's age is measured by: judged again days later, a
/// post is as fresh as when it came.
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

/// A document that was fetched from the gateway itself, over a connection that proves whose word
/// it is. It goes the same way as what the gateway posts: into the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What kind of document it is, in the adapter's own words: `payment`, `event`.
    pub what: &'static str,
    /// As the gateway sent it, or the part of a list that is about one thing.
    pub body: Vec<u8>,
}

/// The method of a [`RawPost`] that nobody posted: a [`Found`] document.
pub const FOUND: &str = "FOUND";

impl Found {
    /// As the inbox keeps it: [`Gateway::statements`] tells the kind of document by the target.
    pub fn into_post(self, received_at: Timestamp) -> RawPost {
        RawPost {
            method: FOUND.to_owned(),
            target: self.what.to_owned(),
            headers: Vec::new(),
            body: self.body,
            received_at,
        }
    }
}

/// How far a conversation with a gateway has come. The adapter holds nothing between two calls:
/// it is asked again with every exchange so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    /// This call is to be made next.
    Call(Request),
    /// The conversation is over.
    Done(T),
    /// The gateway said no, and would say so again. The text says why, for people.
    Refused(String),
    /// It cannot be told now: to be asked again later. The text says why.
    Later(String),
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

/// The time that a payment of a subscription is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Period {
    /// Its first moment, where the gateway tells it.
    pub begins_at: Option<Timestamp>,
    /// Until when access is paid for.
    pub ends_at: Option<Timestamp>,
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
    /// For subscriptions: which time is paid for, or how long access still runs.
    #[serde(default)]
    pub period: Option<Period>,
}

impl Notice {
    /// A statement that says nothing but what happened; adapters fill in what they know.
    pub fn of(kind: NoticeKind, status: impl Into<String>) -> Self {
        Self {
            kind,
            status: status.into(),
            event_id: None,
            payment_id: None,
            movement_id: None,
            subscription_id: None,
            merchant_ref: None,
            occurred_at: None,
            amount: None,
            fee: None,
            tax: None,
            shipping: None,
            receivers: Vec::new(),
            test: None,
            buyer: Buyer::default(),
            lines: Vec::new(),
            period: None,
        }
    }
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
    /// The buyer's address, where it is known already.
    pub email: Option<EmailAddress>,
    /// The same for the same attempt: sent twice, the gateway opens one payment.
    pub idempotency_key: String,
    /// Until when the price holds.
    pub expires_at: Timestamp,
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
    /// Paid again and again; `None`: once.
    pub recurring: Option<Recurring>,
}

/// How often a subscription is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurring {
    /// So many units lie between two payments; at least 1.
    pub every: u32,
    /// The unit.
    pub unit: PeriodUnit,
    /// The gateway's own id of such a plan, where it wants one.
    pub plan: Option<String>,
}

/// A unit of subscription periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// Which payment is asked about. What is known of it depends on how far it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// What we gave the gateway as our order.
    pub merchant_ref: Option<String>,
    /// What the gateway called the checkout that was opened.
    pub session_id: Option<String>,
    /// The payment.
    pub payment_id: Option<String>,
    /// The subscription.
    pub subscription_id: Option<String>,
}

/// Money to be sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The payment that it comes from.
    pub payment_id: String,
    /// How much; positive.
    pub amount: Money,
    /// What the payment brought and has not been sent back yet: some gateways want to hear of no
    /// amount when all of it goes.
    pub remaining: Money,
    /// For the buyer, where the gateway shows it.
    pub reason: String,
    /// The same for the same refund: sent twice, money goes back once.
    pub idempotency_key: String,
}

/// A refund that the gateway has taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// The gateway's id of the movement, where it tells one.
    pub movement_id: Option<String>,
    /// What it answered, for the inbox; empty where the answer states nothing.
    pub found: Vec<Found>,
}

/// Where asking for news goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// What happened at the gateway before this is known.
    pub from: Timestamp,
    /// Until when this round asks.
    pub until: Timestamp,
    /// Where the page before ended, in the adapter's own words.
    pub cursor: Option<String>,
}

/// A page of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of the gateway; what is known already may be among it.
    pub found: Vec<Found>,
    /// Where the next page begins; `None`: this was the last.
    pub cursor: Option<String>,
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
    Redirect {
        /// Where to.
        url: String,
        /// What the gateway calls this checkout, to ask about it later.
        session_id: Option<String>,
    },
    /// Nobody is sent anywhere: the buyer is told how to pay, and the order waits.
    Instructions(Instructions),
}

/// How to pay where no gateway has a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instructions {
    /// The merchant's words.
    pub text: String,
    /// What is to be typed into a bank's form, where money is transferred.
    pub transfer: Option<Transfer>,
}

/// A credit transfer, as the buyer's bank wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Whose account.
    pub holder: String,
    /// ISO 13616, without spaces.
    pub iban: String,
    /// ISO 9362; empty where it is not needed.
    pub bic: String,
    /// How much.
    pub amount: Money,
    /// What the payment is found by: ISO 11649.
    pub reference: String,
    /// The text of the EPC QR code; `None` outside the euro.
    pub qr: Option<String>,
}

/// What a merchant is asked for when a connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Field {
    /// The name of the setting or secret.
    pub name: &'static str,
    /// What it is called at the gateway.
    pub label: &'static str,
    /// Where to find it, and what it is for.
    pub help: &'static str,
    /// What can be typed.
    pub kind: FieldKind,
    /// Whether a connection is of no use without it.
    pub required: bool,
}

/// What can be typed into a [`Field`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "choices")]
pub enum FieldKind {
    /// One line, shown.
    Text,
    /// One line, sealed and never shown again.
    Secret,
    /// Lines, sealed; each counts, so that a secret can be changed while the old one still does.
    Secrets,
    /// Several lines, shown.
    Lines,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A URL that replaces the gateway's own, in test mode only: a simulator.
    Endpoint,
}

impl FieldKind {
    /// Whether it is sealed.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Secrets)
    }
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
    /// What a connection is asked for.
    pub fields: &'static [Field],
    /// What the merchant does at the gateway, step by step; `{hook}` stands for our address.
    pub steps: &'static [&'static str],
    /// Events to be switched on at the gateway, where they are chosen one by one.
    pub events: &'static [&'static str],
    /// Whether a checkout can be opened.
    pub checkout: bool,
    /// Whether a button on another site can be made.
    pub button: bool,
    /// Whether subscriptions can be sold.
    pub subscriptions: bool,
    /// Whether a payment can be asked for.
    pub fetch: bool,
    /// Whether money can be sent back.
    pub refund: bool,
    /// Whether a subscription can be ended from here.
    pub cancel: bool,
    /// Whether events can be listed.
    pub poll: bool,
    /// Bytes of the largest post that its hook takes; what is larger is refused at the door.
    pub post_bytes_max: usize,
    /// How far it was proven.
    pub proof: Proof,
}

/// How far an adapter was proven. None was exercised against a live service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Requests that the provider itself has signed are accepted.
    ProviderSigned,
    /// Test vectors of the provider's or a public library are.
    LibraryVectors,
    /// Its documents were followed.
    Documentation,
}

impl Proof {
    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ProviderSigned => "provider-signed samples",
            Self::LibraryVectors => "library vectors",
            Self::Documentation => "from documentation",
        }
    }
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
///
/// Six methods every gateway has. The others belong to a capability each: where that is not
/// declared, the answer is [`Unsupported`], and nobody asks.
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

    /// What a post states that was confirmed before, or a [`Found`] document: nobody is asked
    /// again, because a gateway may have forgotten by then what it once said.
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
    /// When the gateway has no checkout, or none for such an order.
    fn checkout(
        &self,
        _wanted: &Checkout,
        _on: &Connection,
        _earlier: &[Exchange],
    ) -> Result<Step<Opening>, Unsupported> {
        Err(self.cannot("open a checkout"))
    }

    /// What is to be done when a buyer comes back with this query: some payments have to be taken
    /// then. The query proves nothing; what counts is what the gateway answers.
    ///
    /// # Errors
    /// When there is nothing to do: its notice tells everything.
    fn returned(
        &self,
        _query: &[(String, String)],
        _on: &Connection,
        _earlier: &[Exchange],
    ) -> Result<Step<Vec<Found>>, Unsupported> {
        Err(self.cannot("be asked at the buyer's return"))
    }

    /// What the gateway knows of a payment.
    ///
    /// # Errors
    /// When it cannot be asked by what is known.
    fn fetch(
        &self,
        _of: &Reference,
        _on: &Connection,
        _earlier: &[Exchange],
    ) -> Result<Step<Vec<Found>>, Unsupported> {
        Err(self.cannot("be asked for a payment"))
    }

    /// Sends money back.
    ///
    /// # Errors
    /// When it cannot.
    fn refund(
        &self,
        _wanted: &Refund,
        _on: &Connection,
        _earlier: &[Exchange],
    ) -> Result<Step<Refunded>, Unsupported> {
        Err(self.cannot("send money back"))
    }

    /// Ends the billing of a subscription at the end of what is paid.
    ///
    /// # Errors
    /// When it cannot.
    fn cancel(
        &self,
        _subscription_id: &str,
        _on: &Connection,
        _earlier: &[Exchange],
    ) -> Result<Step<Vec<Found>>, Unsupported> {
        Err(self.cannot("cancel a subscription"))
    }

    /// What happened at the gateway, a page at a time.
    ///
    /// # Errors
    /// When it has no list.
    fn poll(
        &self,
        _since: &Since,
        _on: &Connection,
        _earlier: &[Exchange],
    ) -> Result<Step<Page>, Unsupported> {
        Err(self.cannot("list what happened"))
    }

    /// Tries the connection's keys on something that changes nothing, and says what it found.
    ///
    /// # Errors
    /// When there is nothing to try.
    fn probe(&self, _on: &Connection, _earlier: &[Exchange]) -> Result<Step<String>, Unsupported> {
        Err(self.cannot("be tried"))
    }

    /// What a button on another site posts, for gateways whose payments need no order first.
    ///
    /// # Errors
    /// When the gateway has no such buttons, or cannot take this price.
    fn button(&self, _wanted: &Button, _on: &Connection) -> Result<Opening, Unsupported> {
        Err(self.cannot("sell by a button on another site"))
    }

    /// The error of a capability that is not there.
    fn cannot(&self, what: &'static str) -> Unsupported {
        Unsupported { gateway: self.capabilities().title, what }
    }
}
