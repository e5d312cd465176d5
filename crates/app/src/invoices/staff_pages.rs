//! Invoices and credit notes in the back office: the list, the same as a file, the document.

use axum::extract::State;
use axum::response::Response;
use kernel::{InvoiceId, Money};
use ui::admin::{InvoicePage, InvoiceRef, InvoiceRow, InvoicesPage};

use super::desk_store::{self, BY_AGE, BY_GROSS, BY_NUMBER, Filter};
use super::store;
use super::{Invoice, InvoiceKind, view};
use crate::app::App;
use crate::merchants::Merchant;
use crate::orders;
use crate::paging::{Ask, Key, KeyKind, Mark, Slice, Way, page_of};
use crate::problem::{Flow, Problem};
use crate::staff::Right;
use crate::web::csv;
use crate::web::desk::Desk;
use crate::web::listing::{Asked, Column, word};
use crate::web::staff_visit::{Ids, StaffVisit};

const LIST: &str = "/admin/invoices";
const FILE: &str = "/admin/invoices.csv";
const COLUMNS: &[Column] = &[(BY_AGE, Way::Down), (BY_NUMBER, Way::Down), (BY_GROSS, Way::Down)];

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(LIST, Right::Read, list).get(FILE, Right::Export, file).get(
        "/admin/invoices/{invoice}",
        Right::Read,
        show,
    )
}

/// An amount as the document shows it: what a credit note tells went the other way.
fn signed(invoice: &Invoice, money: Money) -> Money {
    match invoice.kind {
        InvoiceKind::Invoice => money,
        InvoiceKind::CreditNote => Money::new(money.minor.saturating_neg(), money.currency),
    }
}

/// A document beside its order.
pub fn reference(invoice: &Invoice) -> InvoiceRef {
    InvoiceRef {
        id: invoice.id,
        kind: word(invoice.kind.as_str()),
        number: invoice.label(),
        gross: signed(invoice, invoice.gross),
    }
}

fn buyer(invoice: &Invoice) -> &str {
    let document = &invoice.document;
    let names = [&document.buyer_company, &document.buyer_name, &document.buyer_email];
    names.into_iter().find(|name| !name.is_empty()).map_or("", String::as_str)
}

/// A document as lists show it.
pub fn row(invoice: &Invoice) -> InvoiceRow {
    InvoiceRow {
        id: invoice.id,
        kind: word(invoice.kind.as_str()),
        number: invoice.label(),
        order: invoice.order,
        buyer: buyer(invoice).to_owned(),
        net: signed(invoice, invoice.net),
        tax: signed(invoice, invoice.tax),
        gross: signed(invoice, invoice.gross),
        issued_at: invoice.issued_at,
    }
}

/// `GET /admin/invoices`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.clone();
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let slice = read(snapshot, &merchant, &asked, &ask)?;
            let list = asked
                .listing(LIST, COLUMNS, &ask, &slice)
                .search(asked.search())
                .word("kind", asked.word::<ui::admin::InvoiceKind>("kind"))
                .day("from", asked.get("from"))
                .day("to", asked.get("to"))
                .csv(FILE)
                .done();
            Ok(InvoicesPage { list, invoices: slice.rows.iter().map(row).collect() })
        })
        .await;
    staff.answer(&app, page)
}

fn read(
    snapshot: &mut db::Snapshot<'_>,
    merchant: &Merchant,
    asked: &Asked,
    ask: &Ask,
) -> Flow<Slice<Invoice>> {
    let days = asked.days(&merchant.time_zone);
    let filter = Filter { kind: asked.stored("kind"), from: days.from, until: days.until };
    if asked.search().is_empty() {
        return Ok(desk_store::page(snapshot, merchant.id, &filter, ask)?);
    }
    // Numbers, ids, buyers: whatever finds a transaction finds its documents.
    let mut orders = orders::rows::find(snapshot, merchant.id, asked.search())?;
    orders.sort_unstable();
    orders.dedup();
    let mut found = desk_store::of_orders(snapshot, merchant.id, &orders)?;
    found.retain(|invoice| {
        filter.kind.is_none_or(|kind| invoice.kind == kind)
            && filter.from.is_none_or(|from| invoice.issued_at >= from)
            && filter.until.is_none_or(|until| invoice.issued_at < until)
    });
    Ok(page_of(found, ask, |invoice| mark(invoice, ask)))
}

fn mark(invoice: &Invoice, ask: &Ask) -> Mark {
    let key = match ask.by.kind {
        KeyKind::Id => Key::Id,
        _ if ask.by == BY_GROSS => Key::Int(invoice.gross.minor),
        _ => Key::Int(invoice.number),
    };
    Mark { key, id: invoice.id.to_string() }
}

/// `GET /admin/invoices.csv`
async fn file(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    if let Err(failure) = staff.note_export(&app, "invoices").await {
        return staff.refuse(&app, failure);
    }
    let merchant = staff.visit.merchant.clone();
    let ask = Ask { most: csv::ROWS_AT_ONCE, ..asked.ask(COLUMNS) };
    csv::stream("invoices.csv", HEAD, move |place| {
        let (app, merchant, asked) = (app.clone(), merchant.clone(), asked.clone());
        let ask = Ask { place, ..ask.clone() };
        async move {
            app.read(move |snapshot| {
                let slice = read(snapshot, &merchant, &asked, &ask)?;
                let rows = slice.rows.iter().map(cells).collect();
                Ok(Slice { rows, before: slice.before, after: slice.after })
            })
            .await
        }
    })
}

const HEAD: &[&str] = &[
    "number",
    "kind",
    "issued_at",
    "order",
    "buyer",
    "buyer_country",
    "buyer_vat_id",
    "currency",
    "net",
    "tax",
    "gross",
];

fn cells(invoice: &Invoice) -> csv::Cells {
    let amount = |money| signed(invoice, money).decimal();
    let document = &invoice.document;
    vec![
        invoice.label(),
        invoice.kind.to_string(),
        invoice.issued_at.to_string(),
        invoice.order.to_string(),
        buyer(invoice).to_owned(),
        document.buyer_country.clone().unwrap_or_default(),
        document.buyer_vat_id.clone().unwrap_or_default(),
        invoice.gross.currency.to_string(),
        amount(invoice.net),
        amount(invoice.tax),
        amount(invoice.gross),
    ]
}

/// `GET /admin/invoices/{invoice}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<InvoiceId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let invoice = store::by_id(snapshot, merchant, id)?;
            let invoice = invoice.ok_or_else(|| Problem::not_found("invoice"))?;
            let order = orders::staff_view::find(snapshot, merchant, invoice.order)?;
            let seen = orders::view::see(snapshot, order)?;
            let corrections = seen.invoices.iter().filter(|other| other.corrects == Some(id));
            Ok(InvoicePage {
                id,
                order: invoice.order,
                credit_notes: corrections.map(reference).collect(),
                document: view::page(&invoice, &seen, None),
            })
        })
        .await;
    staff.answer(&app, page)
}
