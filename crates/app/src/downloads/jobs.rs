//! Keeping watch over running transfers: counts are saved, revocations are passed on.

use std::sync::Arc;
use std::time::Duration;

use kernel::MerchantId;

use super::counting::{self, Count};
use super::running::Running;
use super::{DownloadState, store};
use crate::app::App;
use crate::cx::Actor;
use crate::failpoint;
use crate::fulfillment::GrantStatus;
use crate::problem::Flow;

/// A revocation on another node, or from the shell, is felt within this time.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// How many sessions are saved in one commit and looked at in one read: a commit for each of a
/// thousand running downloads would take longer than the second that a revocation may take. Few
/// enough that an order which comes meanwhile does not wait for long.
const WATCHED_AT_ONCE: usize = 800;

/// Watches until the process ends.
pub async fn watch(app: App) {
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = turn(&app).await {
            tracing::error!(%error, "running transfers could not be watched; the next turn is in a second");
        }
    }
}

/// Saves the counts of all sessions and ends those whose grant is no longer good.
pub async fn turn(app: &App) -> Flow<()> {
    let mut outcome = Ok(());
    for some in app.transfers().sweep().chunks(WATCHED_AT_ONCE) {
        let saved = save(app, some).await;
        // A revocation must get through also while counts cannot be written.
        let checked = check(app, some).await;
        outcome = outcome.and(saved).and(checked);
    }
    outcome
}

/// A session's bytes, of each of its contents, that were taken out to be saved.
type Taken = (Arc<Running>, Vec<u64>);

async fn save(app: &App, some: &[Arc<Running>]) -> Flow<()> {
    let take = |running: &Arc<Running>| Some((Arc::clone(running), running.take_unsaved()?));
    let taken: Vec<Taken> = some.iter().filter_map(take).collect();
    if taken.is_empty() || count(app, &taken).await.is_ok() {
        return Ok(());
    }
    // One row that cannot be written must not keep the others from being saved.
    let mut outcome = Ok(());
    for one in &taken {
        if let Err(failure) = count(app, std::slice::from_ref(one)).await {
            let (running, bytes) = one;
            running.put_back(bytes);
            outcome = Err(failure);
        }
    }
    outcome
}

async fn count(app: &App, taken: &[Taken]) -> Flow<()> {
    let count = |(running, bytes): &Taken| Count {
        authorized: Arc::clone(&running.authorized),
        bytes: bytes.clone(),
    };
    let counts: Vec<Count> = taken.iter().map(count).collect();
    failpoint!(DownloadBeforeCount);
    app.write(MerchantId::from_bits(0), Actor::System, move |cx| Ok(counting::count_all(cx, &counts)?))
        .await?;
    failpoint!(DownloadAfterCount);
    Ok(())
}

async fn check(app: &App, some: &[Arc<Running>]) -> Flow<()> {
    // What has ended and was only saved is not to be cut.
    let watched: Vec<_> = some.iter().filter(|running| running.is_used()).map(Arc::clone).collect();
    if watched.is_empty() {
        return Ok(());
    }
    app.read(move |snapshot| {
        for running in &watched {
            let session = store::watched(snapshot, running.authorized.download)?;
            if !session.is_some_and(|session| may_go_on(session, running.authorized.generation)) {
                running.revoke();
            }
        }
        Ok(())
    })
    .await
}

/// A session that was given back while its client stood still may not go on for free.
fn may_go_on(session: store::Watched, generation: u32) -> bool {
    session.state != DownloadState::Returned
        && session.generation == generation
        && matches!(session.status, GrantStatus::Active | GrantStatus::Provisional)
}
