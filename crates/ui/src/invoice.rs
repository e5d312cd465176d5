//! The invoice and the credit note: one page that is also the paper.

use kernel::{Money, Timestamp};
use serde::Serialize;

use crate::Template;
use crate::gallery::{Exhibit, page};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, eur, text};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] = embed!["_invoice_document.html", "invoice.html"];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    page::<InvoicePage>()
}

/// templates/invoice.html - a numbered document, as it was when it was issued.
#[derive(Debug, Clone, Serialize)]
pub struct InvoicePage {
    /// Invoice or credit note.
    pub kind: DocumentKind,
    /// Its number in the series.
    pub number: String,
    /// Its date.
    pub issued_at: Timestamp,
    /// When the goods were delivered, where the law wants it said.
    pub supplied_at: Option<Timestamp>,
    /// The order's number.
    pub order_number: String,
    /// The invoice that a credit note corrects.
    pub corrects: Option<String>,
    /// Who sells.
    pub seller: Party,
    /// Who buys.
    pub buyer: Party,
    /// The numbered lines.
    pub lines: Vec<InvoiceLine>,
    /// The taxes, one row a rate. Empty hides the tax columns.
    pub taxes: Vec<TaxRow>,
    /// Without tax.
    pub net: Money,
    /// With tax.
    pub gross: Money,
    /// How and when it was paid: "Paid with PayPal on Sep 21, 2026".
    pub paid: Option<String>,
    /// What the law or the seller wants said below: reverse charge, small business, thanks.
    pub notes: Vec<String>,
    /// Where "Back" leads; `None` in the portal of nobody.
    pub back_path: Option<String>,
}

/// Which document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// It asks for money, or says that it came.
    Invoice,
    /// It gives money back.
    CreditNote,
}

/// Seller or buyer, with the details that were true when the document was issued.
#[derive(Debug, Clone, Serialize)]
pub struct Party {
    /// Company or person.
    pub name: String,
    /// Street, town, country: one a line.
    pub address: Vec<String>,
    /// VAT or tax number, with its kind: `VAT id`, `DE123456789`.
    pub tax_ids: Vec<(String, String)>,
    /// Mail address.
    pub email: Option<String>,
}

/// A line of the document.
#[derive(Debug, Clone, Serialize)]
pub struct InvoiceLine {
    /// Its place, from 1.
    pub number: u32,
    /// What it is.
    pub name: String,
    /// Item number, the name a license is made out to, …
    pub detail: Option<String>,
    /// How many; negative never: a credit note has negative amounts.
    pub quantity: u32,
    /// The net price of one.
    pub unit_net: Money,
    /// The net price of all.
    pub net: Money,
    /// The rate in words, `19 %`; `None` when no tax is due.
    pub tax_rate: Option<String>,
    /// The tax on all.
    pub tax: Money,
    /// Net and tax.
    pub gross: Money,
}

/// The tax of one rate.
#[derive(Debug, Clone, Serialize)]
pub struct TaxRow {
    /// `VAT 19 %, Germany`.
    pub label: String,
    /// What it is due on.
    pub net: Money,
    /// The tax.
    pub tax: Money,
}

fn sample_seller() -> Party {
    Party {
        name: text("Sandpiper Press GmbH"),
        address: vec![text("Hafenstraße 12"), text("20359 Hamburg"), text("Germany")],
        tax_ids: vec![(text("VAT id"), text("DE123456789"))],
        email: Some(text("help@shop.example")),
    }
}

fn sample_buyer() -> Party {
    Party {
        name: text("Ada Lovelace"),
        address: vec![text("12 St James’s Square"), text("London"), text("United Kingdom")],
        tax_ids: Vec::new(),
        email: Some(text("ada@example.com")),
    }
}

impl Template for InvoicePage {
    const NAME: &'static str = "invoice.html";

    fn samples() -> Vec<Self> {
        let line = |number, name: &str, quantity, unit, net, tax, gross| InvoiceLine {
            number,
            name: text(name),
            detail: Some(text("CHARTS-N")),
            quantity,
            unit_net: eur(unit),
            net: eur(net),
            tax_rate: Some(text("19 %")),
            tax: eur(tax),
            gross: eur(gross),
        };
        let plain = Self {
            kind: DocumentKind::Invoice,
            number: text("2026-0042"),
            issued_at: NOW,
            supplied_at: Some(NOW),
            order_number: text("2026-000117"),
            corrects: None,
            seller: sample_seller(),
            buyer: sample_buyer(),
            lines: vec![
                line(1, "Forty Knots", 1, 15_97, 15_97, 3_03, 19_00),
                line(2, "Harbor Charts, North", 2, 41_18, 82_35, 15_65, 98_00),
            ],
            taxes: vec![TaxRow { label: text("VAT 19 %, Germany"), net: eur(9_832), tax: eur(18_68) }],
            net: eur(9_832),
            gross: eur(117_00),
            paid: Some(text("Paid with PayPal on Sep 21, 2026.")),
            notes: vec![text("Thank you for your purchase.")],
            back_path: Some(text("/portal/purchases/2026-000117")),
        };
        let credit = Self {
            kind: DocumentKind::CreditNote,
            number: text("C2026-0003"),
            corrects: Some(text("2026-0042")),
            lines: vec![line(1, "Forty Knots", 1, -15_97, -15_97, -3_03, -19_00)],
            taxes: vec![TaxRow { label: text("VAT 19 %, Germany"), net: eur(-15_97), tax: eur(-3_03) }],
            net: eur(-15_97),
            gross: eur(-19_00),
            paid: None,
            ..plain.clone()
        };
        let untaxed = |name: &str| InvoiceLine {
            detail: None,
            tax_rate: None,
            ..line(1, name, 1_000, 999_999_99, 999_999_990_00, 0, 999_999_990_00)
        };
        let long = Self {
            buyer: Party {
                name: text(LONG),
                address: vec![text(RIGHT_TO_LEFT), text(LONG)],
                tax_ids: vec![(text("VAT id"), text("XI123456789012"))],
                email: None,
            },
            lines: vec![untaxed(LONG), untaxed(RIGHT_TO_LEFT), untaxed(SHORT)],
            taxes: Vec::new(),
            supplied_at: None,
            notes: vec![text("Reverse charge: the recipient owes the tax."), text(LONG)],
            back_path: None,
            ..plain.clone()
        };
        vec![plain, credit, long]
    }
}
