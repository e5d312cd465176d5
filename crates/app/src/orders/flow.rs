//! What happens to orders: placed, and what staff can do about them. What money does to them is
//! in `money`.

use kernel::{ConnectionId, Currency, EmailAddress, LineId, Money, OrderId, Span};

use super::button::{add_line, line_of, make_up_for_missing_files};
use super::money::ensure_customer;
use super::{LINES_MAX, Line, Order, OrderSource, OrderStatus, QUANTITY_MAX, store};
use crate::carts::CartItem;
use crate::choices;
use crate::connections;
use crate::cx::Cx;
use crate::events;
use crate::fulfillment::{self, Access, GrantStatus};
use crate::merchants::Merchant;
use crate::messages::flow::Recipient;
use crate::messages::{self, MessageKind};
use crate::problem::{Code, Flow, Problem};
use crate::products::{self, ProductStatus};

/// What a buyer asks for at our checkout.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Products, what was chosen of them, and how many of each.
    pub items: Vec<CartItem>,
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
    let connection = connections::store::by_id(cx.tx, cx.merchant, wanted.connection)?;
    if connection.is_none_or(|connection| connection.disabled_at.is_some()) {
        return Err(Problem::invalid("connection", "this way to pay is not offered here").into());
    }
    let mut lines = Vec::new();
    let mut due = Money::zero(wanted.currency);
    for CartItem { product: id, choice, quantity } in &wanted.items {
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
        let answers = choices::flow::ordered(cx, &product, *choice)?;
        lines.push((product, *quantity, unit, answers));
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
    for (place, (product, quantity, unit, answers)) in lines.into_iter().enumerate() {
        let line = line_of(cx, &order, place, &product, (quantity, unit));
        let line = Line { attributes: answers.attributes.into(), inputs: answers.inputs.into(), ..line };
        add_line(cx, &line)?;
    }
    let detail = serde_json::json!({ "due": order.due().to_string(), "source": order.source });
    events::flow::record(cx, Some(order.id), order.id, "order.placed", detail)?;
    Ok(order)
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

/// Makes the whole transaction again: missing units and files, new links with their full time, a
/// new receipt. What staff or a refund revoked stays revoked.
pub fn regenerate(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<()> {
    let (mut order, to) = paid_order(cx, id)?;
    let event = record_act(cx, &order, "order.regenerated", serde_json::json!({}))?;
    let lines = store::lines(cx.tx, cx.merchant, order.id)?;
    make_up_for_missing_files(cx, &lines)?;
    fulfillment::flow::give(cx, to.customer, &lines, Access::Open, &event)?;
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
        fulfillment::flow::give_back(cx, &mut grant, &event)?;
    }
    Ok(())
}
