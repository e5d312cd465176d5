//! An event as staff type it: every field is checked at once, and says what to write instead.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kernel::{TicketEventId, Timestamp};

use super::{CAPACITY_MAX, TicketEvent, store};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Flow, Problem};

/// What was typed, by field.
pub type Typed = BTreeMap<String, String>;
/// Field name to what is wrong with it.
pub type Wrong = BTreeMap<String, String>;

/// Longest title.
const TITLE_LENGTH_MAX: usize = 200;
/// Longest place.
const PLACE_LENGTH_MAX: usize = 500;
/// As browsers write such a field, without seconds.
const MINUTES: &str = "%Y-%m-%dT%H:%M";

/// The fields of an event that staff fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    title: String,
    place: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
    time_zone: String,
    capacity: u32,
}

/// What became of a posted form.
#[derive(Debug)]
pub enum Saved {
    /// It is in force.
    Done(TicketEventId),
    /// These fields are wrong; nothing was saved.
    Wrong(Wrong),
}

/// Reads what was typed.
///
/// # Errors
/// Every field that is wrong, with what to write instead.
pub fn read(typed: &Typed) -> Result<Wanted, Wrong> {
    let mut wrong = Wrong::new();
    let get = |name: &str| typed.get(name).map_or("", |value| value.trim()).replace("\r\n", "\n");
    let mut refuse = |name: &str, why: &str| {
        wrong.insert(name.to_owned(), why.to_owned());
    };
    let title = get("title");
    if title.is_empty() || title.chars().count() > TITLE_LENGTH_MAX || title.chars().any(char::is_control) {
        refuse("title", "Write one line of 1 to 200 characters.");
    }
    let place = get("place");
    let odd = |letter: char| letter.is_control() && letter != '\n';
    if place.chars().count() > PLACE_LENGTH_MAX || place.chars().any(odd) {
        refuse("place", "Use at most 500 printable characters.");
    }
    let zone = TimeZone::get(&get("time_zone"));
    if zone.is_err() {
        refuse("time_zone", "This is not a time zone: write a name such as Europe/Berlin.");
    }
    let zone = zone.unwrap_or(TimeZone::UTC);
    let mut at = |name: &str| {
        let at = get(name).parse::<DateTime>().ok().and_then(|at| at.to_zoned(zone.clone()).ok());
        if at.is_none() {
            refuse(name, "Write a day and a time.");
        }
        at.map(|at| Timestamp::from_micros(at.timestamp().as_microsecond()))
    };
    let (starts_at, ends_at) = (at("starts"), at("ends"));
    if starts_at.zip(ends_at).is_some_and(|(starts, ends)| ends <= starts) {
        refuse("ends", "It ends before it begins.");
    }
    let capacity = get("capacity").parse::<u32>().ok().filter(|capacity| *capacity <= CAPACITY_MAX);
    if capacity.is_none() {
        refuse("capacity", "Write a whole number from 0 to 1000000.");
    }
    match (starts_at, ends_at, capacity) {
        (Some(starts_at), Some(ends_at), Some(capacity)) if wrong.is_empty() => {
            let time_zone = zone.iana_name().unwrap_or("UTC").to_owned();
            Ok(Wanted { title, place, starts_at, ends_at, time_zone, capacity })
        }
        _ => Err(wrong),
    }
}

/// What the fields of an event hold before anything is typed.
pub fn typed_of(event: &TicketEvent) -> Typed {
    let pairs = [
        ("title", event.title.clone()),
        ("place", event.place.clone()),
        ("starts", local(event.starts_at, &event.time_zone, MINUTES)),
        ("ends", local(event.ends_at, &event.time_zone, MINUTES)),
        ("time_zone", event.time_zone.clone()),
        ("capacity", event.capacity.to_string()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A time as people at that place say it.
pub fn local(at: Timestamp, zone: &str, form: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    at.to_jiff().to_zoned(zone).strftime(form).to_string()
}

/// Makes an event as it was typed.
pub fn create(cx: &mut Cx<'_, '_>, typed: &Typed) -> Flow<Saved> {
    let wanted = match read(typed) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(Saved::Wrong(wrong)),
    };
    let event = TicketEvent {
        id: TicketEventId::mint(cx.draws),
        merchant: cx.merchant,
        title: wanted.title,
        place: wanted.place,
        starts_at: wanted.starts_at,
        ends_at: wanted.ends_at,
        time_zone: wanted.time_zone,
        capacity: wanted.capacity,
        taken: 0,
        version: 1,
    };
    store::insert(cx.tx, &event, cx.now)?;
    let detail = serde_json::json!({ "title": event.title, "capacity": event.capacity });
    events::flow::record(cx, None, event.id, "ticket.event_made", detail)?;
    Ok(Saved::Done(event.id))
}

/// Changes an event over the version that was looked at. Tickets tell the new place and time.
pub fn save(cx: &mut Cx<'_, '_>, id: TicketEventId, version: i64, typed: &Typed) -> Flow<Saved> {
    let event = store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("event"))?;
    if event.version != version {
        let text = "somebody else has changed this event meanwhile; look at it again, then change it";
        return Err(Problem::conflict(text).into());
    }
    let wanted = match read(typed) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(Saved::Wrong(wrong)),
    };
    let changed = TicketEvent {
        title: wanted.title,
        place: wanted.place,
        starts_at: wanted.starts_at,
        ends_at: wanted.ends_at,
        time_zone: wanted.time_zone,
        capacity: wanted.capacity,
        ..event.clone()
    };
    if changed != event {
        store::save(cx.tx, &changed, cx.now)?;
        let detail = serde_json::json!({ "capacity": changed.capacity, "before": event.capacity });
        events::flow::record(cx, None, id, "ticket.event_changed", detail)?;
    }
    Ok(Saved::Done(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(starts: &str, ends: &str) -> Typed {
        let pairs = [
            ("title", "Evening of Charts"),
            ("place", "Pier 4"),
            ("starts", starts),
            ("ends", ends),
            ("time_zone", "Europe/Berlin"),
            ("capacity", "120"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn times_are_those_of_the_place() {
        let wanted = read(&typed("2027-05-01T19:30", "2027-05-01T22:00")).unwrap();
        assert_eq!(wanted.starts_at, Timestamp::parse_rfc3339("2027-05-01T17:30:00Z").unwrap());
        assert_eq!(local(wanted.starts_at, "Europe/Berlin", MINUTES), "2027-05-01T19:30");
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let fields = ["title", "starts", "ends", "time_zone", "capacity"];
        let nothing = fields.map(|name| (name.to_owned(), "?\u{0}".to_owned())).into();
        let wrong = read(&nothing).unwrap_err();
        assert_eq!(wrong.keys().collect::<Vec<_>>(), ["capacity", "ends", "starts", "time_zone", "title"]);
    }

    #[test]
    fn what_ends_before_it_begins_is_refused() {
        let wrong = read(&typed("2027-05-01T19:30", "2027-05-01T19:30")).unwrap_err();
        assert_eq!(wrong.keys().collect::<Vec<_>>(), ["ends"]);
    }
}
