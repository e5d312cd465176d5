//! The shop as buyers and attackers meet it: pages, links, mails, portal.

mod announcements;
mod archive;
mod artwork;
mod checkout;
mod fetching;
mod landing;
mod mails;
mod orders;
mod parts;
mod passwords;
mod plugins;
mod portal;
mod public;
mod resend;
mod shopping;
pub mod stamps;
mod sweeping;
mod updates;

use app::merchants::Merchant;
use app::orders::Order;
use kernel::Span;

use crate::support::http::Visitor;
use crate::support::{Reply, Shop, TestApp};

/// Where the buyer of the tests gets mail.
pub const BUYER: &str = "buyer@example.com";

/// What an attribute of the first tag with this mark holds, with its entities read.
pub fn attribute(html: &str, mark: &str, name: &str) -> Option<String> {
    let tag = html.split('<').find(|tag| tag.contains(mark))?;
    let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&quot;", "\"").replace("&#x27;", "'"))
}

/// The value of a hidden field.
pub fn hidden(reply: &Reply, name: &str) -> String {
    let value = attribute(&reply.text(), &format!("name=\"{name}\""), "value");
    value.unwrap_or_else(|| panic!("there is no field {name} in\n{}", reply.text()))
}

/// The path behind a URL of the tests' shop.
pub fn path_of(url: &str) -> String {
    url.strip_prefix(crate::support::BASE_URL).unwrap_or(url).to_owned()
}

/// Buys one of a product up to the way to the gateway, and answers the path of the order's page.
pub fn check_out(visitor: &Visitor<'_>, base: &str, sku: &str) -> String {
    visitor.get(&format!("{base}/p/{sku}"));
    let added = visitor.post(&format!("{base}/buy"), &[("sku", sku), ("currency", "EUR"), ("quantity", "1")]);
    assert_eq!(added.location(), format!("{base}/cart"), "{}", added.text());
    place(visitor, base)
}

/// Checks out what is in the cart, and answers the path of the order's page.
pub fn place(visitor: &Visitor<'_>, base: &str) -> String {
    let cart = visitor.get(&format!("{base}/cart"));
    let connection = hidden(&cart, "connection");
    let fields = [("email", BUYER), ("name", "Jo Buyer"), ("connection", connection.as_str())];
    let placed = visitor.post(&format!("{base}/checkout"), &fields);
    let page = placed.location().strip_suffix("/pay").unwrap_or_default().to_owned();
    assert!(!page.is_empty(), "no order was placed: {} {}", placed.status, placed.text());
    page
}

impl TestApp {
    /// Another merchant, surely younger than the first: ids of one instant have no order.
    pub fn later_shop(&self) -> Shop {
        self.advance(Span::seconds(1));
        self.second_shop()
    }

    /// The newest order of a merchant.
    pub fn newest_order(&self, merchant: &Merchant) -> Order {
        self.orders_of(merchant.id).into_iter().last().expect("there is an order")
    }

    /// The path of an order's thank-you page.
    pub fn page_of(&self, order: &Order) -> String {
        format!("/o/{}", app::links::order_token(self.app.ring(), order).expect("the ring has the key"))
    }

    /// The path of a grant's landing page.
    pub fn landing_of(&self, order: &Order) -> String {
        format!("/d/{}", self.link(&self.grant(order)))
    }
}

/// Gives a merchant other settings.
pub fn change_merchant(t: &TestApp, merchant: &Merchant, change: fn(&mut Merchant)) {
    let id = merchant.id;
    let changed = t.write_for(id, move |cx| {
        let mut merchant = app::merchants::store::by_id(cx.tx, id)?;
        change(&mut merchant);
        Ok(app::merchants::store::save(cx.tx, &merchant)?)
    });
    changed.expect("a merchant is changed");
}
