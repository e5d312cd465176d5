//! A numbered document as a page that is also the paper.

use std::collections::BTreeMap;

use kernel::{Currency, Money};
use ui::invoice::{DocumentKind, InvoiceLine, InvoicePage, Party, TaxRow};

use super::{DocumentLine, Invoice, InvoiceKind};
use crate::customers::countries;
use crate::orders::view::Seen;

/// The page of one of an order's documents.
pub fn page(invoice: &Invoice, seen: &Seen, back_path: Option<String>) -> InvoicePage {
    let corrects = seen.invoices.iter().find(|known| Some(known.id) == invoice.corrects);
    let mut page = standing_alone(invoice, seen.number(), back_path);
    page.corrects = corrects.map(Invoice::label);
    page
}

fn standing_alone(invoice: &Invoice, order_number: String, back_path: Option<String>) -> InvoicePage {
    let document = &invoice.document;
    let sign = if invoice.kind == InvoiceKind::CreditNote { -1 } else { 1 };
    let currency = invoice.gross.currency;
    let money = |minor: i64| Money::new(minor.saturating_mul(sign), currency);
    let line = |(number, line): (u32, &DocumentLine)| InvoiceLine {
        number,
        name: line.name.clone(),
        detail: (!line.sku.is_empty()).then(|| line.sku.clone()),
        quantity: line.quantity,
        unit_net: money(line.unit_minor),
        net: money(line.net_minor),
        tax_rate: (line.tax_rate_ppm > 0).then(|| percent(line.tax_rate_ppm)),
        tax: money(line.tax_minor),
        gross: money(line.gross_minor),
    };
    InvoicePage {
        kind: match invoice.kind {
            InvoiceKind::Invoice => DocumentKind::Invoice,
            InvoiceKind::CreditNote => DocumentKind::CreditNote,
        },
        number: invoice.label(),
        issued_at: invoice.issued_at,
        supplied_at: (invoice.kind == InvoiceKind::Invoice).then_some(document.occurred_at),
        order_number,
        corrects: None,
        seller: Party {
            name: document.seller_name.clone(),
            address: address(&document.seller_address, document.seller_country.as_deref()),
            tax_ids: tax_ids(document.seller_vat_id.as_deref()),
            email: None,
        },
        buyer: Party {
            name: buyer_name(&document.buyer_company, &document.buyer_name),
            address: address(&document.buyer_address, document.buyer_country.as_deref()),
            tax_ids: tax_ids(document.buyer_vat_id.as_deref()),
            email: Some(document.buyer_email.clone()).filter(|email| !email.is_empty()),
        },
        lines: (1u32..).zip(&document.lines).map(line).collect(),
        taxes: taxes(&document.lines, sign, currency),
        net: money(invoice.net.minor),
        gross: money(invoice.gross.minor),
        paid: None,
        notes: Vec::new(),
        back_path,
    }
}

fn buyer_name(company: &str, name: &str) -> String {
    match (company.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (false, true) => company.to_owned(),
        (false, false) => format!("{company}, {name}"),
    }
}

fn address(lines: &str, country: Option<&str>) -> Vec<String> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
    lines.chain(country.map(|code| countries::name_of(code).to_owned())).collect()
}

fn tax_ids(id: Option<&str>) -> Vec<(String, String)> {
    let id = id.filter(|id| !id.is_empty());
    id.map(|id| ("VAT".to_owned(), id.to_owned())).into_iter().collect()
}

/// One row a rate. Without any tax there is none.
fn taxes(lines: &[DocumentLine], sign: i64, currency: Currency) -> Vec<TaxRow> {
    let mut by_rate: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.tax_minor != 0) {
        let (net, tax) = by_rate.entry(line.tax_rate_ppm).or_default();
        *net = net.saturating_add(line.net_minor);
        *tax = tax.saturating_add(line.tax_minor);
    }
    let row = |(rate, (net, tax)): (u32, (i64, i64))| TaxRow {
        // A gateway tells the tax of a button's order, and not always its rate.
        label: if rate > 0 { format!("VAT {}", percent(rate)) } else { "VAT".to_owned() },
        net: Money::new(net.saturating_mul(sign), currency),
        tax: Money::new(tax.saturating_mul(sign), currency),
    };
    by_rate.into_iter().map(row).collect()
}

/// Millionths as people write a rate: 190000 is `19 %`, 77000 is `7.7 %`.
fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    let decimals = format!("{rest:04}");
    let decimals = decimals.trim_end_matches('0');
    if decimals.is_empty() { format!("{whole} %") } else { format!("{whole}.{decimals} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_without_idle_zeros() {
        assert_eq!([190_000, 77_000, 88_750, 500].map(percent), ["19 %", "7.7 %", "8.875 %", "0.05 %"]);
    }

    #[test]
    fn rows_are_summed_by_rate_and_turned_for_a_credit_note() {
        let line = |rate, net, tax| DocumentLine {
            sku: String::new(),
            name: String::new(),
            quantity: 1,
            unit_minor: net,
            net_minor: net,
            tax_minor: tax,
            gross_minor: net + tax,
            tax_rate_ppm: rate,
        };
        let lines = [line(190_000, 100, 19), line(70_000, 100, 7), line(190_000, 200, 38), line(0, 50, 0)];
        let rows = taxes(&lines, -1, Currency::EUR);
        let amounts: Vec<(String, i64, i64)> =
            rows.into_iter().map(|row| (row.label, row.net.minor, row.tax.minor)).collect();
        assert_eq!(amounts, [("VAT 7 %".to_owned(), -100, -7), ("VAT 19 %".to_owned(), -300, -57)]);
    }
}
