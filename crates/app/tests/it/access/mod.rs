//! What lets a buyer in elsewhere: access data, streams, tickets, copies for the buyer's own key.

mod encryption;
mod streams;
mod texts;
mod ticket_pages;
mod tickets;

use app::deliverables::Deliverables;
use app::orders::Order;
use app::parts::UnitPart;
use app::products::Product;

use crate::support::{NewGood, TestApp};

/// A product that delivers this and no file.
pub fn good(sku: &str, deliverables: Deliverables) -> NewGood {
    NewGood { files: Vec::new(), deliverables, ..NewGood::of(sku) }
}

/// What this product's buyer reads on the landing page of the order's only unit.
pub fn landing(t: &TestApp, order: &Order) -> String {
    t.get(&t.landing_of(order)).text()
}

impl TestApp {
    /// The version of a product as it is now.
    pub fn version_of(&self, product: &Product) -> i64 {
        let (merchant, id) = (product.merchant, product.id);
        let found = self.read(move |snapshot| Ok(app::products::store::by_id(snapshot, merchant, id)?));
        found.expect("the product is there").version
    }

    /// The parts of an order's units.
    pub fn parts_of(&self, order: &Order) -> Vec<UnitPart> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::parts::store::of_order(snapshot, merchant, id)?))
    }

    /// Pays an order by a payment of its own.
    pub fn pay_by(&self, seed: &str, order: &Order) -> paysim::ipn::Sale {
        let mut sale = self.sale_of(order);
        sale.txn_id = paysim::ipn::txn_id(seed);
        self.deliver_and_run(&paysim::ipn::Body::completed(&sale, paysim::ipn::Means::Instant));
        sale
    }

    /// An order of one of a product, paid by a payment of its own.
    pub fn bought(&self, seed: &str, product: &Product) -> Order {
        let order = self.order(&[(product, 1)]);
        self.pay_by(seed, &order);
        order
    }
}
