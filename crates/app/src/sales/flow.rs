//! Counting sales, each once, and adding them up.

use db::{DbError, Source};
use kernel::Timestamp;

use super::{Sold, day_of, days_until, joined, store};
use crate::cx::Cx;
use crate::merchants::{self, Merchant};
use crate::orders::Order;

/// Counts paid orders under the days of their payments. The caller does so once per order: in
/// the transaction that marks it as invoiced.
pub fn count(cx: &mut Cx<'_, '_>, orders: &[Order]) -> Result<(), DbError> {
    let merchant = merchants::store::by_id(cx.tx, cx.merchant)?;
    let sold = |order: &Order| Sold {
        day: day_of(order.paid_at.unwrap_or(cx.now), &merchant.time_zone),
        currency: order.currency,
        orders: 1,
        amount_minor: order.due_minor,
    };
    for sum in joined(orders.iter().map(sold)) {
        store::add(cx.tx, cx.merchant, &sum)?;
    }
    Ok(())
}

/// Orders that the counting job may not have reached yet. It runs within a second of a payment;
/// where it is further behind, the newest are missing until it has caught up.
const UNCOUNTED_MAX: u32 = 5_000;

/// What each of the last so many days brought, today included, in no order.
pub fn of_days(
    source: &mut impl Source,
    merchant: &Merchant,
    now: Timestamp,
    count: usize,
) -> Result<Vec<Sold>, DbError> {
    let days = days_until(now, &merchant.time_zone, count);
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let counted = store::between(source, merchant.id, first.number, last.number)?;
    let uncounted = store::uncounted(source, merchant.id, first.start, UNCOUNTED_MAX)?;
    let uncounted = uncounted.into_iter().map(|sale| Sold {
        day: day_of(sale.paid_at, &merchant.time_zone),
        currency: sale.currency,
        orders: 1,
        amount_minor: sale.due_minor,
    });
    Ok(joined(counted.into_iter().chain(uncounted)))
}
