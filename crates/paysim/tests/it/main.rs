//! The simulated PayPal over the network, as a shop meets it.

mod adapter;
mod book;
mod network;
mod pages;
mod shop;

use kernel::Timestamp;

const SELLER: &str = "seller@example.com";

fn start() -> Timestamp {
    Timestamp::from_seconds(1_794_000_000)
}

/// A button of a shop that listens at this address.
fn button(invoice: &str, notify_url: &str) -> Vec<(String, String)> {
    let fields = [
        ("cmd", "_xclick"),
        ("business", SELLER),
        ("item_name", "Vector Gold"),
        ("item_number", "VL59GOLD"),
        ("amount", "49.00"),
        ("currency_code", "EUR"),
        ("invoice", invoice),
        ("custom", invoice),
        ("notify_url", notify_url),
        ("return", "https://shop.example/thanks"),
        ("cancel_return", "https://shop.example/cart"),
        ("rm", "1"),
        ("charset", "utf-8"),
    ];
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
