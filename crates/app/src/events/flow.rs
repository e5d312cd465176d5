//! Recording what happened, and sealing it into the chain.

use db::DbError;
use kernel::{EventId, OrderId};

use super::{Event, store};
use crate::cx::Cx;
use crate::problem::Flow;

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

/// Does an act of whoever acts unless the same form has done it already: buttons are pressed
/// twice, and a browser sends a form again when the line breaks. `turn` is how often they had
/// done it to the order or other subject when the form was shown; without it the act is done.
///
/// The caller holds the lock of what is acted on. `None`: it was done before.
pub fn once<T>(
    cx: &mut Cx<'_, '_>,
    about: (Option<OrderId>, &str),
    kind: &str,
    turn: Option<i64>,
    act: impl FnOnce(&mut Cx<'_, '_>) -> Flow<T>,
) -> Flow<Option<T>> {
    if let Some(turn) = turn {
        let actor = cx.actor.to_string();
        if store::count_acts(cx.tx, cx.merchant, about, kind, &actor)? > turn {
            return Ok(None);
        }
    }
    act(cx).map(Some)
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
