//! Mails about money: on its way, not coming, gone back.

use kernel::{Money, Span, Timestamp};
use serde::Serialize;

use crate::Mail;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, eur, text};

/// templates/mail/payment_pending - the money takes days.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentPendingMail {
    /// The order's number.
    pub order_number: String,
    /// The buyer's name, if it is known.
    pub buyer_name: Option<String>,
    /// The gateway's name.
    pub gateway: String,
    /// What is on its way.
    pub total: Money,
    /// When it should be there at the latest, if the gateway says.
    pub expected_by: Option<Timestamp>,
    /// The thank-you page.
    pub status_url: String,
}

/// templates/mail/payment_failed - refused or bounced.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentFailedMail {
    /// The order's number.
    pub order_number: String,
    /// The buyer's name, if it is known.
    pub buyer_name: Option<String>,
    /// The gateway's name.
    pub gateway: String,
    /// What was to be paid.
    pub total: Money,
    /// Provisional access was open and has ended.
    pub access_ended: bool,
    /// Where to try again.
    pub retry_url: String,
}

/// templates/mail/access_closed - links were closed, and why.
#[derive(Debug, Clone, Serialize)]
pub struct AccessClosedMail {
    /// The order's number.
    pub order_number: String,
    /// The buyer's name, if it is known.
    pub buyer_name: Option<String>,
    /// Why.
    pub because: ClosedBecause,
    /// What was closed.
    pub products: Vec<String>,
    /// The credit note's address.
    pub credit_note_url: Option<String>,
}

/// Why access was closed.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClosedBecause {
    /// Money was sent back.
    Refund {
        /// How much.
        amount: Money,
        /// Whether something remains paid.
        in_part: bool,
    },
    /// The gateway took the money back: a dispute or a reversal.
    Reversal,
    /// The seller closed it.
    Seller,
}

impl Mail for PaymentPendingMail {
    const NAME: &'static str = "mail/payment_pending";

    fn samples() -> Vec<Self> {
        let mail = |name: Option<&str>, expected_by| Self {
            order_number: text("2026-000117"),
            buyer_name: name.map(text),
            gateway: text("PayPal"),
            total: eur(117_00),
            expected_by,
            status_url: text("https://shop.example/orders/tk_1"),
        };
        vec![
            mail(Some("Ada Lovelace"), Some(NOW + Span::days(5))),
            mail(None, None),
            mail(Some(LONG), None),
            mail(Some(RIGHT_TO_LEFT), None),
        ]
    }
}

impl Mail for PaymentFailedMail {
    const NAME: &'static str = "mail/payment_failed";

    fn samples() -> Vec<Self> {
        let mail = |name: Option<&str>, access_ended| Self {
            order_number: text("2026-000117"),
            buyer_name: name.map(text),
            gateway: text("PayPal"),
            total: eur(117_00),
            access_ended,
            retry_url: text("https://shop.example/cart"),
        };
        vec![
            mail(Some("Ada Lovelace"), true),
            mail(None, false),
            mail(Some(LONG), false),
            mail(Some(RIGHT_TO_LEFT), false),
        ]
    }
}

impl Mail for AccessClosedMail {
    const NAME: &'static str = "mail/access_closed";

    fn samples() -> Vec<Self> {
        let mail = |because, products: &[&str]| Self {
            order_number: text("2026-000117"),
            buyer_name: Some(text("Ada Lovelace")),
            because,
            products: products.iter().copied().map(text).collect(),
            credit_note_url: Some(text("https://shop.example/portal/invoices/C2026-0003")),
        };
        vec![
            mail(
                ClosedBecause::Refund { amount: eur(117_00), in_part: false },
                &["Forty Knots", "Harbor Charts, North"],
            ),
            mail(ClosedBecause::Refund { amount: eur(19_00), in_part: true }, &[LONG]),
            Self {
                credit_note_url: None,
                buyer_name: None,
                ..mail(ClosedBecause::Reversal, &[RIGHT_TO_LEFT])
            },
            Self { credit_note_url: None, ..mail(ClosedBecause::Seller, &[SHORT]) },
        ]
    }
}
