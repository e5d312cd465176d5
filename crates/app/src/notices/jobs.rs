//! Having a notice verified by its gateway, and applying it.

use gateways::{Judgment, RawPost};
use kernel::{MerchantId, NoticeId};

use super::flow::{self, Trust};
use super::{NoticeState, seal_context, store, unpack};
use crate::app::App;
use crate::connections::{self, Connection, talk};
use crate::cx::Actor;
use crate::failpoint;
use crate::jobs::runner::JobError;
use crate::jobs::{self, Claimed};
use crate::problem::Failure;

/// No adapter needs more calls than this to judge one post.
const CALLS_MAX: usize = 4;

struct Case {
    /// Its gateway has confirmed it before.
    confirmed: bool,
    connection: Connection,
    opened: gateways::Connection,
    post: RawPost,
}

/// Verifies a stored notice and applies what it states; ends the job in the same transaction.
pub async fn verify(app: &App, job: &Claimed, merchant: MerchantId, id: NoticeId) -> Result<(), JobError> {
    let Some(case) = load(app, merchant, id).await? else { return done(app, job, merchant).await };
    let judgment = judge(app, &case).await?;
    failpoint!(VerifyJudged);
    match judgment {
        Judgment::Authentic(statements) => {
            let (job_again, job, connection) = (job.clone(), job.clone(), case.connection);
            let actor = Actor::Gateway(connection.id);
            let applied = app.write(merchant, actor, move |cx| {
                let Some(stored) = store::lock(cx.tx, cx.merchant, id)? else { return Ok(()) };
                if matches!(stored.state, NoticeState::Received | NoticeState::Unmatched) {
                    flow::apply(cx, &connection, id, &statements, Trust::Verify)?;
                }
                jobs::store::finish(cx.tx, &job)?;
                failpoint!(ApplyBeforeCommit);
                Ok(())
            });
            match applied.await {
                // What the rules refuse is for a person, not for another try.
                Err(Failure::Problem(problem)) => {
                    set_aside(app, job_again, (merchant, id), problem.detail).await?
                }
                other => other?,
            }
            failpoint!(ApplyAfterCommit);
            Ok(())
        }
        Judgment::Unreadable(why) => set_aside(app, job.clone(), (merchant, id), why).await,
        Judgment::Forged(why) => {
            let job = job.clone();
            let rejected = app.write(merchant, Actor::System, move |cx| {
                let Some(stored) = store::lock(cx.tx, cx.merchant, id)? else { return Ok(()) };
                if stored.state == NoticeState::Received && stored.verified_at.is_none() {
                    flow::reject(cx, id, &why)?;
                }
                Ok(jobs::store::finish(cx.tx, &job)?)
            });
            Ok(rejected.await?)
        }
        Judgment::Needs(request) => {
            Err(JobError::GiveUp(format!("the gateway's adapter keeps asking ({})", request.purpose)))
        }
        Judgment::Later(why) => {
            let reason = why.clone();
            app.write(merchant, Actor::System, move |cx| {
                Ok(store::set_reason(cx.tx, cx.merchant, id, &reason)?)
            })
            .await?;
            Err(JobError::Retry(why))
        }
    }
}

async fn set_aside(
    app: &App,
    job: Claimed,
    (merchant, id): (MerchantId, NoticeId),
    why: String,
) -> Result<(), JobError> {
    let set = app.write(merchant, Actor::System, move |cx| {
        flow::quarantine(cx, id, &why)?;
        Ok(jobs::store::finish(cx.tx, &job)?)
    });
    Ok(set.await?)
}

async fn done(app: &App, job: &Claimed, merchant: MerchantId) -> Result<(), JobError> {
    let job = job.clone();
    Ok(app.write(merchant, Actor::System, move |cx| Ok(jobs::store::finish(cx.tx, &job)?)).await?)
}

/// The notice with its connection, if there is still something to decide.
async fn load(app: &App, merchant: MerchantId, id: NoticeId) -> Result<Option<Case>, JobError> {
    let found = app
        .read(move |snapshot| {
            let Some(stored) = store::by_id(snapshot, merchant, id)? else { return Ok(None) };
            let connection = connections::store::by_id(snapshot, merchant, stored.connection)?;
            Ok(connection.map(|connection| (stored, connection)))
        })
        .await?;
    let Some((stored, connection)) = found else { return Ok(None) };
    if !matches!(stored.state, NoticeState::Received | NoticeState::Unmatched) {
        return Ok(None);
    }
    let sealed =
        stored.raw_sealed.ok_or_else(|| JobError::GiveUp("the raw notice was dropped by age".to_owned()))?;
    let packed =
        app.ring().open(&seal_context(id), &sealed).map_err(|error| JobError::GiveUp(error.to_string()))?;
    let post = unpack(&packed, stored.received_at)
        .ok_or_else(|| JobError::GiveUp("damaged raw notice".to_owned()))?;
    let opened = connection.opened(app.ring()).map_err(|error| JobError::GiveUp(error.to_string()))?;
    Ok(Some(Case { confirmed: stored.verified_at.is_some(), connection, opened, post }))
}

async fn judge(app: &App, case: &Case) -> Result<Judgment, JobError> {
    let name = &case.connection.gateway;
    let adapter =
        gateways::gateway(name).ok_or_else(|| JobError::GiveUp(format!("there is no gateway {name}")))?;
    if case.confirmed {
        let read = adapter.statements(&case.post, &case.opened);
        return Ok(read.map_or_else(Judgment::Unreadable, Judgment::Authentic));
    }
    let mut earlier = Vec::new();
    loop {
        match adapter.judge(&case.post, &case.opened, &earlier) {
            Judgment::Needs(request) if earlier.len() < CALLS_MAX => match talk::ask(app, &request).await {
                Ok(exchange) => earlier.push(exchange),
                Err(why) => return Ok(Judgment::Later(why)),
            },
            judgment => return Ok(judgment),
        }
    }
}
