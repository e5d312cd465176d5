//! Orders that begin with their payment: a button on another site sold one of our products.

use db::DbError;
use gateways::{Notice, NoticeLine};
use kernel::{Currency, EmailAddress, LineId, Money, OrderId, Span, Timestamp};

use super::{LINES_MAX, Line, LineKind, Order, OrderSource, OrderStatus, store};
use crate::connections::Connection;
use crate::cx::Cx;
use crate::deliverables::Deliverables;
use crate::events;
use crate::notices::flow::Trust;
use crate::notices::matching;
use crate::products::{self, FilePolicy, PendingPolicy, Product};

/// More of one product than this in a line is a mistake, and not an order.
const QUANTITY_EVER_MAX: u32 = 1_000_000;

/// What a payment that names nothing is written down as.
const UNNAMED: &str = "Payment";

/// What the order is going to be. Making the plan changes nothing.
#[derive(Debug)]
pub struct Plan {
    email: EmailAddress,
    currency: Currency,
    lines: Vec<Planned>,
    tax_minor: i64,
}

#[derive(Debug)]
struct Planned {
    item: Item,
    quantity: u32,
    unit: Money,
    attributes: serde_json::Value,
}

impl Planned {
    fn whole_minor(&self) -> i64 {
        self.unit.minor.saturating_mul(i64::from(self.quantity))
    }
}

#[derive(Debug)]
enum Item {
    Ours(Box<Product>),
    /// Nothing of ours, taken all the same by a person.
    Unlisted {
        sku: String,
        name: String,
    },
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
    let nameless = [NoticeLine::default()];
    let stated_lines = match stated.lines.as_slice() {
        [] if trust == Trust::Accepted => nameless.as_slice(),
        [] => return Ok(Err("it belongs to no order of ours, and names no item number".to_owned())),
        many if many.len() > LINES_MAX => {
            return Ok(Err(format!("it belongs to no order of ours, and has more than {LINES_MAX} items")));
        }
        some => some,
    };
    let paid_at = stated.occurred_at.unwrap_or(cx.now).min(cx.now);
    let mut lines = Vec::new();
    let mut left = amount.minor.saturating_sub(matching::extras(stated));
    for stated_line in stated_lines {
        let quantity = stated_line.quantity.max(1);
        if quantity > QUANTITY_EVER_MAX {
            return Ok(Err(format!("nobody buys {quantity} of \"{}\"", stated_line.sku)));
        }
        let available =
            Money::new(stated_line.gross.map_or(left, |gross| gross.minor.min(left)), amount.currency);
        let (item, unit) = match item(cx, stated_line, available, paid_at)? {
            (item, Ok(unit)) => (item, unit),
            (_, Err(why)) if trust == Trust::Verify => return Ok(Err(why)),
            (item, Err(_)) => {
                (item, Money::new(available.minor.max(0) / i64::from(quantity), amount.currency))
            }
        };
        let attributes = serde_json::json!(stated_line.attributes);
        let planned = Planned { item, quantity, unit, attributes };
        left = left.saturating_sub(planned.whole_minor());
        lines.push(planned);
    }
    let tax_minor = stated.tax.map_or(0, |tax| tax.minor.max(0));
    Ok(Ok(Plan { email, currency: amount.currency, lines, tax_minor }))
}

/// Which product a line names and what one of it was sold for, or why it was not sold for that.
fn item(
    cx: &mut Cx<'_, '_>,
    stated: &NoticeLine,
    available: Money,
    paid_at: Timestamp,
) -> Result<(Item, Result<Money, String>), DbError> {
    let Some(product) = products::store::by_sku(cx.tx, cx.merchant, &stated.sku)? else {
        let name = stated.name.clone().filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| UNNAMED.to_owned());
        let why = format!("there is no product with the item number \"{}\"", stated.sku);
        return Ok((Item::Unlisted { sku: stated.sku.clone(), name }, Err(why)));
    };
    let prices = products::store::prices(cx.tx, cx.merchant, product.id)?;
    let unit = matching::honored_unit(&product.sku, &prices, stated.quantity, available, paid_at);
    Ok((Item::Ours(Box::new(product)), unit))
}

/// What the items of a notice without an amount cost today, in the shop's own currency. Nothing if
/// none of them is sold in it.
pub fn asked_for(cx: &mut Cx<'_, '_>, stated: &Notice) -> Result<Money, DbError> {
    let currency = crate::merchants::store::by_id(cx.tx, cx.merchant)?.currency;
    let mut whole = Money::zero(currency);
    for line in &stated.lines {
        let Some(product) = products::store::by_sku(cx.tx, cx.merchant, &line.sku)? else { continue };
        let prices = products::store::prices(cx.tx, cx.merchant, product.id)?;
        let price = products::price_at(&prices, currency, cx.now);
        let price = price.and_then(|unit| unit.times(line.quantity.max(1)).ok());
        whole = price.and_then(|price| whole.plus(price).ok()).unwrap_or(whole);
    }
    Ok(whole)
}

/// Makes the planned order. Its payment is recorded by the caller in the same transaction.
pub fn make(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    stated: &Notice,
    plan: &Plan,
) -> Result<Order, DbError> {
    let net_minor = plan.lines.iter().map(Planned::whole_minor).fold(0i64, i64::saturating_add);
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
    let weights: Vec<i64> = plan.lines.iter().map(Planned::whole_minor).collect();
    let tax = Money::new(plan.tax_minor, plan.currency);
    let taxes = tax.allocate(&weights).unwrap_or_else(|_| vec![Money::zero(plan.currency); plan.lines.len()]);
    for (place, (planned, tax)) in plan.lines.iter().zip(taxes).enumerate() {
        let bare = match &planned.item {
            Item::Ours(product) => line_of(cx, &order, place, product, (planned.quantity, planned.unit)),
            Item::Unlisted { sku, name } => Line {
                sku: sku.clone(),
                name: name.clone(),
                quantity: planned.quantity,
                unit_minor: planned.unit.minor,
                ..Line::without_product(cx, &order, LineKind::Unlisted, place_no(place))
            },
        };
        let line = Line {
            attributes: planned.attributes.clone(),
            net_minor: planned.whole_minor(),
            tax_minor: tax.minor,
            gross_minor: planned.whole_minor().saturating_add(tax.minor),
            ..bare
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
        position: place_no(place),
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
        update_days: product.update_days,
        pending_policy: product.pending_policy,
        deliverables: product.deliverables.clone(),
    }
}

fn place_no(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1)
}

impl Line {
    /// A line that delivers nothing, without amounts yet.
    pub(super) fn without_product(cx: &mut Cx<'_, '_>, order: &Order, kind: LineKind, position: u32) -> Self {
        Self {
            id: LineId::mint(cx.draws),
            merchant: cx.merchant,
            order: order.id,
            position,
            kind,
            product: None,
            sku: String::new(),
            name: String::new(),
            quantity: 1,
            unit_minor: 0,
            net_minor: 0,
            tax_minor: 0,
            gross_minor: 0,
            tax_rate_ppm: 0,
            jurisdiction: None,
            attributes: serde_json::json!({}),
            inputs: serde_json::json!({}),
            link_life: Span::seconds(0),
            download_limit: 0,
            file_policy: FilePolicy::AsBought,
            update_days: None,
            pending_policy: PendingPolicy::Nothing,
            deliverables: Deliverables::default(),
        }
    }
}

/// Writes a line and freezes the product's files into it.
pub fn add_line(cx: &mut Cx<'_, '_>, line: &Line) -> Result<(), DbError> {
    store::insert_line(cx.tx, line)?;
    freeze_files(cx, line)
}

/// Freezes the files that a line's product has now into the line.
fn freeze_files(cx: &mut Cx<'_, '_>, line: &Line) -> Result<(), DbError> {
    let Some(product) = line.product else { return Ok(()) };
    let files = products::store::files(cx.tx, cx.merchant, product)?;
    for (place, file) in files.iter().enumerate() {
        let position = u32::try_from(place + 1).unwrap_or(u32::MAX);
        store::insert_line_file(cx.tx, cx.merchant, line.id, position, file.version)?;
    }
    Ok(())
}

/// Gives lines that were sold without any file the files that their products have by now. What
/// was frozen with files stays as it was bought.
pub fn make_up_for_missing_files(cx: &mut Cx<'_, '_>, lines: &[Line]) -> Result<(), DbError> {
    for line in lines {
        if !store::has_files(cx.tx, cx.merchant, line.id)? {
            freeze_files(cx, line)?;
        }
    }
    Ok(())
}
