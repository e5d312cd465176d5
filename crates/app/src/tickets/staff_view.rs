//! Events and tickets as rows of the back office's pages.

use db::Source;
use kernel::{MerchantId, TicketEventId, Timestamp};
use ui::admin::{AttendeeRow, TicketEventRow};

use super::desk_store::Attendee;
use super::form::local;
use super::{TicketEvent, store};
use crate::problem::{Flow, Problem};
use crate::web::listing::word;

/// How times of events are written where they are read.
pub const TO_READ: &str = "%Y-%m-%d %H:%M";

/// A merchant's event.
pub fn find(source: &mut impl Source, merchant: MerchantId, id: TicketEventId) -> Flow<TicketEvent> {
    Ok(store::by_id(source, merchant, id)?.ok_or_else(|| Problem::not_found("event"))?)
}

/// An event with how full it is.
pub fn event_row(event: &TicketEvent, taken: u32, now: Timestamp) -> TicketEventRow {
    TicketEventRow {
        id: event.id,
        title: event.title.clone(),
        place: event.place.clone(),
        starts: local(event.starts_at, &event.time_zone, TO_READ),
        ends: local(event.ends_at, &event.time_zone, TO_READ),
        time_zone: event.time_zone.clone(),
        over: event.ends_at <= now,
        taken,
        capacity: event.capacity,
    }
}

/// Somebody who comes.
pub fn attendee_row(found: &Attendee) -> AttendeeRow {
    let known = &found.known;
    AttendeeRow {
        grant: known.grant.id,
        number: known.number(),
        name: found.name.clone(),
        email: found.email.clone(),
        order: known.hold.order,
        product: found.product.clone(),
        standing: word(known.standing.as_str()),
        entered_at: known.entered.as_ref().map(|entered| entered.at),
    }
}
