//! Recording what happened, and sealing it into the chain.

use db::DbError;
use kernel::{EventId, OrderId};

use super::{Event, store};
use crate::cx::Cx;

/// How many events one transaction seals; the rest waits for the next.
const SEALED_AT_ONCE: u32 = 500;

/// Records an event in the transaction that it tells of, and answers its id.
pub fn record(
    cx: &mut Cx<'_, '_>,
    order: Option<OrderId>,
    subject: impl std::fmt::Display,
    kind: &str,
    detail: serde_json::Value,
) -> Result<EventId, DbError> {
    let event = Event {
        id: EventId::mint(cx.draws),
        merchant: cx.merchant,
        order,
        subject: subject.to_string(),
        kind: kind.to_owned(),
        actor: cx.actor.to_string(),
        detail,
        at: cx.now,
    };
    store::insert(cx.tx, &event)?;
    Ok(event.id)
}

/// Gives waiting events their places. Answers whether some are left.
pub fn seal(cx: &mut Cx<'_, '_>) -> Result<bool, DbError> {
    store::lock_chain(cx.tx, cx.merchant)?;
    let mut end = store::chain_end(cx.tx, cx.merchant)?;
    let waiting = store::unsealed(cx.tx, cx.merchant, SEALED_AT_ONCE)?;
    for event in &waiting {
        let seq = end.seq + 1;
        let hash = event.link(&end.hash, seq);
        store::seal(cx.tx, event, seq, hash)?;
        end = store::ChainEnd { seq, hash: hash.to_vec() };
    }
    Ok(waiting.len() == usize::try_from(SEALED_AT_ONCE).unwrap_or(usize::MAX))
}
