//! What happens to orders: placed, followed by money, and what staff can do about them.

use db::DbError;
use gateways::Notice;
use kernel::{ConnectionId, Currency, CustomerId, EmailAddress, LineId, Money, OrderId, ProductId, Span};

use super::button::{add_line, line_of};
use super::{LINES_MAX, Order, OrderSource, OrderStatus, QUANTITY_MAX, Turn, follow, store};
use crate::customers::{self, Customer};
use crate::cx::Cx;
use crate::events;
use crate::fulfillment::flow::{Ending, Grounds};
use crate::fulfillment::{self, GrantStatus};
use crate::merchants::Merchant;
use crate::messages::flow::Recipient;
use crate::messages::{self, MessageKind};
use crate::notices::flow::Trust;
use crate::payments::{self, Fact, FactKind, Payment};
use crate::problem::{Code, Flow, Problem};
use crate::products::{self, ProductStatus};
use crate::reviews::{self, ReviewKind};

/// What a buyer asks for at our checkout.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Products and how many of each.
    pub items: Vec<(ProductId, u32)>,
    /// What to pay in.
    pub currency: Currency,
    /// Through which account.
    pub connection: ConnectionId,
    /// Where the receipt goes; empty: the gateway's address of the buyer.
    pub email: Option<EmailAddress>,
    /// As told.
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// Whether the merchant's consent text was agreed to.
    pub consented: bool,
}

/// Places an order that waits for its payment. Prices are ours, whatever the request says.
pub fn place(cx: &mut Cx<'_, '_>, merchant: &Merchant, wanted: &Wanted) -> Flow<Order> {
    if wanted.items.is_empty() || wanted.items.len() > LINES_MAX {
        return Err(Problem::invalid("items", format!("an order has 1 to {LINES_MAX} lines")).into());
    }
    if !merchant.consent_text.is_empty() && !wanted.consented {
        return Err(Problem::invalid("consent", "please agree to the terms before you pay").into());
    }
    let mut lines = Vec::new();
    let mut due = Money::zero(wanted.currency);
    for (id, quantity) in &wanted.items {
        if !(1..=QUANTITY_MAX).contains(quantity) {
            return Err(Problem::invalid("quantity", format!("a quantity is 1 to {QUANTITY_MAX}")).into());
        }
        let product = products::store::by_id(cx.tx, cx.merchant, *id)?;
        let product = product.filter(|product| product.status == ProductStatus::Active);
        let product = product.ok_or_else(|| Problem::not_found("product for sale"))?;
        let prices = products::store::prices(cx.tx, cx.merchant, product.id)?;
        let unit = products::price_at(&prices, wanted.currency, cx.now).ok_or_else(|| {
            Problem::invalid("currency", format!("\"{}\" is not sold in {}", product.name, wanted.currency))
        })?;
        let whole = unit.times(*quantity).and_then(|line| due.plus(line));
        due = whole.map_err(|error| Problem::invalid("quantity", error))?;
        lines.push((product, *quantity, unit));
    }
    if due.minor == 0 {
        return Err(Problem::invalid("items", "there is nothing to pay for in this order").into());
    }
    let order = Order {
        id: OrderId::mint(cx.draws),
        merchant: cx.merchant,
        status: OrderStatus::AwaitingPayment,
        source: OrderSource::Checkout,
        connection: Some(wanted.connection),
        customer: None,
        buyer_email: wanted.email.clone(),
        buyer_name: wanted.name.trim().to_owned(),
        buyer_company: String::new(),
        buyer_country: wanted.country.clone(),
        buyer_vat_id: None,
        locale: merchant.locale.clone(),
        currency: wanted.currency,
        net_minor: due.minor,
        tax_minor: 0,
        due_minor: due.minor,
        settled_minor: 0,
        returned_minor: 0,
        nonce: cx.draws.nonce(),
        ring_key: cx.ring.newest(),
        generation: 1,
        consent_text: (!merchant.consent_text.is_empty()).then(|| merchant.consent_text.clone()),
        consent_at: (!merchant.consent_text.is_empty()).then_some(cx.now),
        created_at: cx.now,
        paid_at: None,
        version: 1,
    };
    store::insert(cx.tx, &order)?;
    for (place, (product, quantity, unit)) in lines.iter().enumerate() {
        let line = line_of(cx, &order, place, product, (*quantity, *unit));
        add_line(cx, &line)?;
    }
    let detail = serde_json::json!({ "due": order.due().to_string(), "source": order.source });
    events::flow::record(cx, Some(order.id), order.id, "order.placed", detail)?;
    Ok(order)
}

/// Draws the consequences of news about an order's money: status, units, access, messages.
pub fn follow_money(
    cx: &mut Cx<'_, '_>,
    order: &mut Order,
    stated: &Notice,
    payment: &Payment,
    fact: &Fact,
    trust: Trust,
) -> Flow<()> {
    let all = payments::store::of_order(cx.tx, cx.merchant, order.id)?;
    let mut standing = payments::standing(&all);
    if trust == Trust::Accepted && fact.kind == FactKind::Settlement {
        // A person took what came as the whole: the order is covered by it.
        order.due_minor = order.due_minor.min(standing.settled_minor);
    }
    // Money in another currency never adds up; only a person lets such a payment through.
    if payment.currency != order.currency && trust == Trust::Verify {
        standing.settled_minor = order.settled_minor;
    }
    let (next, turn) = follow(order, standing);
    order.settled_minor = standing.settled_minor;
    order.returned_minor = standing.returned_minor;
    adopt_buyer(order, stated, payment);
    let cause = fact.id.to_string();
    match turn {
        Turn::Same => same(cx, order, fact)?,
        Turn::BecamePaid => became_paid(cx, order, &cause)?,
        Turn::BecamePending => became_pending(cx, order, &cause)?,
        Turn::BecameVoid => became_void(cx, order, &cause)?,
        Turn::BecameRefunded => became_refunded(cx, order, &all, &cause)?,
        Turn::PaidAgain => paid_again(cx, order, &cause)?,
    }
    if matches!(fact.kind, FactKind::Refund | FactKind::Reversal | FactKind::DisputeLost)
        && order.paid_at.is_some()
    {
        payments::store::insert_credit_due(cx.tx, cx.merchant, order.id, fact, cx.now)?;
    }
    if fact.kind == FactKind::Dispute {
        let text = format!("the payment is disputed ({})", fact.detail);
        reviews::flow::ask(cx, ReviewKind::Dispute, order.id, fact.notice, text)?;
    }
    order.status = next;
    store::save(cx.tx, order)?;
    let detail = serde_json::json!({
        "fact": fact.kind, "status": next, "gateway": fact.detail, "payment": payment.gateway_ref,
        "amount": Money::new(fact.amount_minor, fact.currency).to_string(),
    });
    events::flow::record(cx, Some(order.id), payment.id, &format!("payment.{}", fact.kind), detail)?;
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

fn same(cx: &mut Cx<'_, '_>, order: &Order, fact: &Fact) -> Flow<()> {
    if fact.kind == FactKind::Refund && order.paid_at.is_some() {
        let amount = Money::new(fact.amount_minor, fact.currency);
        let text = format!(
            "{amount} of {} went back; access stays until you say which lines it concerns",
            order.due()
        );
        reviews::flow::ask(cx, ReviewKind::PartRefund, order.id, fact.notice, text)?;
    }
    Ok(())
}

fn became_paid(cx: &mut Cx<'_, '_>, order: &mut Order, cause: &str) -> Flow<()> {
    let to = ensure_customer(cx, order)?;
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    fulfillment::flow::grant_units(cx, order, to.customer, &lines, Grounds::Paid, cause)?;
    order.paid_at = order.paid_at.or(Some(cx.now));
    let reason = order.generation.to_string();
    messages::flow::about_order(cx, MessageKind::Receipt, order, &to, &reason, serde_json::json!({}))?;
    for product in products::store::with_other_text(cx.tx, cx.merchant, order.id)? {
        let reason = format!("{product}:{}", order.generation);
        let context = serde_json::json!({ "product": product });
        messages::flow::about_order(cx, MessageKind::OtherText, order, &to, &reason, context)?;
    }
    Ok(())
}

fn became_pending(cx: &mut Cx<'_, '_>, order: &mut Order, cause: &str) -> Flow<()> {
    let to = ensure_customer(cx, order)?;
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    fulfillment::flow::grant_units(cx, order, to.customer, &lines, Grounds::Pending, cause)?;
    messages::flow::about_order(cx, MessageKind::PaymentPending, order, &to, cause, serde_json::json!({}))?;
    Ok(())
}

fn became_void(cx: &mut Cx<'_, '_>, order: &mut Order, cause: &str) -> Flow<()> {
    fulfillment::flow::take_back(cx, order, Ending::Failed, cause)?;
    // Whoever was told "pending" is told how it ended; whoever left the gateway's page knows.
    if order.status == OrderStatus::Pending {
        let to = ensure_customer(cx, order)?;
        messages::flow::about_order(
            cx,
            MessageKind::PaymentFailed,
            order,
            &to,
            cause,
            serde_json::json!({}),
        )?;
    }
    Ok(())
}

fn became_refunded(cx: &mut Cx<'_, '_>, order: &mut Order, all: &[Payment], cause: &str) -> Flow<()> {
    let told = order.paid_at.is_some();
    order.paid_at = order.paid_at.or(Some(cx.now));
    let pulled_back = all.iter().any(|payment| payment.status == payments::PaymentStatus::Reversed);
    let (ending, kind) = if pulled_back {
        (Ending::PulledBack, MessageKind::Suspended)
    } else {
        (Ending::Refunded, MessageKind::Refunded)
    };
    fulfillment::flow::take_back(cx, order, ending, cause)?;
    if told {
        let to = ensure_customer(cx, order)?;
        messages::flow::about_order(cx, kind, order, &to, cause, serde_json::json!({}))?;
    }
    Ok(())
}

fn paid_again(cx: &mut Cx<'_, '_>, order: &mut Order, cause: &str) -> Flow<()> {
    let had = fulfillment::store::of_order(cx.tx, cx.merchant, order.id)?;
    if had.is_empty() {
        return became_paid(cx, order, cause);
    }
    fulfillment::flow::reinstate(cx, order, cause)?;
    let to = ensure_customer(cx, order)?;
    messages::flow::about_order(cx, MessageKind::Reinstated, order, &to, cause, serde_json::json!({}))?;
    Ok(())
}

/// The account of an order's buyer, made on the first money of its address.
fn ensure_customer(cx: &mut Cx<'_, '_>, order: &mut Order) -> Flow<Recipient> {
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
        country: order.buyer_country.clone(),
        vat_id: order.buyer_vat_id.clone(),
        locale: order.locale.clone(),
        created_at: cx.now,
    };
    let id = customers::store::insert_or_find(cx.tx, &customer)?;
    order.customer = Some(id);
    Ok(Recipient { customer: id, email })
}

/// Sends the same links again.
pub fn resend(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<()> {
    let (order, to) = paid_order(cx, id)?;
    let event = record_act(cx, &order, "order.links_resent", serde_json::json!({}))?;
    messages::flow::about_order(cx, MessageKind::LinksResent, &order, &to, &event, serde_json::json!({}))?;
    Ok(())
}

/// Most days that an extension can add at a time.
pub const EXTENSION_DAYS_MAX: i64 = 3_650;

/// Lets the links live so many days from now, and tells the buyer.
pub fn extend(cx: &mut Cx<'_, '_>, id: OrderId, days: i64) -> Flow<()> {
    if !(1..=EXTENSION_DAYS_MAX).contains(&days) {
        return Err(
            Problem::invalid("days", format!("an extension is 1 to {EXTENSION_DAYS_MAX} days")).into()
        );
    }
    let (order, to) = paid_order(cx, id)?;
    let event = record_act(cx, &order, "order.links_extended", serde_json::json!({ "days": days }))?;
    for mut grant in live_grants(cx, &order)? {
        let until = grant.expires_at.max(cx.now) + Span::days(days);
        fulfillment::flow::extend(cx, &mut grant, until, &event)?;
    }
    let context = serde_json::json!({ "days": days });
    messages::flow::about_order(cx, MessageKind::LinkExtended, &order, &to, &event, context)?;
    Ok(())
}

/// Replaces the links: the old ones are dead, the new ones are mailed.
pub fn reissue(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<()> {
    let (order, to) = paid_order(cx, id)?;
    let event = record_act(cx, &order, "order.links_reissued", serde_json::json!({}))?;
    renew(cx, &order, &event)?;
    messages::flow::about_order(cx, MessageKind::LinksReissued, &order, &to, &event, serde_json::json!({}))?;
    Ok(())
}

/// Makes the whole transaction again: missing units, new links with their full time, a new
/// receipt. What staff or a refund revoked stays revoked.
pub fn regenerate(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<()> {
    let (mut order, to) = paid_order(cx, id)?;
    let event = record_act(cx, &order, "order.regenerated", serde_json::json!({}))?;
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    fulfillment::flow::grant_units(cx, &order, to.customer, &lines, Grounds::Paid, &event)?;
    renew(cx, &order, &event)?;
    order.generation += 1;
    store::save(cx.tx, &order)?;
    messages::flow::about_order(cx, MessageKind::Regenerated, &order, &to, &event, serde_json::json!({}))?;
    Ok(())
}

fn renew(cx: &mut Cx<'_, '_>, order: &Order, cause: &str) -> Flow<()> {
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    for mut grant in live_grants(cx, order)? {
        let line = lines.iter().find(|line| line.id == grant.line);
        let life = line.map_or(products::LINK_LIFE_DEFAULT, |line| line.link_life);
        fulfillment::flow::reissue(cx, &mut grant, life, cause)?;
    }
    Ok(())
}

fn live_grants(cx: &mut Cx<'_, '_>, order: &Order) -> Flow<Vec<fulfillment::Grant>> {
    let mut grants = fulfillment::store::of_order(cx.tx, cx.merchant, order.id)?;
    grants.retain(|grant| grant.status == GrantStatus::Active);
    if grants.is_empty() {
        return Err(Problem::new(Code::Revoked, "everything in this order has been revoked").into());
    }
    Ok(grants)
}

fn paid_order(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<(Order, Recipient)> {
    let order = store::lock(cx.tx, cx.merchant, id)?;
    let mut order = order.ok_or_else(|| Problem::not_found("order"))?;
    if order.status != OrderStatus::Paid {
        let text = format!("this order is {}; only a paid one has links", order.status);
        return Err(Problem::new(Code::OrderNotPaid, text).into());
    }
    let to = ensure_customer(cx, &mut order)?;
    Ok((order, to))
}

/// Records an act of staff; its event's id is the cause of what follows.
fn record_act(cx: &mut Cx<'_, '_>, order: &Order, kind: &str, detail: serde_json::Value) -> Flow<String> {
    let id = events::flow::record(cx, Some(order.id), order.id, kind, detail)?;
    Ok(id.to_string())
}

/// Sends the receipt again, with links and checksums as they are now.
pub fn resend_receipt(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<()> {
    let (order, to) = paid_order(cx, id)?;
    let event = record_act(cx, &order, "order.receipt_resent", serde_json::json!({}))?;
    messages::flow::about_order(cx, MessageKind::Receipt, &order, &to, &event, serde_json::json!({}))?;
    Ok(())
}

/// Takes back what one line gave. Running downloads of it break off.
pub fn revoke_line(cx: &mut Cx<'_, '_>, id: OrderId, line: LineId, reason: &str) -> Flow<()> {
    let order = store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("order"))?;
    let mut grants = fulfillment::store::of_line(cx.tx, cx.merchant, id, line)?;
    grants.retain(|grant| grant.status != GrantStatus::Revoked);
    if grants.is_empty() {
        return Err(Problem::not_found("line with something to take back").into());
    }
    let detail = serde_json::json!({ "line": line, "links": grants.len(), "reason": reason });
    let event = record_act(cx, &order, "order.line_revoked", detail)?;
    for mut grant in grants {
        fulfillment::flow::revoke(cx, &mut grant, &event)?;
    }
    Ok(())
}

/// Gives back what one line gave, as far as it was taken. Only where the money is still there.
pub fn reinstate_line(cx: &mut Cx<'_, '_>, id: OrderId, line: LineId, reason: &str) -> Flow<()> {
    let (order, _) = paid_order(cx, id)?;
    let mut grants = fulfillment::store::of_line(cx.tx, cx.merchant, id, line)?;
    grants.retain(|grant| matches!(grant.status, GrantStatus::Revoked | GrantStatus::Suspended));
    if grants.is_empty() {
        return Err(Problem::not_found("line with something to give back").into());
    }
    let detail = serde_json::json!({ "line": line, "links": grants.len(), "reason": reason });
    let event = record_act(cx, &order, "order.line_reinstated", detail)?;
    for mut grant in grants {
        fulfillment::flow::restore(cx, &mut grant, &event)?;
    }
    Ok(())
}
