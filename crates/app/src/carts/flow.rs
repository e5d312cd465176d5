//! What a cart costs at this moment.

use db::{DbError, Source};
use kernel::{Currency, MerchantId, Money, ProductId, Timestamp};

use super::{Cart, CartItem};
use crate::choices::{self, Answers};
use crate::products::{self, Product, ProductStatus};

/// A cart with today's prices.
#[derive(Debug)]
pub struct Priced {
    /// What can be bought.
    pub lines: Vec<PricedLine>,
    /// What it costs together; `None` when nothing can be bought.
    pub total: Option<Money>,
    /// Names of what cannot be bought any more.
    pub gone: Vec<String>,
}

/// A line of a cart with today's price.
#[derive(Debug)]
pub struct PricedLine {
    /// What.
    pub product: Product,
    /// As it is in the cart.
    pub item: CartItem,
    /// What was chosen and filled in.
    pub answers: Option<Answers>,
    /// For one.
    pub unit: Money,
    /// For all.
    pub whole: Money,
}

/// Prices a cart. What was withdrawn, or is not sold in its currency, is left out and named.
pub fn price(
    source: &mut impl Source,
    merchant: MerchantId,
    cart: &Cart,
    now: Timestamp,
) -> Result<Priced, DbError> {
    let mut priced = Priced { lines: Vec::new(), total: None, gone: Vec::new() };
    let Some(currency) = cart.currency else { return Ok(priced) };
    let mut total = Money::zero(currency);
    for item in &cart.lines {
        let Some(product) = products::store::by_id(source, merchant, item.product)? else { continue };
        let answers = match item.choice {
            Some(choice) => choices::store::by_id(source, merchant, choice)?.map(|kept| kept.answers),
            None => None,
        };
        let unit = price_of(source, &product, currency, now)?;
        let whole = unit.and_then(|unit| Some((unit, unit.times(item.quantity).ok()?)));
        // More money than can be counted is no price.
        match whole.and_then(|(unit, whole)| Some((unit, whole, total.plus(whole).ok()?))) {
            Some((unit, whole, sum)) => {
                total = sum;
                priced.lines.push(PricedLine { product, item: *item, answers, unit, whole });
            }
            None => priced.gone.push(product.name),
        }
    }
    priced.total = (!priced.lines.is_empty()).then_some(total);
    Ok(priced)
}

/// What a product costs now; `None` when it cannot be bought in this currency.
pub fn price_of(
    source: &mut impl Source,
    product: &Product,
    currency: Currency,
    now: Timestamp,
) -> Result<Option<Money>, DbError> {
    if product.status != ProductStatus::Active {
        return Ok(None);
    }
    let prices = products::store::prices(source, product.merchant, product.id)?;
    Ok(products::price_at(&prices, currency, now))
}

/// The currency that a cart would have with one more product, chosen in `wanted`.
///
/// An order has one currency. The newly chosen one wins where all can be paid in it, else the
/// cart keeps its own; `None` when the two have no currency in common.
pub fn common_currency(
    source: &mut impl Source,
    merchant: MerchantId,
    cart: &Cart,
    product: &Product,
    wanted: Currency,
    now: Timestamp,
) -> Result<Option<Currency>, DbError> {
    let ids = cart.lines.iter().map(|line| line.product).filter(|id| *id != product.id);
    let ids: Vec<ProductId> = ids.collect();
    for currency in [Some(wanted), cart.currency].into_iter().flatten() {
        if price_of(source, product, currency, now)?.is_none() {
            continue;
        }
        let mut all = true;
        for id in &ids {
            let other = products::store::by_id(source, merchant, *id)?;
            // What was withdrawn in the meantime is in nobody's way.
            let other = other.filter(|other| other.status == ProductStatus::Active);
            if let Some(other) = other {
                all = all && price_of(source, &other, currency, now)?.is_some();
            }
        }
        if all {
            return Ok(Some(currency));
        }
    }
    Ok(None)
}
