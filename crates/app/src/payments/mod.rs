//! Payments: attempts to move money, and what gateways have said about them.
//!
//! Gateways repeat themselves and deliver in any order. So authentic notices become keyed
//! facts, each at most once, and a payment's status is a pure function of its set of facts.

pub mod desk_store;
pub mod flow;
pub mod store;

use gateways::NoticeKind;
use kernel::{ConnectionId, Currency, FactId, MerchantId, Money, NoticeId, OrderId, PaymentId, Timestamp};

use crate::fulfillment::Access;
use crate::orders::{OrderStatus, Standing};

db::words! {
    /// What its facts say of a payment.
    pub enum PaymentStatus {
        /// Nothing but its existence is known.
        Initiated = "initiated",
        /// On its way.
        Pending = "pending",
        /// Arrived.
        Settled = "settled",
        /// Over without money.
        Failed = "failed",
        /// Ran out of time or was voided.
        Expired = "expired",
        /// Some of it went back.
        PartlyRefunded = "partly_refunded",
        /// All of it was sent back.
        Refunded = "refunded",
        /// Arrived, and objected to.
        Disputed = "disputed",
        /// Pulled back by the gateway or the bank.
        Reversed = "reversed",
    }
}

db::words! {
    /// One statement about a payment.
    pub enum FactKind {
        /// On its way.
        Pending = "pending",
        /// Arrived.
        Settlement = "settlement",
        /// Will not arrive.
        Failure = "failure",
        /// Ran out of time or was voided.
        Expiry = "expiry",
        /// Sent back.
        Refund = "refund",
        /// A refund that did not happen after all.
        RefundFailure = "refund_failure",
        /// Pulled back.
        Reversal = "reversal",
        /// A reversal undone.
        ReversalCancellation = "reversal_cancellation",
        /// Objected to.
        Dispute = "dispute",
        /// The objection was rejected.
        DisputeWon = "dispute_won",
        /// The objection was granted.
        DisputeLost = "dispute_lost",
    }
}

/// A payment at a gateway.
#[derive(Debug, Clone)]
pub struct Payment {
    /// Our id.
    pub id: PaymentId,
    /// Whose.
    pub merchant: MerchantId,
    /// Through which account.
    pub connection: ConnectionId,
    /// The gateway's id, unique per connection.
    pub gateway_ref: String,
    /// What it pays; `None` until that is known.
    pub order: Option<OrderId>,
    /// What the facts say.
    pub status: PaymentStatus,
    /// Of its amounts.
    pub currency: Currency,
    /// What arrived.
    pub settled_minor: i64,
    /// What went back and stays there.
    pub returned_minor: i64,
    /// What the gateway kept, where told.
    pub fee_minor: Option<i64>,
    /// When we first heard of it.
    pub created_at: Timestamp,
}

/// A statement with its key.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Our id.
    pub id: FactId,
    /// What is stated.
    pub kind: FactKind,
    /// Which movement, where there can be several: refund, reversal, case. Empty otherwise.
    pub movement_ref: String,
    /// The amount of the movement.
    pub amount_minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// The gateway's word.
    pub detail: String,
    /// Where it was said.
    pub notice: NoticeId,
    /// When it happened, by the gateway.
    pub occurred_at: Timestamp,
}

/// What a set of facts amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// The status.
    pub status: PaymentStatus,
    /// What arrived.
    pub settled_minor: i64,
    /// Refunds that stand.
    pub refunded_minor: i64,
    /// Reversals that stand.
    pub reversed_minor: i64,
}

impl Sum {
    /// What went back and stays there, never more than arrived.
    pub fn returned_minor(&self) -> i64 {
        self.refunded_minor.saturating_add(self.reversed_minor).min(self.settled_minor)
    }
}

/// Which fact a notice states, if it is about a payment.
pub const fn fact_kind(kind: NoticeKind) -> Option<FactKind> {
    match kind {
        NoticeKind::PaymentPending => Some(FactKind::Pending),
        NoticeKind::PaymentPaid => Some(FactKind::Settlement),
        NoticeKind::PaymentFailed => Some(FactKind::Failure),
        NoticeKind::PaymentExpired => Some(FactKind::Expiry),
        NoticeKind::RefundCreated => Some(FactKind::Refund),
        NoticeKind::RefundFailed => Some(FactKind::RefundFailure),
        NoticeKind::DisputeOpened => Some(FactKind::Dispute),
        NoticeKind::DisputeWon => Some(FactKind::DisputeWon),
        NoticeKind::DisputeLost => Some(FactKind::DisputeLost),
        NoticeKind::PaymentReversed => Some(FactKind::Reversal),
        NoticeKind::PaymentReversalCanceled => Some(FactKind::ReversalCancellation),
        NoticeKind::SubscriptionCreated
        | NoticeKind::SubscriptionActivated
        | NoticeKind::SubscriptionRenewed
        | NoticeKind::SubscriptionPaymentFailed
        | NoticeKind::SubscriptionPastDue
        | NoticeKind::SubscriptionSuspended
        | NoticeKind::SubscriptionCanceled
        | NoticeKind::SubscriptionExpired
        | NoticeKind::SubscriptionChanged => None,
    }
}

impl FactKind {
    /// Whether this moves money between the gateway and us after the payment itself: each such
    /// movement has a document of its own.
    pub const fn corrects(self) -> bool {
        match self {
            Self::Refund
            | Self::RefundFailure
            | Self::Reversal
            | Self::ReversalCancellation
            | Self::DisputeLost => true,
            Self::Pending
            | Self::Settlement
            | Self::Failure
            | Self::Expiry
            | Self::Dispute
            | Self::DisputeWon => false,
        }
    }

    /// Whether money goes away from us by this.
    pub const fn takes_back(self) -> bool {
        matches!(self, Self::Refund | Self::Reversal | Self::DisputeLost)
    }

    /// Whether a payment can have this said of it once only, whatever the movement.
    pub const fn once(self) -> bool {
        match self {
            Self::Pending | Self::Settlement | Self::Failure | Self::Expiry => true,
            Self::Refund
            | Self::RefundFailure
            | Self::Reversal
            | Self::ReversalCancellation
            | Self::Dispute
            | Self::DisputeWon
            | Self::DisputeLost => false,
        }
    }
}

/// The status of a payment from its facts: the same for every order of arrival.
///
/// Settlement outranks failure and failure outranks pending, because a gateway says "failed"
/// of an attempt that was retried, and never "paid" of money that did not come.
pub fn sum(facts: &[Fact]) -> Sum {
    let total = |kind: FactKind| -> i64 {
        let amounts = facts.iter().filter(|fact| fact.kind == kind).map(|fact| fact.amount_minor);
        amounts.fold(0, i64::saturating_add)
    };
    let has = |kind: FactKind| facts.iter().any(|fact| fact.kind == kind);
    let closed = |case: &str| {
        facts
            .iter()
            .any(|f| matches!(f.kind, FactKind::DisputeWon | FactKind::DisputeLost) && f.movement_ref == case)
    };
    let disputed = facts.iter().any(|fact| fact.kind == FactKind::Dispute && !closed(&fact.movement_ref));

    let settled = total(FactKind::Settlement);
    let refunded = total(FactKind::Refund).saturating_sub(total(FactKind::RefundFailure)).max(0);
    let pulled = total(FactKind::Reversal).saturating_add(total(FactKind::DisputeLost));
    let reversed = pulled.saturating_sub(total(FactKind::ReversalCancellation)).max(0);

    let status = if has(FactKind::Settlement) {
        if refunded >= settled && refunded > 0 {
            PaymentStatus::Refunded
        } else if refunded.saturating_add(reversed) >= settled && reversed > 0 {
            PaymentStatus::Reversed
        } else if disputed {
            PaymentStatus::Disputed
        } else if refunded.saturating_add(reversed) > 0 {
            PaymentStatus::PartlyRefunded
        } else {
            PaymentStatus::Settled
        }
    } else if has(FactKind::Failure) {
        PaymentStatus::Failed
    } else if has(FactKind::Expiry) {
        PaymentStatus::Expired
    } else if has(FactKind::Pending) {
        PaymentStatus::Pending
    } else {
        PaymentStatus::Initiated
    };
    Sum { status, settled_minor: settled, refunded_minor: refunded, reversed_minor: reversed }
}

impl Payment {
    /// What an amount of this payment counts for in an order that is due in perhaps another
    /// currency. Nothing is converted at any rate: a payment in another currency was let through
    /// by a person, who took it as the whole.
    pub fn counts_for(&self, due: Money, minor: i64) -> i64 {
        if self.currency == due.currency {
            return minor;
        }
        let share = i128::from(due.minor) * i128::from(minor) / i128::from(self.settled_minor.max(1));
        i64::try_from(share).unwrap_or(i64::MAX)
    }
}

/// What all payments of an order amount to for the order.
pub fn standing(due: Money, payments: &[Payment]) -> Standing {
    use PaymentStatus as S;
    let over = |s: S| matches!(s, S::Failed | S::Expired);
    let total = |minor: fn(&Payment) -> i64| {
        payments.iter().map(|p| p.counts_for(due, minor(p))).fold(0, i64::saturating_add)
    };
    Standing {
        settled_minor: total(|p| p.settled_minor),
        returned_minor: total(|p| p.returned_minor),
        pending: payments.iter().any(|p| p.status == S::Pending),
        failed: !payments.is_empty() && payments.iter().all(|p| over(p.status)),
    }
}

/// What an order's buyer is entitled to, by the order's status and who took the money back.
pub fn access(status: OrderStatus, payments: &[Payment]) -> Option<Access> {
    let pulled_back = payments.iter().any(|payment| payment.status == PaymentStatus::Reversed);
    match status {
        OrderStatus::AwaitingPayment => None,
        OrderStatus::Pending => Some(Access::Provisional),
        OrderStatus::Paid => Some(Access::Open),
        OrderStatus::Refunded if pulled_back => Some(Access::OnHold),
        OrderStatus::Refunded => Some(Access::Ended),
        OrderStatus::Void => Some(Access::Withheld),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(kind: FactKind, movement: &str, amount_minor: i64) -> Fact {
        Fact {
            id: FactId::from_bits(1),
            kind,
            movement_ref: movement.to_owned(),
            amount_minor,
            currency: Currency::EUR,
            detail: String::new(),
            notice: NoticeId::from_bits(1),
            occurred_at: Timestamp::from_seconds(0),
        }
    }

    fn permutations(items: &[Fact]) -> Vec<Vec<Fact>> {
        if items.len() <= 1 {
            return vec![items.to_vec()];
        }
        (0..items.len())
            .flat_map(|at| {
                let mut rest = items.to_vec();
                let first = rest.remove(at);
                permutations(&rest).into_iter().map(move |tail| [vec![first.clone()], tail].concat())
            })
            .collect()
    }

    #[test]
    fn the_status_does_not_depend_on_the_order_of_arrival() {
        use FactKind as F;
        let facts = [
            fact(F::Pending, "", 0),
            fact(F::Settlement, "", 1000),
            fact(F::Reversal, "R1", 1000),
            fact(F::ReversalCancellation, "R2", 1000),
            fact(F::Refund, "R3", 400),
        ];
        let sums: Vec<Sum> = permutations(&facts).iter().map(|order| sum(order)).collect();
        assert_eq!(sums.len(), 120);
        assert!(sums.iter().all(|each| *each == sums[0]));
        assert_eq!(sums[0].status, PaymentStatus::PartlyRefunded);
    }

    #[test]
    fn an_e_check_that_cleared_is_settled_whatever_was_said_before() {
        let facts = [
            fact(FactKind::Pending, "", 0),
            fact(FactKind::Failure, "", 0),
            fact(FactKind::Settlement, "", 5),
        ];
        assert_eq!(sum(&facts).status, PaymentStatus::Settled);
    }

    #[test]
    fn parts_that_sum_to_the_whole_are_a_whole_refund() {
        use FactKind as F;
        let facts = [fact(F::Settlement, "", 1000), fact(F::Refund, "a", 600), fact(F::Refund, "b", 400)];
        assert_eq!(sum(&facts).status, PaymentStatus::Refunded);
        assert_eq!(sum(&facts[..2]).status, PaymentStatus::PartlyRefunded);
    }

    fn payment(currency: Currency, settled_minor: i64, returned_minor: i64) -> Payment {
        Payment {
            id: PaymentId::from_bits(1),
            merchant: MerchantId::from_bits(1),
            connection: ConnectionId::from_bits(1),
            gateway_ref: "T".to_owned(),
            order: None,
            status: PaymentStatus::Settled,
            currency,
            settled_minor,
            returned_minor,
            fee_minor: None,
            created_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn a_payment_in_another_currency_counts_as_the_whole_and_goes_back_in_proportion() {
        let due = Money::new(1000, Currency::EUR);
        let dollars = payment(Currency::USD, 1200, 300);
        let counted = standing(due, &[dollars]);
        assert_eq!((counted.settled_minor, counted.returned_minor), (1000, 250));
        let nothing = standing(due, &[payment(Currency::USD, 0, 0)]);
        assert_eq!((nothing.settled_minor, nothing.returned_minor), (0, 0));
    }

    #[test]
    fn a_refund_without_its_payment_waits() {
        let facts = [fact(FactKind::Refund, "a", 600)];
        assert_eq!(sum(&facts).status, PaymentStatus::Initiated);
        assert_eq!(sum(&facts).returned_minor(), 0);
    }
}
