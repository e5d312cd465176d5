//! The customer portal: sign-in by mailed link, purchases, profile, sessions.

use std::collections::BTreeMap;

use kernel::{Money, Span, Timestamp};
use serde::Serialize;

use crate::Template;
use crate::gallery::{Exhibit, page};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, eur, text};
use crate::shop::{OrderState, Progress, UnitDelivery};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] = embed![
    "portal/_layout.html",
    "portal/sign_in.html",
    "portal/check_mail.html",
    "portal/confirm.html",
    "portal/purchases.html",
    "portal/purchase.html",
    "portal/profile.html",
    "portal/sessions.html",
];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    [
        page::<SignInPage>(),
        page::<CheckMailPage>(),
        page::<ConfirmSignInPage>(),
        page::<PurchasesPage>(),
        page::<PurchasePage>(),
        page::<ProfilePage>(),
        page::<SessionsPage>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// templates/portal/sign_in.html - asks for the address. Posts `email` to `/portal/sign-in`.
#[derive(Debug, Clone, Serialize)]
pub struct SignInPage {
    /// What was typed.
    pub email: String,
    /// Field name to what is wrong with it.
    pub errors: BTreeMap<String, String>,
    /// The link that led here was spent or too old.
    pub link_was_stale: bool,
}

/// templates/portal/check_mail.html - the same words whether or not the address is known.
#[derive(Debug, Clone, Serialize)]
pub struct CheckMailPage {
    /// What was typed.
    pub email: String,
    /// How long the link in the mail works.
    pub minutes: u32,
}

/// templates/portal/confirm.html - where the mailed link leads; the button spends it.
///
/// Opening the page spends nothing, or mail scanners would sign in first.
#[derive(Debug, Clone, Serialize)]
pub struct ConfirmSignInPage {
    /// Where the button posts to.
    pub post_path: String,
    /// The field `token`.
    pub token: String,
    /// Whom it signs in.
    pub email: String,
}

/// templates/portal/purchases.html - everything that was bought.
#[derive(Debug, Clone, Serialize)]
pub struct PurchasesPage {
    /// The orders, newest first.
    pub purchases: Vec<PurchaseRow>,
    /// The page before.
    pub newer: Option<String>,
    /// The page after.
    pub older: Option<String>,
}

/// An order in the list.
#[derive(Debug, Clone, Serialize)]
pub struct PurchaseRow {
    /// Its page.
    pub path: String,
    /// Its number.
    pub number: String,
    /// When it was placed.
    pub at: Timestamp,
    /// What it has, in a few words: "Forty Knots, Harbor Charts, North × 2".
    pub summary: String,
    /// What it cost.
    pub total: Money,
    /// How far it is.
    pub progress: Progress,
}

/// templates/portal/purchase.html - one order: links, fresh links, invoices.
#[derive(Debug, Clone, Serialize)]
pub struct PurchasePage {
    /// The order, as the thank-you page shows it.
    pub order: OrderState,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Its invoices and credit notes.
    pub invoices: Vec<InvoiceRow>,
    /// Where "fresh links" posts to, when they may be had.
    pub renew_path: Option<String>,
}

/// An invoice or credit note in a list.
#[derive(Debug, Clone, Serialize)]
pub struct InvoiceRow {
    /// Its page.
    pub path: String,
    /// Its number.
    pub number: String,
    /// Its date.
    pub at: Timestamp,
    /// What it says.
    pub total: Money,
    /// Whether money went back.
    pub is_credit_note: bool,
}

/// templates/portal/profile.html - name, address and tax number for invoices. Posts to `/portal/profile`.
#[derive(Debug, Clone, Serialize)]
pub struct ProfilePage {
    /// The address that links go to; it is what one signs in with.
    pub email: String,
    /// The name.
    pub name: String,
    /// For invoices: company, street, town, one a line.
    pub address: String,
    /// Two letters of ISO 3166.
    pub country: String,
    /// The VAT id.
    pub vat_id: String,
    /// The countries to choose from: code and name.
    pub countries: Vec<CountryChoice>,
    /// Field name to what is wrong with it.
    pub errors: BTreeMap<String, String>,
}

/// A country to choose.
#[derive(Debug, Clone, Serialize)]
pub struct CountryChoice {
    /// Two letters, or empty for "not said".
    pub value: String,
    /// Its name.
    pub label: String,
}

/// templates/portal/sessions.html - where one is signed in. Posts `session` to `/portal/sessions/end`.
#[derive(Debug, Clone, Serialize)]
pub struct SessionsPage {
    /// The signed-in browsers, this one first.
    pub sessions: Vec<SessionRow>,
}

/// A signed-in browser.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRow {
    /// What the form names it by.
    pub id: String,
    /// Browser and system, as far as they tell.
    pub device: String,
    /// The address it came from.
    pub address: String,
    /// When it signed in.
    pub started_at: Timestamp,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Template for SignInPage {
    const NAME: &'static str = "portal/sign_in.html";

    fn samples() -> Vec<Self> {
        let wrong = [(text("email"), text("An e-mail address has the form name@domain."))].into();
        vec![
            Self { email: String::new(), errors: BTreeMap::new(), link_was_stale: false },
            Self { email: text(RIGHT_TO_LEFT), errors: wrong, link_was_stale: true },
        ]
    }
}

impl Template for CheckMailPage {
    const NAME: &'static str = "portal/check_mail.html";

    fn samples() -> Vec<Self> {
        let page = |email: &str| Self { email: text(email), minutes: 15 };
        vec![page("a@b.example"), page(&format!("{}@{}.example", "a".repeat(64), "b".repeat(180)))]
    }
}

impl Template for ConfirmSignInPage {
    const NAME: &'static str = "portal/confirm.html";

    fn samples() -> Vec<Self> {
        let page = |email: &str| Self {
            post_path: text("/portal/confirm"),
            token: text("lt_4Jx8QpZ2"),
            email: text(email),
        };
        vec![page("a@b.example"), page(&format!("{}@{}.example", "a".repeat(64), "b".repeat(180)))]
    }
}

impl Template for PurchasesPage {
    const NAME: &'static str = "portal/purchases.html";

    fn samples() -> Vec<Self> {
        let row = |summary: &str, days, progress| PurchaseRow {
            path: text("/portal/purchases/2026-000117"),
            number: text("2026-000117"),
            at: NOW - Span::days(days),
            summary: text(summary),
            total: eur(117_00),
            progress,
        };
        let many = vec![
            row("Forty Knots, Harbor Charts, North × 2", 0, Progress::Paid),
            row("Tide Almanac", 1, Progress::Pending { expected_by: None }),
            row(LONG, 30, Progress::Refunded { amount: eur(117_00), in_part: false }),
            row(RIGHT_TO_LEFT, 200, Progress::Failed),
            row(SHORT, 400, Progress::Held),
            row(SHORT, 400, Progress::PaidWaiting),
            row(SHORT, 400, Progress::Waiting),
            row(SHORT, 400, Progress::Canceled),
        ];
        vec![
            Self { purchases: many, newer: Some(text("?before=1")), older: Some(text("?after=2")) },
            Self { purchases: Vec::new(), newer: None, older: None },
        ]
    }
}

impl Template for PurchasePage {
    const NAME: &'static str = "portal/purchase.html";

    fn samples() -> Vec<Self> {
        let invoice = |number: &str, cents, is_credit_note| InvoiceRow {
            path: text("/portal/invoices/2026-0042"),
            number: text(number),
            at: NOW,
            total: eur(cents),
            is_credit_note,
        };
        let order = |progress, product: &str| OrderState {
            units: vec![UnitDelivery::sample(product), UnitDelivery::sample(SHORT)],
            ..OrderState::sample(progress)
        };
        let part = Progress::Refunded { amount: eur(19_00), in_part: true };
        vec![
            Self {
                order: order(Progress::Paid, "Harbor Charts, North"),
                placed_at: NOW - Span::days(2),
                invoices: vec![invoice("2026-0042", 117_00, false)],
                renew_path: Some(text("/portal/purchases/2026-000117/renew")),
            },
            Self {
                order: order(part, LONG),
                placed_at: NOW,
                invoices: vec![invoice("2026-0042", 117_00, false), invoice("C2026-0003", -19_00, true)],
                renew_path: None,
            },
            Self {
                order: OrderState::sample(Progress::Pending { expected_by: None }),
                placed_at: NOW,
                invoices: Vec::new(),
                renew_path: None,
            },
            Self {
                order: order(Progress::PaidWaiting, RIGHT_TO_LEFT),
                placed_at: NOW,
                invoices: Vec::new(),
                renew_path: None,
            },
        ]
    }
}

impl Template for ProfilePage {
    const NAME: &'static str = "portal/profile.html";

    fn samples() -> Vec<Self> {
        let country = |value: &str, label: &str| CountryChoice { value: text(value), label: text(label) };
        let empty = Self {
            email: text("ada@example.com"),
            name: String::new(),
            address: String::new(),
            country: String::new(),
            vat_id: String::new(),
            countries: vec![country("", "–"), country("DE", "Germany"), country("US", "United States")],
            errors: BTreeMap::new(),
        };
        let full = Self {
            name: text(RIGHT_TO_LEFT),
            address: text(LONG),
            country: text("DE"),
            vat_id: text("DE 12"),
            errors: [(text("vat_id"), text("A German VAT id has DE and nine digits."))].into(),
            ..empty.clone()
        };
        vec![empty, full]
    }
}

impl Template for SessionsPage {
    const NAME: &'static str = "portal/sessions.html";

    fn samples() -> Vec<Self> {
        let session = |device: &str, current| SessionRow {
            id: text("ses_1"),
            device: text(device),
            address: text("2001:db8:85a3:8d3:1319:8a2e:370:7348"),
            started_at: NOW - Span::days(3),
            seen_at: NOW - Span::minutes(5),
            current,
        };
        vec![
            Self { sessions: vec![session("Firefox, Linux", true)] },
            Self {
                sessions: vec![session(SHORT, true), session(LONG, false), session(RIGHT_TO_LEFT, false)],
            },
        ]
    }
}
