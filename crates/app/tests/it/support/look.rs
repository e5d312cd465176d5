//! Looking at what became of things.

use std::sync::Arc;

use app::downloads::{Download, GrantedFile};
use app::events::Event;
use app::fulfillment::Grant;
use app::invoices::Invoice;
use app::messages::{Message, MessageKind};
use app::notices::{NoticeState, Stored};
use app::orders::{Order, OrderStatus};
use app::payments::Payment;
use app::reviews::{Review, ReviewKind};
use db::sql;
use kernel::{MerchantId, NoticeId, OrderId};
use mail::Received;

use super::TestApp;

impl TestApp {
    /// The order as it is now.
    pub fn look(&self, order: &Order) -> Order {
        let (merchant, id) = (order.merchant, order.id);
        let found = self.read(move |snapshot| Ok(app::orders::store::by_id(snapshot, merchant, id)?));
        found.expect("the order is there")
    }

    pub fn status(&self, order: &Order) -> OrderStatus {
        self.look(order).status
    }

    /// All orders of the first merchant, oldest first.
    pub fn orders(&self) -> Vec<Order> {
        self.orders_of(self.shop.merchant.id)
    }

    pub fn orders_of(&self, merchant: MerchantId) -> Vec<Order> {
        let ids: Vec<OrderId> = self.read(move |snapshot| {
            let ids = sql("SELECT id FROM orders WHERE merchant_id = $1 ORDER BY id").bind(merchant);
            Ok(ids.all(snapshot, |row| row.get("id"))?)
        });
        let one = |id| self.read(move |snapshot| Ok(app::orders::store::by_id(snapshot, merchant, id)?));
        ids.into_iter().filter_map(one).collect()
    }

    pub fn payments(&self, order: &Order) -> Vec<Payment> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::payments::store::of_order(snapshot, merchant, id)?))
    }

    pub fn grants(&self, order: &Order) -> Vec<Grant> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::fulfillment::store::of_order(snapshot, merchant, id)?))
    }

    /// The only grant of an order with one unit.
    pub fn grant(&self, order: &Order) -> Grant {
        let grants = self.grants(order);
        assert_eq!(grants.len(), 1, "one grant was expected: {grants:?}");
        grants.into_iter().next().expect("there is one")
    }

    pub fn messages(&self, order: &Order) -> Vec<Message> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::messages::store::of_order(snapshot, merchant, id)?))
    }

    /// What the messages of an order say, oldest first.
    pub fn message_kinds(&self, order: &Order) -> Vec<MessageKind> {
        self.messages(order).iter().map(|message| message.kind).collect()
    }

    pub fn reviews(&self, order: &Order) -> Vec<Review> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::reviews::store::of_order(snapshot, merchant, id)?))
    }

    pub fn review_kinds(&self, order: &Order) -> Vec<ReviewKind> {
        self.reviews(order).iter().map(|review| review.kind).collect()
    }

    pub fn invoices(&self, order: &Order) -> Vec<Invoice> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::invoices::store::of_order(snapshot, merchant, id)?))
    }

    pub fn events(&self, order: &Order) -> Vec<Event> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::events::store::of_order(snapshot, merchant, id)?))
    }

    /// All notices of the first merchant, oldest first.
    pub fn notices(&self) -> Vec<Stored> {
        let merchant = self.shop.merchant.id;
        let ids: Vec<NoticeId> = self.read(move |snapshot| {
            let ids = sql("SELECT id FROM notices WHERE merchant_id = $1 ORDER BY id").bind(merchant);
            Ok(ids.all(snapshot, |row| row.get("id"))?)
        });
        let one = |id| self.read(move |snapshot| Ok(app::notices::store::by_id(snapshot, merchant, id)?));
        ids.into_iter().filter_map(one).collect()
    }

    pub fn notice_states(&self) -> Vec<NoticeState> {
        self.notices().iter().map(|notice| notice.state).collect()
    }

    /// The newest notice.
    pub fn last_notice(&self) -> Stored {
        self.notices().into_iter().last().expect("a notice came")
    }

    /// The mail that left, oldest first.
    pub fn mailbox(&self) -> Vec<Arc<Received>> {
        self.mailbox.all()
    }

    /// The mails to this address, as read.
    pub fn mails_to(&self, address: &str) -> Vec<mail::Parsed> {
        let to = |mail: &Arc<Received>| mail.to.iter().any(|to| to.as_str() == address);
        self.mailbox().iter().filter(|mail| to(mail)).map(|mail| mail.parse()).collect()
    }

    /// The token of a grant's present link.
    pub fn link(&self, grant: &Grant) -> String {
        app::links::grant_token(self.app.ring(), grant).expect("the ring has the key")
    }

    pub fn files(&self, grant: &Grant) -> Vec<GrantedFile> {
        let grant = grant.clone();
        self.read(move |snapshot| Ok(app::downloads::store::files(snapshot, &grant)?))
    }

    pub fn downloads(&self, grant: &Grant) -> Vec<Download> {
        let (merchant, id) = (grant.merchant, grant.id);
        self.read(move |snapshot| Ok(app::downloads::store::of_grant(snapshot, merchant, id)?))
    }

    /// A number from a statement with one column called `n`.
    pub fn count(&self, statement: &'static str) -> i64 {
        self.read(move |snapshot| Ok(sql(statement).one(snapshot, |row| row.get("n"))?))
    }
}
