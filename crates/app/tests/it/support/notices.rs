//! What PayPal says, and how it reaches the shop.

use app::audit::Acknowledged;
use app::orders::Order;
use gateways::RawPost;
use http::StatusCode;
use kernel::Money;
use paysim::ipn::{Body, Buyer, Item, Means, Movement, Sale, txn_id};

use super::{Reply, Shop, TestApp};

impl TestApp {
    /// The payment that the first merchant's order asks for.
    pub fn sale_of(&self, order: &Order) -> Sale {
        self.sale_at(&self.shop, order)
    }

    /// The payment that a merchant's order asks for.
    pub fn sale_at(&self, shop: &Shop, order: &Order) -> Sale {
        let (merchant, id) = (order.merchant, order.id);
        let lines = self.read(move |snapshot| Ok(app::orders::store::lines(snapshot, merchant, id)?));
        let items = lines.iter().map(|line| {
            let unit = Money::new(line.unit_minor, order.currency);
            Item { quantity: line.quantity, ..Item::one(&line.sku, unit) }
        });
        let mut sale = Sale::of(&shop.receiver, &order.id.to_string(), items.collect());
        sale.paid_at = self.now();
        sale
    }

    /// A payment by a button on another site.
    pub fn button_sale(&self, seed: &str, items: Vec<Item>) -> Sale {
        let mut sale = Sale::of(&self.shop.receiver, "", items);
        sale.txn_id = txn_id(seed);
        sale.paid_at = self.now();
        sale.buyer = Buyer { email: format!("{seed}@example.com"), ..Buyer::default() };
        sale
    }

    /// A movement of a sale's money, with an id of its own.
    pub fn movement(&self, seed: &str, amount: Money) -> Movement {
        Movement { txn_id: txn_id(seed), amount, reason: "refund".to_owned(), at: self.now() }
    }

    /// PayPal sends this to the first merchant's hook: it will confirm these bytes.
    pub fn deliver(&self, body: &Body) -> Reply {
        self.deliver_to(&self.shop.clone(), body)
    }

    /// PayPal sends this to a merchant's hook.
    pub fn deliver_to(&self, shop: &Shop, body: &Body) -> Reply {
        let bytes = body.encode();
        self.paypal.issue(&bytes);
        self.post_notice_to(shop, bytes)
    }

    /// PayPal sends this, and the shop does what follows from it.
    pub fn deliver_and_run(&self, body: &Body) {
        assert_eq!(self.deliver(body).status, StatusCode::OK);
        self.run_jobs();
    }

    /// Pays an order in full, and does what follows.
    pub fn pay(&self, order: &Order) -> Sale {
        let sale = self.sale_of(order);
        self.deliver_and_run(&Body::completed(&sale, Means::Instant));
        sale
    }

    /// Anybody posts these bytes to the first merchant's hook.
    pub fn post_notice(&self, body: Vec<u8>) -> Reply {
        self.post_notice_to(&self.shop, body)
    }

    /// Anybody posts these bytes to a merchant's hook.
    pub fn post_notice_to(&self, shop: &Shop, body: Vec<u8>) -> Reply {
        let key = self.transport_key(shop, &body);
        let reply = self.request(Self::hook_request(shop, body));
        if reply.status == StatusCode::OK {
            self.note_acknowledged(shop, key);
        }
        reply
    }

    /// Keeps in mind that a gateway heard 200 for these bytes; the audit looks for them.
    pub fn note_acknowledged(&self, shop: &Shop, transport_key: [u8; 32]) {
        self.acknowledged.borrow_mut().push(Acknowledged { connection: shop.connection.id, transport_key });
    }

    /// What identifies these bytes in the inbox.
    pub fn transport_key(&self, shop: &Shop, body: &[u8]) -> [u8; 32] {
        app::notices::transport_key(&RawPost {
            method: "POST".to_owned(),
            target: format!("/hooks/{}", shop.connection.id),
            headers: Vec::new(),
            body: body.to_vec(),
            received_at: self.now(),
        })
    }

    /// The request that a gateway makes.
    pub fn hook_request(shop: &Shop, body: Vec<u8>) -> http::Request<axum::body::Body> {
        http::Request::post(format!("/hooks/{}", shop.connection.id))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "PayPal IPN ( https://www.paypal.com/ipn )")
            .body(axum::body::Body::from(body))
            .expect("a request")
    }
}
