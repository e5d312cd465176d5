//! Receiving, judging and applying notices.

use std::collections::BTreeMap;

use db::{DbError, Inserted};
use gateways::{Found, Notice, NoticeKind, RawPost};
use kernel::{Money, NoticeId, OrderId, Span};

use super::matching::{self, Cover};
use super::store::{self, Decision};
use super::{NoticeState, Stored, pack, seal_context, transport_key};
use crate::connections::Connection;
use crate::cx::Cx;
use crate::events;
use crate::jobs::{self, Claimed, Work};
use crate::orders::{self, Order};
use crate::payments::flow::Told;
use crate::payments::{self, Payment};
use crate::problem::Flow;
use crate::reviews::{self, ReviewKind};

/// So many unconfirmed notices of one connection may wait; beyond that the gateway is asked to
/// come again, or a flood of forgeries would fill the disk.
pub const RECEIVED_MAX: i64 = 20_000;

/// So many forgeries of one connection are kept, the newest: enough to see what goes on, and to
/// judge again what a gateway disowned by mistake.
pub const FORGED_KEPT: u32 = 2_000;

/// What came of storing a post.
#[derive(Debug, Clone)]
pub enum Receipt {
    /// It is new. The job that verifies it is in the caller's hands.
    New(Claimed),
    /// The same bytes were there already.
    Known,
    /// Too many wait already; nothing was stored.
    Full,
}

/// Stores a post. After the commit the gateway may hear 200.
pub fn receive(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    post: &RawPost,
    address: &str,
) -> Result<Receipt, DbError> {
    let id = NoticeId::mint(cx.draws);
    let notice = Stored {
        id,
        merchant: cx.merchant,
        connection: connection.id,
        state: NoticeState::Received,
        reason: String::new(),
        summary: serde_json::json!({}),
        raw_sealed: Some(cx.ring.seal(&seal_context(id), cx.draws.nonce(), &pack(post))),
        address: address.to_owned(),
        order: None,
        copies: 1,
        received_at: cx.now,
        verified_at: None,
        decided_at: None,
    };
    let key = transport_key(post);
    if store::insert(cx.tx, &notice, key)? == Inserted::New {
        let work = Work::VerifyNotice { merchant: cx.merchant, notice: id };
        return Ok(Receipt::New(jobs::flow::enqueue_claimed(cx, &work)?));
    }
    // A repetition re-arms a notice that still waits and whose job was buried. One that is
    // underway stays alone: a second would take the place of a person's acceptance.
    if let Some((known, NoticeState::Received)) = store::count_copy(cx.tx, cx.merchant, connection.id, key)? {
        let work = Work::VerifyNotice { merchant: cx.merchant, notice: known };
        if !jobs::store::is_underway(cx.tx, &work)? {
            jobs::flow::enqueue(cx, &work)?;
        }
    }
    Ok(Receipt::Known)
}

/// Puts a document that the gateway gave when it was asked into the inbox. It needs no verifying:
/// who answered was known by then.
pub fn receive_found(cx: &mut Cx<'_, '_>, connection: &Connection, found: Found) -> Result<(), DbError> {
    let post = found.into_post(cx.now);
    let id = NoticeId::mint(cx.draws);
    let notice = Stored {
        id,
        merchant: cx.merchant,
        connection: connection.id,
        state: NoticeState::Received,
        reason: String::new(),
        summary: serde_json::json!({}),
        raw_sealed: Some(cx.ring.seal(&seal_context(id), cx.draws.nonce(), &pack(&post))),
        address: String::new(),
        order: None,
        copies: 1,
        received_at: cx.now,
        verified_at: Some(cx.now),
        decided_at: None,
    };
    if store::insert(cx.tx, &notice, transport_key(&post))? == Inserted::New {
        jobs::flow::enqueue(cx, &Work::VerifyNotice { merchant: cx.merchant, notice: id })?;
    }
    Ok(())
}

/// Whether an authentic notice is matched strictly, or a person has accepted it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Every check counts.
    Verify,
    /// Receiver, mode, amount and currency were looked at by a person.
    Accepted,
}

/// Records that a notice is not its gateway's word. Nothing else changes, and the notice itself is
/// the record: whoever posts nonsense must not be able to fill the log.
pub fn reject(cx: &mut Cx<'_, '_>, id: NoticeId, why: &str) -> Result<(), DbError> {
    let decision = Decision {
        state: NoticeState::Forged,
        reason: why.to_owned(),
        summary: serde_json::json!({}),
        order: None,
        waits_for: None,
        verified_at: None,
    };
    store::decide(cx.tx, cx.merchant, id, &decision, cx.now)?;
    store::drop_forged(cx.tx, cx.merchant, id, FORGED_KEPT)
}

/// Applies what an authentic notice states. Runs in one transaction with the end of its job;
/// running it again changes nothing.
pub fn apply(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    statements: &[Notice],
    trust: Trust,
) -> Flow<NoticeState> {
    let applied = consider(cx, connection, id, statements, trust)?;
    conclude(cx, connection, id, statements, applied)
}

/// Applies the statements, and answers what the notice as a whole amounts to.
pub(super) fn consider(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    statements: &[Notice],
    trust: Trust,
) -> Flow<Applied> {
    let mut worst: Option<Applied> = None;
    let mut order = None;
    for stated in statements {
        let outcome = apply_one(cx, connection, id, stated, trust)?;
        order = outcome.order.or(order);
        if worst.as_ref().is_none_or(|worst| outcome.rank() > worst.rank()) {
            worst = Some(outcome);
        }
    }
    let worst = worst.unwrap_or_else(|| Applied::ignored("authentic, and of no interest here"));
    Ok(Applied { order, ..worst })
}

/// Writes down what a notice amounts to, and has judged again what waited for it.
pub(super) fn conclude(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    statements: &[Notice],
    applied: Applied,
) -> Flow<NoticeState> {
    let decision = Decision {
        state: applied.state,
        reason: applied.reason,
        summary: summary(statements),
        order: applied.order,
        waits_for: applied.waits_for,
        verified_at: Some(cx.now),
    };
    store::decide(cx.tx, cx.merchant, id, &decision, cx.now)?;
    if decision.state == NoticeState::Applied {
        rearm_waiting(cx, connection, statements)?;
    }
    if decision.state == NoticeState::Quarantined {
        let detail = serde_json::json!({ "why": decision.reason });
        events::flow::record(cx, decision.order, id, "notice.quarantined", detail)?;
    }
    Ok(decision.state)
}

/// What waited for a payment can be understood now that the payment was announced.
fn rearm_waiting(cx: &mut Cx<'_, '_>, connection: &Connection, statements: &[Notice]) -> Result<(), DbError> {
    for payment in statements.iter().filter_map(|stated| stated.payment_id.as_deref()) {
        for notice in store::waiting_for(cx.tx, cx.merchant, connection.id, payment)? {
            let work = Work::VerifyNotice { merchant: cx.merchant, notice };
            jobs::flow::enqueue(cx, &work)?;
        }
    }
    Ok(())
}

/// What applying a notice came to.
pub(super) struct Applied {
    pub(super) state: NoticeState,
    pub(super) reason: String,
    order: Option<OrderId>,
    waits_for: Option<String>,
}

impl Applied {
    fn ended(state: NoticeState, reason: impl Into<String>, order: Option<OrderId>) -> Self {
        Self { state, reason: reason.into(), order, waits_for: None }
    }

    fn quarantined(reason: impl Into<String>, order: Option<OrderId>) -> Self {
        Self::ended(NoticeState::Quarantined, reason, order)
    }

    pub(super) fn ignored(reason: &str) -> Self {
        Self::ended(NoticeState::Ignored, reason, None)
    }

    fn waiting(reason: String, payment: &str) -> Self {
        Self { waits_for: Some(payment.to_owned()), ..Self::ended(NoticeState::Unmatched, reason, None) }
    }

    /// In a batch the notice shows what most needs a person.
    const fn rank(&self) -> u8 {
        match self.state {
            NoticeState::Quarantined => 3,
            NoticeState::Unmatched => 2,
            NoticeState::Applied => 1,
            NoticeState::Received | NoticeState::Ignored | NoticeState::Refused | NoticeState::Forged => 0,
        }
    }
}

fn apply_one(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    stated: &Notice,
    trust: Trust,
) -> Flow<Applied> {
    if payments::fact_kind(stated.kind).is_none() {
        return Ok(Applied::ignored("authentic, and about a subscription that was not sold here"));
    }
    let Some(gateway_ref) = stated.payment_id.clone() else {
        return Ok(Applied::quarantined("it does not name the payment that it is about", None));
    };
    if trust == Trust::Verify
        && let Err(why) = matching::addressed_to(stated, connection)
    {
        return Ok(Applied::quarantined(why, None));
    }
    let referred = stated.merchant_ref.as_deref().and_then(|text| text.parse::<OrderId>().ok());
    let known = payments::store::order_of_ref(cx.tx, cx.merchant, connection.id, &gateway_ref)?;
    if let (Some(known), Some(referred)) = (known, referred)
        && known != referred
    {
        return reused(cx, connection, id, stated, trust, (&gateway_ref, known, referred));
    }
    let order = match known.or(referred) {
        Some(wanted) => orders::store::lock(cx.tx, cx.merchant, wanted)?,
        None => None,
    };
    match order {
        Some(order) => about_order(cx, connection, id, stated, trust, (order, &gateway_ref)),
        None if matching::brings_money(stated.kind) => {
            about_button(cx, connection, id, stated, trust, &gateway_ref)
        }
        None => about_unknown(cx, connection, id, stated, trust, &gateway_ref),
    }
}

/// A transaction that has paid one order is told of with the reference of another. Whoever accepts
/// that has the other delivered too, and the books say that no money came for it.
fn reused(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    stated: &Notice,
    trust: Trust,
    (gateway_ref, paid, referred): (&str, OrderId, OrderId),
) -> Flow<Applied> {
    if trust == Trust::Verify {
        let text = format!("transaction {gateway_ref} has paid another order, {paid}");
        return Ok(Applied::quarantined(text, Some(referred)));
    }
    if stated.kind == NoticeKind::PaymentPaid
        && let Some(mut other) = orders::store::lock(cx.tx, cx.merchant, referred)?
    {
        orders::money::give_away(cx, &mut other, id)?;
        let text = format!("delivered without money: transaction {gateway_ref} had paid {paid}");
        return Ok(Applied::ended(NoticeState::Applied, text, Some(referred)));
    }
    let order = made_meanwhile(cx, paid)?;
    about_order(cx, connection, id, stated, trust, (order, gateway_ref))
}

/// A statement without an amount, taken by a person as it is: all that is due was paid, or all
/// that was left went back.
fn with_the_whole(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    stated: &Notice,
    (order, gateway_ref): (&Order, &str),
) -> Result<Option<Notice>, DbError> {
    let whole = if matching::brings_money(stated.kind) {
        order.due()
    } else {
        let payment = payments::flow::take(cx, connection.id, gateway_ref, order.currency, Some(order.id))?;
        let gives_back =
            matches!(stated.kind, NoticeKind::RefundFailed | NoticeKind::PaymentReversalCanceled);
        let kept = payment.settled_minor.saturating_sub(payment.returned_minor);
        Money::new(if gives_back { payment.returned_minor } else { kept }, payment.currency)
    };
    Ok((whole.minor > 0).then(|| Notice { amount: Some(whole), ..stated.clone() }))
}

fn about_order(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    stated: &Notice,
    trust: Trust,
    (mut order, gateway_ref): (Order, &str),
) -> Flow<Applied> {
    let mut assumed = None;
    if matching::moves_money(stated.kind) && stated.amount.is_none() {
        if trust == Trust::Accepted {
            assumed = with_the_whole(cx, connection, stated, (&order, gateway_ref))?;
        }
        if assumed.is_none() {
            return Ok(Applied::quarantined("it names no amount", Some(order.id)));
        }
    }
    let stated = assumed.as_ref().unwrap_or(stated);
    let mut cover = Cover::Exact;
    match matching::fits(stated, &order, connection.id) {
        Ok(covered) => cover = covered,
        Err(why) if trust == Trust::Verify => return Ok(Applied::quarantined(why, Some(order.id))),
        Err(_) => {}
    }
    let currency = stated.amount.map_or(order.currency, |amount| amount.currency);
    let of = (currency, order.id);
    let recorded = match payments::flow::tell(cx, connection.id, gateway_ref, of, (id, stated))? {
        Told::New(recorded) => recorded,
        Told::Known(payment) => match of_this_order(&payment, stated, &order) {
            Err(why) => return Ok(Applied::quarantined(why, Some(order.id))),
            Ok(()) => payments::flow::state(cx, Payment { order: Some(order.id), ..payment }, id, stated)?,
        },
    };
    let paid_before = order.paid_at.is_some();
    let Some(fact) = recorded.fact.clone() else {
        return Ok(Applied::ended(NoticeState::Applied, "said before; nothing changed", Some(order.id)));
    };
    if stated.kind == NoticeKind::PaymentPaid {
        if let Cover::Surplus(surplus) = cover {
            let text = format!("{surplus} more than due was paid");
            reviews::flow::ask(cx, ReviewKind::Surplus, order.id, id, text)?;
        }
        if paid_before {
            let text = format!("transaction {gateway_ref} pays an order that was paid already");
            reviews::flow::ask(cx, ReviewKind::PaidTwice, order.id, id, text)?;
        }
    }
    orders::money::follow_money(cx, &mut order, stated, (&recorded, &fact), trust)?;
    Ok(Applied::ended(NoticeState::Applied, "", Some(order.id)))
}

/// Whether a payment that was there already can be this order's.
fn of_this_order(payment: &Payment, stated: &Notice, order: &Order) -> Result<(), String> {
    let gateway_ref = &payment.gateway_ref;
    if payment.order.is_some_and(|paid| paid != order.id) {
        return Err(format!("transaction {gateway_ref} has paid another order"));
    }
    match stated.amount.map(|amount| amount.currency).filter(|currency| *currency != payment.currency) {
        Some(other) => {
            Err(format!("it is in {other}, and transaction {gateway_ref} is in {}", payment.currency))
        }
        None => Ok(()),
    }
}

/// Money for a product of ours without an order of ours: a button on another site.
fn about_button(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    stated: &Notice,
    trust: Trust,
    gateway_ref: &str,
) -> Flow<Applied> {
    let amount = match stated.amount {
        Some(amount) => amount,
        None if trust == Trust::Accepted => orders::button::asked_for(cx, stated)?,
        None => return Ok(Applied::quarantined("it names no amount", None)),
    };
    let plan = match orders::button::plan(cx, stated, amount, trust)? {
        Ok(plan) => plan,
        Err(why) => return Ok(Applied::quarantined(why, None)),
    };
    // Holding the payment's row first keeps two notices of one payment from making two orders.
    let payment = payments::flow::take(cx, connection.id, gateway_ref, amount.currency, None)?;
    let order = match payment.order {
        Some(made) => made_meanwhile(cx, made)?,
        None => orders::button::make(cx, connection, stated, &plan)?,
    };
    about_order(cx, connection, id, stated, trust, (order, gateway_ref))
}

/// The order that another notice of the same payment made while this one waited for its row.
fn made_meanwhile(cx: &mut Cx<'_, '_>, order: OrderId) -> Result<Order, DbError> {
    let made = orders::store::lock(cx.tx, cx.merchant, order)?;
    made.ok_or_else(|| DbError::NotFound(order.to_string()))
}

/// Something about a payment of which nothing is known yet: the fact is kept, and counts when
/// the payment itself is announced.
fn about_unknown(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    id: NoticeId,
    stated: &Notice,
    trust: Trust,
    gateway_ref: &str,
) -> Flow<Applied> {
    let over = matches!(stated.kind, NoticeKind::PaymentFailed | NoticeKind::PaymentExpired);
    let Some(amount) = stated.amount else {
        if over {
            return Ok(Applied::ignored(NEVER_BEGAN));
        }
        let text = format!("it is about transaction {gateway_ref}, of which nothing is known");
        return Ok(Applied::waiting(text, gateway_ref));
    };
    let payment = payments::flow::take(cx, connection.id, gateway_ref, amount.currency, None)?;
    if let Some(made) = payment.order {
        let order = made_meanwhile(cx, made)?;
        return about_order(cx, connection, id, stated, trust, (order, gateway_ref));
    }
    if amount.currency != payment.currency {
        let text = format!(
            "it is in {}, and what else is known of transaction {gateway_ref} is in {}",
            amount.currency, payment.currency
        );
        return Ok(Applied::quarantined(text, None));
    }
    let recorded = payments::flow::state(cx, payment, id, stated)?;
    if let Some(fact) = &recorded.fact {
        orders::money::record(cx, None, &recorded.payment, fact, "")?;
    }
    if over {
        return Ok(Applied::ignored(NEVER_BEGAN));
    }
    Ok(Applied::waiting(format!("kept until transaction {gateway_ref} itself is announced"), gateway_ref))
}

/// A button's buyer whose card was refused owes nothing and is owed nothing.
const NEVER_BEGAN: &str = "authentic: a payment came to nothing before anything was known of it";

/// Sets a notice aside for a person.
pub fn quarantine(cx: &mut Cx<'_, '_>, id: NoticeId, why: &str) -> Result<(), DbError> {
    let Some(notice) = store::lock(cx.tx, cx.merchant, id)? else { return Ok(()) };
    let decision = Decision {
        state: NoticeState::Quarantined,
        reason: why.to_owned(),
        summary: notice.summary,
        order: notice.order,
        waits_for: None,
        // Only what its gateway has confirmed comes so far.
        verified_at: notice.verified_at.or(Some(cx.now)),
    };
    store::decide(cx.tx, cx.merchant, id, &decision, cx.now)?;
    let detail = serde_json::json!({ "why": why });
    events::flow::record(cx, notice.order, id, "notice.quarantined", detail).map(drop)
}

/// A notice waits so long for the payment that it is about; gateways repeat for four days.
pub const WAITING_FOR_PAYMENT_MAX: Span = Span::days(5);

/// Sets aside what has waited too long for its payment.
pub fn give_up_waiting(cx: &mut Cx<'_, '_>) -> Result<(), DbError> {
    for (merchant, id) in store::waiting_since(cx.tx, cx.now - WAITING_FOR_PAYMENT_MAX)? {
        cx.merchant = merchant;
        quarantine(cx, id, "the payment that it is about was never announced")?;
    }
    Ok(())
}

fn summary(statements: &[Notice]) -> serde_json::Value {
    let one = |stated: &Notice| {
        let mut fields: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
        fields.insert("kind", serde_json::json!(stated.kind));
        fields.insert("status", serde_json::json!(stated.status));
        fields.insert("payment", serde_json::json!(stated.payment_id));
        fields.insert("movement", serde_json::json!(stated.movement_id));
        fields.insert("amount", serde_json::json!(stated.amount.map(|amount| amount.to_string())));
        fields.insert("skus", stated.lines.iter().map(|line| line.sku.clone()).collect());
        fields
    };
    serde_json::json!({ "statements": statements.iter().map(one).collect::<Vec<_>>() })
}
