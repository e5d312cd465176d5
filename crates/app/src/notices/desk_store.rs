//! SQL of the inbox as a person looks through it.

use db::{DbError, Source, sql};
use kernel::{ConnectionId, MerchantId, NoticeId, OrderId, Timestamp};

use super::store::read_listed;
use super::{NoticeState, Stored};
use crate::paging::{Ask, ListQuery, Slice, anywhere, bits_at};
use crate::web::listing::Days;

/// What the list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    /// What became of it.
    pub state: Option<NoticeState>,
    /// Through which connection.
    pub connection: Option<ConnectionId>,
    /// An id, a transaction, an address, or part of one.
    pub words: String,
    /// When it came.
    pub days: Days,
}

const LISTED: &str =
    "SELECT id, merchant_id, connection_id, state, reason, summary, address, order_id, copies,
    received_at, verified_at, decided_at FROM notices";

/// One page of the inbox.
pub fn list(
    source: &mut impl Source,
    merchant: MerchantId,
    narrow: &Narrow,
    ask: &Ask,
) -> Result<Slice<Stored>, DbError> {
    let mut query = ListQuery::new(LISTED, merchant);
    if let Some(from) = narrow.days.from {
        query = query.narrowed("id >= $", NoticeId::from_bits(bits_at(from)));
    }
    if let Some(until) = narrow.days.until {
        query = query.narrowed("id < $", NoticeId::from_bits(bits_at(until)));
    }
    match narrow.state {
        // The literal list is what lets the partial index be used.
        Some(state @ (NoticeState::Received | NoticeState::Unmatched | NoticeState::Quarantined)) => {
            query = query
                .narrowed_to("state IN ('received', 'unmatched', 'quarantined')")
                .narrowed("state = $", state);
        }
        Some(state) => query = query.among("state = $", state),
        None => {}
    }
    if let Some(connection) = narrow.connection {
        query = query.among("connection_id = $", connection);
    }
    let words = narrow.words.trim();
    if let Ok(id) = words.parse::<NoticeId>() {
        query = query.narrowed("id = $", id);
    } else if let Ok(order) = words.parse::<OrderId>() {
        query = query.narrowed("order_id = $", order);
    } else if let Ok(address) = words.parse::<std::net::IpAddr>() {
        query = query.among("address = $", address.to_string());
    } else if !words.is_empty() {
        // Both engines fold ASCII letters only.
        let pattern = anywhere(&words.to_ascii_lowercase());
        query = query.among("lower(summary) LIKE $ ESCAPE '\\'", pattern);
    }
    query.page(source, ask, read_listed)
}

/// All that wait for a person, the oldest first; at most so many.
pub fn quarantined(
    source: &mut impl Source,
    merchant: MerchantId,
    most: u32,
) -> Result<Vec<Stored>, DbError> {
    oldest(source, merchant, NoticeState::Quarantined, NoticeId::from_bits(u128::MAX), most)
}

/// Those that came before a moment and that their gateway has not confirmed yet, the oldest first;
/// at most so many.
pub fn unverified(
    source: &mut impl Source,
    merchant: MerchantId,
    before: Timestamp,
    most: u32,
) -> Result<Vec<Stored>, DbError> {
    // An id begins with the time at which the notice came.
    let before = NoticeId::from_bits(bits_at(before));
    oldest(source, merchant, NoticeState::Received, before, most)
}

fn oldest(
    source: &mut impl Source,
    merchant: MerchantId,
    state: NoticeState,
    before: NoticeId,
    most: u32,
) -> Result<Vec<Stored>, DbError> {
    sql(format!(
        "{LISTED} WHERE merchant_id = $1 AND state IN ('received', 'unmatched', 'quarantined')
            AND state = $2 AND id < $3 ORDER BY id LIMIT $4"
    ))
    .bind(merchant)
    .bind(state)
    .bind(before)
    .bind(most)
    .all(source, read_listed)
}
