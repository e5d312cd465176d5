//! SQL of the inbox as a person looks through it.

use db::{DbError, Source, sql};
use kernel::{ConnectionId, MerchantId, NoticeId, OrderId};

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
    sql(format!(
        "{LISTED} WHERE merchant_id = $1 AND state IN ('received', 'unmatched', 'quarantined')
            AND state = 'quarantined' ORDER BY id LIMIT $2"
    ))
    .bind(merchant)
    .bind(most)
    .all(source, read_listed)
}
