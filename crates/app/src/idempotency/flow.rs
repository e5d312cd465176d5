//! Doing something once.

use db::{DbError, Inserted};

use super::{KEPT, Kept, Ticket, store};
use crate::cx::Cx;
use crate::problem::{Code, Flow, Problem};

/// Whether an answer is new or was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// The effect was had now.
    Done(Kept),
    /// It was had before; this is what was answered then.
    Replayed(Kept),
}

/// Has the effect, unless the same request had it before.
pub fn once(
    cx: &mut Cx<'_, '_>,
    ticket: Option<&Ticket>,
    mut effect: impl FnMut(&mut Cx<'_, '_>) -> Flow<Kept>,
) -> Flow<Once> {
    let Some(ticket) = ticket else { return effect(cx).map(Once::Done) };
    store::forget_old(cx.tx, ticket, cx.now - KEPT)?;
    if store::take(cx.tx, ticket, cx.now)? == Inserted::Existing {
        let (request_hash, kept) =
            store::find(cx.tx, ticket)?.ok_or_else(|| DbError::NotFound(ticket.key.clone()))?;
        if request_hash != ticket.request_hash {
            let text = "this Idempotency-Key was used for another request; take a new one for each request";
            return Err(Problem::new(Code::IdempotencyMismatch, text).into());
        }
        return Ok(Once::Replayed(kept));
    }
    let kept = effect(cx)?;
    store::keep(cx.tx, ticket, &kept)?;
    Ok(Once::Done(kept))
}
