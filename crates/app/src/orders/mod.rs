//! Orders: what a buyer asked for, and whether it has been paid.
//!
//! An order moves AwaitingPayment -> (Pending) -> Paid -> (Refunded), or to Void, from which
//! late money brings it back: money decides. `mod.rs` holds the rules and touches nothing;
//! `flow.rs` runs one use-case per transaction; `store.rs` is the only SQL. What a paid order
//! is owed is made in the same transaction, by `fulfillment::flow::give`.
//!
//! Invariant: a Paid order's settled payments cover what was due when it became paid.

pub mod api;
mod api_views;
pub mod button;
pub mod checkout;
pub mod desk_store;
pub mod flow;
pub mod money;
pub mod pages;
pub mod portal;
pub mod rows;
pub mod staff_list;
pub mod staff_pages;
pub mod staff_view;
pub mod store;
pub mod timeline;
pub mod timeline_store;
pub mod view;
pub mod wrong;

use kernel::{
    ConnectionId, Currency, CustomerId, EmailAddress, LineId, MerchantId, Money, OrderId, ProductId, Span,
    Timestamp,
};

use crate::deliverables::Deliverables;
use crate::products::{FilePolicy, PendingPolicy};

db::words! {
    /// Where an order is in its life.
    pub enum OrderStatus {
        /// Nothing has been heard of its money.
        AwaitingPayment = "awaiting_payment",
        /// Money is on its way.
        Pending = "pending",
        /// What was due has arrived.
        Paid = "paid",
        /// All of it went back.
        Refunded = "refunded",
        /// Failed, expired or canceled; late money brings it back.
        Void = "void",
    }
}

db::words! {
    /// Where an order came from.
    pub enum OrderSource {
        /// Our own checkout.
        Checkout = "checkout",
        /// A button on another site: the first we heard of it was its payment.
        Button = "button",
        /// Written by staff.
        Manual = "manual",
    }
}

db::words! {
    /// What a line is.
    pub enum LineKind {
        /// A product, times a quantity.
        Product = "product",
        /// Money off; its amounts are negative.
        Discount = "discount",
        /// Something that is no product here: it was paid for, and nothing is delivered for it.
        Unlisted = "unlisted",
    }
}

/// A buyer's purchase.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id; gateways get it as the reference.
    pub id: OrderId,
    /// Whose.
    pub merchant: MerchantId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// Where it came from.
    pub source: OrderSource,
    /// The gateway account it is paid through.
    pub connection: Option<ConnectionId>,
    /// Who is covered; `None` until money made the account.
    pub customer: Option<CustomerId>,
    /// Where the receipt goes, if the buyer told us before the gateway did.
    pub buyer_email: Option<EmailAddress>,
    /// As told at checkout or by the gateway.
    pub buyer_name: String,
    /// Company, where given.
    pub buyer_company: String,
    /// ISO 3166 alpha-2.
    pub buyer_country: Option<String>,
    /// VAT id, where given.
    pub buyer_vat_id: Option<String>,
    /// BCP 47.
    pub locale: String,
    /// Of every amount in it.
    pub currency: Currency,
    /// Without tax.
    pub net_minor: i64,
    /// Tax.
    pub tax_minor: i64,
    /// What must be paid.
    pub due_minor: i64,
    /// What has been settled over all its payments.
    pub settled_minor: i64,
    /// What went back: refunds and reversals that stand.
    pub returned_minor: i64,
    /// Secret of its thank-you page.
    pub nonce: [u8; 16],
    /// Which ring key signs that page's address.
    pub ring_key: u32,
    /// Raised when staff regenerate the whole transaction.
    pub generation: u32,
    /// The text that the buyer agreed to.
    pub consent_text: Option<String>,
    /// When.
    pub consent_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When what was due had arrived.
    pub paid_at: Option<Timestamp>,
    /// Raised by every change.
    pub version: i64,
}

/// One product in an order, with the terms of the day of purchase.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its id.
    pub id: LineId,
    /// Whose.
    pub merchant: MerchantId,
    /// The order it belongs to.
    pub order: OrderId,
    /// From 1.
    pub position: u32,
    /// What it is.
    pub kind: LineKind,
    /// The product, of a line that is one.
    pub product: Option<ProductId>,
    /// Its item number then.
    pub sku: String,
    /// Its name then.
    pub name: String,
    /// At least 1.
    pub quantity: u32,
    /// For one, as priced then.
    pub unit_minor: i64,
    /// For the line, without tax.
    pub net_minor: i64,
    /// Tax of the line.
    pub tax_minor: i64,
    /// What the line adds to what is due.
    pub gross_minor: i64,
    /// Millionths.
    pub tax_rate_ppm: u32,
    /// Whose tax.
    pub jurisdiction: Option<String>,
    /// Option names and choices.
    pub attributes: serde_json::Value,
    /// What the buyer wrote: the name for a license, fields of an artwork.
    pub inputs: serde_json::Value,
    /// How long its links live.
    pub link_life: Span,
    /// How often each file may be fetched.
    pub download_limit: u32,
    /// Which versions of files it covers.
    pub file_policy: FilePolicy,
    /// For how many days from the purchase new ones.
    pub update_days: Option<u32>,
    /// What is given while the payment is pending.
    pub pending_policy: PendingPolicy,
    /// What is delivered beside files.
    pub deliverables: Deliverables,
}

/// Which orders a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this status.
    pub status: Option<OrderStatus>,
    /// Of this account.
    pub customer: Option<CustomerId>,
    /// Whose buyer has this mail address.
    pub email: Option<EmailAddress>,
    /// Placed at this time or later.
    pub created_from: Option<Timestamp>,
    /// Placed before this time.
    pub created_before: Option<Timestamp>,
}

/// Most lines in one order.
pub const LINES_MAX: usize = 100;
/// Most of one product in a line of our own checkout.
pub const QUANTITY_MAX: u32 = 1_000;

impl Order {
    /// What must be paid.
    pub const fn due(&self) -> Money {
        Money::new(self.due_minor, self.currency)
    }
}

/// What the money of all an order's payments means for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Settled, over all payments.
    pub settled_minor: i64,
    /// Refunds and reversals that stand, over all payments.
    pub returned_minor: i64,
    /// Whether some payment is on its way.
    pub pending: bool,
    /// Whether every payment that was begun has failed or expired.
    pub failed: bool,
}

/// What is to be done with an order after news of its money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: it stands as it did.
    Same,
    /// It became paid: fulfill.
    BecamePaid,
    /// Money is on its way: provisional access, where the product gives that.
    BecamePending,
    /// Its payment failed: withdraw what was provisional.
    BecameVoid,
    /// All of it went back.
    BecameRefunded,
    /// A refund was itself undone: what was given stands again.
    PaidAgain,
}

/// The status that the money of all payments gives, by itself; `None` while nothing is known.
/// Where nothing was due, money that goes back was never the reason for what was given.
pub fn status_by(due: Money, standing: Standing) -> Option<OrderStatus> {
    use OrderStatus as S;
    let covered = standing.settled_minor >= due.minor && standing.settled_minor > 0;
    if covered && due.minor > 0 && standing.returned_minor >= standing.settled_minor {
        Some(S::Refunded)
    } else if covered {
        Some(S::Paid)
    } else if standing.pending {
        Some(S::Pending)
    } else if standing.failed {
        Some(S::Void)
    } else {
        None
    }
}

/// The status that follows from the money. Pure, and independent of the order in which the
/// news came.
///
/// Money that covers what is due makes any order paid, also a void one. Once an order was paid
/// it is never void: it is paid or refunded. All of it gone back is refunded, whoever took it.
pub fn follow(order: &Order, standing: Standing) -> (OrderStatus, Turn) {
    use OrderStatus as S;
    let next = status_by(order.due(), standing).unwrap_or(order.status);
    let next = match (order.paid_at, next) {
        (Some(_), S::AwaitingPayment | S::Pending | S::Void) => S::Paid,
        (_, next) => next,
    };
    let turn = match (order.status, next) {
        (before, after) if before == after => Turn::Same,
        (S::Refunded, S::Paid) => Turn::PaidAgain,
        (_, S::Paid) => Turn::BecamePaid,
        (_, S::Refunded) => Turn::BecameRefunded,
        (_, S::Pending) => Turn::BecamePending,
        (_, S::Void) => Turn::BecameVoid,
        (_, S::AwaitingPayment) => Turn::Same,
    };
    (next, turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(status: OrderStatus) -> Order {
        let paid = matches!(status, OrderStatus::Paid | OrderStatus::Refunded);
        Order {
            id: OrderId::from_bits(1),
            merchant: MerchantId::from_bits(1),
            status,
            source: OrderSource::Checkout,
            connection: None,
            customer: None,
            buyer_email: None,
            buyer_name: String::new(),
            buyer_company: String::new(),
            buyer_country: None,
            buyer_vat_id: None,
            locale: "en".to_owned(),
            currency: Currency::EUR,
            net_minor: 1000,
            tax_minor: 0,
            due_minor: 1000,
            settled_minor: 0,
            returned_minor: 0,
            nonce: [0; 16],
            ring_key: 1,
            generation: 1,
            consent_text: None,
            consent_at: None,
            created_at: Timestamp::from_seconds(0),
            paid_at: paid.then_some(Timestamp::from_seconds(1)),
            version: 1,
        }
    }

    fn standing(settled_minor: i64, returned_minor: i64) -> Standing {
        Standing { settled_minor, returned_minor, pending: false, failed: false }
    }

    #[test]
    fn money_that_covers_what_is_due_makes_an_order_paid() {
        let awaiting = order(OrderStatus::AwaitingPayment);
        assert_eq!(follow(&awaiting, standing(1000, 0)), (OrderStatus::Paid, Turn::BecamePaid));
        assert_eq!(follow(&awaiting, standing(999, 0)).1, Turn::Same);
    }

    #[test]
    fn late_money_brings_a_void_order_back() {
        assert_eq!(follow(&order(OrderStatus::Void), standing(1000, 0)).1, Turn::BecamePaid);
    }

    #[test]
    fn a_refund_that_came_before_its_payment_delivers_nothing() {
        assert_eq!(
            follow(&order(OrderStatus::AwaitingPayment), standing(1000, 1000)),
            (OrderStatus::Refunded, Turn::BecameRefunded)
        );
    }

    #[test]
    fn a_part_refund_leaves_an_order_paid() {
        assert_eq!(follow(&order(OrderStatus::Paid), standing(1000, 400)).1, Turn::Same);
    }

    #[test]
    fn a_canceled_reversal_makes_an_order_paid_again() {
        assert_eq!(follow(&order(OrderStatus::Refunded), standing(1000, 0)).1, Turn::PaidAgain);
    }

    #[test]
    fn a_failure_after_payment_does_not_void_the_order() {
        let news = Standing { failed: true, ..standing(1000, 0) };
        assert_eq!(follow(&order(OrderStatus::Paid), news), (OrderStatus::Paid, Turn::Same));
    }

    #[test]
    fn a_failed_attempt_voids_only_what_waits() {
        let news = Standing { failed: true, ..standing(0, 0) };
        assert_eq!(follow(&order(OrderStatus::Pending), news).1, Turn::BecameVoid);
        let second_pending = Standing { pending: true, ..news };
        assert_eq!(follow(&order(OrderStatus::Void), second_pending).1, Turn::BecamePending);
    }
}
