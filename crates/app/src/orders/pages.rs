//! Checkout, the way to the gateway, and the thank-you page.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gateways::Opening;
use http::{StatusCode, header};
use kernel::{ConnectionId, EmailAddress, InvoiceId, OrderId};
use net::headers::ContentSecurityPolicy;
use net::limit::Key;
use ui::delivery::UnknownLinkPage;
use ui::shop::{HandoffPage, HiddenField, OrderStatePart, Progress, ThankYouPage};

use super::flow::{Wanted, place};
use super::view::{self, Seen, Shown};
use super::{Order, OrderStatus, checkout};
use crate::app::App;
use crate::carts::view::{CONSENT_FIELD, Typed};
use crate::carts::{self, Cart, pages as cart_pages};
use crate::connections::{self, Connection};
use crate::cx::Actor;
use crate::invoices;
use crate::links;
use crate::merchants::{self, Address, Merchant};
use crate::problem::{Code, Failure, Flow, Problem};
use crate::reconciler;
use crate::tickets;
use crate::web::form::Posted;
use crate::web::limits;
use crate::web::reply::{Refusal, frame, say, see_other, show_with};
use crate::web::visit::Visit;

/// Longer names are cut.
const NAME_CHARS_MAX: usize = 200;
/// What gateways send buyers back with is short.
const BACK_BYTES_MAX: usize = 2_000;

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/checkout", post(check_out))
        .route("/o/{token}", get(thank_you))
        .route("/o/{token}/state", get(state))
        .route("/o/{token}/pay", get(pay))
        .route("/o/{token}/invoices/{invoice}", get(invoice))
}

/// The buyer's form. What is to be paid stands in our tables, not in it.
#[derive(Debug, serde::Deserialize)]
struct Buyer {
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    consent: String,
    #[serde(default)]
    connection: String,
}

/// `POST /checkout`: places the order and goes on to the page that opens the gateway. By a
/// redirect, so that going back or reloading does not place another one.
async fn check_out(State(app): State<App>, visit: Visit, Posted(buyer): Posted<Buyer>) -> Response {
    if let Err(problem) = limits::take(&app, &limits::CHECKOUT, Key::address(visit.address)) {
        return Refusal::page(&app, &visit, &problem);
    }
    if visit.cart.lines.is_empty() {
        return see_other(&visit.url("/cart"));
    }
    let typed = Typed {
        email: buyer.email.trim().to_owned(),
        name: buyer.name.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect(),
        consented: !buyer.consent.is_empty(),
    };
    let (wanted, errors) = read_wanted(&app, &visit, &typed, &buyer);
    let Some(wanted) = wanted.filter(|_| errors.is_empty()) else {
        return cart_pages::page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &typed, errors);
    };
    let base_url = app.settings().base_url.clone();
    let merchant = (*visit.merchant).clone();
    let placed = app
        .write(merchant.id, Actor::Visitor, move |cx| {
            let offered = connections::offered(connections::store::list(cx.tx, cx.merchant)?);
            let connection = offered.into_iter().find(|connection| connection.id == wanted.connection);
            let connection =
                connection.ok_or_else(|| Problem::invalid("connection", "this way to pay is not offered"))?;
            let order = place(cx, &merchant, &wanted)?;
            let lines = super::store::lines(cx.tx, cx.merchant, order.id)?;
            let address = merchants::store::address(cx.tx, &base_url, &merchant)?;
            // What the gateway cannot take is refused before there is an order.
            checkout::prepare(cx, (&base_url, &address), &order, &lines, &connection)?;
            Ok((order.id, links::order_token(cx.ring, &order).unwrap_or_default()))
        })
        .await;
    match placed {
        Ok((order, token)) => go_and_pay(&app, &visit, order, &token),
        Err(failure) => refuse(&app, &visit, &typed, failure),
    }
}

fn read_wanted(
    app: &App,
    visit: &Visit,
    typed: &Typed,
    buyer: &Buyer,
) -> (Option<Wanted>, BTreeMap<String, String>) {
    let mut errors = BTreeMap::new();
    let email = EmailAddress::parse(&typed.email);
    if email.is_err() {
        errors.insert("email".to_owned(), say(app, visit, "said.email", &[]));
    }
    if !visit.merchant.consent_text.is_empty() && !typed.consented {
        errors.insert(CONSENT_FIELD.to_owned(), say(app, visit, "said.consent", &[]));
    }
    let connection = buyer.connection.parse::<ConnectionId>();
    if connection.is_err() {
        errors.insert("connection".to_owned(), say(app, visit, "said.connection", &[]));
    }
    let wanted = connection.ok().map(|connection| Wanted {
        items: visit.cart.lines.clone(),
        currency: visit.cart.currency.unwrap_or(visit.merchant.currency),
        connection,
        email: email.ok(),
        name: typed.name.clone(),
        country: None,
        consented: typed.consented,
    });
    (wanted, errors)
}

/// A refusal by the rules is shown on the cart, beside what it is about.
fn refuse(app: &App, visit: &Visit, typed: &Typed, failure: Failure) -> Response {
    let problem = failure.into_problem();
    let sentence = match (problem.code, problem.pointer.as_deref()) {
        // Withdrawn between the cart and the checkout: the cart's page takes it out and says so.
        (Code::NotFound, _) | (_, Some("currency")) => None,
        (_, Some("items")) => Some(say(app, visit, "said.nothing_to_pay", &[])),
        (_, Some("choice")) => Some(say(app, visit, "said.choose_again", &[])),
        (_, Some("connection")) => Some(say(app, visit, "said.connection", &[])),
        (_, Some(tickets::flow::PLACES)) => Some(say(app, visit, "said.places", &[])),
        (Code::Invalid, _) => Some(problem.detail.clone()),
        _ => return Refusal::page(app, visit, &problem),
    };
    let field = problem.pointer.clone().unwrap_or_default();
    let errors = sentence.map(|sentence| (field, sentence)).into_iter().collect();
    cart_pages::page(app, visit, StatusCode::UNPROCESSABLE_ENTITY, typed, errors)
}

fn go_and_pay(app: &App, visit: &Visit, order: OrderId, token: &str) -> Response {
    let mut response = see_other(&visit.url(&format!("/o/{token}/pay")));
    // The cart stays until its order has been seen paid: who turns back finds it again.
    let cart = Cart { placed: Some(order), ..visit.cart.clone() };
    cart_pages::keep(app, visit, &cart, &mut response);
    response
}

/// An order with its shop, found by the token of its page.
struct Found {
    seen: Seen,
    address: Address,
    merchant: Merchant,
    connection: Option<Connection>,
}

fn find(app: &App, token: &str) -> Flow<Found> {
    let (ring, token, base_url) = (app.ring_arc(), token.to_owned(), app.settings().base_url.clone());
    app.read_now(move |snapshot| {
        let order: Order = view::open(snapshot, &ring, &token)?;
        let merchant = merchants::store::by_id(snapshot, order.merchant)?;
        let address = merchants::store::address(snapshot, &base_url, &merchant)?;
        let connection = match order.connection {
            Some(id) => connections::store::by_id(snapshot, order.merchant, id)?,
            None => None,
        };
        Ok(Found { seen: view::see(snapshot, order)?, address, merchant, connection })
    })
}

/// The same page for every address that is none.
fn unknown(app: &App, visit: &Visit, failure: Failure) -> Response {
    let problem = failure.into_problem();
    if problem.code == Code::NotFound {
        return show_with(app, &frame(app, visit), StatusCode::NOT_FOUND, &UnknownLinkPage {});
    }
    Refusal::page(app, visit, &problem)
}

/// `GET /o/{token}/pay`: opens the gateway. Looking at it changes nothing, so it may be opened
/// twice; an order that has been paid leads to its page instead.
async fn pay(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    let found = match find(&app, &token) {
        Ok(found) => found,
        Err(failure) => return unknown(&app, &visit, failure),
    };
    let visit = visit.at(found.merchant.clone(), &found.address);
    let order = &found.seen.order;
    let Some(connection) = found.connection.filter(|_| checkout::payable(order, app.now())) else {
        return see_other(&visit.url(&format!("/o/{token}")));
    };
    if let Err(failure) = hold_on(&app, &found.seen).await {
        return Refusal::from_failure(&app, &visit, failure);
    }
    match checkout::open(&app, &found.address, order, &found.seen.lines, &connection).await {
        Ok(Opening::Form { action, fields }) => {
            handoff(&app, &visit, &found.seen, &connection, action, fields)
        }
        Ok(Opening::Redirect { url, .. }) => see_other(&url),
        Ok(Opening::Instructions(_)) => see_other(&visit.url(&format!("/o/{token}"))),
        Err(problem) => Refusal::page(&app, &visit, &problem),
    }
}

/// Tickets that nobody paid for are held for a while only: whoever goes to pay holds them anew, and is
/// not sent to pay for what is gone.
async fn hold_on(app: &App, seen: &Seen) -> Flow<()> {
    if tickets::flow::sales(&seen.lines).is_empty() {
        return Ok(());
    }
    let id = seen.order.id;
    app.write(seen.order.merchant, Actor::Visitor, move |cx| tickets::flow::hold_on(cx, id)).await
}

fn handoff(
    app: &App,
    visit: &Visit,
    seen: &Seen,
    connection: &Connection,
    action: String,
    fields: Vec<(String, String)>,
) -> Response {
    let policy = match ContentSecurityPolicy::strict().form_action(&action) {
        Ok(policy) => policy,
        Err(error) => {
            tracing::error!(%error, connection = %connection.id, "a gateway's address cannot be used");
            let text = "this shop cannot take payments at the moment";
            return Refusal::page(app, visit, &Problem::new(Code::Unavailable, text));
        }
    };
    let page = HandoffPage {
        gateway: seen.brand.clone(),
        action,
        fields: fields.into_iter().map(|(name, value)| HiddenField { name, value }).collect(),
        order_number: seen.number(),
        total: seen.order.due(),
        cart_path: "/cart".to_owned(),
    };
    let mut frame = frame(app, visit);
    frame.test_mode |= connection.is_test();
    let mut response = show_with(app, &frame, StatusCode::OK, &page);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.to_value());
    response
}

/// What the gateway's way back says.
type Back = Vec<(String, String)>;

/// A buyer who comes back from the gateway wants to see what became of the payment: the gateway is
/// asked, whatever the address says.
async fn ask_for(app: &App, seen: &Seen, back: Back) {
    let waiting = seen.order.status == OrderStatus::AwaitingPayment && seen.order.paid_at.is_none();
    let short = back.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= BACK_BYTES_MAX;
    if !waiting || back.is_empty() || !short {
        return;
    }
    let (id, merchant) = (seen.order.id, seen.order.merchant);
    let asked = app.write(merchant, Actor::Visitor, move |cx| {
        if reconciler::store::checkouts_of(cx.tx, merchant, id)?.is_empty() {
            return Ok(());
        }
        Ok(reconciler::flow::ask_about(cx, id, back.clone())?)
    });
    match asked.await {
        Ok(()) => app.job_waiting().notify_one(),
        Err(failure) => {
            tracing::warn!(%failure, order = %id, "the gateway is not asked about a returning buyer")
        }
    }
}

/// `GET /o/{token}`: where the gateway sends the buyer back to. What it shows comes from what
/// the gateway told us, never from how the buyer got here.
async fn thank_you(
    State(app): State<App>,
    visit: Visit,
    Path(token): Path<String>,
    Query(back): Query<Back>,
) -> Response {
    let found = match find(&app, &token) {
        Ok(found) => found,
        Err(failure) => return unknown(&app, &visit, failure),
    };
    let visit = visit.at(found.merchant.clone(), &found.address);
    let canceled = back.iter().any(|(name, _)| name == "canceled");
    if !canceled {
        ask_for(&app, &found.seen, back).await;
    }
    let progress = found.seen.progress(canceled);
    let over = visit.cart.placed == Some(found.seen.order.id)
        && !matches!(progress, Progress::Canceled | Progress::Failed);
    let visit = if over { Visit { cart: Cart::default(), ..visit } } else { visit };
    let mut frame = frame(&app, &visit);
    frame.test_mode |= found.connection.as_ref().is_some_and(Connection::is_test);
    let order = found.seen.state(app.ring(), &found.address, app.now(), progress, Shown::First);
    let mut response = show_with(&app, &frame, StatusCode::OK, &ThankYouPage { order });
    if over {
        cart_pages::keep(&app, &visit, &carts::Cart::default(), &mut response);
    }
    response
}

/// `GET /o/{token}/state`: the part that fills in. 204 as long as there is nothing new.
async fn state(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    let found = match find(&app, &token) {
        Ok(found) => found,
        Err(failure) => return unknown(&app, &visit, failure),
    };
    let visit = visit.at(found.merchant.clone(), &found.address);
    let progress = found.seen.progress(false);
    if progress == Progress::Waiting {
        return StatusCode::NO_CONTENT.into_response();
    }
    let order = found.seen.state(app.ring(), &found.address, app.now(), progress, Shown::First);
    show_with(&app, &frame(&app, &visit), StatusCode::OK, &OrderStatePart { order })
}

/// `GET /o/{token}/invoices/{invoice}`: the order's document, for who has no account to sign in to.
async fn invoice(
    State(app): State<App>,
    visit: Visit,
    Path((token, invoice)): Path<(String, String)>,
) -> Response {
    let found = match find(&app, &token) {
        Ok(found) => found,
        Err(failure) => return unknown(&app, &visit, failure),
    };
    let visit = visit.at(found.merchant.clone(), &found.address);
    let wanted = invoice.parse::<InvoiceId>().ok();
    let Some(document) = found.seen.invoices.iter().find(|known| Some(known.id) == wanted) else {
        return Refusal::page(&app, &visit, &Problem::not_found("invoice"));
    };
    let page = invoices::view::page(document, &found.seen, Some(format!("/o/{token}")));
    show_with(&app, &frame(&app, &visit), StatusCode::OK, &page)
}
