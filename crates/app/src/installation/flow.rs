//! Starting, counting on, and lifting a quarantine.

use super::{Identity, Mark, Quarantine, Standing, judge, store};
use crate::cx::Cx;
use crate::events;
use crate::jobs;
use crate::problem::{Flow, Problem};

/// What a start found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Who the database is, counted on unless it is quarantined.
    pub identity: Identity,
    /// Why nothing leaves the house, if so.
    pub quarantine: Option<Quarantine>,
}

/// What the witness beside the keys remembers: installations by id.
pub type Witnessed = std::collections::BTreeMap<String, Mark>;

/// The program starts: compares the database with its witness, and counts on.
///
/// The witness is written after this has been committed, so that a crash in between leaves it
/// behind the database, never ahead.
pub fn arrive(cx: &mut Cx<'_, '_>, place: &str, witnessed: &Witnessed) -> Flow<Arrival> {
    let known = store::lock_identity(cx.tx)?;
    let mark = known.as_ref().and_then(|identity| witnessed.get(&identity.id).copied());
    let mut quarantine = store::quarantine(cx.tx)?;
    let standing = judge(known.as_ref(), mark, place);
    let mut identity = known.unwrap_or_else(|| Identity {
        id: hex::encode(cx.draws.nonce::<16>()),
        mark: Mark { sequence: 0, ..Mark::FIRST },
        place: place.to_owned(),
    });
    if let (None, Standing::Doubtful(why)) = (&quarantine, standing) {
        let begun = Quarantine { why, since: cx.now };
        store::save_quarantine(cx.tx, &begun, cx.now)?;
        quarantine = Some(begun);
    }
    if quarantine.is_none() {
        identity.mark = identity.mark.advanced();
        store::save_identity(cx.tx, &identity, cx.now)?;
    }
    Ok(Arrival { identity, quarantine })
}

/// Counts on. Nothing while the database is quarantined or new: there is nothing to vouch for.
pub fn advance(cx: &mut Cx<'_, '_>) -> Flow<Option<Identity>> {
    let Some(mut identity) = store::lock_identity(cx.tx)? else { return Ok(None) };
    if store::quarantine(cx.tx)?.is_some() {
        return Ok(None);
    }
    identity.mark = identity.mark.advanced();
    store::save_identity(cx.tx, &identity, cx.now)?;
    Ok(Some(identity))
}

/// What becomes of mail that waits when a quarantine is lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingMail {
    /// It leaves.
    Send,
    /// It never leaves; single messages can still be sent again.
    Drop,
}

/// The operator has looked: this copy is the true one from now on, here. Answers who it is now
/// and how many messages were dropped.
pub fn lift(
    cx: &mut Cx<'_, '_>,
    place: &str,
    witnessed: &Witnessed,
    mail: WaitingMail,
) -> Flow<(Identity, u64)> {
    let quarantine = store::quarantine(cx.tx)?
        .ok_or_else(|| Problem::conflict("there is no quarantine: everything is being sent"))?;
    let before = store::lock_identity(cx.tx)?.unwrap_or_else(|| Identity {
        id: hex::encode(cx.draws.nonce::<16>()),
        mark: Mark::FIRST,
        place: place.to_owned(),
    });
    let mark = before.mark.reborn(witnessed.get(&before.id).copied());
    let identity = Identity { mark, place: place.to_owned(), ..before };
    store::save_identity(cx.tx, &identity, cx.now)?;
    store::remove(cx.tx, store::QUARANTINE)?;
    jobs::store::let_go(cx.tx, cx.now)?;
    let dropped = match mail {
        WaitingMail::Send => 0,
        WaitingMail::Drop => {
            store::drop_waiting_messages(cx.tx, "held back by a quarantine, and dropped when it was lifted")?
        }
    };
    let detail = serde_json::json!({ "why": quarantine.why, "since": quarantine.since, "dropped": dropped });
    events::flow::record(cx, None, &identity.id, "quarantine.lifted", detail)?;
    Ok((identity, dropped))
}
