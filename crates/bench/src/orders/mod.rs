//! From a notice's arrival to the commit that fulfilled its order, against a bare loop that
//! writes the same rows.
//!
//! Reported twice: with the postback answered by another process's socket on loopback, and with
//! verification answered at its seam, which is what the budget is for: the first also measures
//! the simulator and two TCP connections per order on the same two cores.

mod baseline;
mod lists;
mod product;
mod rows;
mod scale;

pub use product::{Verify, deliver, notice};
pub use scale::run as at_scale;

use std::time::Duration;

use db::{Engine, Options};
use testkit::pg::{Cluster, Durability};

use crate::report::{Failure, Pace, Report};
use crate::shop;
use rows::{Mold, Since};

/// Tasks that deliver notices at the same time.
const TASKS: usize = 64;
/// Orders in one commit of the bare loop on SQLite.
const BATCH: usize = 16;
/// Connections of the bare loop on PostgreSQL.
const CONNECTIONS: usize = 16;

/// Budgets of the design.
const SQLITE_BUDGET: f64 = 0.35;
const POSTGRES_BUDGET: f64 = 0.5;

/// Measures both engines.
///
/// # Errors
/// When a database, the simulator or the product fails.
pub fn run(engine: Option<Engine>, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let wanted =
        [Engine::Sqlite, Engine::Postgres].into_iter().filter(|one| engine.is_none_or(|e| e == *one));
    for engine in wanted {
        measure(engine, &runtime, pace, report)?;
    }
    Ok(())
}

fn measure(
    engine: Engine,
    runtime: &tokio::runtime::Runtime,
    pace: Pace,
    report: &mut Report,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let cluster = (engine == Engine::Postgres).then(|| Cluster::private(Durability::Safe));
    let place = cluster.as_ref().map(|cluster| cluster.database(db::MIGRATIONS));
    let options = match &place {
        None => Options::Sqlite(folder.path().join("bench.db")),
        Some(database) => Options::Postgres(database.url()),
    };
    let simulator = runtime.block_on(product::simulator())?;
    let shop = shop::open(folder.path(), &options, &simulator.url(), &[("file.bin", b"hello")])?;
    let mold = Mold::of_one_order(&shop, runtime, Since::Announced)?;
    eprintln!("{engine:?}, the bare loop writes {} and updates one", mold.describe());
    let (name, budget) = match engine {
        Engine::Sqlite => ("SQLite, bare loop, 16 orders a commit", SQLITE_BUDGET),
        Engine::Postgres => ("PostgreSQL, bare loop, 16 connections", POSTGRES_BUDGET),
    };
    let mut bare = baseline::Bare::open(&options, &mold, &shop, 0)?;
    let mut product = product::Product::new(&shop, runtime, &simulator);
    report.compare(
        "notice to fulfilled, verification at its seam",
        (name, &mut |turn: Duration| bare.run(turn)),
        &mut |turn: Duration| product.at_the_seam(turn),
        Some(budget),
        pace,
    )?;
    report.compare(
        "notice to fulfilled, postback over loopback",
        (name, &mut |turn: Duration| bare.run(turn)),
        &mut |turn: Duration| product.over_loopback(turn),
        None,
        pace,
    )?;
    Ok(())
}
