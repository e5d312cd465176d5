//! Sending a buyer to the gateway: the order in the gateway's words.

use gateways::{Checkout, CheckoutLine, Opening};
use kernel::{Money, Span, Timestamp};

use super::{Line, LineKind, Order, OrderSource, OrderStatus};
use crate::connections::Connection;
use crate::links;
use crate::merchants::Address;
use crate::problem::{Code, Problem};
use crate::ring::Ring;

/// How long a placed order can be taken to the gateway at its frozen price.
pub const PAYABLE_FOR: Span = Span::days(1);

/// Whether its buyer may still be sent to pay. Money that comes later is honored all the same.
pub fn payable(order: &Order, now: Timestamp) -> bool {
    let open = matches!(order.status, OrderStatus::AwaitingPayment | OrderStatus::Void);
    open && order.source == OrderSource::Checkout && now < order.created_at + PAYABLE_FOR
}

/// How the buyer gets to pay this order.
///
/// # Errors
/// When the connection cannot be used, or its gateway cannot take such an order.
pub fn opening(
    ring: &Ring,
    (base_url, address): (&str, &Address),
    order: &Order,
    lines: &[Line],
    connection: &Connection,
) -> Result<Opening, Problem> {
    let unavailable = || Problem::new(Code::Unavailable, "this shop cannot take payments at the moment");
    let adapter = gateways::gateway(&connection.gateway).ok_or_else(unavailable)?;
    if connection.disabled_at.is_some() {
        return Err(unavailable());
    }
    let opened = connection.opened(ring).map_err(|error| {
        tracing::error!(%error, connection = %connection.id, "a connection's secrets cannot be opened");
        unavailable()
    })?;
    let page = page_url(ring, address, order).ok_or_else(unavailable)?;
    let wanted = Checkout {
        merchant_ref: order.id.to_string(),
        currency: order.currency,
        lines: lines
            .iter()
            .filter(|line| line.kind == LineKind::Product)
            .map(|l| line(l, order.currency))
            .collect(),
        tax: Money::new(order.tax_minor, order.currency),
        notify_url: format!("{base_url}/hooks/{}", connection.id),
        return_url: page.clone(),
        cancel_url: format!("{page}?canceled=1"),
        locale: Some(order.locale.clone()),
    };
    let opening = adapter.checkout(&wanted, &opened);
    opening.map_err(|error| Problem::invalid("connection", error))
}

fn line(line: &Line, currency: kernel::Currency) -> CheckoutLine {
    CheckoutLine {
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit: Money::new(line.unit_minor, currency),
    }
}

/// The address of an order's thank-you page; `None` when the ring lacks its key.
pub fn page_url(ring: &Ring, address: &Address, order: &Order) -> Option<String> {
    links::order_token(ring, order).map(|token| address.url(&format!("/o/{token}")))
}
