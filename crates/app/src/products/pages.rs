//! The shop window: everything on sale, and the page of one product.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use db::{DbError, Source};
use http::StatusCode;
use kernel::{ChoiceId, Currency, ProductId, Timestamp};
use ui::shop::{CurrencyChoice, FileSummary, InputField, ProductCard, ProductPage, ShopIndex};

use super::{Price, Product, ProductFile, ProductStatus, path, price_at, store};
use crate::app::App;
use crate::artworks::{self, Filled};
use crate::carts;
use crate::choices::{self, Question};
use crate::orders::QUANTITY_MAX;
use crate::problem::{Flow, Problem};
use crate::web::reply::{Refusal, frame, show, show_with};
use crate::web::visit::Visit;

/// So much of a description stands under a product in the list.
const SUMMARY_CHARS_MAX: usize = 240;

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new().route("/", get(index)).route("/p/{product}", get(product))
}

/// What an address may say about money.
#[derive(Debug, Default, serde::Deserialize)]
struct Asked {
    currency: Option<String>,
    /// What was filled in before.
    design: Option<ChoiceId>,
}

/// `GET /`
async fn index(State(app): State<App>, visit: Visit, Query(asked): Query<Asked>) -> Response {
    let (merchant, now) = (visit.merchant.id, app.now());
    let window = app.read_now(move |snapshot| {
        let products = store::on_sale(snapshot, merchant)?;
        let prices = store::prices_on_sale(snapshot, merchant)?;
        Ok((products, prices, store::sizes_on_sale(snapshot, merchant)?))
    });
    let (products, prices, sizes) = match window {
        Ok(window) => window,
        Err(failure) => return Refusal::from_failure(&app, &visit, failure),
    };
    let all: Vec<Price> = prices.iter().map(|(_, price)| *price).collect();
    let choice = Choice::among(&visit, sold_in(&all, now), asked.currency.as_deref());
    let mut prices_of: BTreeMap<ProductId, Vec<Price>> = BTreeMap::new();
    for (product, price) in prices {
        prices_of.entry(product).or_default().push(price);
    }
    let sizes: BTreeMap<ProductId, (u32, u64)> =
        sizes.into_iter().map(|(product, files, bytes)| (product, (files, bytes))).collect();
    let card = |product: &Product| {
        let prices = prices_of.get(&product.id).map(Vec::as_slice).unwrap_or_default();
        let (file_count, total_bytes) = sizes.get(&product.id).copied().unwrap_or_default();
        ProductCard {
            path: format!("{}{}", path(product), choice.query()),
            sku: product.sku.clone(),
            name: product.name.clone(),
            summary: summary(&product.description),
            image_url: None,
            price: choice.current.and_then(|currency| price_at(prices, currency, now)),
            file_count,
            total_bytes,
        }
    };
    let page = ShopIndex {
        intro: None,
        products: products.iter().map(card).collect(),
        currencies: choice.choices(),
    };
    show(&app, &visit, &page)
}

/// `GET /p/{item number or id}`
async fn product(
    State(app): State<App>,
    visit: Visit,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let merchant = visit.merchant.id;
    let design = asked.design;
    let found = app.read_now(move |snapshot| {
        let Some(offer) = find(snapshot, merchant, &name)? else { return Ok(None) };
        Ok(Some((filled(snapshot, &offer, design)?, offer)))
    });
    match found {
        Ok(Some((filled, offer))) => {
            let currency = asked.currency.unwrap_or_default();
            let asked = carts::pages::Asked { currency, ..Default::default() };
            let shown = Shown { filled, asked, ..Shown::default() };
            show_shown(&app, &visit, &offer, shown, StatusCode::OK)
        }
        Ok(None) => Refusal::page(&app, &visit, &Problem::not_found("product for sale")),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// What was filled in of a product's artwork before; nothing, if that is no longer known.
fn filled(source: &mut impl Source, offer: &Offer, design: Option<ChoiceId>) -> Flow<Filled> {
    let Some(design) = design else { return Ok(Filled::default()) };
    let kept = choices::store::by_id(source, offer.product.merchant, design)?;
    let kept = kept.filter(|kept| kept.product == offer.product.id);
    Ok(kept.and_then(|kept| Filled::of(&kept.answers.inputs)).unwrap_or_default())
}

/// A product as it is shown.
#[derive(Debug)]
pub struct Offer {
    /// What.
    pub product: Product,
    /// Past and to come.
    pub prices: Vec<Price>,
    /// With their newest contents.
    pub files: Vec<ProductFile>,
}

/// A product for sale by its item number, or by its id.
pub fn find(source: &mut impl Source, merchant: kernel::MerchantId, name: &str) -> Flow<Option<Offer>> {
    let by_sku = store::by_sku(source, merchant, name)?;
    let found = match (by_sku, name.parse::<ProductId>()) {
        (Some(product), _) => Some(product),
        (None, Ok(id)) => store::by_id(source, merchant, id)?,
        (None, Err(_)) => None,
    };
    let Some(product) = found.filter(|product| product.status == ProductStatus::Active) else {
        return Ok(None);
    };
    Ok(Some(offer(source, product)?))
}

fn offer(source: &mut impl Source, product: Product) -> Result<Offer, DbError> {
    let prices = store::prices(source, product.merchant, product.id)?;
    let files = store::files(source, product.merchant, product.id)?;
    Ok(Offer { product, prices, files })
}

/// Shows a product once more, with what is wrong with the form that was posted.
pub fn show_again(
    app: &App,
    visit: &Visit,
    offer: &Offer,
    currency: &str,
    errors: BTreeMap<String, String>,
) -> Response {
    let asked = carts::pages::Asked { currency: currency.to_owned(), ..Default::default() };
    let shown = Shown { errors, asked, ..Shown::default() };
    show_shown(app, visit, offer, shown, StatusCode::UNPROCESSABLE_ENTITY)
}

/// What a product's page shows beside the product.
#[derive(Debug, Default)]
pub struct Shown {
    /// What is wrong with the form.
    pub errors: BTreeMap<String, String>,
    /// What was filled in of its artwork.
    pub filled: Filled,
    /// What the buy box said.
    pub asked: carts::pages::Asked,
}

/// Shows a product as far as its form was filled in.
pub fn show_shown(app: &App, visit: &Visit, offer: &Offer, shown: Shown, status: StatusCode) -> Response {
    let page = offer.page(visit, app.now(), Some(&shown.asked.currency));
    let artwork = offer.product.deliverables.artwork.as_ref();
    let artwork = artwork
        .map(|terms| artworks::view::form(visit, &offer.product.sku, terms, &shown.filled, &shown.errors));
    let quantity = carts::read_quantity(&shown.asked.quantity).unwrap_or(1);
    let page = ProductPage { artwork, quantity, errors: shown.errors, ..page };
    show_with(app, &frame(app, visit), status, &page)
}

impl Offer {
    fn page(&self, visit: &Visit, now: Timestamp, asked: Option<&str>) -> ProductPage {
        let choice = Choice::among(visit, sold_in(&self.prices, now), asked);
        let product = &self.product;
        let days = product.link_life.as_seconds() / 86_400;
        ProductPage {
            sku: product.sku.clone(),
            name: product.name.clone(),
            summary: None,
            description: (!product.description.trim().is_empty()).then(|| product.description.clone()),
            image_url: None,
            price: choice.current.and_then(|currency| price_at(&self.prices, currency, now)),
            currencies: choice.choices(),
            files: self
                .files
                .iter()
                .map(|file| FileSummary { name: file.name.clone(), bytes: file.size })
                .collect(),
            total_bytes: self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size)),
            quantity_max: QUANTITY_MAX,
            quantity: 1,
            // Less than a day is told on the link's own page, to the minute.
            link_days: u32::try_from(days.max(1)).ok(),
            download_limit: Some(product.download_limit),
            inputs: product.deliverables.questions().into_iter().map(input).collect(),
            artwork: None,
            errors: BTreeMap::new(),
        }
    }
}

fn input(question: Question) -> InputField {
    InputField {
        name: question.field,
        label: question.label,
        hint: None,
        value: String::new(),
        required: true,
        options: question.options,
    }
}

/// The currencies that something is sold in now.
fn sold_in(prices: &[Price], now: Timestamp) -> Vec<Currency> {
    let mut currencies: Vec<Currency> =
        prices.iter().filter(|price| price.valid_from <= now).map(|price| price.currency).collect();
    currencies.sort_by(|one, other| one.code().cmp(other.code()));
    currencies.dedup();
    currencies
}

/// The currencies to choose from, and the chosen one.
struct Choice {
    all: Vec<Currency>,
    current: Option<Currency>,
    usual: Option<Currency>,
}

impl Choice {
    /// What the address asks for, else what the cart is in, else the merchant's own. Codes that
    /// nothing is sold in are nobody's business.
    fn among(visit: &Visit, all: Vec<Currency>, asked: Option<&str>) -> Self {
        let known = |wanted: Option<Currency>| wanted.filter(|wanted| all.contains(wanted));
        let asked = asked.and_then(|code| Currency::parse(code).ok());
        let usual = known(visit.cart.currency)
            .or_else(|| known(Some(visit.merchant.currency)))
            .or_else(|| all.first().copied());
        let current = known(asked).or(usual);
        Self { all, current, usual }
    }

    /// Carries an unusual choice on to the next page.
    fn query(&self) -> String {
        let unusual = self.current.filter(|current| self.usual != Some(*current));
        unusual.map(|current| format!("?currency={current}")).unwrap_or_default()
    }

    fn choices(&self) -> Vec<CurrencyChoice> {
        let choice = |currency: &Currency| CurrencyChoice {
            code: currency.code().to_owned(),
            url: format!("?currency={currency}"),
            current: self.current == Some(*currency),
        };
        self.all.iter().map(choice).collect()
    }
}

/// The first paragraph, cut between words.
fn summary(description: &str) -> Option<String> {
    let first = description.trim().split("\n\n").next().unwrap_or_default().replace(['\r', '\n'], " ");
    if first.chars().count() <= SUMMARY_CHARS_MAX {
        return Some(first).filter(|first| !first.is_empty());
    }
    let cut: String = first.chars().take(SUMMARY_CHARS_MAX).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    Some(format!("{whole_words}…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_paragraph_in_whole_words() {
        assert_eq!(summary("One\ntwo.\n\nThree."), Some("One two.".to_owned()));
        assert_eq!(summary(" \n "), None);
        let long = summary(&"word ".repeat(100)).unwrap();
        assert!(long.ends_with("word…") && long.chars().count() <= SUMMARY_CHARS_MAX + 1);
        assert!(summary(&"ы".repeat(500)).unwrap().chars().count() <= SUMMARY_CHARS_MAX + 1);
    }
}
