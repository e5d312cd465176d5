//! Recording what a gateway stated of a payment.

use db::{DbError, Inserted};
use gateways::Notice;
use kernel::{ConnectionId, Currency, FactId, NoticeId, OrderId, PaymentId, TransferId};

use super::{Fact, FactKind, Payment, PaymentStatus, fact_kind, store, sum};
use crate::cx::Cx;

/// What recording a statement changed.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The payment as it is now.
    pub payment: Payment,
    /// The fact, if it is new.
    pub fact: Option<Fact>,
}

/// The payment with this gateway id, made if it is new, and held for this transaction.
pub fn take(
    cx: &mut Cx<'_, '_>,
    connection: ConnectionId,
    gateway_ref: &str,
    currency: Currency,
    order: Option<OrderId>,
) -> Result<Payment, DbError> {
    let payment = Payment {
        id: PaymentId::mint(cx.draws),
        merchant: cx.merchant,
        connection,
        gateway_ref: gateway_ref.to_owned(),
        order,
        status: PaymentStatus::Initiated,
        currency,
        settled_minor: 0,
        returned_minor: 0,
        fee_minor: None,
        created_at: cx.now,
    };
    if store::insert(cx.tx, &payment)? == Inserted::New {
        return Ok(payment);
    }
    let known = store::lock_by_ref(cx.tx, cx.merchant, connection, gateway_ref)?;
    known.ok_or_else(|| DbError::NotFound(format!("payment {gateway_ref}")))
}

/// Records a statement as a fact and works out what the payment amounts to.
pub fn state(
    cx: &mut Cx<'_, '_>,
    mut payment: Payment,
    notice: NoticeId,
    stated: &Notice,
) -> Result<Recorded, DbError> {
    let Some(kind) = fact_kind(stated.kind) else {
        return Ok(Recorded { payment, fact: None });
    };
    let movement = stated.movement_id.as_deref().or(stated.event_id.as_deref()).unwrap_or("-");
    let fact = Fact {
        id: FactId::mint(cx.draws),
        kind,
        movement_ref: if kind.once() { String::new() } else { movement.to_owned() },
        amount_minor: stated.amount.map_or(0, |amount| amount.minor),
        currency: payment.currency,
        detail: stated.status.clone(),
        notice,
        occurred_at: stated.occurred_at.unwrap_or(cx.now),
    };
    let new = store::insert_fact(cx.tx, cx.merchant, payment.id, &fact, cx.now)? == Inserted::New;
    if new {
        move_money(cx, &payment, &fact)?;
        add_up(cx, &mut payment)?;
        if kind == FactKind::Settlement {
            payment.fee_minor = stated.fee.map(|fee| fee.minor);
        }
    }
    // What was said before changes nothing, not even the time of the last change.
    let stored = if new {
        None
    } else {
        Some(store::order_of_ref(cx.tx, cx.merchant, payment.connection, &payment.gateway_ref)?)
    };
    if stored.is_none_or(|order| order != payment.order) {
        store::save(cx.tx, &payment, cx.now)?;
    }
    Ok(Recorded { payment, fact: new.then_some(fact) })
}

fn add_up(cx: &mut Cx<'_, '_>, payment: &mut Payment) -> Result<(), DbError> {
    let amounts = sum(&store::facts(cx.tx, cx.merchant, payment.id)?);
    payment.status = amounts.status;
    payment.settled_minor = amounts.settled_minor;
    payment.returned_minor = amounts.returned_minor();
    Ok(())
}

/// Ends the cases that a notice opened, because a person has dealt with them: some gateways, PayPal
/// among them, never tell how a case ended. What money it cost they tell in notices of their own.
pub fn close_cases(cx: &mut Cx<'_, '_>, opened_by: NoticeId) -> Result<Vec<(Payment, Fact)>, DbError> {
    let mut closed = Vec::new();
    for (connection, gateway_ref, case) in store::cases_of_notice(cx.tx, cx.merchant, opened_by)? {
        let Some(mut payment) = store::lock_by_ref(cx.tx, cx.merchant, connection, &gateway_ref)? else {
            continue;
        };
        let fact = Fact {
            id: FactId::mint(cx.draws),
            kind: FactKind::DisputeWon,
            movement_ref: case,
            amount_minor: 0,
            currency: payment.currency,
            detail: "closed by staff".to_owned(),
            notice: opened_by,
            occurred_at: cx.now,
        };
        if store::insert_fact(cx.tx, cx.merchant, payment.id, &fact, cx.now)? == Inserted::New {
            add_up(cx, &mut payment)?;
            store::save(cx.tx, &payment, cx.now)?;
            closed.push((payment, fact));
        }
    }
    Ok(closed)
}

fn move_money(cx: &mut Cx<'_, '_>, payment: &Payment, fact: &Fact) -> Result<(), DbError> {
    if fact.amount_minor == 0 {
        return Ok(());
    }
    let (gateway, ours) = (payment.connection.to_string(), payment.id.to_string());
    let accounts = match fact.kind {
        FactKind::Settlement | FactKind::RefundFailure | FactKind::ReversalCancellation => (&gateway, &ours),
        FactKind::Refund | FactKind::Reversal | FactKind::DisputeLost => (&ours, &gateway),
        FactKind::Pending
        | FactKind::Failure
        | FactKind::Expiry
        | FactKind::Dispute
        | FactKind::DisputeWon => {
            return Ok(());
        }
    };
    let id = TransferId::mint(cx.draws);
    store::insert_transfer(cx.tx, id, payment, fact, (accounts.0, accounts.1), cx.now)
}
