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
    /// Whether anything had been said of the payment before.
    pub known: bool,
}

/// A payment that was told of.
#[derive(Debug)]
pub enum Told {
    /// It is new, and what was stated of it is recorded.
    New(Recorded),
    /// It was there, is held for this transaction, and nothing is recorded yet.
    Known(Payment),
}

/// The payment with this gateway id, made if it is new, and held for this transaction.
pub fn take(
    cx: &mut Cx<'_, '_>,
    connection: ConnectionId,
    gateway_ref: &str,
    currency: Currency,
    order: Option<OrderId>,
) -> Result<Payment, DbError> {
    let payment = initiated(cx, connection, gateway_ref, currency, order);
    if store::insert(cx.tx, &payment)? == Inserted::New {
        return Ok(payment);
    }
    known(cx, connection, gateway_ref)
}

/// The same for a payment of an order, of which something is stated. Most payments are new, and then
/// what they amount to is written with them.
pub fn tell(
    cx: &mut Cx<'_, '_>,
    connection: ConnectionId,
    gateway_ref: &str,
    (currency, order): (Currency, OrderId),
    (notice, stated): (NoticeId, &Notice),
) -> Result<Told, DbError> {
    let mut payment = initiated(cx, connection, gateway_ref, currency, Some(order));
    let Some(fact) = fact_of(cx, &payment, notice, stated) else {
        return take(cx, connection, gateway_ref, currency, Some(order)).map(Told::Known);
    };
    amounts_to(&mut payment, std::slice::from_ref(&fact));
    note_fee(&mut payment, &fact, stated);
    if store::insert(cx.tx, &payment)? == Inserted::Existing {
        return known(cx, connection, gateway_ref).map(Told::Known);
    }
    store::insert_fact(cx.tx, cx.merchant, payment.id, &fact, cx.now)?;
    move_money(cx, &payment, &fact)?;
    Ok(Told::New(Recorded { payment, fact: Some(fact), known: false }))
}

fn initiated(
    cx: &mut Cx<'_, '_>,
    connection: ConnectionId,
    gateway_ref: &str,
    currency: Currency,
    order: Option<OrderId>,
) -> Payment {
    Payment {
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
    }
}

fn known(cx: &mut Cx<'_, '_>, connection: ConnectionId, gateway_ref: &str) -> Result<Payment, DbError> {
    let known = store::lock_by_ref(cx.tx, cx.merchant, connection, gateway_ref)?;
    known.ok_or_else(|| DbError::NotFound(format!("payment {gateway_ref}")))
}

fn fact_of(cx: &mut Cx<'_, '_>, payment: &Payment, notice: NoticeId, stated: &Notice) -> Option<Fact> {
    let kind = fact_kind(stated.kind)?;
    let movement = stated.movement_id.as_deref().or(stated.event_id.as_deref()).unwrap_or("-");
    Some(Fact {
        id: FactId::mint(cx.draws),
        kind,
        movement_ref: if kind.once() { String::new() } else { movement.to_owned() },
        amount_minor: stated.amount.map_or(0, |amount| amount.minor),
        currency: payment.currency,
        detail: stated.status.clone(),
        notice,
        occurred_at: stated.occurred_at.unwrap_or(cx.now),
    })
}

fn note_fee(payment: &mut Payment, fact: &Fact, stated: &Notice) {
    if fact.kind == FactKind::Settlement {
        payment.fee_minor = stated.fee.map(|fee| fee.minor);
    }
}

/// Records a statement as a fact and works out what the payment amounts to.
pub fn state(
    cx: &mut Cx<'_, '_>,
    mut payment: Payment,
    notice: NoticeId,
    stated: &Notice,
) -> Result<Recorded, DbError> {
    let Some(fact) = fact_of(cx, &payment, notice, stated) else {
        return Ok(Recorded { payment, fact: None, known: true });
    };
    let new = store::insert_fact(cx.tx, cx.merchant, payment.id, &fact, cx.now)? == Inserted::New;
    if new {
        move_money(cx, &payment, &fact)?;
        add_up(cx, &mut payment)?;
        note_fee(&mut payment, &fact, stated);
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
    Ok(Recorded { payment, fact: new.then_some(fact), known: true })
}

fn add_up(cx: &mut Cx<'_, '_>, payment: &mut Payment) -> Result<(), DbError> {
    amounts_to(payment, &store::facts(cx.tx, cx.merchant, payment.id)?);
    Ok(())
}

fn amounts_to(payment: &mut Payment, facts: &[Fact]) {
    let amounts = sum(facts);
    payment.status = amounts.status;
    payment.settled_minor = amounts.settled_minor;
    payment.returned_minor = amounts.returned_minor();
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
