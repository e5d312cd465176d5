//! What people decide about notices: judged once more, taken as they are, refused.

use gateways::Notice;
use kernel::NoticeId;

use super::flow::{self, Applied, Trust};
use super::store::{self, Decision};
use super::{NoticeState, Stored, seal_context, unpack};
use crate::connections::{self, Connection};
use crate::cx::Cx;
use crate::events;
use crate::jobs::{self, Work};
use crate::problem::{Code, Flow, Problem};

/// What a person wants done with a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Judge it once more, with every check.
    Replay,
    /// Take it as it is: the match is the person's word.
    Accept,
}

/// Has a notice judged again. A replay of what was applied changes nothing.
///
/// What its gateway has confirmed is judged here and now, and the gateway is not asked again: it may
/// have forgotten by then. Only what was never confirmed is asked about, by a job.
pub fn again(cx: &mut Cx<'_, '_>, id: NoticeId, how: Again) -> Flow<()> {
    let notice = store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("notice"))?;
    if notice.raw_sealed.is_none() {
        return Err(
            Problem::conflict("the raw notice has been dropped by age; it cannot be judged again").into()
        );
    }
    if how == Again::Accept && notice.state != NoticeState::Quarantined {
        let text = format!("only a quarantined notice can be accepted; this one is {}", notice.state);
        return Err(Problem::conflict(text).into());
    }
    let kind = if how == Again::Accept { "notice.accepted" } else { "notice.replayed" };
    events::flow::record(cx, notice.order, id, kind, serde_json::json!({ "was": notice.state }))?;
    if notice.verified_at.is_some() {
        return judge_now(cx, &notice, how);
    }
    if notice.state == NoticeState::Forged && store::has_twin(cx.tx, cx.merchant, id)? {
        return Err(Problem::conflict("the same bytes have come again since, and were judged then").into());
    }
    store::reopen(cx.tx, cx.merchant, id)?;
    jobs::flow::enqueue(cx, &Work::VerifyNotice { merchant: cx.merchant, notice: id })?;
    Ok(())
}

fn judge_now(cx: &mut Cx<'_, '_>, notice: &Stored, how: Again) -> Flow<()> {
    let connection = connections::store::by_id(cx.tx, cx.merchant, notice.connection)?;
    let connection = connection.ok_or_else(|| Problem::not_found("connection"))?;
    let statements = statements(cx, &connection, notice).map_err(as_it_is)?;
    let trust = if how == Again::Accept { Trust::Accepted } else { Trust::Verify };
    let mut applied = flow::consider(cx, &connection, notice.id, &statements, trust)?;
    match (notice.state, how, applied.state) {
        (NoticeState::Applied, _, NoticeState::Applied) => return Ok(()),
        (NoticeState::Applied, ..) => {
            let text = format!("it stays applied; judged today, it would not be: {}", applied.reason);
            return Err(Problem::conflict(text).into());
        }
        (_, Again::Accept, NoticeState::Quarantined) => return Err(as_it_is(applied.reason).into()),
        (_, Again::Accept, NoticeState::Unmatched) => {
            applied =
                Applied::ignored("accepted; its transaction was never announced here, so nothing changes");
        }
        _ => {}
    }
    flow::conclude(cx, &connection, notice.id, &statements, applied)?;
    Ok(())
}

/// Nothing in the notice says what should be done, whoever trusts it.
fn as_it_is(why: String) -> Problem {
    Problem::conflict(format!(
        "it cannot be taken as it is: {why}. Mend that and judge it again, or refuse it"
    ))
}

fn statements(cx: &Cx<'_, '_>, connection: &Connection, notice: &Stored) -> Result<Vec<Notice>, String> {
    let sealed = notice.raw_sealed.as_deref().unwrap_or_default();
    let packed = cx.ring.open(&seal_context(notice.id), sealed).map_err(|error| error.to_string())?;
    let post = unpack(&packed, notice.received_at).ok_or("the raw notice is damaged")?;
    let opened = connection.opened(cx.ring).map_err(|error| error.to_string())?;
    let adapter = gateways::gateway(&connection.gateway);
    let adapter = adapter.ok_or_else(|| format!("there is no gateway {}", connection.gateway))?;
    adapter.statements(&post, &opened)
}

/// Refuses a quarantined notice for good.
pub fn refuse(cx: &mut Cx<'_, '_>, id: NoticeId, why: &str) -> Flow<()> {
    let notice = store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("notice"))?;
    if !matches!(notice.state, NoticeState::Quarantined | NoticeState::Unmatched) {
        let text = format!("only a quarantined notice can be refused; this one is {}", notice.state);
        return Err(Problem::new(Code::Conflict, text).into());
    }
    let decision = Decision {
        state: NoticeState::Refused,
        reason: if why.is_empty() { notice.reason.clone() } else { why.to_owned() },
        summary: notice.summary.clone(),
        order: notice.order,
        waits_for: None,
        verified_at: None,
    };
    store::decide(cx.tx, cx.merchant, id, &decision, cx.now)?;
    events::flow::record(cx, notice.order, id, "notice.refused", serde_json::json!({ "why": why }))?;
    Ok(())
}
