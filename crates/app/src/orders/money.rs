//! What money does to orders: status, units, access, messages and documents follow from the facts
//! of all its payments, whatever the order in which they came.

use db::DbError;
use gateways::Notice;
use kernel::{CustomerId, Money, NoticeId, OrderId, Span};

use super::{Line, LineKind, Order, OrderStatus, Turn, follow, store};
use crate::archives;
use crate::customers::{self, Customer};
use crate::cx::Cx;
use crate::events;
use crate::fulfillment::{self, Access};
use crate::messages::flow::Recipient;
use crate::messages::{self, MessageKind};
use crate::notices::flow::Trust;
use crate::payments::flow::Recorded;
use crate::payments::{self, Fact, FactKind, Payment};
use crate::problem::{Code, Flow, Problem};
use crate::products;
use crate::reviews::{self, ReviewKind};

/// Money that comes for a void order after so long is shown to a person: until then it is a buyer
/// who tried again.
const LATE: Span = Span::days(1);

/// What has just become known, and what it amounts to.
struct News<'a> {
    fact: &'a Fact,
    cause: String,
    /// What the buyer is entitled to from now on.
    access: Option<Access>,
    /// Where the order stood before.
    before: OrderStatus,
}

/// Draws the consequences of a new fact about an order's money.
pub fn follow_money(
    cx: &mut Cx<'_, '_>,
    order: &mut Order,
    stated: &Notice,
    (recorded, fact): (&Recorded, &Fact),
    trust: Trust,
) -> Flow<()> {
    let payment = &recorded.payment;
    let paid_before = order.paid_at.is_some();
    let all = payments::store::of_order(cx.tx, cx.merchant, order.id)?;
    if trust == Trust::Accepted && fact.kind == FactKind::Settlement {
        let settled_minor = payments::standing(order.due(), &all).settled_minor;
        let missing_minor = order.due_minor.saturating_sub(settled_minor);
        if settled_minor > 0 {
            forgive(cx, order, missing_minor)?;
        }
    }
    let standing = payments::standing(order.due(), &all);
    let (next, turn) = follow(order, standing);
    order.settled_minor = standing.settled_minor;
    order.returned_minor = standing.returned_minor;
    adopt_buyer(order, stated, payment);
    let access = payments::access(next, &all);
    let news = News { fact, cause: fact.id.to_string(), access, before: order.status };
    match turn {
        Turn::Same => same(cx, order, &news)?,
        Turn::BecamePaid => {
            ask_about_late_money(cx, order, &news)?;
            became_paid(cx, order, &news.cause)?;
        }
        Turn::BecamePending => became_pending(cx, order, &news)?,
        Turn::BecameVoid => became_void(cx, order, &news)?,
        Turn::BecameRefunded => became_refunded(cx, order, &news)?,
        Turn::PaidAgain => paid_again(cx, order, &news)?,
    }
    if next == OrderStatus::Paid {
        ask_about_earlier_refund(cx, order, fact)?;
    }
    if order.paid_at.is_some() {
        documents_due(cx, order, recorded, fact, paid_before)?;
    }
    if fact.kind == FactKind::Dispute {
        let text = format!("the payment is disputed ({})", fact.detail);
        reviews::flow::ask(cx, ReviewKind::Dispute, order.id, fact.notice, text)?;
    }
    order.status = next;
    store::save(cx.tx, order)?;
    record(cx, Some(order.id), payment, fact, next.as_str())
}

/// Puts down which movements the job that issues documents has to look at.
fn documents_due(
    cx: &mut Cx<'_, '_>,
    order: &Order,
    recorded: &Recorded,
    fact: &Fact,
    paid_before: bool,
) -> Result<(), DbError> {
    let settled = fact.kind == FactKind::Settlement;
    if settled && recorded.known {
        payments::store::insert_corrections_due(cx.tx, cx.merchant, (order.id, recorded.payment.id), cx.now)?;
    }
    // The first settlement is what the order's invoice is about.
    if fact.kind.corrects() || (settled && paid_before) {
        payments::store::insert_document_due(cx.tx, cx.merchant, order.id, fact.id, cx.now)?;
    }
    Ok(())
}

/// Tells the log of a fact.
pub fn record(
    cx: &mut Cx<'_, '_>,
    order: Option<OrderId>,
    payment: &Payment,
    fact: &Fact,
    status: &str,
) -> Flow<()> {
    let detail = serde_json::json!({
        "fact": fact.kind, "status": status, "gateway": fact.detail, "payment": payment.gateway_ref,
        "amount": Money::new(fact.amount_minor, fact.currency).to_string(),
    });
    events::flow::record(cx, order, payment.id, &format!("payment.{}", fact.kind), detail)?;
    Ok(())
}

/// Delivers an order that no money came for, because a person said so: what is due becomes a discount.
pub fn give_away(cx: &mut Cx<'_, '_>, order: &mut Order, notice: NoticeId) -> Flow<()> {
    match order.status {
        OrderStatus::Paid => return Ok(()),
        OrderStatus::Refunded => {
            let text = "its money went back already; reinstate its lines instead";
            return Err(Problem::conflict(text).into());
        }
        OrderStatus::AwaitingPayment | OrderStatus::Pending | OrderStatus::Void => {}
    }
    let missing_minor = order.due_minor.saturating_sub(order.settled_minor);
    forgive(cx, order, missing_minor)?;
    let amount = Money::new(missing_minor, order.currency).to_string();
    let detail = serde_json::json!({ "amount": amount, "notice": notice });
    let event = events::flow::record(cx, Some(order.id), order.id, "order.given_away", detail)?;
    became_paid(cx, order, &event.to_string())?;
    order.status = OrderStatus::Paid;
    Ok(store::save(cx.tx, order)?)
}

/// Takes what was paid as the whole, because a person did: what is missing becomes a discount,
/// so that lines, dues and documents go on adding up.
fn forgive(cx: &mut Cx<'_, '_>, order: &mut Order, missing_minor: i64) -> Flow<()> {
    if missing_minor <= 0 {
        return Ok(());
    }
    let missing = Money::new(missing_minor, order.currency);
    let parts = missing.allocate(&[order.net_minor, order.tax_minor]).unwrap_or_default();
    let net = parts.first().map_or(missing.minor, |net| net.minor);
    let tax = missing.minor.saturating_sub(net);
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    let last = lines.iter().map(|line| line.position).max().unwrap_or(0);
    let discount = Line {
        name: "Discount".to_owned(),
        unit_minor: -net,
        net_minor: -net,
        tax_minor: -tax,
        gross_minor: -missing.minor,
        ..Line::without_product(cx, order, LineKind::Discount, last.saturating_add(1))
    };
    store::insert_line(cx.tx, &discount)?;
    order.net_minor = order.net_minor.saturating_sub(net);
    order.tax_minor = order.tax_minor.saturating_sub(tax);
    order.due_minor = order.due_minor.saturating_sub(missing.minor);
    Ok(())
}

/// What the gateway knows of the buyer fills what the buyer did not tell us.
fn adopt_buyer(order: &mut Order, stated: &Notice, payment: &Payment) {
    order.connection = order.connection.or(Some(payment.connection));
    if order.buyer_email.is_none() {
        order.buyer_email.clone_from(&stated.buyer.email);
    }
    if order.buyer_name.is_empty() {
        order.buyer_name = stated.buyer.name.clone().unwrap_or_default();
    }
    if order.buyer_country.is_none() {
        order.buyer_country.clone_from(&stated.buyer.country);
    }
}

/// The status stays, but who took the money back may be another now.
fn same(cx: &mut Cx<'_, '_>, order: &mut Order, news: &News<'_>) -> Flow<()> {
    if order.status == OrderStatus::Refunded {
        let done = align(cx, order, news)?;
        if done.changed > 0 && news.access == Some(Access::Ended) {
            tell(cx, order, MessageKind::Refunded, &news.cause)?;
        }
    } else if news.fact.kind.takes_back() && order.paid_at.is_some() && kept_minor(order) < order.due_minor {
        ask_which_part(cx, order, news.fact, news.fact.amount_minor)?;
    }
    Ok(())
}

/// What is left of the money that came.
const fn kept_minor(order: &Order) -> i64 {
    order.settled_minor.saturating_sub(order.returned_minor)
}

fn ask_which_part(cx: &mut Cx<'_, '_>, order: &Order, fact: &Fact, returned_minor: i64) -> Flow<()> {
    let amount = Money::new(returned_minor, order.currency);
    let text =
        format!("{amount} of {} went back; access stays until you say which lines it concerns", order.due());
    reviews::flow::ask(cx, ReviewKind::PartRefund, order.id, fact.notice, text)?;
    Ok(())
}

/// A refund can be heard of before the payment that it is a part of.
fn ask_about_earlier_refund(cx: &mut Cx<'_, '_>, order: &Order, fact: &Fact) -> Flow<()> {
    if order.returned_minor <= 0 || kept_minor(order) >= order.due_minor {
        return Ok(());
    }
    let asked = reviews::store::of_order(cx.tx, cx.merchant, order.id)?;
    if asked.iter().any(|review| review.kind == ReviewKind::PartRefund) {
        return Ok(());
    }
    ask_which_part(cx, order, fact, order.returned_minor)
}

fn ask_about_late_money(cx: &mut Cx<'_, '_>, order: &Order, news: &News<'_>) -> Flow<()> {
    if news.before == OrderStatus::Void && cx.now.since(order.created_at) >= LATE {
        let text = "money came for an order that had been given up; it was fulfilled".to_owned();
        reviews::flow::ask(cx, ReviewKind::LateMoney, order.id, news.fact.notice, text)?;
    }
    Ok(())
}

fn became_paid(cx: &mut Cx<'_, '_>, order: &mut Order, cause: &str) -> Flow<()> {
    // Something can only have been given in advance to somebody who has an account.
    let had_account = order.customer.is_some();
    let to = ensure_customer(cx, order)?;
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    if had_account {
        fulfillment::flow::align(cx, order, &lines, Access::Open, cause)?;
    }
    fulfillment::flow::give(cx, to.customer, &lines, Access::Open, cause)?;
    order.paid_at = order.paid_at.or(Some(cx.now));
    send_receipt(cx, order, &lines, &to)
}

fn send_receipt(cx: &mut Cx<'_, '_>, order: &Order, lines: &[Line], to: &Recipient) -> Flow<()> {
    let reason = order.generation.to_string();
    messages::flow::about_order(cx, MessageKind::Receipt, order, to, &reason, serde_json::json!({}))?;
    for product in products::store::with_other_text(cx.tx, cx.merchant, order.id)? {
        let reason = format!("{product}:{}", order.generation);
        let context = serde_json::json!({ "product": product });
        messages::flow::about_order(cx, MessageKind::OtherText, order, to, &reason, context)?;
    }
    if lines.iter().any(archives::flow::is_mailed) {
        let kind = MessageKind::ArchivePassword;
        messages::flow::about_order(cx, kind, order, to, &reason, serde_json::json!({}))?;
    }
    Ok(())
}

fn became_pending(cx: &mut Cx<'_, '_>, order: &mut Order, news: &News<'_>) -> Flow<()> {
    let to = ensure_customer(cx, order)?;
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    fulfillment::flow::align(cx, order, &lines, Access::Provisional, &news.cause)?;
    fulfillment::flow::give(cx, to.customer, &lines, Access::Provisional, &news.cause)?;
    tell(cx, order, MessageKind::PaymentPending, &news.cause)
}

fn became_void(cx: &mut Cx<'_, '_>, order: &mut Order, news: &News<'_>) -> Flow<()> {
    align(cx, order, news)?;
    // Whoever was told "pending" is told how it ended; whoever left the gateway's page knows.
    if news.before == OrderStatus::Pending {
        tell(cx, order, MessageKind::PaymentFailed, &news.cause)?;
    }
    Ok(())
}

fn became_refunded(cx: &mut Cx<'_, '_>, order: &mut Order, news: &News<'_>) -> Flow<()> {
    let told = order.paid_at.is_some();
    order.paid_at = order.paid_at.or(Some(cx.now));
    align(cx, order, news)?;
    if told {
        let on_hold = news.access == Some(Access::OnHold);
        let kind = if on_hold { MessageKind::Suspended } else { MessageKind::Refunded };
        tell(cx, order, kind, &news.cause)?;
    }
    Ok(())
}

/// Money that had gone back is there again. What was never delivered, because the news of its
/// return came first, is delivered now.
fn paid_again(cx: &mut Cx<'_, '_>, order: &mut Order, news: &News<'_>) -> Flow<()> {
    let to = ensure_customer(cx, order)?;
    align(cx, order, news)?;
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    let given = fulfillment::flow::give(cx, to.customer, &lines, Access::Open, &news.cause)?.given;
    if given > 0 {
        send_receipt(cx, order, &lines, &to)
    } else {
        tell(cx, order, MessageKind::Reinstated, &news.cause)
    }
}

fn align(cx: &mut Cx<'_, '_>, order: &Order, news: &News<'_>) -> Flow<fulfillment::flow::Done> {
    let Some(access) = news.access else { return Ok(fulfillment::flow::Done::default()) };
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    Ok(fulfillment::flow::align(cx, order, &lines, access, &news.cause)?)
}

fn tell(cx: &mut Cx<'_, '_>, order: &mut Order, kind: MessageKind, cause: &str) -> Flow<()> {
    let to = ensure_customer(cx, order)?;
    messages::flow::about_order(cx, kind, order, &to, cause, serde_json::json!({}))?;
    Ok(())
}

/// The account of an order's buyer, made on the first money of its address.
pub fn ensure_customer(cx: &mut Cx<'_, '_>, order: &mut Order) -> Flow<Recipient> {
    if let Some(customer) = order.customer {
        let known = customers::store::by_id(cx.tx, cx.merchant, customer)?;
        let known = known.ok_or_else(|| DbError::NotFound(customer.to_string()))?;
        return Ok(Recipient { customer, email: known.email });
    }
    let email = order.buyer_email.clone().ok_or_else(|| {
        Problem::new(Code::Conflict, "neither the buyer nor the gateway gave an address to deliver to")
    })?;
    let customer = Customer {
        id: CustomerId::mint(cx.draws),
        merchant: cx.merchant,
        email: email.clone(),
        name: order.buyer_name.clone(),
        company: order.buyer_company.clone(),
        address: String::new(),
        country: order.buyer_country.clone(),
        vat_id: order.buyer_vat_id.clone(),
        locale: order.locale.clone(),
        created_at: cx.now,
    };
    let id = customers::store::insert_or_find(cx.tx, &customer)?;
    order.customer = Some(id);
    Ok(Recipient { customer: id, email })
}
