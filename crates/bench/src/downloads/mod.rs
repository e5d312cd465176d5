//! Authorized downloads over plain HTTP with keep-alive, against nginx `secure_link` + sendfile.

pub mod client;
mod nginx;

use std::time::Duration;

use app::downloads::jobs;
use db::Options;
use tokio::runtime::Runtime;

use crate::report::{Failure, Pace, Report, Stopwatch, timed};
use crate::shop::{self, Link, Shop};

/// Sizes, and how many connections fetch at once.
const SIZES: [(&str, usize, usize); 3] =
    [("10 KiB", 10 << 10, 16), ("1 MiB", 1 << 20, 8), ("1 GiB", 1 << 30, 2)];
/// Of the design.
const BUDGET: f64 = 1.0;
/// Sessions opened before each turn: enough for 80,000 small fetches a second.
const SESSIONS_PER_MILLISECOND: u128 = 12;
const SESSIONS_MIN: usize = 2_000;

/// Measures each size up to the largest that is wanted.
///
/// # Errors
/// When nginx or the product fails.
pub fn run(largest: usize, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    let Some(program) = nginx::find() else {
        return Err("nginx is not installed: apt-get install nginx-light, then run this again".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for (name, size, connections) in SIZES.into_iter().filter(|(_, size, _)| *size <= largest) {
        measure(&runtime, &program, (name, size, connections), pace, report)?;
    }
    Ok(())
}

fn measure(
    runtime: &Runtime,
    program: &std::path::Path,
    (name, size, connections): (&str, usize, usize),
    pace: Pace,
    report: &mut Report,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let content = shop::content(size);
    let nginx = nginx::Nginx::start(program, &content)?;
    let options = Options::Sqlite(folder.path().join("bench.db"));
    let shop = shop::open(folder.path(), &options, "http://127.0.0.1:9", &[("file.bin", &content)])?;
    drop(content);
    let (port, _stop) = shop::serve(&shop.app, runtime, 0)?;
    let ours = Ours { shop: &shop, runtime, port, link: shop.paid_link(runtime)?, size, connections };
    let theirs = client::Target::new(nginx.port(), vec![nginx.path()], usize::MAX);
    let expected = u64::try_from(size)?;
    report.compare(
        &format!("download of {name}, {connections} connections"),
        (
            "nginx secure_link + sendfile",
            &mut timed(|turn| client::fetch(&theirs, connections, expected, turn)),
        ),
        &mut |turn| ours.fetch(turn),
        Some(BUDGET),
        pace,
    )?;
    Ok(())
}

/// The product's side.
struct Ours<'s> {
    shop: &'s Shop,
    runtime: &'s Runtime,
    port: u16,
    link: Link,
    size: usize,
    connections: usize,
}

impl Ours<'_> {
    /// Opens sessions, which is not measured, and fetches with them. What was handed out is
    /// saved within the time: what the product has to write is not to burden nginx's turn.
    fn fetch(&self, turn: Duration) -> Result<(u64, Duration), Failure> {
        let sessions = self.shop.open_sessions(&self.link, self.sessions(turn))?;
        let target = client::Target::new(self.port, sessions, self.fetches_per_session());
        let stopwatch = Stopwatch::start();
        let done = client::fetch(&target, self.connections, u64::try_from(self.size)?, turn)?;
        self.runtime.block_on(jobs::turn(&self.shop.app))?;
        Ok((done, stopwatch.elapsed()))
    }

    /// A session hands out twice its content and a little more.
    const fn fetches_per_session(&self) -> usize {
        (2 * self.size + (64 << 10)).div_ceil(self.size) - 1
    }

    fn sessions(&self, turn: Duration) -> usize {
        if self.size > 64 << 10 {
            return SESSIONS_MIN;
        }
        let wanted = turn.as_millis().saturating_mul(SESSIONS_PER_MILLISECOND);
        usize::try_from(wanted).unwrap_or(SESSIONS_MIN).max(SESSIONS_MIN)
    }
}
