//! Purchases in the customer portal: the list, one purchase with its links, its documents.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use kernel::{InvoiceId, Money, OrderId};
use ui::portal::{InvoiceRow, PurchasePage, PurchaseRow, PurchasesPage};
use ui::shop::Progress;

use super::view::{self, Seen, Shown};
use super::{Order, OrderStatus, store};
use crate::app::App;
use crate::customers::pages::{Nothing, show_in_portal};
use crate::fulfillment::GrantStatus;
use crate::invoices::{self, Invoice, InvoiceKind};
use crate::links;
use crate::merchants::{self, Address};
use crate::problem::{Flow, Problem};
use crate::web::form::Posted;
use crate::web::reply::{Refusal, see_other};
use crate::web::signed_in::CustomerVisit;

/// Purchases on one page.
const PAGE_ROWS: u32 = 30;

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/portal", get(purchases))
        .route("/portal/purchases/{order}", get(purchase))
        .route("/portal/purchases/{order}/renew", post(renew))
        .route("/portal/invoices/{invoice}", get(invoice))
}

#[derive(Debug, Default, serde::Deserialize)]
struct Seek {
    before: Option<String>,
}

/// `GET /portal`
async fn purchases(State(app): State<App>, signed_in: CustomerVisit, Query(seek): Query<Seek>) -> Response {
    let (merchant, customer) = (signed_in.visit.merchant.id, signed_in.customer.id);
    let before = seek.before.and_then(|text| text.parse::<OrderId>().ok());
    let found = app.read_now(move |snapshot| {
        let orders = store::of_customer_before(snapshot, merchant, customer, before, PAGE_ROWS + 1)?;
        let mut rows = Vec::new();
        let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        for order in orders.iter().take(shown) {
            rows.push((order.clone(), store::lines(snapshot, merchant, order.id)?));
        }
        Ok((rows, orders.len() > shown))
    });
    let (rows, more) = match found {
        Ok(found) => found,
        Err(failure) => return Refusal::from_failure(&app, &signed_in.visit, failure),
    };
    let older = rows.last().filter(|_| more).map(|(order, _)| format!("?before={}", order.id));
    let row = |(order, lines): &(Order, Vec<super::Line>)| PurchaseRow {
        path: format!("/portal/purchases/{}", order.id),
        number: view::number(order),
        at: order.paid_at.unwrap_or(order.created_at),
        summary: summary(lines),
        total: order.due(),
        progress: view::progress_of(order),
    };
    let page = PurchasesPage {
        purchases: rows.iter().map(row).collect(),
        newer: before.map(|_| signed_in.visit.url("/portal")),
        older,
    };
    show_in_portal(&app, &signed_in, &page)
}

fn summary(lines: &[super::Line]) -> String {
    const NAMES_MAX: usize = 4;
    let name = |line: &super::Line| match line.quantity {
        1 => line.name.clone(),
        quantity => format!("{} × {quantity}", line.name),
    };
    let named: Vec<String> = lines.iter().take(NAMES_MAX).map(name).collect();
    let more = if lines.len() > NAMES_MAX { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}

/// A purchase of this customer, with the shop's address. Anybody else's is not found.
fn find(app: &App, signed_in: &CustomerVisit, order: &str) -> Flow<(Seen, Address)> {
    let not_found = || Problem::not_found("purchase");
    let id = order.parse::<OrderId>().map_err(|_| not_found())?;
    let (merchant, customer) = (signed_in.visit.merchant.clone(), signed_in.customer.id);
    let base_url = app.settings().base_url.clone();
    app.read_now(move |snapshot| {
        let order = store::by_id(snapshot, merchant.id, id)?;
        let order = order.filter(|order| order.customer == Some(customer)).ok_or_else(not_found)?;
        let address = merchants::store::address(snapshot, &base_url, &merchant)?;
        Ok((view::see(snapshot, order)?, address))
    })
}

/// `GET /portal/purchases/{order}`
async fn purchase(State(app): State<App>, signed_in: CustomerVisit, Path(order): Path<String>) -> Response {
    let (seen, address) = match find(&app, &signed_in, &order) {
        Ok(found) => found,
        Err(failure) => return Refusal::from_failure(&app, &signed_in.visit, failure),
    };
    let progress: Progress = seen.progress(false);
    let renewable = seen.order.status == OrderStatus::Paid
        && seen.grants.iter().any(|grant| grant.status == GrantStatus::Active);
    let page = PurchasePage {
        placed_at: seen.order.created_at,
        invoices: seen.invoices.iter().map(invoice_row).collect(),
        renew_path: renewable.then(|| format!("/portal/purchases/{}/renew", seen.order.id)),
        order: seen.state(app.ring(), &address, app.now(), progress, Shown::Present),
    };
    show_in_portal(&app, &signed_in, &page)
}

fn invoice_row(invoice: &Invoice) -> InvoiceRow {
    let is_credit_note = invoice.kind == InvoiceKind::CreditNote;
    let minor = if is_credit_note { -invoice.gross.minor } else { invoice.gross.minor };
    InvoiceRow {
        path: format!("/portal/invoices/{}", invoice.id),
        number: invoice.label(),
        at: invoice.issued_at,
        total: Money::new(minor, invoice.gross.currency),
        is_credit_note,
    }
}

/// `POST /portal/purchases/{order}/renew`: fresh links; the old ones are dead, the new ones are
/// also mailed.
async fn renew(
    State(app): State<App>,
    signed_in: CustomerVisit,
    Path(order): Path<String>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Response {
    let seen = match find(&app, &signed_in, &order) {
        Ok((seen, _)) => seen,
        Err(failure) => return Refusal::from_failure(&app, &signed_in.visit, failure),
    };
    let id = seen.order.id;
    let renewed =
        app.write(signed_in.visit.merchant.id, signed_in.actor(), move |cx| links::flow::renew(cx, id)).await;
    match renewed {
        Ok(()) => see_other(&signed_in.visit.url(&format!("/portal/purchases/{id}"))),
        Err(failure) => Refusal::from_failure(&app, &signed_in.visit, failure),
    }
}

/// `GET /portal/invoices/{invoice}`
async fn invoice(State(app): State<App>, signed_in: CustomerVisit, Path(invoice): Path<String>) -> Response {
    let not_found = || Refusal::page(&app, &signed_in.visit, &Problem::not_found("invoice"));
    let Ok(id) = invoice.parse::<InvoiceId>() else { return not_found() };
    let merchant = signed_in.visit.merchant.id;
    let document = match app.read_now(move |snapshot| Ok(invoices::store::by_id(snapshot, merchant, id)?)) {
        Ok(Some(document)) => document,
        Ok(None) => return not_found(),
        Err(failure) => return Refusal::from_failure(&app, &signed_in.visit, failure),
    };
    let Ok((seen, _)) = find(&app, &signed_in, &document.order.to_string()) else { return not_found() };
    let back = format!("/portal/purchases/{}", document.order);
    show_in_portal(&app, &signed_in, &invoices::view::page(&document, &seen, Some(back)))
}
