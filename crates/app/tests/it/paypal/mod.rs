//! PayPal's notifications over the whole app: hook, postback, order, units, mail, quarantine.

mod answers;
mod buttons;
mod bytes;
mod deciding;
mod documents;
mod life;
mod matching;
mod merchants;
mod permutations;
mod repeats;

use app::fulfillment::GrantStatus;
use app::messages::MessageKind;
use app::notices::{NoticeState, Stored, seal_context, unpack};
use app::orders::{Line, Order};
use http::StatusCode;
use paysim::ipn::Body;

use crate::support::{NewGood, TestApp};

impl TestApp {
    /// An order of one font for 49.00 EUR.
    fn font_order(&self) -> Order {
        let font = self.product(NewGood::of("FONT"));
        self.order(&[(&font, 1)])
    }

    /// PayPal confirms exactly these bytes, and the shop does what follows from them.
    fn deliver_bytes(&self, bytes: &[u8]) {
        self.paypal.issue(bytes);
        assert_eq!(self.post_notice(bytes.to_vec()).status, StatusCode::OK);
        self.run_jobs();
    }

    /// Delivers what must be set aside, and answers why it was. Nothing else may have changed.
    fn set_aside(&self, body: &Body) -> String {
        let before = self.business_state();
        self.deliver_and_run(body);
        let notice = self.last_notice();
        assert_eq!(notice.state, NoticeState::Quarantined, "{}", notice.reason);
        assert_eq!(self.business_state(), before, "a notice that was set aside changed something");
        notice.reason
    }

    /// The status of every grant of an order.
    fn access(&self, order: &Order) -> Vec<GrantStatus> {
        self.grants(order).iter().map(|grant| grant.status).collect()
    }

    /// How many receipts an order's buyer was meant to get.
    fn receipts(&self, order: &Order) -> usize {
        self.message_kinds(order).iter().filter(|kind| **kind == MessageKind::Receipt).count()
    }

    fn lines(&self, order: &Order) -> Vec<Line> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::orders::store::lines(snapshot, merchant, id)?))
    }

    /// The body of a stored notice, as it came.
    fn stored_bytes(&self, notice: &Stored) -> Vec<u8> {
        let sealed = notice.raw_sealed.as_ref().expect("raw bytes are kept");
        let packed = self.app.ring().open(&seal_context(notice.id), sealed).expect("it opens");
        unpack(&packed, notice.received_at).expect("it was packed").body
    }

    /// The only order that the shop has.
    fn only_order(&self) -> Order {
        let mut orders = self.orders();
        assert_eq!(orders.len(), 1, "one order was expected: {orders:?}");
        orders.remove(0)
    }
}
