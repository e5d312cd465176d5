//! What a buyer sees: the payment page, and the page after it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Serialize;

use super::{POLICY, POLICY_RETURNING, field, page, page_with, refused};
use crate::book::Refusal;
use crate::checkout::{Checkout, ReturnBy};
use crate::form;
use crate::handle::Shared;
use crate::ipn::Buyer;
use crate::payment::{Choice, Payment, PaymentState};

const NAME_CHARS_MAX: usize = 127;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/checkout/{token}", get(payment_page))
        .route("/checkout/{token}/pay", post(pay))
        .route("/paid/{txn_id}", get(after))
}

/// A buyer arrives with a form; the page has its own address, so that it can be loaded again.
pub(crate) fn open(shared: &Shared, fields: &[(String, String)]) -> Response {
    match shared.with(|book, _| book.open(fields)) {
        Ok(token) => Redirect::to(&format!("/checkout/{token}")).into_response(),
        Err(problem) => refused(shared, StatusCode::BAD_REQUEST, &problem),
    }
}

#[derive(Serialize)]
struct PayPage {
    token: String,
    seller: String,
    invoice: String,
    items: Vec<ItemLine>,
    tax: Option<String>,
    total: String,
    choices: Vec<ChoiceLine>,
    buyer: BuyerLine,
    cancel_url: Option<String>,
}

#[derive(Serialize)]
struct ItemLine {
    name: String,
    quantity: u32,
    options: String,
    gross: String,
}

#[derive(Serialize)]
struct ChoiceLine {
    word: &'static str,
    title: &'static str,
    hint: &'static str,
}

#[derive(Serialize)]
struct BuyerLine {
    email: String,
    first_name: String,
    last_name: String,
    country: String,
}

async fn payment_page(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    let Some(checkout) = shared.with(|book, _| book.checkout(&token).cloned()) else {
        return refused(&shared, StatusCode::GONE, &Refusal::CheckoutOver);
    };
    page(&shared, "pay.html", pay_page(token, &checkout))
}

fn pay_page(token: String, checkout: &Checkout) -> PayPage {
    let Buyer { email, first_name, last_name, country } = Buyer::default();
    let items = checkout.items.iter().map(|item| ItemLine {
        name: if item.name.is_empty() { item.sku.clone() } else { item.name.clone() },
        quantity: item.quantity,
        options: item
            .options
            .iter()
            .map(|(name, choice)| format!("{name}: {choice}"))
            .collect::<Vec<_>>()
            .join(", "),
        gross: item.gross().to_string(),
    });
    PayPage {
        token,
        seller: checkout.business.clone(),
        invoice: checkout.invoice.clone(),
        items: items.collect(),
        tax: (checkout.tax.minor > 0).then(|| checkout.tax.to_string()),
        total: checkout.total().to_string(),
        choices: Choice::ALL.into_iter().map(choice_line).collect(),
        buyer: BuyerLine { email, first_name, last_name, country },
        cancel_url: checkout.cancel_url.clone(),
    }
}

fn choice_line(choice: Choice) -> ChoiceLine {
    let (title, hint) = match choice {
        Choice::Now => ("Pay at once", "The money arrives immediately."),
        Choice::EcheckClears => {
            ("Pay by eCheck that clears", "Pending now; the money arrives after four days.")
        }
        Choice::EcheckBounces => ("Pay by eCheck that bounces", "Pending now; fails after four days."),
        Choice::Denied => ("Be denied", "The payment is refused, and the shop is told."),
        Choice::Failed => ("Fail", "The payment fails, and the shop is told."),
    };
    ChoiceLine { word: choice.word(), title, hint }
}

async fn pay(State(shared): State<Arc<Shared>>, Path(token): Path<String>, body: Bytes) -> Response {
    let fields = form::decode(&body);
    let Some(choice) = Choice::parse(field(&fields, "choice")) else {
        return refused(&shared, StatusCode::BAD_REQUEST, &"choose what should happen");
    };
    let buyer = match buyer_of(&fields) {
        Ok(buyer) => buyer,
        Err(problem) => return refused(&shared, StatusCode::BAD_REQUEST, &problem),
    };
    match shared.with(|book, now| book.decide(&token, choice, buyer, now)) {
        Ok(txn_id) => Redirect::to(&format!("/paid/{txn_id}")).into_response(),
        Err(problem) => refused(&shared, StatusCode::CONFLICT, &problem),
    }
}

/// Fields that are not sent keep their defaults, so that a program need not fill in the form.
fn buyer_of(fields: &[(String, String)]) -> Result<Buyer, &'static str> {
    let given = |name: &str, default: String| match field(fields, name) {
        "" => default,
        text => text.chars().take(NAME_CHARS_MAX).collect(),
    };
    let default = Buyer::default();
    let buyer = Buyer {
        email: given("email", default.email),
        first_name: given("first_name", default.first_name),
        last_name: given("last_name", default.last_name),
        country: given("country", default.country).to_ascii_uppercase(),
    };
    let is_country = buyer.country.len() == 2 && buyer.country.bytes().all(|byte| byte.is_ascii_uppercase());
    match (buyer.email.contains('@'), is_country) {
        (false, _) => Err("an e-mail address has an @"),
        (_, false) => Err("a country has two letters, like DE"),
        (true, true) => Ok(buyer),
    }
}

#[derive(Serialize)]
struct DonePage {
    title: &'static str,
    text: &'static str,
    tone: &'static str,
    total: String,
    seller: String,
    txn_id: String,
    return_url: Option<String>,
    return_fields: Option<Vec<(&'static str, String)>>,
}

async fn after(State(shared): State<Arc<Shared>>, Path(txn_id): Path<String>) -> Response {
    let found =
        shared.with(|book, _| book.payments().iter().find(|payment| payment.sale.txn_id == txn_id).cloned());
    let Some(payment) = found else {
        return refused(&shared, StatusCode::NOT_FOUND, &Refusal::NoPayment(txn_id));
    };
    let context = done_page(&payment);
    let policy = if context.return_fields.is_some() { POLICY_RETURNING } else { POLICY };
    page_with(&shared, "done.html", context, policy)
}

fn done_page(payment: &Payment) -> DonePage {
    let (title, text, tone) = match payment.state {
        PaymentState::Pending => ("Payment pending", "The bank takes four days over the eCheck.", "warn"),
        PaymentState::Failed => ("Payment failed", "No money was taken.", "bad"),
        PaymentState::Denied => ("Payment denied", "No money was taken.", "bad"),
        PaymentState::Completed
        | PaymentState::PartlyRefunded
        | PaymentState::Refunded
        | PaymentState::Reversed => ("Payment complete", "The money is with the seller.", "ok"),
    };
    let checkout = &payment.checkout;
    let came_to_nothing = tone == "bad";
    let back = if came_to_nothing { checkout.cancel_url.clone() } else { checkout.return_url.clone() };
    let by_form = checkout.return_by == ReturnBy::Form && !came_to_nothing && back.is_some();
    DonePage {
        title,
        text,
        tone,
        total: payment.sale.total().to_string(),
        seller: payment.sale.business.clone(),
        txn_id: payment.sale.txn_id.clone(),
        return_url: back,
        return_fields: by_form.then(|| return_fields(payment)),
    }
}

fn return_fields(payment: &Payment) -> Vec<(&'static str, String)> {
    let (sale, total) = (&payment.sale, payment.sale.total());
    let status = if payment.state == PaymentState::Pending { "Pending" } else { "Completed" };
    vec![
        ("txn_id", sale.txn_id.clone()),
        ("payment_status", status.to_owned()),
        ("mc_gross", total.decimal()),
        ("mc_currency", total.currency.code().to_owned()),
        ("invoice", sale.invoice.clone()),
        ("custom", sale.custom.clone()),
    ]
}
