//! What a buyer waits for: from paid to the last byte of an archive with a password, over HTTP on loopback.

use std::time::Duration;

use db::Options;
use kernel::SystemEntropy;
use tokio::runtime::Runtime;

use super::corpus;
use super::packer::{self, Packer};
use crate::downloads::client;
use crate::report::{Bound, Failure, Pace, Report, Stopwatch, part};
use crate::shop::{self, Link, Shop};

/// Budgets of the design.
const PACKED_BUDGET: f64 = 100.0;
const FIRST_BYTE_BUDGET: f64 = 5.0;
/// `7z` takes seconds for a turn, and the ratio is far from its budget.
const TURNS_MAX: usize = 5;
/// Archives that are begun for the time to their first bytes.
const SMALL_BYTES: usize = 1 << 20;

/// Measures archives of files with so many bytes.
///
/// # Errors
/// When `7z` or the product fails.
pub fn run(bytes: usize, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if bytes > SMALL_BYTES {
        begin(&runtime, SMALL_BYTES, pace, report)?;
    }
    let (bought, length) = begin(&runtime, bytes, pace, report)?;
    report.note("bytes of the files to those of their archive", ratio(bytes, length)?, "to 1", None);
    bought.compare(pace, report)
}

/// Opens a shop and measures the first bytes of its archive. Answers how long that is.
fn begin<'r>(
    runtime: &'r Runtime,
    bytes: usize,
    pace: Pace,
    report: &mut Report,
) -> Result<(Bought<'r>, u64), Failure> {
    let bought = Bought::open(runtime, bytes)?;
    let length = bought.check()?;
    let what = format!("first byte of a paid archive of {} MiB", bytes >> 20);
    report.note(&what, bought.first_byte(pace)?, "ms", Some(Bound::AtMost(FIRST_BYTE_BUDGET)));
    Ok((bought, length))
}

fn ratio(files: usize, archive: u64) -> Result<f64, Failure> {
    Ok(f64::from(u32::try_from(files >> 10)?) / f64::from(u32::try_from(archive >> 10)?).max(1.0))
}

/// An archive that was bought and fetched.
struct Fetched {
    link: Link,
    length: u64,
    first_byte: Duration,
    /// From its payment to its last byte.
    whole: Duration,
}

/// A shop that sells these files in one archive with a password.
struct Bought<'r> {
    files: Vec<(String, Vec<u8>)>,
    shop: Shop,
    runtime: &'r Runtime,
    port: u16,
    folder: tempfile::TempDir,
}

impl<'r> Bought<'r> {
    fn open(runtime: &'r Runtime, bytes: usize) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let files = corpus::files(bytes);
        let named: Vec<(&str, &[u8])> =
            files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let options = Options::Sqlite(folder.path().join("bench.db"));
        let shop = shop::open(folder.path(), &options, "http://127.0.0.1:9", &named)?;
        shop.protect()?;
        shop.deflate(runtime)?;
        let (port, _) = shop::serve(&shop.app, runtime, 0)?;
        Ok(Self { files, shop, runtime, port, folder })
    }

    /// From the notice of a payment to the last byte of the order's archive. Placing the order is not measured.
    fn buy(&self, to: &mut impl std::io::Write) -> Result<Fetched, Failure> {
        let order = self.shop.place(1)?.pop().ok_or("no order was placed")?;
        let stopwatch = Stopwatch::start();
        let link = self.shop.pay(self.runtime, &order)?;
        let path = client::redirected(self.port, &format!("/d/{}/archive", link.0))?;
        let (length, first_byte) = client::fetch_one(self.port, &path, to)?;
        Ok(Fetched { link, length, first_byte, whole: stopwatch.elapsed() })
    }

    /// What is measured is right: `7z` finds every byte. Answers how long an archive is.
    fn check(&self) -> Result<u64, Failure> {
        let path = self.folder.path().join("check.zip");
        let fetched = self.buy(&mut std::fs::File::create(&path)?)?;
        packer::check(&path, &self.shop.password(&fetched.link)?)?;
        Ok(fetched.length)
    }

    fn first_byte(&self, pace: Pace) -> Result<f64, Failure> {
        let buy = |_| Ok(self.buy(&mut std::io::sink())?.first_byte.as_secs_f64() * 1000.0);
        let mut times = (0..pace.turns.max(1)).map(buy).collect::<Result<Vec<_>, Failure>>()?;
        times.sort_by(f64::total_cmp);
        Ok(part(&times, 50))
    }

    fn compare(&self, pace: Pace, report: &mut Report) -> Result<(), Failure> {
        let packer = Packer::new(&self.files)?;
        let password = archive::password::generate(&SystemEntropy).expose().clone();
        let mut baseline = |_| {
            let stopwatch = Stopwatch::start();
            packer.pack(&password)?;
            Ok((1, stopwatch.elapsed()))
        };
        let mut product = |turn| {
            let (mut done, mut spent) = (0, Duration::ZERO);
            while spent < turn {
                spent += self.buy(&mut std::io::sink())?.whole;
                done += 1;
            }
            Ok((done, spent))
        };
        report.compare(
            "archive with password, from paid to its last byte",
            ("7z a -tzip -mem=AES256 and a copy", &mut baseline),
            &mut product,
            Some(PACKED_BUDGET),
            Pace { turns: pace.turns.min(TURNS_MAX), ..pace },
        )?;
        Ok(())
    }
}
