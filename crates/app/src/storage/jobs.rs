//! Keeping watch over the stores: whether they answer, putting right what reading found, and
//! having the mirrors follow.

use std::sync::Arc;
use std::time::Duration;

use kernel::{MerchantId, Span, Timestamp};
use stores::{Mirrors, Sha256, StoreError};

use super::check::{self, Remedy};
use super::flow::{self, Answer, Tried};
use super::{Defect, Depth, StoreState, TRIED_EVERY, Trouble, store};
use crate::app::App;
use crate::cx::Actor;
use crate::problem::Flow;

/// How often stores are asked. What reading finds is noted as often.
const WATCH_EVERY: Duration = Duration::from_secs(30);
/// An answer that is the same as before is written this often, so that a page can show it is not old.
const WRITTEN_EVERY: Span = Span::minutes(5);
/// In how many turns the mirrors are brought up to date once: hourly.
const TURNS_PER_SYNC: u64 = 120;
/// How many contents are put right in a turn: the next one is not far.
const MENDED_AT_ONCE: u32 = 20;

/// Watches until the process ends.
pub async fn keep_watch(app: App) {
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for number in 1u64.. {
        ticks.tick().await;
        if let Err(error) = turn(&app).await {
            tracing::error!(%error, "the stores could not be watched; the next turn is in half a minute");
        }
        if number % TURNS_PER_SYNC == 0
            && let Err(error) = follow(&app).await
        {
            tracing::error!(%error, "the mirrors could not follow; they are tried again in an hour");
        }
    }
}

/// Copies to each mirror what it lacks. In a quarantine nothing is touched.
pub async fn follow(app: &App) -> Flow<()> {
    if app.stores().members().len() < 2 || app.quarantine()?.is_some() {
        return Ok(());
    }
    let copied = {
        let app = app.clone();
        let walk = move || check::run(&app, Depth::Presence, Remedy::Copy, &mut |_, _| {});
        tokio::task::spawn_blocking(walk).await
    };
    let reports = match copied {
        Ok(reports) => reports?,
        Err(error) => {
            tracing::error!(%error, "bringing the mirrors up to date ended early");
            return Ok(());
        }
    };
    for report in reports.iter().filter(|report| !report.copied.is_empty()) {
        tracing::info!(
            store = report.store,
            contents = report.copied.len(),
            "a mirror was brought up to date"
        );
    }
    Ok(())
}

/// Asks every store, notes what reading found, and puts right what can be.
pub async fn turn(app: &App) -> Flow<()> {
    let Some(answers) = waiting(app, answers).await else { return Ok(()) };
    let found = app.stores().take_troubles();
    let states = app.read(|snapshot| Ok(store::states(snapshot)?)).await?;
    // An idle shop is not to write every half a minute what everybody knows.
    if !found.is_empty() || tells_something(&answers, &states, app.now()) {
        app.write(MerchantId::from_bits(0), Actor::System, move |cx| {
            flow::record_answers(cx, &answers)?;
            flow::record_troubles(cx, &found)
        })
        .await?;
    }
    mend(app).await
}

fn tells_something(answers: &[Answer], states: &[StoreState], now: Timestamp) -> bool {
    let is_known = |(name, away): &Answer| {
        let state = states.iter().find(|state| state.name == *name);
        let same = |state: &StoreState| state.away_since.is_some() == away.is_some();
        state.is_some_and(|state| same(state) && now.since(state.asked_at) < WRITTEN_EVERY)
    };
    states.len() != answers.len() || !answers.iter().all(is_known)
}

fn answers(stores: &Mirrors) -> Vec<Answer> {
    let names = stores.members().iter().map(|member| member.name.clone());
    names.zip(stores.probe()).map(|(name, answer)| (name, answer.err().map(|e| e.to_string()))).collect()
}

/// Puts back what stores lack, from those that have it. In a quarantine nothing is touched.
async fn mend(app: &App) -> Flow<()> {
    if app.quarantine()?.is_some() {
        return Ok(());
    }
    let before = app.now() - TRIED_EVERY;
    let due = app.read(move |snapshot| Ok(store::due(snapshot, before, MENDED_AT_ONCE)?)).await?;
    if due.is_empty() {
        return Ok(());
    }
    let Some(tried) = waiting(app, move |stores| try_all(stores, due)).await else { return Ok(()) };
    app.write(MerchantId::from_bits(0), Actor::System, move |cx| flow::record_tried(cx, &tried)).await
}

fn try_all(stores: &Mirrors, due: Vec<Trouble>) -> Vec<Tried> {
    let attempt = |trouble: Trouble| {
        let failed = put_right(stores, &trouble).err().map(|error| error.to_string());
        match &failed {
            None => tracing::warn!(store = trouble.store, sha256 = trouble.sha256, "a content was put right"),
            Some(why) => {
                tracing::error!(
                    store = trouble.store,
                    sha256 = trouble.sha256,
                    why,
                    "a content cannot be put right"
                );
            }
        }
        Tried { trouble, failed }
    };
    due.into_iter().map(attempt).collect()
}

/// Somebody may have put it right by hand.
fn put_right(stores: &Mirrors, trouble: &Trouble) -> Result<(), StoreError> {
    let name: Sha256 = trouble.sha256.parse().map_err(|error| StoreError::Io {
        doing: "reading the name of a content",
        source: std::io::Error::other(error),
    })?;
    let member = stores.members().iter().find(|member| member.name == trouble.store);
    let there = member.map_or(Ok(None), |member| member.store.size(&name))?;
    let looks_well = there == Some(trouble.size);
    if looks_well
        && (trouble.defect == Defect::Missing || member.is_some_and(|m| m.store.check(&name).is_ok()))
    {
        return Ok(());
    }
    stores.mend(&trouble.store, &name, trouble.size)
}

/// Stores are slow: this waits for them off the async workers. `None` when that thread died.
async fn waiting<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Mirrors) -> T + Send + 'static,
) -> Option<T> {
    let stores = Arc::clone(app.stores());
    let done = tokio::task::spawn_blocking(move || work(&stores)).await;
    done.map_err(|error| tracing::error!(%error, "looking at the stores ended early")).ok()
}
