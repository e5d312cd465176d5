//! `/v1/invoices`: invoices and credit notes.

use db::Snapshot;
use kernel::{Currency, InvoiceId, OrderId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DocumentLine, Invoice, InvoiceKind, store};
use crate::api_keys::Scope;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::{Amount, Nothing, Page};

const READ: Access = Access::Scope(Scope::InvoicesRead);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(
            at("listInvoices", "/v1/invoices", READ, "Invoices and credit notes, newest first."),
            list,
        ),
        Endpoint::get(
            at("getInvoice", "/v1/invoices/{id}", READ, "An invoice or credit note with all that it shows."),
            get,
        ),
    ]
}

/// A numbered document of a paid order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invoice)]
pub struct InvoiceView {
    id: InvoiceId,
    kind: InvoiceKind,
    /// As printed.
    #[schema(example = "INV-000042")]
    number: String,
    order: OrderId,
    /// The invoice that a credit note corrects.
    corrects: Option<InvoiceId>,
    net: Amount,
    tax: Amount,
    gross: Amount,
    issued_at: Timestamp,
}

impl From<&Invoice> for InvoiceView {
    fn from(invoice: &Invoice) -> Self {
        Self {
            id: invoice.id,
            kind: invoice.kind,
            number: invoice.label(),
            order: invoice.order,
            corrects: invoice.corrects,
            net: invoice.net.into(),
            tax: invoice.tax.into(),
            gross: invoice.gross.into(),
            issued_at: invoice.issued_at,
        }
    }
}

/// A document with all that it shows, as it was on the day of issue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceDetail)]
pub struct InvoiceDetailView {
    #[serde(flatten)]
    invoice: InvoiceView,
    seller: PartyView,
    buyer: PartyView,
    /// IANA name of the zone that its date is told in.
    time_zone: String,
    /// When it was paid or sent back.
    occurred_at: Timestamp,
    lines: Vec<InvoiceLineView>,
}

/// Who sells or buys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceParty)]
pub struct PartyView {
    name: String,
    /// Of a buyer; empty otherwise.
    company: String,
    /// Of a seller, several lines; empty otherwise.
    address: String,
    /// Of a buyer; empty otherwise.
    email: String,
    /// ISO 3166 alpha-2.
    country: Option<String>,
    vat_id: Option<String>,
}

/// A line of a document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceLine)]
pub struct InvoiceLineView {
    sku: String,
    name: String,
    quantity: u32,
    unit: Amount,
    net: Amount,
    tax: Amount,
    gross: Amount,
    /// In millionths.
    tax_rate_ppm: u32,
}

impl InvoiceLineView {
    fn of(line: DocumentLine, currency: Currency) -> Self {
        let money = |minor| Amount::of(minor, currency);
        Self {
            quantity: line.quantity,
            unit: money(line.unit_minor),
            net: money(line.net_minor),
            tax: money(line.tax_minor),
            gross: money(line.gross_minor),
            tax_rate_ppm: line.tax_rate_ppm,
            sku: line.sku,
            name: line.name,
        }
    }
}

/// Which documents.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Of this kind.
    kind: Option<InvoiceKind>,
    /// Of this order.
    order: Option<OrderId>,
}

/// `GET /v1/invoices`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Wanted>,
    paging: Paging<InvoiceId>,
) -> Flow<Page<InvoiceView>> {
    let Wanted { kind, order } = asked.input;
    let rows = match order {
        Some(order) => {
            let mut rows = store::of_order(snapshot, asked.merchant, order)?;
            rows.retain(|row| {
                kind.is_none_or(|kind| row.kind == kind) && paging.after.is_none_or(|after| row.id < after)
            });
            rows.reverse();
            rows
        }
        None => store::page(snapshot, asked.merchant, kind, paging.after, paging.rows())?,
    };
    Ok(Page::of(rows, paging.limit, |row| row.id.to_string(), |row| InvoiceView::from(&row)))
}

/// `GET /v1/invoices/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<InvoiceId, Nothing>) -> Flow<InvoiceDetailView> {
    let invoice = store::by_id(snapshot, asked.merchant, asked.at)?;
    let invoice = invoice.ok_or_else(|| Problem::not_found("invoice"))?;
    let (view, currency, document) = (InvoiceView::from(&invoice), invoice.gross.currency, invoice.document);
    Ok(InvoiceDetailView {
        invoice: view,
        seller: PartyView {
            name: document.seller_name,
            company: String::new(),
            address: document.seller_address,
            email: String::new(),
            country: document.seller_country,
            vat_id: document.seller_vat_id,
        },
        buyer: PartyView {
            name: document.buyer_name,
            company: document.buyer_company,
            address: String::new(),
            email: document.buyer_email,
            country: document.buyer_country,
            vat_id: document.buyer_vat_id,
        },
        time_zone: document.time_zone,
        occurred_at: document.occurred_at,
        lines: document.lines.into_iter().map(|line| InvoiceLineView::of(line, currency)).collect(),
    })
}
