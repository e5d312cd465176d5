//! Many orders in the database: what one more costs, and how fast lists are.

use std::ops::Range;
use std::path::Path;

use db::Options;
use tokio::runtime::Runtime;

use super::rows::{Mold, Since};
use super::{baseline, lists, product};
use crate::report::{Bound, Failure, Pace, Report};
use crate::shop::{self, Shop};

/// The size that the rest is compared with.
const FEW: u64 = 1_000;
/// The ratio may fall by a fifth.
const KEPT: f64 = 0.8;
/// Rows of so many old orders share a commit.
const FILLED_AT_ONCE: u64 = 1_000;
/// The bare loops' own numbers, beyond those of old orders.
const FIRST_AMONG_FEW: u64 = 2_000_000_000;
const FIRST_AMONG_MANY: u64 = 3_000_000_000;

/// Measures on SQLite with few orders, then with so many.
///
/// # Errors
/// When the database or the product fails.
pub fn run(orders: u64, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bench.db");
    let options = Options::Sqlite(path.clone());
    let simulator = runtime.block_on(product::simulator())?;
    let shop = shop::open(folder.path(), &options, &simulator.url(), &[("file.bin", b"hello")])?;
    let old = Mold::of_one_order(&shop, &runtime, Since::Placed)?;
    let mold = Mold::of_one_order(&shop, &runtime, Since::Announced)?;
    let mut product = product::Product::new(&shop, &runtime, &simulator);
    let mut ratio = |among: u64, first: u64, report: &mut Report| {
        let mut bare = baseline::Bare::open(&options, &mold, &shop, first)?;
        report.compare(
            &format!("notice to fulfilled, among {among} orders"),
            ("SQLite, bare loop, 16 orders a commit", &mut |turn| bare.run(turn)),
            &mut |turn| product.at_the_seam(turn),
            None,
            pace,
        )
    };
    let few = FEW.min(orders);
    fill(&path, &old, 1..few)?;
    let among_few = ratio(few, FIRST_AMONG_FEW, report)?;
    fill(&path, &old, few..orders)?;
    let among_many = ratio(orders, FIRST_AMONG_MANY, report)?;
    report.note(
        "ratio among many, of that among few",
        among_many / among_few,
        "",
        Some(Bound::AtLeast(KEPT)),
    );
    measure_lists(&shop, &runtime, orders, report)
}

/// Writes old orders, as fast as it goes: durability is not what is measured here.
fn fill(path: &Path, old: &Mold, numbers: Range<u64>) -> Result<(), Failure> {
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -524288; PRAGMA busy_timeout = 10000; PRAGMA wal_autocheckpoint = 100000;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    let statements = old.statements();
    let mut next = numbers.start;
    while next < numbers.end {
        let end = numbers.end.min(next + FILLED_AT_ONCE);
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for number in next..end {
            baseline::insert(&connection, &statements, &old.cast_of_old(number))?;
        }
        connection.execute_batch("COMMIT")?;
        next = end;
        if next.is_multiple_of(100_000) {
            eprintln!("  {next} orders filled in");
        }
    }
    // What was not synchronized must not be paid for by what is measured next.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

fn measure_lists(shop: &Shop, runtime: &Runtime, orders: u64, report: &mut Report) -> Result<(), Failure> {
    let (port, _stop) = shop::serve(&shop.app, runtime, 0)?;
    lists::measure(shop, port, orders, report)
}
