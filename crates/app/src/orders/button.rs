//! Orders that begin with their payment: a button on another site sold one of our products.

use db::DbError;
use gateways::Notice;
use kernel::{Currency, EmailAddress, LineId, Money, OrderId};

use super::{LINES_MAX, Line, LineKind, Order, OrderSource, OrderStatus, store};
use crate::connections::Connection;
use crate::cx::Cx;
use crate::events;
use crate::notices::flow::Trust;
use crate::notices::matching;
use crate::products::{self, Product};

/// More of one product than this in a line is a mistake, and not an order.
const QUANTITY_EVER_MAX: u32 = 1_000_000;

/// What the order is going to be. Making the plan changes nothing.
#[derive(Debug)]
pub struct Plan {
    email: EmailAddress,
    currency: Currency,
    lines: Vec<(Product, u32, Money, serde_json::Value)>,
    tax_minor: i64,
}

/// Works out which products were paid for, or why that cannot be told.
pub fn plan(
    cx: &mut Cx<'_, '_>,
    stated: &Notice,
    amount: Money,
    trust: Trust,
) -> Result<Result<Plan, String>, DbError> {
    let Some(email) = stated.buyer.email.clone() else {
        return Ok(Err("it belongs to no order of ours, and names no buyer to deliver to".to_owned()));
    };
    if stated.lines.is_empty() || stated.lines.len() > LINES_MAX {
        return Ok(Err("it belongs to no order of ours, and names no item number".to_owned()));
    }
    let paid_at = stated.occurred_at.unwrap_or(cx.now).min(cx.now);
    let mut lines = Vec::new();
    let mut left = amount.minor.saturating_sub(matching::extras(stated));
    for stated_line in &stated.lines {
        let Some(product) = products::store::by_sku(cx.tx, cx.merchant, &stated_line.sku)? else {
            return Ok(Err(format!("there is no product with the item number \"{}\"", stated_line.sku)));
        };
        if stated_line.quantity > QUANTITY_EVER_MAX {
            return Ok(Err(format!("nobody buys {} of \"{}\"", stated_line.quantity, stated_line.sku)));
        }
        let prices = products::store::prices(cx.tx, cx.merchant, product.id)?;
        let available =
            Money::new(stated_line.gross.map_or(left, |gross| gross.minor.min(left)), amount.currency);
        let unit =
            match matching::honored_unit(&product.sku, &prices, stated_line.quantity, available, paid_at) {
                Ok(unit) => unit,
                Err(why) if trust == Trust::Verify => return Ok(Err(why)),
                Err(_) => {
                    Money::new(available.minor / i64::from(stated_line.quantity.max(1)), amount.currency)
                }
            };
        left = left.saturating_sub(unit.minor.saturating_mul(i64::from(stated_line.quantity)));
        let attributes = serde_json::json!(stated_line.attributes);
        lines.push((product, stated_line.quantity.max(1), unit, attributes));
    }
    let tax_minor = stated.tax.map_or(0, |tax| tax.minor.max(0));
    Ok(Ok(Plan { email, currency: amount.currency, lines, tax_minor }))
}

/// Makes the planned order. Its payment is recorded by the caller in the same transaction.
pub fn make(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    stated: &Notice,
    plan: &Plan,
) -> Result<Order, DbError> {
    let whole = |(_, quantity, unit, _): &(Product, u32, Money, serde_json::Value)| {
        unit.minor.saturating_mul(i64::from(*quantity))
    };
    let net_minor = plan.lines.iter().map(whole).fold(0i64, i64::saturating_add);
    let order = Order {
        id: OrderId::mint(cx.draws),
        merchant: cx.merchant,
        status: OrderStatus::AwaitingPayment,
        source: OrderSource::Button,
        connection: Some(connection.id),
        customer: None,
        buyer_email: Some(plan.email.clone()),
        buyer_name: stated.buyer.name.clone().unwrap_or_default(),
        buyer_company: stated.buyer.company.clone().unwrap_or_default(),
        buyer_country: stated.buyer.country.clone(),
        buyer_vat_id: None,
        locale: crate::merchants::store::by_id(cx.tx, cx.merchant)?.locale,
        currency: plan.currency,
        net_minor,
        tax_minor: plan.tax_minor,
        due_minor: net_minor.saturating_add(plan.tax_minor),
        settled_minor: 0,
        returned_minor: 0,
        nonce: cx.draws.nonce(),
        ring_key: cx.ring.newest(),
        generation: 1,
        consent_text: None,
        consent_at: None,
        created_at: cx.now,
        paid_at: None,
        version: 1,
    };
    store::insert(cx.tx, &order)?;
    let weights: Vec<i64> = plan.lines.iter().map(whole).collect();
    let tax = Money::new(plan.tax_minor, plan.currency);
    let taxes = tax.allocate(&weights).unwrap_or_else(|_| vec![Money::zero(plan.currency); plan.lines.len()]);
    for (place, (planned, tax)) in plan.lines.iter().zip(taxes).enumerate() {
        let (product, quantity, unit, attributes) = planned;
        let net_minor = whole(planned);
        let line = Line {
            attributes: attributes.clone(),
            net_minor,
            tax_minor: tax.minor,
            gross_minor: net_minor.saturating_add(tax.minor),
            ..line_of(cx, &order, place, product, (*quantity, *unit))
        };
        add_line(cx, &line)?;
    }
    let detail = serde_json::json!({ "due": order.due().to_string(), "source": order.source });
    events::flow::record(cx, Some(order.id), order.id, "order.made", detail)?;
    Ok(order)
}

/// A line with a product's terms of this moment, without tax.
pub fn line_of(
    cx: &mut Cx<'_, '_>,
    order: &Order,
    place: usize,
    product: &Product,
    (quantity, unit): (u32, Money),
) -> Line {
    let whole = unit.minor.saturating_mul(i64::from(quantity));
    Line {
        id: LineId::mint(cx.draws),
        merchant: cx.merchant,
        order: order.id,
        position: u32::try_from(place + 1).unwrap_or(u32::MAX),
        kind: LineKind::Product,
        product: Some(product.id),
        sku: product.sku.clone(),
        name: product.name.clone(),
        quantity,
        unit_minor: unit.minor,
        net_minor: whole,
        tax_minor: 0,
        gross_minor: whole,
        tax_rate_ppm: 0,
        jurisdiction: None,
        attributes: serde_json::json!({}),
        inputs: serde_json::json!({}),
        link_life: product.link_life,
        download_limit: product.download_limit,
        file_policy: product.file_policy,
        pending_policy: product.pending_policy,
    }
}

/// Writes a line and freezes the product's files into it.
pub fn add_line(cx: &mut Cx<'_, '_>, line: &Line) -> Result<(), DbError> {
    store::insert_line(cx.tx, line)?;
    let Some(product) = line.product else { return Ok(()) };
    let files = products::store::files(cx.tx, cx.merchant, product)?;
    for (place, file) in files.iter().enumerate() {
        let position = u32::try_from(place + 1).unwrap_or(u32::MAX);
        store::insert_line_file(cx.tx, cx.merchant, line.id, position, file.version)?;
    }
    Ok(())
}
