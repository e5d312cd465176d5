//! Mails that hand something over: the receipt and its repetitions, and the product's second text.

use kernel::{Money, Span, Timestamp};
use serde::Serialize;

use crate::Mail;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, eur, text};
use crate::shop::{FileFacts, KeyShown, OrderLine};
use crate::texts::Filled;

/// templates/mail/delivery - links with their files and checksums, on one of seven occasions.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryMail {
    /// Why it is sent; subject and first sentences follow it.
    pub occasion: Occasion,
    /// The order's number.
    pub order_number: String,
    /// The buyer's name, if it is known.
    pub buyer_name: Option<String>,
    /// What is handed over, one entry a unit.
    pub deliveries: Vec<MailDelivery>,
    /// Products of the order that are still being prepared.
    pub waiting: Vec<String>,
    /// What was paid: on a receipt.
    pub receipt: Option<ReceiptFacts>,
    /// The invoice's address.
    pub invoice_url: Option<String>,
    /// The portal's address.
    pub portal_url: String,
}

/// Why links are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The payment arrived.
    Receipt,
    /// What was still being prepared is ready.
    Ready,
    /// The same links once more.
    Resent,
    /// New links; the old ones are dead.
    Reissued,
    /// The same links work longer.
    Extended,
    /// The whole order was delivered anew.
    Regenerated,
    /// The money is back, and so is access.
    Reinstated,
}

/// One unit in a mail.
#[derive(Debug, Clone, Serialize)]
pub struct MailDelivery {
    /// The product's name.
    pub product: String,
    /// Which of the line's units, from 1.
    pub unit: u32,
    /// How many units the line has.
    pub units: u32,
    /// The keyed link; `None` when there are only keys.
    pub link_url: Option<String>,
    /// When it stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// It works no more; its page sends a new one.
    pub is_over: bool,
    /// How many downloads are left of each file; `None` without limit.
    pub downloads_left: Option<u32>,
    /// What it leads to.
    pub files: Vec<FileFacts>,
    /// License keys, serials, logins.
    pub keys: Vec<KeyShown>,
    /// The seller's standard text for the product.
    pub text: Option<Filled>,
}

/// What was paid.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiptFacts {
    /// The lines.
    pub lines: Vec<OrderLine>,
    /// The sum.
    pub total: Money,
    /// With which gateway.
    pub gateway: String,
    /// When.
    pub paid_at: Timestamp,
}

/// templates/mail/product_note - the product's second text, such as how to get support.
#[derive(Debug, Clone, Serialize)]
pub struct ProductNoteMail {
    /// The seller's subject line, filled.
    pub title: String,
    /// The product's name.
    pub product: String,
    /// The order's number.
    pub order_number: String,
    /// The seller's text, filled.
    pub text: Filled,
}

impl Mail for DeliveryMail {
    const NAME: &'static str = "mail/delivery";

    fn samples() -> Vec<Self> {
        let delivery = |product: &str| MailDelivery {
            product: text(product),
            unit: 1,
            units: 1,
            link_url: Some(text("https://shop.example/d/gt_7Qm2Vx9fKp4RtZ1cWb8NsY6hJd3L")),
            expires_at: Some(NOW + Span::days(3)),
            is_over: false,
            downloads_left: Some(5),
            files: vec![
                FileFacts::sample("harbor-charts-north-print.pdf", 412_500_000),
                FileFacts::sample("harbor-charts-north-s57.zip", 318_000_000),
            ],
            keys: Vec::new(),
            text: None,
        };
        let lines = vec![
            OrderLine { name: text("Forty Knots"), quantity: 1, total: eur(19_00) },
            OrderLine { name: text("Harbor Charts, North"), quantity: 2, total: eur(98_00) },
        ];
        let receipt = ReceiptFacts { lines, total: eur(117_00), gateway: text("PayPal"), paid_at: NOW };
        let words =
            "Thank you for buying our charts!\n\nThey need a reader for S-57: https://opencpn.example.";
        let plain = Self {
            occasion: Occasion::Receipt,
            order_number: text("2026-000117"),
            buyer_name: Some(text("Ada Lovelace")),
            deliveries: vec![MailDelivery {
                text: Some(Filled::plain(words)),
                ..delivery("Harbor Charts, North")
            }],
            waiting: Vec::new(),
            receipt: Some(receipt),
            invoice_url: Some(text("https://shop.example/portal/invoices/2026-0042")),
            portal_url: text("https://shop.example/portal"),
        };
        let keys = vec![KeyShown { label: text("License key"), value: text("HNDL-7Q2M-VX9F-KP4R-TZ1C") }];
        let long = Self {
            buyer_name: Some(text(RIGHT_TO_LEFT)),
            deliveries: vec![
                MailDelivery { keys: keys.clone(), text: Some(Filled::plain(LONG)), ..delivery(LONG) },
                MailDelivery {
                    unit: 2,
                    units: 2,
                    expires_at: None,
                    downloads_left: None,
                    ..delivery(RIGHT_TO_LEFT)
                },
                MailDelivery { link_url: None, files: Vec::new(), keys, ..delivery(SHORT) },
                MailDelivery { expires_at: Some(NOW - Span::days(9)), is_over: true, ..delivery(SHORT) },
            ],
            waiting: vec![text("Tide Almanac"), text(LONG)],
            ..plain.clone()
        };
        let again = |occasion| Self { occasion, receipt: None, invoice_url: None, ..plain.clone() };
        vec![
            plain.clone(),
            long,
            again(Occasion::Resent),
            again(Occasion::Reissued),
            again(Occasion::Extended),
            again(Occasion::Regenerated),
            again(Occasion::Ready),
            again(Occasion::Reinstated),
            Self { deliveries: Vec::new(), ..plain.clone() },
            Self { buyer_name: None, deliveries: Vec::new(), waiting: vec![text(SHORT)], ..plain },
        ]
    }
}

/// templates/mail/archive_password - the passwords of archives, and no link: one mail that falls
/// into other hands opens nothing.
#[derive(Debug, Clone, Serialize)]
pub struct ArchivePasswordMail {
    /// The buyer's name, if known.
    pub buyer_name: Option<String>,
    /// The order's number.
    pub order_number: String,
    /// One for each unit.
    pub passwords: Vec<ArchivePassword>,
}

/// What one archive is protected with.
#[derive(Debug, Clone, Serialize)]
pub struct ArchivePassword {
    /// The product's name.
    pub product: String,
    /// Which of the line's units, from 1.
    pub unit: u32,
    /// The password.
    pub password: String,
}

impl Mail for ArchivePasswordMail {
    const NAME: &'static str = "mail/archive_password";

    fn samples() -> Vec<Self> {
        let password = |product: &str, unit| ArchivePassword {
            product: text(product),
            unit,
            password: text("xk3mq-t7hwd-4npub-acjy6-wrk7t"),
        };
        let one = Self {
            buyer_name: Some(text("Jo Buyer")),
            order_number: text("2026-000117"),
            passwords: vec![password("Harbor Charts, North", 1)],
        };
        let many = Self {
            buyer_name: None,
            passwords: vec![password(LONG, 1), password(LONG, 2), password(RIGHT_TO_LEFT, 1)],
            ..one.clone()
        };
        vec![one, many]
    }
}

impl Mail for ProductNoteMail {
    const NAME: &'static str = "mail/product_note";

    fn samples() -> Vec<Self> {
        let note = |title: &str, words: &str| Self {
            title: text(title),
            product: text(title),
            order_number: text("2026-000117"),
            text: Filled::plain(words),
        };
        vec![
            note(
                "How to get help with Harbor Charts",
                "Hello,\n\nour forum is at https://forum.example/charts.\n\nFair winds!",
            ),
            note(SHORT, SHORT),
            note(LONG, LONG),
            note(RIGHT_TO_LEFT, RIGHT_TO_LEFT),
        ]
    }
}
