//! Reviews: what a person has to look at.

pub mod api;
pub mod desk_store;
pub mod flow;
pub mod staff_pages;
pub mod store;

use kernel::{MerchantId, NoticeId, OrderId, ReviewId, Timestamp};

db::words! {
    /// Why a person is asked.
    pub enum ReviewKind {
        /// More money came than was due.
        Surplus = "surplus",
        /// An order that was paid already was paid again.
        PaidTwice = "paid_twice",
        /// Part of the money went back: which lines does it concern?
        PartRefund = "part_refund",
        /// The buyer or the bank objects.
        Dispute = "dispute",
        /// Money came for an order that had been given up, and it was reopened.
        LateMoney = "late_money",
        /// Something that is to be made for a unit cannot be.
        PartHeld = "part_held",
    }
}

db::words! {
    /// Which reviews a list shows.
    pub enum Which {
        /// What waits for a person.
        Open = "open",
        /// What was decided.
        Resolved = "resolved",
        /// Both.
        All = "all",
    }
}

/// An open or closed question.
#[derive(Debug, Clone)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// Whose.
    pub merchant: MerchantId,
    /// Why.
    pub kind: ReviewKind,
    /// About which order.
    pub order: Option<OrderId>,
    /// Raised by which notice.
    pub notice: Option<NoticeId>,
    /// In words.
    pub detail: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub resolved_at: Option<Timestamp>,
    /// What was decided.
    pub resolution: Option<String>,
}
