//! Doing the jobs, with nothing happening behind the test's back.

use app::app::App;
use app::jobs::places::Places;
use app::jobs::{Claimed, Kind, runner};
use db::sql;

use super::TestApp;

/// More rounds than any test needs: a job that makes itself again would run for ever.
const ROUNDS_MAX: u32 = 2_000;
const CLAIMED_AT_ONCE: u32 = 32;

impl TestApp {
    /// Does every job that is due, in the order of their ids, and keeps the house, until both
    /// are quiet. What is due later stays; move the clock and run again.
    pub fn run_jobs(&self) {
        self.block_on(quiesce(self));
    }

    /// Lets what requests have handed over come to its end, and nothing else.
    pub fn finish_handed_over(&self) {
        self.block_on(wait_for_handed_over(&self.app));
    }

    /// Takes due jobs without doing them, as a worker would that dies.
    pub fn claim_jobs(&self) -> Vec<Claimed> {
        self.block_on(claim(&self.app))
    }

    /// Does one job that was claimed.
    pub fn perform(&self, job: Claimed) {
        self.tick();
        self.block_on(runner::perform(&self.app, job));
    }

    /// Keeps the house once.
    pub fn keep_house(&self) {
        self.block_on(runner::keep_house(&self.app)).expect("the house is kept");
    }

    /// Saves the counts of running transfers and ends those that were revoked.
    pub fn watch_transfers(&self) {
        self.block_on(app::downloads::jobs::turn(&self.app)).expect("transfers are watched");
    }

    /// The jobs that are not done, in words.
    pub fn undone_jobs(&self) -> Vec<String> {
        self.read(|snapshot| {
            let jobs = sql("SELECT id, kind, state, attempt, payload, last_error FROM jobs ORDER BY id");
            Ok(jobs.all(snapshot, |row| {
                let (id, kind): (String, String) = (row.get("id")?, row.get("kind")?);
                let (state, attempt): (String, i64) = (row.get("state")?, row.get("attempt")?);
                let (payload, error): (String, String) = (row.get("payload")?, row.get("last_error")?);
                Ok(format!("{id} {kind} {state}, attempt {attempt}: {payload} {error}"))
            })?)
        })
    }

    /// How many jobs are in this state.
    pub fn jobs_in(&self, state: &'static str) -> i64 {
        self.read(move |snapshot| Ok(app::jobs::store::count(snapshot, state)?))
    }
}

async fn quiesce(t: &TestApp) {
    let app = &t.app;
    for _ in 0..ROUNDS_MAX {
        wait_for_handed_over(app).await;
        let claimed = claim(app).await;
        let (idle, running) = (claimed.is_empty(), running(app).await > claimed.len());
        for job in claimed {
            t.tick();
            runner::perform(app, job).await;
        }
        t.tick();
        if !idle || running {
            tokio::task::yield_now().await;
            continue;
        }
        runner::keep_house(app).await.expect("the house is kept");
        if !due(app).await {
            return;
        }
    }
    panic!("the jobs do not come to an end: one makes itself again, or a dead worker still holds one");
}

/// Takes what is due of every kind.
async fn claim(app: &App) -> Vec<Claimed> {
    let mut claimed = Vec::new();
    for kind in Kind::ALL {
        claimed.extend(runner::claim(app, *kind, CLAIMED_AT_ONCE).await.expect("jobs are claimed"));
    }
    claimed.sort_by_key(|job| job.id);
    claimed
}

/// What a request has handed over runs in the background, and holds a place while it does. Only
/// the verification of notices is handed over.
async fn wait_for_handed_over(app: &App) {
    tokio::task::yield_now().await;
    let all = u32::try_from(Places::at_once(Kind::VerifyNotice)).expect("a small number");
    let places = app.job_places().of(Kind::VerifyNotice);
    drop(places.acquire_many(all).await.expect("places are never closed"));
}

/// Waits for what was handed over on other threads, which no semaphore knows of at first.
pub(super) async fn wait_until_none_runs(app: &App) {
    while running(app).await > 0 {
        tokio::task::yield_now().await;
    }
}

async fn running(app: &App) -> usize {
    let running = app.read(|snapshot| Ok(app::jobs::store::count(snapshot, "running")?)).await;
    usize::try_from(running.expect("jobs are counted")).unwrap_or(0)
}

async fn due(app: &App) -> bool {
    for kind in Kind::ALL.iter().filter(|kind| runner::can_do(app, **kind)) {
        let next = app.read(|snapshot| Ok(app::jobs::store::next_due(snapshot, *kind)?)).await;
        if next.expect("jobs are looked at").is_some_and(|at| at <= app.now()) {
            return true;
        }
    }
    false
}
