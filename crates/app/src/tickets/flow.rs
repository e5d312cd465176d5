//! Places of events: held by checkouts, kept by money, given up without it.

use kernel::{LineId, OrderId, TicketEventId, Timestamp};

use super::{HELD_FOR, Hold, HoldState, PLACES_MAX, TicketEvent, store};
use crate::cx::Cx;
use crate::events;
use crate::orders::Line;
use crate::problem::{Flow, Problem};

/// Where a refusal for want of places points to.
pub const PLACES: &str = "places";

/// A line that sells tickets.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    /// The line.
    pub line: LineId,
    /// Of which order.
    pub order: OrderId,
    /// For which event.
    pub event: TicketEventId,
    /// How many.
    pub places: u32,
}

/// The lines of an order that sell tickets.
pub fn sales(lines: &[Line]) -> Vec<Sale> {
    let sale = |line: &Line| {
        let event = line.deliverables.ticket.as_ref()?.event;
        Some(Sale { line: line.id, order: line.order, event, places: line.quantity })
    };
    lines.iter().filter_map(sale).collect()
}

/// Holds the places of a checkout's lines, all or none.
///
/// # Errors
/// When an event is over, or has not so many places left.
pub fn reserve(cx: &mut Cx<'_, '_>, sales: &[Sale]) -> Flow<()> {
    for sale in in_order(sales) {
        let event = find(cx, sale.event)?;
        if event.ends_at <= cx.now {
            return Err(Problem::invalid("items", format!("\"{}\" is over", event.title)).into());
        }
        if sale.places > PLACES_MAX {
            let text = format!("one order has at most {PLACES_MAX} tickets of a kind");
            return Err(Problem::invalid("quantity", text).into());
        }
        let first = take(cx, sale)?;
        let first = first.ok_or_else(|| {
            Problem::invalid(PLACES, format!("there are not so many places left for \"{}\"", event.title))
        })?;
        insert(cx, sale, HoldState::Held, first)?;
    }
    Ok(())
}

/// Holds the places of an order once more, before its buyer is sent to pay: an hour may have passed.
///
/// # Errors
/// When they are gone.
pub fn hold_on(cx: &mut Cx<'_, '_>, order: OrderId) -> Flow<()> {
    for known in store::holds_of(cx.tx, cx.merchant, order)? {
        let event = lock(cx, known.event)?;
        let Some(hold) = store::hold(cx.tx, cx.merchant, known.line)? else { continue };
        match hold.state {
            HoldState::Kept | HoldState::Over => {}
            HoldState::Held => store::set_hold(cx.tx, &hold, HoldState::Held, cx.now + HELD_FOR)?,
            HoldState::Released => {
                if !retake(cx, &hold)? {
                    let text = format!("there are not so many places left for \"{}\"", event.title);
                    return Err(Problem::invalid(PLACES, text).into());
                }
                store::set_hold(cx.tx, &hold, HoldState::Held, cx.now + HELD_FOR)?;
            }
        }
    }
    Ok(())
}

/// Keeps the places that money has come, or is on its way, for. Answers the lines for which it has
/// just turned out that there is no place any more: they are marked, and a person has to decide.
pub fn keep(cx: &mut Cx<'_, '_>, sales: &[Sale]) -> Flow<Vec<LineId>> {
    let mut over = Vec::new();
    for sale in in_order(sales) {
        lock(cx, sale.event)?;
        let known = store::hold(cx.tx, cx.merchant, sale.line)?;
        let before = known.as_ref().map(|hold| hold.state);
        let state = match known {
            None => keep_unasked(cx, sale)?,
            Some(hold) => match hold.state {
                HoldState::Kept => HoldState::Kept,
                HoldState::Held => set(cx, &hold, HoldState::Kept)?,
                HoldState::Released | HoldState::Over if retake(cx, &hold)? => {
                    set(cx, &hold, HoldState::Kept)?
                }
                HoldState::Released | HoldState::Over => set(cx, &hold, HoldState::Over)?,
            },
        };
        if state == HoldState::Over && before != Some(HoldState::Over) {
            over.push(sale.line);
        }
    }
    Ok(over)
}

/// A button on another site asked nobody whether there is a place.
fn keep_unasked(cx: &mut Cx<'_, '_>, sale: &Sale) -> Flow<HoldState> {
    // More units than these are one unit: there is no ticket for each.
    let fits = sale.places <= PLACES_MAX;
    let taken = if fits { take(cx, sale)? } else { None };
    let (state, first) = match taken {
        Some(first) => (HoldState::Kept, first),
        None => (HoldState::Over, store::take_numbers(cx.tx, cx.merchant, sale.event, sale.places)?),
    };
    insert(cx, sale, state, first)?;
    Ok(state)
}

/// Gives up the places of an order whose money did not come.
pub fn release(cx: &mut Cx<'_, '_>, order: OrderId) -> Flow<()> {
    for known in store::holds_of(cx.tx, cx.merchant, order)? {
        lock(cx, known.event)?;
        let Some(hold) = store::hold(cx.tx, cx.merchant, known.line)? else { continue };
        if matches!(hold.state, HoldState::Held | HoldState::Kept) {
            set(cx, &hold, HoldState::Released)?;
        }
    }
    Ok(())
}

/// Lets in who paid after the last place was gone: a person has made room, or says that there is.
pub fn admit(cx: &mut Cx<'_, '_>, event: TicketEventId, line: LineId) -> Flow<Hold> {
    lock(cx, event)?;
    let hold = store::hold(cx.tx, cx.merchant, line)?.filter(|hold| hold.event == event);
    let hold = hold.ok_or_else(|| Problem::not_found("ticket"))?;
    if hold.state != HoldState::Over {
        return Err(Problem::conflict("these tickets have their places already").into());
    }
    store::take_anyway(cx.tx, cx.merchant, event, hold.places)?;
    set(cx, &hold, HoldState::Kept)?;
    let detail = serde_json::json!({ "places": hold.places, "line": line });
    events::flow::record(cx, Some(hold.order), event, "ticket.admitted", detail)?;
    Ok(hold)
}

/// Events are locked in the order of their ids, so that two orders do not wait for each other.
fn in_order(sales: &[Sale]) -> impl Iterator<Item = &Sale> {
    let mut sorted: Vec<&Sale> = sales.iter().collect();
    sorted.sort_unstable_by_key(|sale| sale.event.bits());
    sorted.into_iter()
}

fn find(cx: &mut Cx<'_, '_>, event: TicketEventId) -> Flow<TicketEvent> {
    Ok(store::by_id(cx.tx, cx.merchant, event)?.ok_or_else(|| Problem::not_found("event"))?)
}

fn lock(cx: &mut Cx<'_, '_>, event: TicketEventId) -> Flow<TicketEvent> {
    Ok(store::lock(cx.tx, cx.merchant, event)?.ok_or_else(|| Problem::not_found("event"))?)
}

/// Takes places and numbers; where none seem to be left, what is taken is counted first.
fn take(cx: &mut Cx<'_, '_>, sale: &Sale) -> Flow<Option<u32>> {
    if let Some(first) = store::take(cx.tx, cx.merchant, sale.event, sale.places)? {
        return Ok(Some(first));
    }
    count(cx, sale.event)?;
    Ok(store::take(cx.tx, cx.merchant, sale.event, sale.places)?)
}

/// Takes the places of a hold that was given up. It has its numbers.
fn retake(cx: &mut Cx<'_, '_>, hold: &Hold) -> Flow<bool> {
    let event = count(cx, hold.event)?;
    let fits = hold.places <= PLACES_MAX && event.taken.saturating_add(hold.places) <= event.capacity;
    if fits {
        store::take_anyway(cx.tx, cx.merchant, hold.event, hold.places)?;
    }
    Ok(fits)
}

/// Counts an event's places, without what has lapsed, under its lock.
fn count(cx: &mut Cx<'_, '_>, event: TicketEventId) -> Flow<TicketEvent> {
    lock(cx, event)?;
    store::release_lapsed(cx.tx, cx.merchant, event, cx.now)?;
    store::recount(cx.tx, cx.merchant, event)?;
    find(cx, event)
}

fn set(cx: &mut Cx<'_, '_>, hold: &Hold, state: HoldState) -> Flow<HoldState> {
    store::set_hold(cx.tx, hold, state, hold.held_until)?;
    Ok(state)
}

fn insert(cx: &mut Cx<'_, '_>, sale: &Sale, state: HoldState, first_number: u32) -> Flow<()> {
    let held_until: Timestamp = cx.now + HELD_FOR;
    let hold = Hold {
        line: sale.line,
        merchant: cx.merchant,
        order: sale.order,
        event: sale.event,
        places: sale.places,
        state,
        held_until,
        first_number,
        nonce: cx.draws.nonce(),
        ring_key: cx.ring.newest(),
    };
    Ok(store::insert_hold(cx.tx, &hold, cx.now)?)
}
