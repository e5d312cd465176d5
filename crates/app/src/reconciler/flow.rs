//! What is remembered of checkouts, and how answers get into the inbox.

use db::DbError;
use gateways::Found;
use kernel::{ConnectionId, OrderId, Span, Timestamp};

use super::{EVERY, OVERLAP, OpenCheckout, Poll, ask_again_at, store, watermark_after};
use crate::connections::Connection;
use crate::cx::Cx;
use crate::jobs::{self, Claimed, Work};
use crate::notices;
use crate::orders;

/// A gateway that does not answer is asked ever more rarely, up to some five hours.
const PAUSE_DOUBLINGS_MAX: u32 = 6;

/// Remembers a checkout before its buyer is sent to it.
pub fn note_checkout(cx: &mut Cx<'_, '_>, checkout: &OpenCheckout) -> Result<(), DbError> {
    store::note_checkout(cx.tx, cx.merchant, checkout, (cx.now, ask_again_at(cx.now, cx.now)))
}

/// Remembers what an order is found by where nobody can be asked about it.
pub fn note_reference(cx: &mut Cx<'_, '_>, checkout: &OpenCheckout) -> Result<(), DbError> {
    store::note_checkout(cx.tx, cx.merchant, checkout, (cx.now, None))
}

/// Has the gateway asked about an order: its buyer is back, or nothing was heard for a while.
pub fn ask_about(cx: &mut Cx<'_, '_>, order: OrderId, query: Vec<(String, String)>) -> Result<(), DbError> {
    let work = Work::AskAboutOrder { merchant: cx.merchant, order, query };
    jobs::flow::enqueue(cx, &work)
}

/// Puts what was found into the inbox.
pub fn take_in(cx: &mut Cx<'_, '_>, connection: &Connection, found: Vec<Found>) -> Result<(), DbError> {
    for document in found {
        notices::flow::receive_found(cx, connection, document)?;
    }
    Ok(())
}

/// Takes in what was answered about an order, and decides when to ask again; ends the job.
pub fn answered(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    (order, opened_at): (OrderId, Timestamp),
    found: Vec<Found>,
    job: &Claimed,
) -> Result<(), DbError> {
    take_in(cx, connection, found)?;
    plan(cx, order, opened_at)?;
    jobs::store::finish(cx.tx, job)
}

/// Decides when an order is asked about next: no more as soon as it is paid.
pub fn plan(cx: &mut Cx<'_, '_>, order: OrderId, opened_at: Timestamp) -> Result<(), DbError> {
    let settled = orders::store::lock(cx.tx, cx.merchant, order)?.is_none_or(|order| order.paid_at.is_some());
    let ask_at = if settled { None } else { ask_again_at(opened_at, cx.now) };
    store::ask_order_at(cx.tx, cx.merchant, order, ask_at)
}

/// Takes in a page of news. Answers whether there are more.
pub fn take_page(
    cx: &mut Cx<'_, '_>,
    connection: &Connection,
    mut poll: Poll,
    (until, newest): (Timestamp, Option<Timestamp>),
    page: gateways::Page,
) -> Result<Option<Poll>, DbError> {
    take_in(cx, connection, page.found)?;
    poll.newest = poll.newest.max(newest);
    poll.answered_at = Some(cx.now);
    poll.failures = 0;
    poll.trouble.clear();
    let more = page.cursor.is_some();
    if more {
        poll.round = Some(super::Round { until, cursor: page.cursor });
        // Whoever comes after a crash goes on at once.
        store::save(cx.tx, &poll, cx.now)?;
        return Ok(Some(poll));
    }
    poll.watermark = watermark_after(poll.watermark, until, poll.newest);
    poll.round = None;
    poll.newest = None;
    store::save(cx.tx, &poll, cx.now + EVERY)?;
    Ok(None)
}

/// What this round asks for.
pub fn since(poll: &Poll, now: Timestamp) -> gateways::Since {
    let until = poll.round.as_ref().map_or(now, |round| round.until);
    let cursor = poll.round.as_ref().and_then(|round| round.cursor.clone());
    gateways::Since { from: poll.watermark - OVERLAP, until, cursor }
}

/// Records that a gateway did not answer.
pub fn failed(cx: &mut Cx<'_, '_>, connection: ConnectionId, why: &str) -> Result<(), DbError> {
    let Some(mut poll) = store::poll(cx.tx, connection)? else { return Ok(()) };
    poll.failures = poll.failures.saturating_add(1);
    poll.trouble = why.to_owned();
    let pause = Span::micros(EVERY.as_micros() << poll.failures.min(PAUSE_DOUBLINGS_MAX));
    store::save(cx.tx, &poll, cx.now + pause)
}
