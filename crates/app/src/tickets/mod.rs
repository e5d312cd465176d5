//! Tickets: admission to something that takes place once, for no more people than there is room.
//!
//! A checkout holds places of the event for as long as its buyer may take to pay; money, also money
//! that is still on its way, keeps them. Every change of what is held happens under the event's row
//! lock. `taken` may be more than the places that are held and kept, never less: a place is had by
//! one conditional UPDATE, and where that finds none, the places are counted afresh, without those
//! whose hold has lapsed and those that were refunded.
//!
//! Money decides: what is paid for after the last place was gone is delivered as far as it can be,
//! its line is marked `over`, and a person is asked.
//!
//! A ticket is a unit of such a line. Nothing of it is stored: its number follows from the hold's
//! first one, its code from the ring. It does not change when the buyer's links are replaced: it may
//! have been printed.

pub mod check_in;
pub mod code;
pub mod desk_store;
pub mod door_pages;
pub mod flow;
pub mod form;
pub mod pages;
pub mod product_pages;
pub mod staff_pages;
pub mod staff_view;
pub mod store;

use kernel::{LineId, MerchantId, OrderId, Span, TicketEventId, Timestamp};

/// How long a checkout holds its places.
pub const HELD_FOR: Span = Span::minutes(30);
/// Most places of one event.
pub const CAPACITY_MAX: u32 = 1_000_000;
/// Most places of one line: each is a unit of its own.
pub const PLACES_MAX: u32 = crate::fulfillment::UNITS_MAX;

db::words! {
    /// How a line's places stand.
    pub enum HoldState {
        /// While the buyer pays.
        Held = "held",
        /// Money is there, or on its way.
        Kept = "kept",
        /// Given up: the money did not come.
        Released = "released",
        /// Money came when no place was left.
        Over = "over",
    }
}

/// What a product says of its tickets; frozen into the lines that sell them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// What it admits to.
    pub event: TicketEventId,
}

/// Something that takes place once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketEvent {
    /// Its id.
    pub id: TicketEventId,
    /// Whose.
    pub merchant: MerchantId,
    /// What it is called.
    pub title: String,
    /// Where it is: an address, a room.
    pub place: String,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it is over.
    pub ends_at: Timestamp,
    /// IANA name of the time zone in which its times are told.
    pub time_zone: String,
    /// For how many there is room.
    pub capacity: u32,
    /// Places that may not be sold any more; see the module.
    pub taken: u32,
    /// Raised by every change.
    pub version: i64,
}

/// The places of one line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Of which line.
    pub line: LineId,
    /// Whose.
    pub merchant: MerchantId,
    /// Of which order.
    pub order: OrderId,
    /// Of which event.
    pub event: TicketEventId,
    /// How many.
    pub places: u32,
    /// How they stand.
    pub state: HoldState,
    /// Until when they are held for a payment.
    pub held_until: Timestamp,
    /// The number of its first ticket.
    pub first_number: u32,
    /// What its codes are derived from.
    pub nonce: [u8; 16],
    /// With which ring key.
    pub ring_key: u32,
}

impl Hold {
    /// The number of the ticket of one of its units, which count from 1.
    pub const fn number(&self, unit_no: u32) -> u32 {
        self.first_number.saturating_add(unit_no).saturating_sub(1)
    }

    /// Which unit's ticket has this number.
    pub fn unit_of(&self, number: u32) -> Option<u32> {
        let before = number.checked_sub(self.first_number)?;
        (before < self.places).then_some(before.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units_lead_to_each_other() {
        let hold = Hold {
            line: LineId::from_bits(1),
            merchant: MerchantId::from_bits(2),
            order: OrderId::from_bits(3),
            event: TicketEventId::from_bits(4),
            places: 3,
            state: HoldState::Kept,
            held_until: Timestamp::from_seconds(0),
            first_number: 17,
            nonce: [0; 16],
            ring_key: 1,
        };
        assert_eq!([1, 2, 3].map(|unit| hold.number(unit)), [17, 18, 19]);
        assert_eq!([17, 18, 19].map(|number| hold.unit_of(number)), [Some(1), Some(2), Some(3)]);
        assert_eq!([0, 16, 20].map(|number| hold.unit_of(number)), [None; 3]);
    }
}
