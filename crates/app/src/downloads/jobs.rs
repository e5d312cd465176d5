//! Keeping watch over running transfers: counts are saved, revocations are passed on.

use std::time::Duration;

use kernel::MerchantId;

use super::running::Running;
use super::{DownloadState, flow, store};
use crate::app::App;
use crate::cx::Actor;
use crate::fulfillment::GrantStatus;
use crate::fulfillment::store as grants;
use crate::problem::Flow;

/// A revocation on another node, or from the shell, is felt within this time.
const WATCH_EVERY: Duration = Duration::from_secs(1);

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
    for running in app.transfers().sweep() {
        let bytes = running.take_unsaved();
        if bytes > 0 {
            let download = running.download;
            let saved = app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
                Ok(flow::count(cx, download, bytes)?)
            });
            if let Err(failure) = saved.await {
                running.put_back(bytes);
                return Err(failure);
            }
        }
        check(app, &running).await?;
    }
    Ok(())
}

async fn check(app: &App, running: &Running) -> Flow<()> {
    let (id, generation, download) = (running.grant, running.generation, running.download);
    let good = app
        .read(move |snapshot| {
            // A session that was given back while its client stood still may not go on for free.
            let session = store::by_id(snapshot, download)?;
            let holds_place = session.is_some_and(|session| session.state != DownloadState::Returned);
            let grant = grants::by_link(snapshot, id)?;
            Ok(holds_place
                && grant.is_some_and(|grant| {
                    grant.generation == generation
                        && matches!(grant.status, GrantStatus::Active | GrantStatus::Provisional)
                }))
        })
        .await?;
    if !good {
        running.revoke();
    }
    Ok(())
}
