//! Making a part: the work outside, then one transaction that records it and ends the job.

use std::time::Duration;

use kernel::MerchantId;

use super::{Made, Part, PartKey, PartState, Unit, flow, store};
use crate::app::App;
use crate::cx::Actor;
use crate::failpoint;
use crate::fulfillment::{self, GrantStatus};
use crate::jobs::runner::JobError;
use crate::jobs::{self, Claimed};
use crate::{access, artworks, encryption, orders, payloads, plugins, stamps};

/// How often a job says that its worker is alive; well within its lease.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// Makes a part that still waits; ends the job with what came of it.
pub async fn make(app: &App, job: &Claimed, merchant: MerchantId, key: &PartKey) -> Result<(), JobError> {
    let Some(unit) = find(app, job, merchant, key).await? else { return end(app, job, None).await };
    let making = async {
        match key.part {
            Part::Payload => payloads::jobs::make(app, &unit).await,
            Part::Access => access::jobs::make(app, &unit).await,
            Part::Encrypt => encryption::jobs::make(app, &unit).await,
            Part::Artwork => artworks::jobs::make(app, &unit).await,
            Part::Plugin => plugins::jobs::make(app, &unit).await,
            Part::DropShip => Ok(plugins::jobs::queue()),
            Part::Stamp => stamps::jobs::make(app, &unit).await,
        }
    };
    let made = while_renewing(app, job, making).await?;
    failpoint!(PartMade);
    match made {
        Ok(made) => end(app, job, Some((unit, made))).await,
        Err(JobError::Retry(why)) if job.attempt < job.work.attempts_max() => Err(JobError::Retry(why)),
        // A person can have it tried again; a dead job could not be.
        Err(JobError::Retry(why) | JobError::GiveUp(why)) => {
            end(app, job, Some((unit, Made::Held(why)))).await
        }
    }
}

/// Says that the worker is alive while it makes a part, or waits for its turn: that can take longer than a lease.
async fn while_renewing<T>(app: &App, job: &Claimed, making: impl Future<Output = T>) -> Result<T, JobError> {
    let mut making = std::pin::pin!(making);
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    ticks.tick().await;
    loop {
        tokio::select! {
            made = &mut making => return Ok(made),
            _ = ticks.tick() => {}
        }
        let held = job.clone();
        // Somebody else has the job if this fails: theirs is as good, and ours is dropped.
        let merchant = job.work.merchant();
        app.write(merchant, Actor::System, move |cx| Ok(jobs::store::renew(cx.tx, &held, cx.now)?)).await?;
    }
}

/// What there is to make, if it is still wanted: a unit that was taken back gets nothing more,
/// and has its parts made when it is given back.
async fn find(
    app: &App,
    job: &Claimed,
    merchant: MerchantId,
    key: &PartKey,
) -> Result<Option<Unit>, JobError> {
    let (key, attempt) = (key.clone(), job.attempt);
    let found = app.read(move |snapshot| {
        let Some(part) = store::find(snapshot, merchant, &key)? else { return Ok(None) };
        let Some(order) = orders::store::by_id(snapshot, merchant, part.order)? else { return Ok(None) };
        let lines = orders::store::lines(snapshot, merchant, part.order)?;
        let Some(line) = lines.into_iter().find(|line| line.id == key.line) else { return Ok(None) };
        let grants = fulfillment::store::of_line(snapshot, merchant, part.order, key.line)?;
        let grant = grants.into_iter().find(|grant| grant.unit_no == key.unit_no);
        Ok(grant.map(|grant| Unit { part, order, line, grant, attempt }))
    });
    Ok(found.await?.filter(is_wanted))
}

fn is_wanted(unit: &Unit) -> bool {
    let allowed = match unit.grant.status {
        GrantStatus::Active => true,
        GrantStatus::Provisional => unit.part.key.part.before_money(),
        GrantStatus::Suspended | GrantStatus::Revoked => false,
    };
    allowed && unit.part.state == PartState::Waiting
}

async fn end(app: &App, job: &Claimed, made: Option<(Unit, Made)>) -> Result<(), JobError> {
    let job = job.clone();
    let ended = app.write(job.work.merchant(), Actor::System, move |cx| {
        if let Some((unit, made)) = &made {
            jobs::store::renew(cx.tx, &job, cx.now)?;
            flow::record(cx, &unit.part, made)?;
        }
        Ok(jobs::store::finish(cx.tx, &job)?)
    });
    ended.await?;
    failpoint!(PartRecorded);
    Ok(())
}
