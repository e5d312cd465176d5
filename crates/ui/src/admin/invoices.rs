//! Invoices and credit notes: the list, and the document as it was issued.

use kernel::{InvoiceId, Money, OrderId, Timestamp};
use serde::Serialize;

use super::list::{Direction, Listing, Sort};
use super::orders::InvoiceRef;
use super::sample::{bits, days_ago};
use super::timeline::order_id;
use super::words::InvoiceKind;
use crate::Template;
use crate::invoice::InvoicePage as Document;
use crate::samples::{LONG, RIGHT_TO_LEFT, eur, text, usd};

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
    /// The document, the same as the buyer sees. Its `back_path` is not shown here.
    pub document: Document,
    /// Credit notes that correct this invoice.
    pub credit_notes: Vec<InvoiceRef>,
}

fn row(number: u128, kind: InvoiceKind, buyer: &str) -> InvoiceRow {
    let sign = if kind == InvoiceKind::CreditNote { -1 } else { 1 };
    InvoiceRow {
        id: InvoiceId::from_bits(bits(number)),
        kind,
        number: format!("2026-{number:04}"),
        order: order_id(number),
        buyer: text(buyer),
        net: eur(sign * 98_33),
        tax: eur(sign * 18_67),
        gross: eur(sign * 117_00),
        issued_at: days_ago(i64::try_from(number).unwrap_or_default()),
    }
}

impl InvoiceRow {
    /// Documents for samples.
    pub(super) fn samples() -> Vec<Self> {
        vec![
            row(44, InvoiceKind::Invoice, "Analytical Engines Ltd"),
            row(43, InvoiceKind::CreditNote, RIGHT_TO_LEFT),
            Self { net: usd(21_00), tax: usd(0), gross: usd(21_00), ..row(42, InvoiceKind::Invoice, LONG) },
        ]
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
                .tabs::<InvoiceKind>("kind", None)
                .day("from", "")
                .day("to", "")
                .sorted(Sort::by("number", Direction::Descending), SORTABLE)
                .csv("/admin/invoices.csv")
        };
        let invoices = InvoiceRow::samples();
        vec![
            Self { list: list("").pages(Some("x"), Some("y")).done(), invoices },
            Self { list: list("").done(), invoices: Vec::new() },
            Self { list: list("2031").done(), invoices: Vec::new() },
        ]
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
        let page = |document: Document| Self {
            id: InvoiceId::from_bits(bits(44)),
            order: order_id(1),
            credit_notes: if document.corrects.is_none() { vec![note.clone()] } else { Vec::new() },
            document,
        };
        Document::samples().into_iter().map(page).collect()
    }
}
