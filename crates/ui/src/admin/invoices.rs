//! Invoices and credit notes: the list, and the document as it was issued.

use kernel::{InvoiceId, Money, OrderId, Span, Timestamp};
use serde::Serialize;

use super::list::{Direction, Listing, Sort};
use super::orders::InvoiceRef;
use super::sample::{bits, days_ago};
use super::timeline::order_id;
use super::words::InvoiceKind;
use crate::Template;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, eur, text, usd};

/// templates/admin/invoices.html - `/admin/invoices`.
///
/// `q` finds numbers, names and addresses. Filters: `kind`, `from`, `to`. Columns to sort by: `number`, `issued`, `gross`.
#[derive(Debug, Clone, Serialize)]
pub struct InvoicesPage {
    /// Search, filters, pages.
    pub list: Listing,
    /// One page of them.
    pub invoices: Vec<InvoiceRow>,
}

/// A document in the list.
#[derive(Debug, Clone, Serialize)]
pub struct InvoiceRow {
    /// Its id.
    pub id: InvoiceId,
    /// Invoice or credit note.
    pub kind: InvoiceKind,
    /// Series and number as printed.
    pub number: String,
    /// Whose order it is about.
    pub order: OrderId,
    /// The buyer, by company, name or address.
    pub buyer: String,
    /// Without tax.
    pub net: Money,
    /// Tax.
    pub tax: Money,
    /// With tax; negative on credit notes.
    pub gross: Money,
    /// The day on it.
    pub issued_at: Timestamp,
}

/// templates/admin/invoice.html - `/admin/invoices/{id}`: the document, made for paper too.
#[derive(Debug, Clone, Serialize)]
pub struct InvoicePage {
    /// Its id.
    pub id: InvoiceId,
    /// The order's page.
    pub order: OrderId,
    /// The document.
    pub document: InvoiceDocument,
    /// Credit notes that correct this invoice.
    pub credit_notes: Vec<InvoiceRef>,
}

/// A document as it was issued: a snapshot of that day.
#[derive(Debug, Clone, Serialize)]
pub struct InvoiceDocument {
    /// Invoice or credit note.
    pub kind: InvoiceKind,
    /// Series and number as printed.
    pub number: String,
    /// The day on it.
    pub issued_at: Timestamp,
    /// When it was paid, which is when it was supplied; for a credit note, when the money went back.
    pub supplied_at: Timestamp,
    /// The number of the invoice that a credit note corrects.
    pub corrects: Option<String>,
    /// Who sells.
    pub seller: Party,
    /// Who bought.
    pub buyer: Party,
    /// What for.
    pub lines: Vec<DocumentLine>,
    /// Tax by rate.
    pub taxes: Vec<DocumentTax>,
    /// Without tax.
    pub net: Money,
    /// With tax.
    pub gross: Money,
    /// How it was paid: "PayPal 8AC93157TM2957045".
    pub paid_with: Option<String>,
    /// What the law wants said, such as the reverse charge; one paragraph each.
    pub notes: Vec<String>,
}

/// A side of a document.
#[derive(Debug, Clone, Serialize)]
pub struct Party {
    /// The legal name.
    pub name: String,
    /// The rest of the address, line by line.
    pub address: Vec<String>,
    /// VAT or tax number.
    pub vat_id: Option<String>,
    /// Mail address.
    pub email: Option<String>,
}

/// A line of a document.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentLine {
    /// Item number.
    pub sku: String,
    /// What it is.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// For one, without tax.
    pub unit_net: Money,
    /// For the line, without tax.
    pub net: Money,
    /// Millionths: 190000 is 19 %.
    pub tax_rate_ppm: u32,
}

/// The tax of one rate.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentTax {
    /// Millionths.
    pub rate_ppm: u32,
    /// Whose tax, such as `DE`.
    pub jurisdiction: Option<String>,
    /// What it is on.
    pub base: Money,
    /// How much.
    pub tax: Money,
}

fn row(number: u128, kind: InvoiceKind, buyer: &str) -> InvoiceRow {
    let sign = if kind == InvoiceKind::CreditNote { -1 } else { 1 };
    InvoiceRow {
        id: InvoiceId::from_bits(bits(number)),
        kind,
        number: format!("2026-{number:04}"),
        order: order_id(number),
        buyer: text(buyer),
        net: eur(sign * 98_32),
        tax: eur(sign * 18_68),
        gross: eur(sign * 117_00),
        issued_at: days_ago(i64::try_from(number).unwrap_or_default()),
    }
}

impl Template for InvoicesPage {
    const NAME: &'static str = "admin/invoices.html";

    fn samples() -> Vec<Self> {
        const SORTABLE: &[(&str, Direction)] = &[
            ("number", Direction::Descending),
            ("issued", Direction::Descending),
            ("gross", Direction::Descending),
        ];
        let list = |search: &str| {
            Listing::of("/admin/invoices")
                .search(search)
                .word::<InvoiceKind>("kind", None)
                .day("from", "")
                .day("to", "")
                .sorted(Sort::by("number", Direction::Descending), SORTABLE)
                .csv("/admin/invoices.csv")
        };
        let invoices = vec![
            row(44, InvoiceKind::Invoice, "Analytical Engines Ltd"),
            row(43, InvoiceKind::CreditNote, RIGHT_TO_LEFT),
            InvoiceRow {
                net: usd(21_00),
                tax: usd(0),
                gross: usd(21_00),
                ..row(42, InvoiceKind::Invoice, LONG)
            },
        ];
        vec![
            Self { list: list("").pages(Some("x"), Some("y")).done(), invoices },
            Self { list: list("").done(), invoices: Vec::new() },
            Self { list: list("2031").done(), invoices: Vec::new() },
        ]
    }
}

impl InvoiceDocument {
    /// A document for samples.
    pub(crate) fn sample() -> Self {
        let line = |name: &str, quantity, cents| DocumentLine {
            sku: text("SP-0002"),
            name: text(name),
            quantity,
            unit_net: eur(cents),
            net: eur(cents * i64::from(quantity)),
            tax_rate_ppm: 190_000,
        };
        Self {
            kind: InvoiceKind::Invoice,
            number: text("2026-0044"),
            issued_at: NOW,
            supplied_at: NOW - Span::hours(3),
            corrects: None,
            seller: Party {
                name: text("Sandpiper Press GmbH"),
                address: vec![text("Deichstraße 7"), text("20459 Hamburg"), text("Germany")],
                vat_id: Some(text("DE123456789")),
                email: Some(text("help@shop.example")),
            },
            buyer: Party {
                name: text("Analytical Engines Ltd"),
                address: vec![text("Ada Lovelace"), text("12 St James's Square"), text("London SW1Y 4JH")],
                vat_id: Some(text("GB123456789")),
                email: Some(text("ada@example.com")),
            },
            lines: vec![line("Forty Knots", 1, 15_97), line("Harbor Charts, North", 2, 41_18)],
            taxes: vec![DocumentTax {
                rate_ppm: 190_000,
                jurisdiction: Some(text("DE")),
                base: eur(98_33),
                tax: eur(18_67),
            }],
            net: eur(98_33),
            gross: eur(117_00),
            paid_with: Some(text("PayPal 8AC93157TM2957045")),
            notes: Vec::new(),
        }
    }
}

impl Template for InvoicePage {
    const NAME: &'static str = "admin/invoice.html";

    fn samples() -> Vec<Self> {
        let note = InvoiceRef {
            id: InvoiceId::from_bits(bits(45)),
            kind: InvoiceKind::CreditNote,
            number: text("2026-0045"),
            gross: eur(-19_00),
        };
        let page = Self {
            id: InvoiceId::from_bits(bits(44)),
            order: order_id(1),
            document: InvoiceDocument::sample(),
            credit_notes: vec![note],
        };
        let corrected = InvoiceDocument {
            kind: InvoiceKind::CreditNote,
            number: text("2026-0045"),
            corrects: Some(text("2026-0044")),
            net: eur(-98_33),
            gross: eur(-117_00),
            ..InvoiceDocument::sample()
        };
        let odd = InvoiceDocument {
            seller: Party { name: text(LONG), address: Vec::new(), vat_id: None, email: None },
            buyer: Party { name: text(RIGHT_TO_LEFT), address: Vec::new(), vat_id: None, email: None },
            lines: vec![DocumentLine {
                sku: text("SP-0002"),
                name: text(LONG),
                quantity: 20_000,
                unit_net: eur(1),
                net: eur(200_00),
                tax_rate_ppm: 0,
            }],
            taxes: Vec::new(),
            paid_with: None,
            notes: vec![text("Reverse charge: the recipient is liable for the tax."), text(LONG)],
            ..InvoiceDocument::sample()
        };
        vec![
            page.clone(),
            Self { document: corrected, credit_notes: Vec::new(), ..page.clone() },
            Self { document: odd, credit_notes: Vec::new(), ..page },
        ]
    }
}
