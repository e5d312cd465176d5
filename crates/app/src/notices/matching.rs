//! Whether an authentic notice is about our money: receiver, mode, amount, currency, product.
//!
//! Pure: it decides on rows that the flow has read. A gateway's signature proves who speaks,
//! not that the speech is about what we sold; every one of these checks was somebody's loss.

use gateways::{Mode, Notice, NoticeKind};
use kernel::{ConnectionId, Money};

use crate::connections::Connection;
use crate::orders::Order;
use crate::products::Price;

/// Whether the notice is for this connection at all.
///
/// # Errors
/// What does not fit, for the quarantine.
pub fn addressed_to(notice: &Notice, connection: &Connection) -> Result<(), String> {
    let adapter = gateways::gateway(&connection.gateway);
    let ours = adapter.is_some_and(|adapter| adapter.is_ours(notice, &connection.without_secrets()));
    if !ours {
        let named = if notice.receivers.is_empty() {
            "nobody by name".to_owned()
        } else {
            notice.receivers.join(", ")
        };
        return Err(format!("the money went to {named}, not to this connection's account"));
    }
    match (notice.test, connection.mode) {
        (Some(true), Mode::Live) => Err("it is a test, and this connection is live".to_owned()),
        (Some(false), Mode::Test) => {
            Err("it is about real money, and this connection is for tests".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether an order of ours can be what the notice is about.
///
/// # Errors
/// What does not fit, for the quarantine.
pub fn fits(notice: &Notice, order: &Order, connection: ConnectionId) -> Result<Cover, String> {
    // Whoever has play money at a test connection must not pay orders of the live one with it.
    if let Some(expected) = order.connection.filter(|expected| *expected != connection) {
        return Err(format!("the order was to be paid through another connection, {expected}"));
    }
    if brings_money(notice.kind) { covers(notice, order) } else { Ok(Cover::Exact) }
}

/// How an amount stands to what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Exactly, or the surplus is the tax or shipping that the gateway names.
    Exact,
    /// More than due.
    Surplus(Money),
}

/// Whether the amount covers what is due.
///
/// # Errors
/// What is missing, for the quarantine.
pub fn covers(notice: &Notice, order: &Order) -> Result<Cover, String> {
    let Some(amount) = notice.amount else { return Err("it names no amount".to_owned()) };
    if amount.currency != order.currency {
        return Err(format!("it is in {}, and the order is in {}", amount.currency, order.currency));
    }
    if amount.minor < order.due_minor {
        return Err(format!("{amount} is less than the {} that is due", order.due()));
    }
    let added_there = extras(notice);
    let surplus = amount.minor.saturating_sub(order.due_minor);
    let explained = added_there.saturating_sub(order.tax_minor).max(0);
    if surplus == 0 || surplus == explained {
        Ok(Cover::Exact)
    } else {
        Ok(Cover::Surplus(Money::new(surplus, order.currency)))
    }
}

/// What a line of a button without an order of ours was sold for: the highest price in force
/// within the honored window that the amount covers.
///
/// # Errors
/// Why no price fits, for the quarantine.
pub fn honored_unit(
    sku: &str,
    prices: &[Price],
    quantity: u32,
    paid_for_line: Money,
    paid_at: kernel::Timestamp,
) -> Result<Money, String> {
    let honored = crate::products::prices_honored(prices, paid_for_line.currency, paid_at);
    if honored.is_empty() {
        return Err(format!("\"{sku}\" has no price in {}", paid_for_line.currency));
    }
    let covered = honored
        .iter()
        .filter(|unit| unit.times(quantity).is_ok_and(|whole| whole.minor <= paid_for_line.minor));
    covered.max_by_key(|unit| unit.minor).copied().ok_or_else(|| {
        let lowest = honored.iter().map(|unit| unit.minor).min().unwrap_or(0);
        let lowest = Money::new(lowest, paid_for_line.currency);
        format!("{paid_for_line} does not cover {quantity} of \"{sku}\" at {lowest}")
    })
}

/// Tax and shipping that the gateway added on top of the lines.
pub fn extras(notice: &Notice) -> i64 {
    let minor = |money: Option<Money>| money.map_or(0, |money| money.minor.max(0));
    minor(notice.tax).saturating_add(minor(notice.shipping))
}

/// Whether this kind of notice brings money, or the promise of it.
pub const fn brings_money(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::PaymentPaid | NoticeKind::PaymentPending)
}

/// Whether this kind of notice says that money moved or will move, and so has to say how much.
pub const fn moves_money(kind: NoticeKind) -> bool {
    brings_money(kind)
        || matches!(
            kind,
            NoticeKind::RefundCreated
                | NoticeKind::RefundFailed
                | NoticeKind::PaymentReversed
                | NoticeKind::PaymentReversalCanceled
                | NoticeKind::DisputeLost
        )
}
