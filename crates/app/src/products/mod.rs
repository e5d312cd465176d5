//! Products: what is sold, its prices, and its files.

pub mod api;
pub mod change;
pub mod desk_flow;
pub mod desk_store;
pub mod flow;
pub mod form;
pub mod jobs;
pub mod pages;
pub mod staff_files;
pub mod staff_form;
pub mod staff_list;
pub mod staff_pages;
pub mod staff_view;
pub mod store;
pub mod upload;

use crate::deliverables::Deliverables;
use kernel::{Currency, FileVersionId, MerchantId, Money, ProductFileId, ProductId, Span, Timestamp};

db::words! {
    /// Whether a product can be bought.
    pub enum ProductStatus {
        /// Being prepared; only staff see it.
        Draft = "draft",
        /// For sale.
        Active = "active",
        /// No longer for sale; who bought it keeps it.
        Archived = "archived",
    }
}

db::words! {
    /// Which versions of its files a buyer gets.
    pub enum FilePolicy {
        /// Those of the day of purchase.
        AsBought = "as_bought",
        /// The newest, at any time.
        Latest = "latest",
        /// The newest for a number of days from the purchase, and then that of the last day.
        UpdatesUntil = "updates_until",
    }
}

db::words! {
    /// What a buyer gets while a payment is pending.
    pub enum PendingPolicy {
        /// Nothing until the money is there.
        Nothing = "nothing",
        /// Access that is withdrawn if the payment fails.
        Provisional = "provisional",
    }
}

/// What is sold.
#[derive(Debug, Clone)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Whose.
    pub merchant: MerchantId,
    /// The external item number; unique per merchant.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// For its page.
    pub description: String,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// The merchant's text in the mail with the links; placeholders allowed.
    pub standard_text: String,
    /// The text of a second message, such as how to get support; empty: none is sent.
    pub other_text: String,
    /// Support information under its mails.
    pub support_text: String,
    /// How long links live. Three days unless changed.
    pub link_life: Span,
    /// How often each file may be fetched.
    pub download_limit: u32,
    /// Which versions a buyer gets.
    pub file_policy: FilePolicy,
    /// For how many days new ones, where the policy sets an end to them.
    pub update_days: Option<u32>,
    /// What a buyer gets while the payment is pending.
    pub pending_policy: PendingPolicy,
    /// What it delivers beside its files.
    pub deliverables: Deliverables,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Raised by every change.
    pub version: i64,
}

/// How long links live unless a product says otherwise (seed practice: three days).
pub const LINK_LIFE_DEFAULT: Span = Span::days(3);
/// How often each file may be fetched unless a product says otherwise.
pub const DOWNLOAD_LIMIT_DEFAULT: u32 = 5;
/// A sold button may show a price this old: buyers keep pages open, and sellers forget buttons.
pub const PRICE_HONORED: Span = Span::days(30);

/// A price in force from one moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The amount; `None` ends the sale in this currency.
    pub minor: Option<i64>,
    /// The currency.
    pub currency: Currency,
    /// From when.
    pub valid_from: Timestamp,
}

/// A file of a product with its newest content.
#[derive(Debug, Clone)]
pub struct ProductFile {
    /// The slot.
    pub file: ProductFileId,
    /// The content.
    pub version: FileVersionId,
    /// The name that buyers save it under.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Hex.
    pub sha256: String,
    /// Hex.
    pub md5: String,
}

/// The price in force at a time, among one product's prices in one currency.
pub fn price_at(prices: &[Price], currency: Currency, at: Timestamp) -> Option<Money> {
    let in_force = prices.iter().filter(|price| price.currency == currency && price.valid_from <= at);
    let newest = in_force.max_by_key(|price| price.valid_from)?;
    newest.minor.map(|minor| Money::new(minor, currency))
}

/// The path of a product's page. Its item number stands in it where an address can carry that
/// unchanged, through every proxy; else its id does.
pub fn path(product: &Product) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let sku = product.sku.as_str();
    let carried = sku.bytes().all(plain) && sku.bytes().any(|byte| byte != b'.');
    if carried { format!("/p/{sku}") } else { format!("/p/{}", product.id) }
}

/// How far a gateway's clock may be behind ours. Its times are whole seconds besides: what was
/// put on sale a moment before the payment may seem to come after it.
const CLOCKS_APART: Span = Span::minutes(1);

/// Every price that was in force at some moment of the 30 days before a payment.
pub fn prices_honored(prices: &[Price], currency: Currency, paid_at: Timestamp) -> Vec<Money> {
    let window_start = paid_at - PRICE_HONORED;
    let paid_by = paid_at + CLOCKS_APART;
    let mut times: Vec<Timestamp> = prices
        .iter()
        .filter(|price| {
            price.currency == currency && price.valid_from > window_start && price.valid_from <= paid_by
        })
        .map(|price| price.valid_from)
        .collect();
    times.push(window_start);
    times.into_iter().filter_map(|at| price_at(prices, currency, at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(minor: Option<i64>, day: i64) -> Price {
        Price { minor, currency: Currency::EUR, valid_from: Timestamp::from_seconds(day * 86_400) }
    }

    fn day(number: i64) -> Timestamp {
        Timestamp::from_seconds(number * 86_400)
    }

    #[test]
    fn the_newest_price_that_has_come_is_in_force() {
        let prices = [price(Some(100), 0), price(Some(200), 10), price(Some(300), 20)];
        assert_eq!(price_at(&prices, Currency::EUR, day(15)), Some(Money::new(200, Currency::EUR)));
        assert_eq!(price_at(&prices, Currency::USD, day(15)), None);
    }

    #[test]
    fn a_withdrawn_price_is_no_price() {
        assert_eq!(price_at(&[price(Some(100), 0), price(None, 5)], Currency::EUR, day(6)), None);
    }

    #[test]
    fn a_button_keeps_its_price_for_thirty_days_after_a_change() {
        let prices = [price(Some(100), 0), price(Some(200), 100)];
        let honored =
            |at| prices_honored(&prices, Currency::EUR, at).iter().map(|m| m.minor).collect::<Vec<_>>();
        assert!(honored(day(129)).contains(&100));
        assert!(!honored(day(131)).contains(&100));
        assert!(honored(day(131)).contains(&200));
        assert!(!honored(day(99)).contains(&200));
    }
}
