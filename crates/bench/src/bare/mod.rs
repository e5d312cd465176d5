//! What the `db` crate costs over the drivers it wraps.
//!
//! An order here is 20 statements over five tables: inserts with time-ordered text keys, two
//! reads, two updates. The baselines run the same texts through the drivers with prepared
//! statements; the product runs them through `db.write` with many tasks waiting.

mod order;
mod postgres;
mod sqlite;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use db::{Db, DbError};

use crate::EngineChoice;
use crate::report::{Failure, Pace, Report, Stopwatch};

/// How many tasks wait for an answer at once.
const TASKS: [usize; 4] = [1, 16, 64, 256];

/// Runs it for one engine or both.
///
/// # Errors
/// What a database fails with.
pub fn run(engine: Option<EngineChoice>, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    if engine != Some(EngineChoice::Postgres) {
        sqlite::run(pace, report)?;
    }
    if engine != Some(EngineChoice::Sqlite) {
        postgres::run(pace, report)?;
    }
    Ok(())
}

/// Numbers for orders, never the same twice in a run.
#[derive(Debug, Clone, Default)]
struct Numbers(Arc<AtomicU64>);

impl Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Keeps that many tasks writing orders through the `db` crate until the time is over.
fn through_db(db: &Db, numbers: &Numbers, tasks: usize, time: Duration) -> Result<u64, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let clock = Stopwatch::start();
    let written = runtime.block_on(async {
        let mut running = Vec::new();
        for _ in 0..tasks {
            let (db, numbers) = (db.clone(), numbers.clone());
            running.push(tokio::spawn(async move {
                let mut written = 0;
                while clock.elapsed() < time {
                    let number = numbers.next();
                    db.write(move |tx| order::write(tx, number)).await?;
                    written += 1;
                }
                Ok::<u64, DbError>(written)
            }));
        }
        let mut written = 0;
        for task in running {
            written += task.await??;
        }
        Ok::<u64, Failure>(written)
    })?;
    Ok(written)
}
