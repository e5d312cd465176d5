//! SQL of events, holds and check-ins.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{GrantId, LineId, MerchantId, OrderId, TicketEventId, Timestamp};

use super::{Hold, HoldState, TicketEvent};

/// Writes a new event.
pub fn insert(tx: &mut Tx<'_>, event: &TicketEvent, now: Timestamp) -> Result<(), DbError> {
    sql("INSERT INTO ticket_events (id, merchant_id, title, place, starts_at, ends_at, time_zone, capacity, taken,
            last_number, created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $9, 1)")
    .bind(event.id)
    .bind(event.merchant)
    .bind(&event.title)
    .bind(&event.place)
    .bind(event.starts_at)
    .bind(event.ends_at)
    .bind(&event.time_zone)
    .bind(event.capacity)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// Writes back what staff can change of an event that was locked in this transaction.
pub fn save(tx: &mut Tx<'_>, event: &TicketEvent, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE ticket_events SET title = $1, place = $2, starts_at = $3, ends_at = $4, time_zone = $5, capacity = $6,
            updated_at = $7, version = version + 1
          WHERE merchant_id = $8 AND id = $9 AND version = $10")
    .bind(&event.title)
    .bind(&event.place)
    .bind(event.starts_at)
    .bind(event.ends_at)
    .bind(&event.time_zone)
    .bind(event.capacity)
    .bind(now)
    .bind(event.merchant)
    .bind(event.id)
    .bind(event.version)
    .change_one(tx)
}

const EVENT: &str = "SELECT id, merchant_id, title, place, starts_at, ends_at, time_zone, capacity, taken, version FROM ticket_events";

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: TicketEventId,
) -> Result<Option<TicketEvent>, DbError> {
    sql(format!("{EVENT} WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(id)
        .optional(source, read_event)
}

/// By id, holding the row: whatever changes places does so under this lock.
pub fn lock(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: TicketEventId,
) -> Result<Option<TicketEvent>, DbError> {
    sql(format!("{EVENT} WHERE merchant_id = $1 AND id = $2 {{FOR UPDATE}}"))
        .bind(merchant)
        .bind(id)
        .optional(tx, read_event)
}

/// A merchant's events, the latest first.
pub fn list(source: &mut impl Source, merchant: MerchantId, most: u32) -> Result<Vec<TicketEvent>, DbError> {
    sql(format!("{EVENT} WHERE merchant_id = $1 ORDER BY starts_at DESC, id DESC LIMIT $2"))
        .bind(merchant)
        .bind(most)
        .all(source, read_event)
}

fn read_event(row: &mut Row) -> Result<TicketEvent, DbError> {
    Ok(TicketEvent {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        title: row.get("title")?,
        place: row.get("place")?,
        starts_at: row.get("starts_at")?,
        ends_at: row.get("ends_at")?,
        time_zone: row.get("time_zone")?,
        capacity: row.get("capacity")?,
        taken: row.get("taken")?,
        version: row.get("version")?,
    })
}

/// Takes places if so many are left, and numbers for them: check and count are one statement.
/// Answers the first number.
pub fn take(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    event: TicketEventId,
    places: u32,
) -> Result<Option<u32>, DbError> {
    let last: Option<u32> = sql("UPDATE ticket_events SET taken = taken + $1, last_number = last_number + $1
          WHERE merchant_id = $2 AND id = $3 AND taken + $1 <= capacity RETURNING last_number")
    .bind(places)
    .bind(merchant)
    .bind(event)
    .optional(tx, |row| row.get("last_number"))?;
    Ok(last.map(|last| first_of(last, places)))
}

/// Takes places whether or not so many are left, because money or a person decided so.
pub fn take_anyway(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    event: TicketEventId,
    places: u32,
) -> Result<(), DbError> {
    sql("UPDATE ticket_events SET taken = taken + $1 WHERE merchant_id = $2 AND id = $3")
        .bind(places)
        .bind(merchant)
        .bind(event)
        .change_one(tx)
}

/// Takes numbers, and no places.
pub fn take_numbers(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    event: TicketEventId,
    places: u32,
) -> Result<u32, DbError> {
    let last = sql("UPDATE ticket_events SET last_number = last_number + $1
          WHERE merchant_id = $2 AND id = $3 RETURNING last_number")
    .bind(places)
    .bind(merchant)
    .bind(event)
    .one(tx, |row| row.get("last_number"))?;
    Ok(first_of(last, places))
}

const fn first_of(last: u32, places: u32) -> u32 {
    last.saturating_sub(places).saturating_add(1)
}

/// Gives up holds whose time is over. The caller holds the event's lock.
pub fn release_lapsed(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    event: TicketEventId,
    now: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE ticket_holds SET state = 'released'
          WHERE merchant_id = $1 AND event_id = $2 AND state = 'held' AND held_until <= $3")
    .bind(merchant)
    .bind(event)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// The places that are held and kept: while an order waits for its money those of its lines, then
/// those of the grants that were not taken back.
const COUNTED: &str = "SELECT CAST(COALESCE(sum(CASE WHEN h.state = 'held' THEN h.places
         WHEN EXISTS (SELECT 1 FROM grants g WHERE g.line_id = h.line_id)
         THEN (SELECT count(*) FROM grants g WHERE g.line_id = h.line_id AND g.status <> 'revoked')
         WHEN o.status IN ('awaiting_payment', 'pending') THEN h.places ELSE 0 END), 0) AS BIGINT)
    FROM ticket_holds h JOIN orders o ON o.id = h.order_id
   WHERE h.merchant_id = $1 AND h.event_id = $2 AND h.state IN ('held', 'kept')";

/// Counts an event's places afresh. The caller holds the event's lock, and has released what lapsed.
pub fn recount(tx: &mut Tx<'_>, merchant: MerchantId, event: TicketEventId) -> Result<(), DbError> {
    sql(format!("UPDATE ticket_events SET taken = ({COUNTED}) WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(event)
        .change_one(tx)
}

/// How many places are held and kept.
pub fn counted(source: &mut impl Source, merchant: MerchantId, event: TicketEventId) -> Result<u32, DbError> {
    sql(format!("SELECT ({COUNTED}) AS places"))
        .bind(merchant)
        .bind(event)
        .one(source, |row| row.get("places"))
}

/// Counts the places of a grant once more that was given back: too many do no harm, and are
/// corrected by the next count.
pub fn count_again(tx: &mut Tx<'_>, merchant: MerchantId, line: LineId) -> Result<(), DbError> {
    sql("UPDATE ticket_events SET taken = taken + 1
          WHERE merchant_id = $1 AND id IN (SELECT h.event_id FROM ticket_holds h WHERE h.merchant_id = $1 AND h.line_id = $2)")
    .bind(merchant)
    .bind(line)
    .execute(tx)
    .map(drop)
}

/// Writes a line's hold.
pub fn insert_hold(tx: &mut Tx<'_>, hold: &Hold, now: Timestamp) -> Result<(), DbError> {
    sql("INSERT INTO ticket_holds (line_id, merchant_id, order_id, event_id, places, state, held_until, first_number,
            nonce, ring_key, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
    .bind(hold.line)
    .bind(hold.merchant)
    .bind(hold.order)
    .bind(hold.event)
    .bind(hold.places)
    .bind(hold.state)
    .bind(hold.held_until)
    .bind(hold.first_number)
    .bind(hold.nonce)
    .bind(hold.ring_key)
    .bind(now)
    .execute(tx)
    .map(drop)
}

/// Writes how a hold stands now. The caller holds the event's lock.
pub fn set_hold(
    tx: &mut Tx<'_>,
    hold: &Hold,
    state: HoldState,
    held_until: Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE ticket_holds SET state = $1, held_until = $2 WHERE merchant_id = $3 AND line_id = $4")
        .bind(state)
        .bind(held_until)
        .bind(hold.merchant)
        .bind(hold.line)
        .change_one(tx)
}

const HOLD: &str = "SELECT h.line_id AS line_id, h.merchant_id AS merchant_id, h.order_id AS order_id,
        h.event_id AS event_id, h.places AS places, h.state AS state, h.held_until AS held_until,
        h.first_number AS first_number, h.nonce AS nonce, h.ring_key AS ring_key FROM ticket_holds h";

/// A line's hold.
pub fn hold(source: &mut impl Source, merchant: MerchantId, line: LineId) -> Result<Option<Hold>, DbError> {
    sql(format!("{HOLD} WHERE h.merchant_id = $1 AND h.line_id = $2"))
        .bind(merchant)
        .bind(line)
        .optional(source, read_hold)
}

/// The holds of an order.
pub fn holds_of(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<Hold>, DbError> {
    sql(format!("{HOLD} WHERE h.merchant_id = $1 AND h.order_id = $2 ORDER BY h.event_id, h.line_id"))
        .bind(merchant)
        .bind(order)
        .all(source, read_hold)
}

/// The hold among whose tickets a number is.
pub fn hold_of_number(
    source: &mut impl Source,
    merchant: MerchantId,
    event: TicketEventId,
    number: u32,
) -> Result<Option<Hold>, DbError> {
    sql(format!(
        "{HOLD} WHERE h.merchant_id = $1 AND h.event_id = $2 AND h.first_number <= $3
          ORDER BY h.first_number DESC LIMIT 1"
    ))
    .bind(merchant)
    .bind(event)
    .bind(number)
    .optional(source, read_hold)
}

/// Reads a hold's columns.
pub fn read_hold(row: &mut Row) -> Result<Hold, DbError> {
    Ok(Hold {
        line: row.get("line_id")?,
        merchant: row.get("merchant_id")?,
        order: row.get("order_id")?,
        event: row.get("event_id")?,
        places: row.get("places")?,
        state: row.get("state")?,
        held_until: row.get("held_until")?,
        first_number: row.get("first_number")?,
        nonce: row.get("nonce")?,
        ring_key: row.get("ring_key")?,
    })
}

/// Somebody's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckIn {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Lets a ticket in, once.
pub fn insert_check_in(
    tx: &mut Tx<'_>,
    (merchant, event, grant): (MerchantId, TicketEventId, GrantId),
    by: &str,
    now: Timestamp,
) -> Result<Inserted, DbError> {
    sql("INSERT INTO ticket_check_ins (grant_id, merchant_id, event_id, checked_in_at, checked_in_by)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
    .bind(grant)
    .bind(merchant)
    .bind(event)
    .bind(now)
    .bind(by)
    .insert_new(tx)
}

/// A ticket's entry.
pub fn check_in(
    source: &mut impl Source,
    merchant: MerchantId,
    grant: GrantId,
) -> Result<Option<CheckIn>, DbError> {
    sql("SELECT checked_in_at, checked_in_by FROM ticket_check_ins WHERE merchant_id = $1 AND grant_id = $2")
        .bind(merchant)
        .bind(grant)
        .optional(source, |row| Ok(CheckIn { at: row.get("checked_in_at")?, by: row.get("checked_in_by")? }))
}

/// Takes an entry back. Answers whether there was one.
pub fn delete_check_in(tx: &mut Tx<'_>, merchant: MerchantId, grant: GrantId) -> Result<bool, DbError> {
    let gone = sql("DELETE FROM ticket_check_ins WHERE merchant_id = $1 AND grant_id = $2")
        .bind(merchant)
        .bind(grant)
        .execute(tx)?;
    Ok(gone == 1)
}
