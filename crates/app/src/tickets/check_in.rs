//! At the door: each ticket once, and what is not good with the reason.

use kernel::GrantId;

use super::code::Typed;
use super::store::{self, CheckIn};
use super::{Hold, HoldState, TicketEvent};
use crate::cx::Cx;
use crate::events;
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::problem::{Flow, Problem};
use crate::ring::Ring;
use db::{Inserted, Source};

db::words! {
    /// Whether a ticket lets somebody in.
    pub enum Standing {
        /// It does.
        Good = "good",
        /// Its money was pulled back and may come again.
        Suspended = "suspended",
        /// It was refunded or taken back.
        Revoked = "revoked",
        /// It was paid for after the last place was gone, and nobody has made room.
        NoPlace = "no_place",
    }
}

/// A ticket with all that is known of it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The places of its line.
    pub hold: Hold,
    /// The right to it.
    pub grant: Grant,
    /// Whether it lets somebody in.
    pub standing: Standing,
    /// When it did.
    pub entered: Option<CheckIn>,
}

impl Known {
    /// Its number.
    pub const fn number(&self) -> u32 {
        self.hold.number(self.grant.unit_no)
    }
}

/// What a code stands for.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A ticket of this event.
    Ticket(Box<Known>),
    /// None of this event.
    Unknown,
}

/// What became of somebody at the door.
#[derive(Debug, Clone)]
pub enum Entry {
    /// They are in.
    Admitted(Box<Known>),
    /// Somebody came with this ticket before.
    Already(Box<Known>),
    /// The ticket is not good.
    Refused(Box<Known>),
    /// The code is none of this event's.
    Unknown,
}

/// Whether a ticket lets somebody in.
pub const fn standing(hold: HoldState, grant: GrantStatus) -> Standing {
    match (grant, hold) {
        (GrantStatus::Revoked, _) => Standing::Revoked,
        (GrantStatus::Suspended, _) => Standing::Suspended,
        (GrantStatus::Active | GrantStatus::Provisional, HoldState::Kept) => Standing::Good,
        (
            GrantStatus::Active | GrantStatus::Provisional,
            HoldState::Held | HoldState::Released | HoldState::Over,
        ) => Standing::NoPlace,
    }
}

/// Looks a code up. Nothing is changed by that.
pub fn look(source: &mut impl Source, ring: &Ring, event: &TicketEvent, code: &str) -> Flow<Shown> {
    let Some(typed) = Typed::read(code) else { return Ok(Shown::Unknown) };
    let hold = store::hold_of_number(source, event.merchant, event.id, typed.number)?;
    let Some(hold) = hold.filter(|hold| typed.proves(ring, hold)) else { return Ok(Shown::Unknown) };
    let unit = hold.unit_of(typed.number);
    let grants = fulfillment::store::of_line(source, event.merchant, hold.order, hold.line)?;
    let Some(grant) = grants.into_iter().find(|grant| Some(grant.unit_no) == unit) else {
        return Ok(Shown::Unknown);
    };
    let entered = store::check_in(source, event.merchant, grant.id)?;
    let standing = standing(hold.state, grant.status);
    Ok(Shown::Ticket(Box::new(Known { hold, grant, standing, entered })))
}

/// Lets somebody in by the code of their ticket, once.
pub fn enter(cx: &mut Cx<'_, '_>, event: &TicketEvent, code: &str) -> Flow<Entry> {
    let Shown::Ticket(mut known) = look(cx.tx, cx.ring, event, code)? else { return Ok(Entry::Unknown) };
    // Held until the end of the transaction: a refund that comes now is in time or too late.
    let grant = fulfillment::store::share(cx.tx, known.grant.id)?;
    known.grant = grant.ok_or_else(|| Problem::not_found("ticket"))?;
    known.standing = standing(known.hold.state, known.grant.status);
    if known.standing != Standing::Good {
        return Ok(Entry::Refused(known));
    }
    let by = cx.actor.to_string();
    let ids = (cx.merchant, event.id, known.grant.id);
    if store::insert_check_in(cx.tx, ids, &by, cx.now)? == Inserted::Existing {
        known.entered = store::check_in(cx.tx, cx.merchant, known.grant.id)?;
        return Ok(Entry::Already(known));
    }
    known.entered = Some(CheckIn { at: cx.now, by });
    let detail = serde_json::json!({ "number": known.number() });
    events::flow::record(cx, Some(known.hold.order), event.id, "ticket.checked_in", detail)?;
    Ok(Entry::Admitted(known))
}

/// Takes an entry back: the wrong ticket was let in, or somebody went home again.
pub fn undo(cx: &mut Cx<'_, '_>, event: &TicketEvent, grant: GrantId) -> Flow<()> {
    let known = fulfillment::store::by_id(cx.tx, cx.merchant, grant)?;
    let hold = match &known {
        Some(grant) => store::hold(cx.tx, cx.merchant, grant.line)?,
        None => None,
    };
    let hold = hold.filter(|hold| hold.event == event.id).ok_or_else(|| Problem::not_found("ticket"))?;
    if !store::delete_check_in(cx.tx, cx.merchant, grant)? {
        return Err(Problem::conflict("nobody has come in with this ticket").into());
    }
    let number = known.map(|grant| hold.number(grant.unit_no));
    let detail = serde_json::json!({ "number": number });
    events::flow::record(cx, Some(hold.order), event.id, "ticket.check_in_undone", detail)?;
    Ok(())
}
