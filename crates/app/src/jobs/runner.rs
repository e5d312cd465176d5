//! The runner: takes due jobs and does them, and keeps the house between times.

use std::time::Duration;

use kernel::{MerchantId, Span};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::{Claimed, Kind, Work, retry_at, store};
use crate::app::App;
use crate::cx::Actor;
use crate::failpoint;
use crate::problem::{Failure, Flow};
use crate::{
    alarms, announcements, artworks, choices, downloads, events, idempotency, installation, invoices,
    messages, notices, packed, parts, pickups, reconciler, stamps,
};

/// How a job ended, beside being done and recorded by its own transaction.
#[derive(Debug)]
pub enum JobError {
    /// Try again later: the text says why.
    Retry(String),
    /// A person has to look at it.
    GiveUp(String),
}

impl From<Failure> for JobError {
    /// A database that was away comes back; anything unexpected is tried again a bounded number
    /// of times and then shown.
    fn from(failure: Failure) -> Self {
        Self::Retry(failure.to_string())
    }
}

/// How long the runner waits at most before it looks again for what other processes enqueued.
const LOOK_AGAIN: Span = Span::seconds(1);
/// When a job that was held back by a quarantine is looked at again, unless that is lifted before.
const HELD_BACK: Span = Span::minutes(1);
/// Most jobs taken in one transaction.
const CLAIMED_AT_ONCE: usize = 32;
/// Most rounds of one housekeeping task before others have their turn.
const ROUNDS_MAX: u32 = 20;

/// Runs until the process ends.
pub async fn run(app: App) {
    if let Err(error) = reconciler::jobs::begin(&app).await {
        tracing::warn!(%error, "gateways are not asked at once for what happened meanwhile");
    }
    loop {
        if let Err(error) = turn(&app).await {
            tracing::error!(%error, "the job runner could not work; it will try again");
        }
        let woken = app.job_waiting().notified();
        let _ = tokio::time::timeout(LOOK_AGAIN.to_std(), woken).await;
    }
}

/// One turn: due jobs are begun in the background, then the house is kept.
pub async fn turn(app: &App) -> Flow<()> {
    look_at_quarantine(app).await?;
    while begin_due(app).await? > 0 {}
    keep_house(app).await
}

/// Begins some of the due jobs of each kind, as far as it has free places, and answers how many.
/// Never waits for a place, and takes turns: no kind stands behind another's heap.
async fn begin_due(app: &App) -> Flow<usize> {
    let mut begun = 0;
    for kind in Kind::ALL {
        let free = free_places(app, *kind);
        if free.is_empty() {
            continue;
        }
        let claimed = claim(app, *kind, u32::try_from(free.len()).unwrap_or(u32::MAX)).await?;
        if claimed.is_empty() {
            continue;
        }
        failpoint!(JobsClaimed);
        begun += claimed.len();
        claimed.into_iter().zip(free).for_each(|(job, place)| begin_in(app, job, place));
    }
    Ok(begun)
}

fn begin_in(app: &App, job: Claimed, place: OwnedSemaphorePermit) {
    let app = app.clone();
    tokio::spawn(async move {
        perform(&app, job).await;
        drop(place);
        app.job_waiting().notify_one();
    });
}

/// Takes places before jobs: a job that was claimed must not wait while its lease runs.
fn free_places(app: &App, kind: Kind) -> Vec<OwnedSemaphorePermit> {
    let places = app.job_places().of(kind);
    std::iter::from_fn(|| places.clone().try_acquire_owned().ok()).take(CLAIMED_AT_ONCE).collect()
}

async fn look_at_quarantine(app: &App) -> Flow<()> {
    app.note_quarantine(app.read(|snapshot| Ok(installation::store::quarantine(snapshot)?)).await?);
    Ok(())
}

/// Whether this process can do work of a kind at all. Without a mail server no mail is begun: it
/// waits as it is, for weeks if need be, and spends none of its attempts.
pub fn can_do(app: &App, kind: Kind) -> bool {
    match kind {
        Kind::VerifyNotice
        | Kind::MakePart
        | Kind::DeflateContent
        | Kind::WantCopies
        | Kind::TellOfVersion
        | Kind::PickUp
        | Kind::AskGateway => true,
        Kind::SendMessage => app.mailer().has_server(),
    }
}

/// Takes due jobs of a kind and those of workers that died; none in a quarantine, since all of
/// them speak with somebody outside.
pub async fn claim(app: &App, kind: Kind, most: u32) -> Flow<Vec<Claimed>> {
    if !can_do(app, kind) {
        return Ok(Vec::new());
    }
    let now = app.now();
    let (due, quarantine) = app
        .read(move |snapshot| {
            let ready = store::next_due(snapshot, kind)?.is_some_and(|at| at <= now);
            let due = ready || store::any_expired(snapshot, now)?;
            Ok((due, if due { installation::store::quarantine(snapshot)? } else { None }))
        })
        .await?;
    if !due || app.note_quarantine(quarantine).is_some() {
        return Ok(Vec::new());
    }
    app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
        store::release_expired(cx.tx, cx.now)?;
        Ok(store::claim(cx.tx, kind, cx.now, most)?)
    })
    .await
}

/// Does a job that was claimed when it was written, in the background. Never waits: whoever
/// posted the notice wants its acknowledgment.
pub fn hand_over(app: &App, job: Claimed) {
    let app = app.clone();
    tokio::spawn(async move {
        let places = app.job_places().of(job.work.kind()).clone();
        let Ok(place) = places.acquire_owned().await else { return };
        perform(&app, job).await;
        drop(place);
    });
}

/// Does one job and records how it ended.
pub async fn perform(app: &App, job: Claimed) {
    let result = match app.quarantine() {
        Ok(None) => work(app, &job).await,
        Ok(Some(_)) => return hold_back(app, job).await,
        Err(failure) => Err(failure.into()),
    };
    if let Err(error) = result
        && let Err(failure) = record_failure(app, job.clone(), error).await
    {
        // The lease gives the job to somebody else.
        tracing::warn!(%failure, job = %job.id, "a job's end could not be recorded");
    }
}

async fn work(app: &App, job: &Claimed) -> Result<(), JobError> {
    match &job.work {
        Work::VerifyNotice { merchant, notice } => notices::jobs::verify(app, job, *merchant, *notice).await,
        Work::SendMessage { merchant, message } => messages::jobs::send(app, job, *merchant, *message).await,
        Work::MakePart { merchant, part } => parts::jobs::make(app, job, *merchant, part).await,
        Work::WantCopies { file, after, .. } => stamps::jobs::want_copies(app, job, *file, *after).await,
        Work::DeflateContent { sha256, .. } => packed::jobs::deflate(app, job, sha256).await,
        Work::TellOfVersion { .. } => announcements::jobs::tell(app, job).await,
        Work::PickUp { merchant, product, spec } => {
            pickups::jobs::take(app, job, *merchant, *product, spec).await
        }
        Work::AskAboutOrder { merchant, order, query } => {
            reconciler::jobs::ask_about_order(app, job, (*merchant, *order), query).await
        }
        Work::AskForNews { merchant, connection } => {
            reconciler::jobs::ask_for_news(app, job, (*merchant, *connection)).await
        }
    }
}

/// How often a long job says that its worker is alive; well within its lease.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// Waits for work on a thread of its own, however long it takes, and keeps the job's lease meanwhile.
///
/// # Errors
/// When the thread ended early, or somebody else has the job by now: what the thread makes then is
/// as good as theirs, and is not used.
pub async fn renewing<T>(app: &App, job: &Claimed, mut working: JoinHandle<T>) -> Result<T, JobError> {
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    ticks.tick().await;
    loop {
        tokio::select! {
            done = &mut working => return done.map_err(|error| JobError::Retry(error.to_string())),
            _ = ticks.tick() => {}
        }
        let held = job.clone();
        let renewed =
            app.write(job.work.merchant(), Actor::System, move |cx| Ok(store::renew(cx.tx, &held, cx.now)?));
        renewed.await?;
    }
}

/// Puts back a job that was claimed in the moment of its making, while nothing may leave.
///
/// The quarantine is looked at once more, and held in place meanwhile: what this process remembers
/// of it may be a second old, and a job that is put back after the lifting would wait for nothing.
async fn hold_back(app: &App, job: Claimed) {
    let put_back = app.write(job.work.merchant(), Actor::System, {
        let job = job.clone();
        move |cx| {
            let stands = installation::store::quarantine_holds(cx.tx)?;
            let run_at = if stands { cx.now + HELD_BACK } else { cx.now };
            Ok(store::postpone(cx.tx, &job, run_at, store::HELD_BACK)?)
        }
    });
    if let Err(failure) = put_back.await {
        tracing::warn!(%failure, job = %job.id, "a job could not be put back; its lease will run out");
    }
}

async fn record_failure(app: &App, job: Claimed, error: JobError) -> Flow<()> {
    let merchant = job.work.merchant();
    app.write(merchant, Actor::System, move |cx| {
        match &error {
            JobError::Retry(why) if job.attempt < job.work.attempts_max() => {
                let [spread] = cx.draws.nonce::<1>();
                store::postpone(cx.tx, &job, retry_at(cx.now, job.attempt, [spread]), why)?;
            }
            JobError::Retry(why) | JobError::GiveUp(why) => {
                tracing::error!(job = %job.id, kind = %job.work.kind(), why, "a job was given up");
                store::bury(cx.tx, &job, why)?;
            }
        }
        Ok(())
    })
    .await
}

/// What is done between jobs, in bounded steps: events are sealed, invoices numbered, idle
/// downloads closed, old raw notices dropped, alarms looked at.
pub async fn keep_house(app: &App) -> Flow<()> {
    seal_events(app).await?;
    issue_invoices(app).await?;
    close_idle_downloads(app).await?;
    forget_answers(app).await?;
    forget_choices(app).await?;
    forget_pictures(app).await?;
    age_notices(app).await?;
    reconciler::jobs::watch(app).await?;
    alarms::jobs::watch(app).await
}

/// What was chosen and never ordered.
async fn forget_choices(app: &App) -> Flow<()> {
    let before = app.now() - choices::KEPT;
    if app.read(move |snapshot| Ok(choices::store::any_before(snapshot, before)?)).await? {
        app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
            Ok(choices::store::prune(cx.tx, before)?)
        })
        .await?;
    }
    Ok(())
}

/// Pictures for artwork that nobody ordered: as long as what they were chosen for.
async fn forget_pictures(app: &App) -> Flow<()> {
    let before = app.now() - choices::KEPT;
    if app.read(move |snapshot| Ok(artworks::store::any_before(snapshot, before)?)).await? {
        app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
            Ok(artworks::store::prune(cx.tx, before)?)
        })
        .await?;
    }
    Ok(())
}

/// Answers of the API are kept for requests that are sent again, and no longer.
async fn forget_answers(app: &App) -> Flow<()> {
    let before = app.now() - idempotency::KEPT;
    let any = app.read(move |snapshot| Ok(idempotency::store::any_before(snapshot, before)?)).await?;
    if any {
        app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
            Ok(idempotency::store::prune(cx.tx, before)?)
        })
        .await?;
    }
    Ok(())
}

async fn seal_events(app: &App) -> Flow<()> {
    for merchant in app.read(|snapshot| Ok(events::store::merchants_unsealed(snapshot)?)).await? {
        for _ in 0..ROUNDS_MAX {
            let more = app.write(merchant, Actor::System, |cx| Ok(events::flow::seal(cx)?)).await?;
            failpoint!(HouseSealed);
            if !more {
                break;
            }
        }
    }
    Ok(())
}

async fn issue_invoices(app: &App) -> Flow<()> {
    for merchant in app.read(|snapshot| Ok(invoices::store::merchants_with_due(snapshot)?)).await? {
        for _ in 0..ROUNDS_MAX {
            let more = app.write(merchant, Actor::System, invoices::flow::issue_due).await?;
            failpoint!(HouseInvoiced);
            if !more {
                break;
            }
        }
    }
    Ok(())
}

async fn close_idle_downloads(app: &App) -> Flow<()> {
    let before = app.now() - downloads::SESSION_IDLE;
    let any = app.read(move |snapshot| Ok(!downloads::store::idle(snapshot, before, 1)?.is_empty())).await?;
    if any {
        app.write(MerchantId::from_bits(0), Actor::System, |cx| Ok(downloads::counting::close_idle(cx)?))
            .await?;
    }
    Ok(())
}

async fn age_notices(app: &App) -> Flow<()> {
    let prune_before = app.now() - Span::days(app.settings().raw_notice_days);
    let waiting_before = app.now() - notices::flow::WAITING_FOR_PAYMENT_MAX;
    for _ in 0..ROUNDS_MAX {
        let due =
            app.read(move |snapshot| Ok(notices::store::any_to_age(snapshot, prune_before, waiting_before)?));
        if !due.await? {
            break;
        }
        app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
            notices::store::prune_raw(cx.tx, prune_before)?;
            Ok(notices::flow::give_up_waiting(cx)?)
        })
        .await?;
    }
    Ok(())
}
