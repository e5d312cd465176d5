//! The thank-you page: what has become of an order, from "waiting for confirmation" to the links.

use kernel::{Money, Span, Timestamp};
use serde::Serialize;

use crate::Template;
use crate::samples::{LONG, MD5, NOW, RIGHT_TO_LEFT, SHA256, SHORT, eur, text};

/// templates/shop/thank_you.html - where the gateway sends the buyer back to.
#[derive(Debug, Clone, Serialize)]
pub struct ThankYouPage {
    /// What has become of the order.
    pub order: OrderState,
}

/// templates/shop/order_state.html - the part of the thank-you page that fills in by itself.
///
/// It is asked for every two seconds while the order waits. Answer 204 as long as nothing has
/// changed: then nothing is swapped, and nothing is read aloud again.
#[derive(Debug, Clone, Serialize)]
pub struct OrderStatePart {
    /// What has become of the order.
    pub order: OrderState,
}

/// An order as its buyer sees it.
#[derive(Debug, Clone, Serialize)]
pub struct OrderState {
    /// The order's number.
    pub number: String,
    /// Where the mail goes, once it is known.
    pub email: Option<String>,
    /// What was or is to be paid.
    pub total: Money,
    /// The gateway's name, for "waiting for PayPal".
    pub gateway: String,
    /// What was ordered.
    pub lines: Vec<OrderLine>,
    /// How far it is.
    pub progress: Progress,
    /// What is delivered; also while provisional access is open on a pending payment.
    pub units: Vec<UnitDelivery>,
    /// The invoice, once there is one.
    pub invoice_path: Option<String>,
    /// Where the part of the page is asked for again.
    pub poll_path: String,
    /// The way to try another payment, where there is one.
    pub retry_path: Option<String>,
}

/// A line of the order.
#[derive(Debug, Clone, Serialize)]
pub struct OrderLine {
    /// The product's name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of all.
    pub total: Money,
}

/// How far an order is, as its buyer should understand it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Progress {
    /// The buyer is back, the gateway has not told us yet.
    Waiting,
    /// The gateway says that the money takes days (eCheck, bank transfer).
    Pending {
        /// When it should be there at the latest, if the gateway says.
        expected_by: Option<Timestamp>,
    },
    /// Paid and delivered.
    Paid,
    /// Paid, but something, such as a key, is not there yet.
    PaidWaiting,
    /// The payment was refused or bounced.
    Failed,
    /// The buyer turned back.
    Canceled,
    /// A person has to look at it.
    Held,
    /// The money went back.
    Refunded {
        /// How much of it.
        amount: Money,
        /// Whether something remains paid, and so delivered.
        in_part: bool,
    },
}

/// What one unit of a line delivers.
#[derive(Debug, Clone, Serialize)]
pub struct UnitDelivery {
    /// The product's name.
    pub product: String,
    /// Which of the line's units, from 1.
    pub unit: u32,
    /// How many units the line has.
    pub units: u32,
    /// The keyed link's address.
    pub link_url: String,
    /// Whether it works.
    pub link: LinkState,
    /// When it stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// How many downloads are left of each file; `None` without limit.
    pub downloads_left: Option<u32>,
    /// What it leads to.
    pub files: Vec<FileFacts>,
    /// License keys, serials, logins: shown with a label.
    pub keys: Vec<KeyShown>,
    /// The seller's words on this product: plain text.
    pub note: Option<String>,
    /// Something of it is still being made.
    pub making: bool,
}

/// Whether a keyed link works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It does.
    Open,
    /// Its time is over.
    Expired,
    /// Its downloads are spent.
    UsedUp,
    /// The seller or a refund closed it.
    Revoked,
}

/// A file with what is needed to check it.
#[derive(Debug, Clone, Serialize)]
pub struct FileFacts {
    /// The file's name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// MD5, hexadecimal, where the merchant shows it.
    pub md5: Option<String>,
}

/// A key that was delivered.
#[derive(Debug, Clone, Serialize)]
pub struct KeyShown {
    /// What it is: "License key".
    pub label: String,
    /// The key itself.
    pub value: String,
}

impl FileFacts {
    /// A file for samples.
    pub(crate) fn sample(name: &str, bytes: u64) -> Self {
        Self { name: text(name), bytes, sha256: text(SHA256), md5: Some(text(MD5)) }
    }
}

impl UnitDelivery {
    /// A unit with two files for samples.
    pub(crate) fn sample(product: &str) -> Self {
        Self {
            product: text(product),
            unit: 1,
            units: 1,
            link_url: text("https://shop.example/d/gt_7Qm2Vx9fKp4RtZ1cWb8NsY6hJd3L"),
            link: LinkState::Open,
            expires_at: Some(NOW + Span::days(3)),
            downloads_left: Some(5),
            files: vec![
                FileFacts::sample("harbor-charts-north-print.pdf", 412_500_000),
                FileFacts::sample("harbor-charts-north-s57.zip", 318_000_000),
            ],
            keys: Vec::new(),
            note: None,
            making: false,
        }
    }
}

impl OrderState {
    /// An order that waits, for samples.
    pub(crate) fn sample(progress: Progress) -> Self {
        Self {
            number: text("2026-000117"),
            email: Some(text("ada@example.com")),
            total: eur(117_00),
            gateway: text("PayPal"),
            lines: vec![
                OrderLine { name: text("Forty Knots"), quantity: 1, total: eur(19_00) },
                OrderLine { name: text("Harbor Charts, North"), quantity: 2, total: eur(98_00) },
            ],
            progress,
            units: Vec::new(),
            invoice_path: None,
            poll_path: text("/orders/tk_1/state"),
            retry_path: None,
        }
    }
}

fn samples() -> Vec<OrderState> {
    let paid = OrderState {
        units: vec![
            UnitDelivery { downloads_left: None, expires_at: None, ..UnitDelivery::sample("Forty Knots") },
            UnitDelivery { units: 2, ..UnitDelivery::sample("Harbor Charts, North") },
            UnitDelivery { unit: 2, units: 2, ..UnitDelivery::sample("Harbor Charts, North") },
        ],
        invoice_path: Some(text("/orders/tk_1/invoices/2026-0042")),
        ..OrderState::sample(Progress::Paid)
    };
    let odd = OrderState {
        units: vec![
            UnitDelivery {
                files: vec![FileFacts { md5: None, ..FileFacts::sample(&LONG.replace(' ', "-"), 1) }],
                keys: vec![KeyShown { label: text("License key"), value: text("HNDL-7Q2M-VX9F-KP4R-TZ1C") }],
                note: Some(text(LONG)),
                ..UnitDelivery::sample(LONG)
            },
            UnitDelivery { link: LinkState::Expired, ..UnitDelivery::sample(RIGHT_TO_LEFT) },
            UnitDelivery { link: LinkState::Revoked, files: Vec::new(), ..UnitDelivery::sample(SHORT) },
            UnitDelivery { link: LinkState::UsedUp, downloads_left: Some(0), ..UnitDelivery::sample(SHORT) },
        ],
        ..OrderState::sample(Progress::PaidWaiting)
    };
    let refunded = |amount, in_part| Progress::Refunded { amount, in_part };
    vec![
        OrderState::sample(Progress::Waiting),
        OrderState { email: None, lines: Vec::new(), ..OrderState::sample(Progress::Waiting) },
        OrderState::sample(Progress::Pending { expected_by: Some(NOW + Span::days(5)) }),
        OrderState {
            units: odd.units.clone(),
            ..OrderState::sample(Progress::Pending { expected_by: None })
        },
        paid.clone(),
        odd,
        OrderState { retry_path: Some(text("/cart")), ..OrderState::sample(Progress::Failed) },
        OrderState { retry_path: Some(text("/cart")), ..OrderState::sample(Progress::Canceled) },
        OrderState::sample(Progress::Held),
        OrderState::sample(refunded(eur(117_00), false)),
        OrderState { progress: refunded(eur(19_00), true), ..paid },
    ]
}

impl Template for ThankYouPage {
    const NAME: &'static str = "shop/thank_you.html";

    fn samples() -> Vec<Self> {
        samples().into_iter().map(|order| Self { order }).collect()
    }
}

impl Template for OrderStatePart {
    const NAME: &'static str = "shop/order_state.html";

    fn samples() -> Vec<Self> {
        samples().into_iter().map(|order| Self { order }).collect()
    }
}
