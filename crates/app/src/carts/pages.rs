//! The cart: adding, changing, taking out.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use kernel::{ChoiceId, Currency};
use net::limit::Key;
use ui::{Flash, Tone};

use super::view::Typed;
use super::{Cart, CartFull, CartItem, LIFE_SECONDS, LINES_MAX, Put, flow, read_quantity, view};
use crate::app::App;
use crate::artworks::{self, Filled};
use crate::choices::{self, Answers};
use crate::connections::{self, Connection};
use crate::cx::Actor;
use crate::orders::QUANTITY_MAX;
use crate::problem::{Flow, Problem};
use crate::products::pages::{Offer, Shown, find, show_again, show_shown};
use crate::web::form::Posted;
use crate::web::limits;
use crate::web::reply::{Refusal, frame, say, see_other, show_with};
use crate::web::visit::{Visit, set_cookie};

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/cart", get(show))
        .route("/cart/lines", post(add))
        .route("/buy", post(buy_now))
        .route("/cart/lines/update", post(update))
        .route("/cart/lines/remove", post(remove))
}

/// A product with its buy box. Whatever else the form brings, such as a price, is nobody's business.
#[derive(Debug, serde::Deserialize)]
struct Wanted {
    sku: String,
    #[serde(default)]
    currency: String,
    quantity: String,
    /// Answers to what the product asks for.
    #[serde(flatten)]
    answers: BTreeMap<String, String>,
}

#[derive(Debug, serde::Deserialize)]
struct Changed {
    line: String,
    quantity: String,
}

#[derive(Debug, serde::Deserialize)]
struct Removed {
    line: String,
}

/// `GET /cart`
async fn show(State(app): State<App>, visit: Visit) -> Response {
    page(&app, &visit, StatusCode::OK, &Typed::default(), BTreeMap::new())
}

/// The cart's page, also after a checkout that was refused.
pub fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    typed: &Typed,
    errors: BTreeMap<String, String>,
) -> Response {
    let (merchant, cart, now) = (visit.merchant.id, visit.cart.clone(), app.now());
    let read = app.read_now(move |snapshot| {
        let priced = flow::price(snapshot, merchant, &cart, now)?;
        Ok((priced, connections::offered(connections::store::list(snapshot, merchant)?)))
    });
    let (priced, offered) = match read {
        Ok(read) => read,
        Err(failure) => return Refusal::from_failure(app, visit, failure),
    };
    let mut present = visit.cart.clone();
    present.lines.retain(|item| priced.lines.iter().any(|line| line.item == *item));
    let visit = Visit { cart: present.clone(), ..visit.clone() };
    let mut frame = frame(app, &visit);
    frame.test_mode |= offered.iter().any(Connection::is_test);
    if !priced.gone.is_empty() {
        let names = priced.gone.join(", ");
        let text = say(app, &visit, "said.cart_gone", &[("name", &names)]);
        frame.flash = Some(Flash { tone: Tone::Warn, text });
    }
    let page = view::page(&visit.merchant, &priced, &offered, typed, errors);
    let mut response = show_with(app, &frame, status, &page);
    if !priced.gone.is_empty() {
        keep(app, &visit, &present, &mut response);
    }
    response
}

/// `POST /cart/lines`
async fn add(State(app): State<App>, visit: Visit, Posted(wanted): Posted<Wanted>) -> Response {
    put(&app, &visit, &wanted, Put::Add).await
}

/// `POST /buy`
async fn buy_now(State(app): State<App>, visit: Visit, Posted(wanted): Posted<Wanted>) -> Response {
    put(&app, &visit, &wanted, Put::Set).await
}

async fn put(app: &App, visit: &Visit, wanted: &Wanted, put: Put) -> Response {
    let (merchant, sku) = (visit.merchant.id, wanted.sku.clone());
    let offer = match app.read_now(move |snapshot| find(snapshot, merchant, &sku)) {
        Ok(Some(offer)) => offer,
        Ok(None) => return Refusal::page(app, visit, &Problem::not_found("product for sale")),
        Err(failure) => return Refusal::from_failure(app, visit, failure),
    };
    let asked = Asked { currency: wanted.currency.clone(), quantity: wanted.quantity.clone() };
    if read_quantity(&wanted.quantity).is_none() {
        let errors = [("quantity".to_owned(), wrong_quantity(app, visit))].into();
        return show_again(app, visit, &offer, &wanted.currency, errors);
    }
    let answers = match offer.product.deliverables.read_answers(&wanted.answers) {
        Ok(answers) => answers,
        Err(fields) => {
            let sentence = |field: &str| {
                let key = if field == artworks::INPUT { "artwork.first" } else { "said.choose" };
                say(app, visit, key, &[])
            };
            let errors = fields.into_iter().map(|field| (field.clone(), sentence(&field))).collect();
            return show_again(app, visit, &offer, &wanted.currency, errors);
        }
    };
    put_answers(app, visit, &offer, (&asked, answers), put).await
}

/// What a buy box says beside the answers.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// What to pay in.
    pub currency: String,
    /// How many.
    pub quantity: String,
}

impl Asked {
    /// Reads it from a form.
    pub fn of(form: &BTreeMap<String, String>) -> Self {
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        Self { currency: field("currency"), quantity: field("quantity") }
    }
}

/// Puts a product with what was answered for it into the cart.
pub async fn put_answers(
    app: &App,
    visit: &Visit,
    offer: &Offer,
    (asked, answers): (&Asked, Answers),
    put: Put,
) -> Response {
    let filled = Filled::of(&answers.inputs).unwrap_or_default();
    let refuse = |field: &str, sentence: String| {
        let errors = [(field.to_owned(), sentence)].into();
        let shown = Shown { errors, filled: filled.clone(), asked: asked.clone() };
        show_shown(app, visit, offer, shown, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let Some(quantity) = read_quantity(&asked.quantity) else {
        return refuse("quantity", wrong_quantity(app, visit));
    };
    let choice = match keep_answers(app, visit, offer, answers).await {
        Ok(choice) => choice,
        Err(failure) => return Refusal::from_failure(app, visit, failure),
    };
    let item = CartItem { product: offer.product.id, choice, quantity };
    match with_product(app, visit, offer, &asked.currency, item, put) {
        Ok(Ok(cart)) => keep_and_show(app, visit, &cart),
        Ok(Err(Unfit::Full(CartFull::Quantity))) => refuse("quantity", wrong_quantity(app, visit)),
        Ok(Err(Unfit::Full(CartFull::Lines))) => {
            let most = LINES_MAX.to_string();
            refuse("quantity", say(app, visit, "said.cart_full", &[("most", &most)]))
        }
        Ok(Err(Unfit::Currency)) => refuse("currency", say(app, visit, "said.no_common_currency", &[])),
        Err(failure) => Refusal::from_failure(app, visit, failure),
    }
}

/// Keeps what was chosen, if anything was: most products ask for nothing, and nothing is written.
pub async fn keep_answers(
    app: &App,
    visit: &Visit,
    offer: &Offer,
    answers: Answers,
) -> Flow<Option<ChoiceId>> {
    if answers == Answers::default() {
        return Ok(None);
    }
    limits::take(app, &limits::CHECKOUT, Key::address(visit.address))?;
    let product = offer.product.clone();
    let kept =
        app.write(product.merchant, Actor::Visitor, move |cx| choices::flow::keep(cx, &product, &answers));
    Ok(Some(kept.await?))
}

/// Why a product does not go into a cart.
enum Unfit {
    Full(CartFull),
    Currency,
}

fn with_product(
    app: &App,
    visit: &Visit,
    offer: &Offer,
    currency: &str,
    item: CartItem,
    put: Put,
) -> Flow<Result<Cart, Unfit>> {
    let wanted = Currency::parse(currency).ok().or(visit.cart.currency).unwrap_or(visit.merchant.currency);
    let (merchant, now) = (visit.merchant.id, app.now());
    let (cart, product) = (visit.cart.clone(), offer.product.clone());
    app.read_now(move |snapshot| {
        let currency = flow::common_currency(snapshot, merchant, &cart, &product, wanted, now)?;
        let Some(currency) = currency else { return Ok(Err(Unfit::Currency)) };
        let mut fuller = Cart { currency: Some(currency), ..cart.clone() };
        if let Err(full) = fuller.put(item, put) {
            return Ok(Err(Unfit::Full(full)));
        }
        // A sum that cannot be counted would make the whole cart unpayable.
        let priced = flow::price(snapshot, merchant, &fuller, now)?;
        let payable = priced.lines.iter().any(|line| line.product.id == product.id);
        Ok(if payable { Ok(fuller) } else { Err(Unfit::Full(CartFull::Quantity)) })
    })
}

/// `POST /cart/lines/update`
async fn update(State(app): State<App>, visit: Visit, Posted(changed): Posted<Changed>) -> Response {
    let known = visit.cart.lines.iter().find(|item| item.name() == changed.line).copied();
    let Some(quantity) = read_quantity(&changed.quantity) else {
        let field = format!("quantity-{}", changed.line);
        let errors = [(field, wrong_quantity(&app, &visit))].into();
        return page(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &Typed::default(), errors);
    };
    let mut cart = visit.cart.clone();
    // Taken out in another tab: there is nothing to change.
    if let Some(item) = known
        && cart.put(CartItem { quantity, ..item }, Put::Set).is_err()
    {
        return see_other(&visit.url("/cart"));
    }
    keep_and_show(&app, &visit, &cart)
}

/// `POST /cart/lines/remove`
async fn remove(State(app): State<App>, visit: Visit, Posted(removed): Posted<Removed>) -> Response {
    let mut cart = visit.cart.clone();
    cart.remove(&removed.line);
    keep_and_show(&app, &visit, &cart)
}

fn wrong_quantity(app: &App, visit: &Visit) -> String {
    say(app, visit, "said.quantity", &[("most", &QUANTITY_MAX.to_string())])
}

fn keep_and_show(app: &App, visit: &Visit, cart: &Cart) -> Response {
    let mut response = see_other(&visit.url("/cart"));
    keep(app, visit, cart, &mut response);
    response
}

/// Gives the visitor this cart to keep.
pub fn keep(app: &App, visit: &Visit, cart: &Cart, response: &mut Response) {
    let name = Cart::cookie_name(visit.secure, &visit.merchant);
    if cart.lines.is_empty() {
        set_cookie(response, visit.secure, &name, "", Some(0));
    } else {
        let sealed = cart.seal(app.ring(), visit.merchant.id);
        set_cookie(response, visit.secure, &name, &sealed, Some(LIFE_SECONDS));
    }
}
