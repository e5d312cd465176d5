//! Sending a buyer to the gateway: the order in the gateway's words.

use gateways::{Checkout, CheckoutLine, Instructions, Opening, Step};
use kernel::{Money, Span, Timestamp};

use super::{Line, LineKind, Order, OrderSource, OrderStatus};
use crate::app::App;
use crate::connections::Connection;
use crate::connections::talk::{self, Trouble};
use crate::cx::{Actor, Cx};
use crate::links;
use crate::merchants::Address;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::reconciler::{self, OpenCheckout};
use crate::ring::Ring;

/// How long a placed order can be taken to the gateway at its frozen price.
pub const PAYABLE_FOR: Span = Span::days(1);

/// Whether its buyer may still be sent to pay. Money that comes later is honored all the same.
pub fn payable(order: &Order, now: Timestamp) -> bool {
    let open = matches!(order.status, OrderStatus::AwaitingPayment | OrderStatus::Void);
    open && order.source == OrderSource::Checkout && now < order.created_at + PAYABLE_FOR
}

/// How the buyer gets to pay this order. What the gateway calls the checkout is remembered before
/// anybody is sent there, so that it can be asked about it.
///
/// # Errors
/// When the connection cannot be used, or its gateway cannot take such an order.
pub async fn open(
    app: &App,
    address: &Address,
    order: &Order,
    lines: &[Line],
    connection: &Connection,
) -> Result<Opening, Problem> {
    let (adapter, opened) = usable(app.ring(), connection)?;
    let (ring, base_url) = (app.ring(), app.settings().base_url.as_str());
    let wanted = wanted(ring, (base_url, address), order, lines, connection).ok_or_else(unavailable)?;
    let opening = talk::talk(app, |earlier| adapter.checkout(&wanted, &opened, earlier)).await;
    let opening = opening.map_err(|trouble| match trouble {
        Trouble::Unsupported(error) => Problem::invalid("connection", error),
        trouble => {
            tracing::error!(%trouble, connection = %connection.id, order = %order.id, "no checkout was opened");
            unavailable()
        }
    })?;
    if let Opening::Redirect { session_id: Some(session), .. } = &opening {
        let checkout =
            OpenCheckout { connection: connection.id, session_ref: session.clone(), order: order.id };
        let kept = app.write(order.merchant, Actor::Visitor, move |cx| {
            Ok(reconciler::flow::note_checkout(cx, &checkout)?)
        });
        kept.await.map_err(Failure::into_problem)?;
    }
    Ok(opening)
}

/// Whether the gateway would take this order at all, as far as nobody has to be asked. An order that
/// is paid by transfer is found by its reference: that is remembered here.
///
/// # Errors
/// As [`open`].
pub fn prepare(
    cx: &mut Cx<'_, '_>,
    addresses: (&str, &Address),
    order: &Order,
    lines: &[Line],
    connection: &Connection,
) -> Flow<()> {
    let (adapter, opened) = usable(cx.ring, connection)?;
    let wanted = wanted(cx.ring, addresses, order, lines, connection).ok_or_else(unavailable)?;
    let first = adapter.checkout(&wanted, &opened, &[]);
    let first = first.map_err(|error| Problem::invalid("connection", error))?;
    let Step::Done(Opening::Instructions(Instructions { transfer: Some(transfer), .. })) = first else {
        return Ok(());
    };
    let checkout =
        OpenCheckout { connection: connection.id, session_ref: transfer.reference, order: order.id };
    // No bank can be asked: its statements are brought.
    Ok(reconciler::flow::note_reference(cx, &checkout)?)
}

/// What the buyer of an order that nobody is sent away to pay is told; `None` for all others.
pub fn instructions(
    ring: &Ring,
    addresses: (&str, &Address),
    order: &Order,
    lines: &[Line],
    connection: &Connection,
) -> Option<Instructions> {
    let (adapter, opened) = usable(ring, connection).ok()?;
    let wanted = wanted(ring, addresses, order, lines, connection)?;
    match adapter.checkout(&wanted, &opened, &[]) {
        Ok(Step::Done(Opening::Instructions(instructions))) => Some(instructions),
        _ => None,
    }
}

fn unavailable() -> Problem {
    Problem::new(Code::Unavailable, "this shop cannot take payments at the moment")
}

/// The adapter of a connection that is on, with its secrets.
fn usable(
    ring: &Ring,
    connection: &Connection,
) -> Result<(&'static dyn gateways::Gateway, gateways::Connection), Problem> {
    let adapter = gateways::gateway(&connection.gateway).ok_or_else(unavailable)?;
    if connection.disabled_at.is_some() {
        return Err(unavailable());
    }
    let opened = connection.opened(ring).map_err(|error| {
        tracing::error!(%error, connection = %connection.id, "a connection's secrets cannot be opened");
        unavailable()
    })?;
    Ok((adapter, opened))
}

/// The order in the words of the contract; `None` when the ring lacks its key.
fn wanted(
    ring: &Ring,
    (base_url, address): (&str, &Address),
    order: &Order,
    lines: &[Line],
    connection: &Connection,
) -> Option<Checkout> {
    let page = page_url(ring, address, order)?;
    Some(Checkout {
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
        email: None,
        idempotency_key: format!("{}-{}", order.id, order.due_minor),
        expires_at: order.created_at + PAYABLE_FOR,
    })
}

fn line(line: &Line, currency: kernel::Currency) -> CheckoutLine {
    CheckoutLine {
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit: Money::new(line.unit_minor, currency),
        recurring: None,
    }
}

/// The address of an order's thank-you page; `None` when the ring lacks its key.
pub fn page_url(ring: &Ring, address: &Address, order: &Order) -> Option<String> {
    links::order_token(ring, order).map(|token| address.url(&format!("/o/{token}")))
}
