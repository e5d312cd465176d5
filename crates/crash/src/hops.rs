//! Killed at every named hop.
//!
//! The list is the program's own, and what drives it past a hop is a `match` without a rest: a new
//! hop does not compile here until somebody says how it is reached, and one that the program
//! never passes is a finding.

use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use app::failpoint::Hop;

use crate::dice::Dice;
use crate::http::{self, Question};
use crate::load::{GATHERED, Story};
use crate::report::Report;
use crate::trouble::{Tried, trouble};
use crate::world::{Build, Place, World};

/// How the program is driven past a hop.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Somebody buys.
    Selling,
    /// Somebody buys what is gathered for the order.
    Gathering,
    /// A buyer downloads.
    Downloading,
    /// A seller uploads.
    Uploading,
    /// What a seller uploaded is deflated.
    Packing,
    /// A backup is made.
    BackingUp,
    /// A backup is restored.
    Restoring,
}

const fn way(hop: Hop) -> Way {
    match hop {
        Hop::InboxBeforeCommit
        | Hop::InboxAfterCommit
        | Hop::JobsClaimed
        | Hop::VerifyJudged
        | Hop::ApplyBeforeCommit
        | Hop::ApplyAfterCommit
        | Hop::HouseSealed
        | Hop::HouseInvoiced
        | Hop::MailBeforeSend
        | Hop::MailAfterSend
        | Hop::MailRecorded => Way::Selling,
        Hop::PartMade | Hop::PartRecorded => Way::Gathering,
        Hop::DownloadReserved | Hop::DownloadBeforeCount | Hop::DownloadAfterCount => Way::Downloading,
        Hop::UploadReceived | Hop::UploadStored | Hop::UploadRecorded => Way::Uploading,
        Hop::PackedStored | Hop::PackedRecorded => Way::Packing,
        Hop::BackupWritten | Hop::BackupNamed => Way::BackingUp,
        Hop::RestoreEntered | Hop::RestoreBatch | Hop::RestoreWhole | Hop::RestoreLeft => Way::Restoring,
    }
}

/// How long the program may take to pass a hop after it was driven once more.
const PASS_WITHIN: Duration = Duration::from_millis(800);
/// How often it is driven.
const DRIVEN_MAX: u32 = 40;
/// What is bought at a time.
const BOUGHT_AT_ONCE: u32 = 2;
/// Counts are saved every second.
const COUNTED_WITHIN: Duration = Duration::from_secs(20);
const UPLOAD_BYTES: usize = 300_000;

/// Kills the program at every hop, one after the other, and checks everything after each.
pub fn run(world: &mut World, report: &mut Report) -> Tried<()> {
    world.recover(Build::Shipped)?;
    for hop in Hop::ALL {
        let when = format!("{} {} seed {}", world.topology.name(), hop.name(), world.seed);
        let mut findings = match way(*hop) {
            Way::Selling => selling(world, *hop)?,
            Way::Gathering => gathering(world, *hop)?,
            Way::Downloading => downloading(world, *hop)?,
            Way::Uploading => uploading(world, *hop)?,
            Way::Packing => packing(world, *hop)?,
            Way::BackingUp => backing_up(world, *hop)?,
            Way::Restoring => restoring(world, *hop)?,
        };
        if matches!(
            way(*hop),
            Way::Selling | Way::Gathering | Way::Downloading | Way::Uploading | Way::Packing
        ) {
            world.recover(Build::Shipped)?;
        }
        findings.extend(world.settle()?);
        if matches!(way(*hop), Way::Gathering) {
            findings.extend(world.fetch_gathered()?);
        }
        findings.extend(world.check()?);
        if findings.is_empty() {
            *report.hops.entry(hop.name()).or_default() += 1;
        }
        report.find(&when, findings);
    }
    Ok(())
}

fn not_passed(hop: Hop) -> Vec<String> {
    vec![format!("the program never passed {}: nobody is killed there", hop.name())]
}

/// Starts the first node so that it dies at the hop; the second, if any, goes on.
fn start_doomed(world: &mut World, asked: &str) -> Tried<()> {
    world.kill(0)?;
    world.start(0, Build::Failpoints(asked))
}

fn died(world: &mut World, most: Duration) -> Tried<bool> {
    let dead = world.node(0)?.wait_for_death(most);
    Ok(dead)
}

fn selling(world: &mut World, hop: Hop) -> Tried<Vec<String>> {
    let mut shopper = world.shopper(hop.name()).at_the_first();
    let time = 1 + shopper.dice().below(2);
    start_doomed(world, &format!("{}@{time}", hop.name()))?;
    for _ in 0..DRIVEN_MAX {
        shopper.disturb();
        for _ in 0..BOUGHT_AT_ONCE {
            world.purchases.push(shopper.buy()?);
        }
        world.purchases.push(shopper.buy_this(Story::Paid, 0)?);
        if died(world, PASS_WITHIN)? {
            return Ok(Vec::new());
        }
    }
    Ok(not_passed(hop))
}

/// Dies while something is made for an order that was paid.
fn gathering(world: &mut World, hop: Hop) -> Tried<Vec<String>> {
    let mut shopper = world.shopper(hop.name()).at_the_first();
    start_doomed(world, hop.name())?;
    for _ in 0..DRIVEN_MAX {
        world.purchases.push(shopper.buy_this(Story::Paid, GATHERED)?);
        if died(world, PASS_WITHIN)? {
            return Ok(Vec::new());
        }
    }
    Ok(not_passed(hop))
}

/// The buyer's download breaks off with the program, and is gone on with afterwards.
fn downloading(world: &mut World, hop: Hop) -> Tried<Vec<String>> {
    if world.unfetched(Some(1)).is_none() {
        let mut shopper = world.shopper(hop.name());
        world.purchases.push(shopper.buy_this(Story::Paid, 1)?);
        world.settle()?;
    }
    let bought = world.unfetched(Some(1)).ok_or_else(|| trouble("nobody has a link"))?;
    let buyer = world.buyer_of(&bought)?;
    start_doomed(world, hop.name())?;
    let begun = buyer.begin();
    let mut have = Vec::new();
    if let Ok(path) = &begun {
        let part =
            http::send(buyer.port, &buyer.host, &Question { method: "GET", path, ..Question::default() });
        have =
            part.and_then(|stream| http::read(stream, 8 << 20)).map(|answer| answer.body).unwrap_or_default();
    }
    if !died(world, COUNTED_WITHIN)? {
        return Ok(not_passed(hop));
    }
    world.recover(Build::Shipped)?;
    // Whoever did not hear where the bytes are presses the button again.
    let path = begun.or_else(|_| buyer.begin());
    let fetched = path.and_then(|path| buyer.finish(&path, have));
    Ok(world.compare(&bought, fetched))
}

/// The seller's upload is repeated after the crash, and is there once.
fn uploading(world: &mut World, hop: Hop) -> Tried<Vec<String>> {
    let mut dice = Dice::of(world.seed, hop.name());
    let content: Vec<u8> = (0..UPLOAD_BYTES).map(|_| u8::try_from(dice.below(256)).unwrap_or(0)).collect();
    let path = format!("/v1/products/{}/files/growing.bin", world.goods.growing);
    let lines =
        format!("authorization: Bearer {}\r\ncontent-type: application/octet-stream\r\n", world.goods.key);
    let put = Question { method: "PUT", path: &path, lines: &lines, body: &content };
    start_doomed(world, hop.name())?;
    let (port, host) = (world.port(), world.host());
    if let Ok(answer) = http::ask(port, &host, &put)
        && !died(world, PASS_WITHIN)?
    {
        return Ok([not_passed(hop), vec![format!("{}: {}", answer.status, answer.text())]].concat());
    }
    world.recover(Build::Shipped)?;
    let again = http::ask(port, &host, &put)?;
    if matches!(again.status, 200 | 201) {
        return Ok(Vec::new());
    }
    Ok(vec![format!("an upload after a crash was answered {}: {}", again.status, again.text())])
}

/// New contents, until this node deflates one of them and dies: another node may take the others.
fn packing(world: &mut World, hop: Hop) -> Tried<Vec<String>> {
    let path = format!("/v1/products/{}/files/growing.txt", world.goods.growing);
    let lines =
        format!("authorization: Bearer {}\r\ncontent-type: application/octet-stream\r\n", world.goods.key);
    start_doomed(world, hop.name())?;
    for turn in 0..DRIVEN_MAX {
        let content = format!("{} {turn}\n", hop.name()).repeat(20_000);
        let (port, host) = (world.port(), world.host());
        let put = Question { method: "PUT", path: &path, lines: &lines, body: content.as_bytes() };
        // One that is not answered was cut off by what is waited for.
        let _ = http::ask(port, &host, &put);
        if died(world, PASS_WITHIN)? {
            return Ok(Vec::new());
        }
    }
    Ok(not_passed(hop))
}

fn backup(world: &World, asked: &str, file: &Path) -> Tried<Result<(), String>> {
    let file = file.to_string_lossy();
    let build = if asked.is_empty() { Build::Shipped } else { Build::Failpoints(asked) };
    let ran = world.run(build, &world.place, &["backup", &file, "--with-blobs"])?;
    if ran.status.success() {
        return Ok(Ok(()));
    }
    Ok(Err(if ran.status.signal().is_some() { String::new() } else { ran.err }))
}

/// A backup is whole under its name, or not there under it.
fn backing_up(world: &mut World, hop: Hop) -> Tried<Vec<String>> {
    let file = world.path(&format!("{}.backup", hop.name()));
    match backup(world, hop.name(), &file)? {
        Ok(()) => return Ok(not_passed(hop)),
        Err(why) if !why.is_empty() => return Ok(vec![format!("backup: {why}")]),
        Err(_) => world.kills += 1,
    }
    if !file.exists()
        && let Err(why) = backup(world, "", &file)?
    {
        return Ok(vec![format!("a backup after a crash: {why}")]);
    }
    let target = elsewhere(world, hop)?;
    restored(world, &target, &file)
}

/// An installation with the same keys and an empty database.
fn elsewhere(world: &mut World, hop: Hop) -> Tried<Place> {
    let data = world.path(&format!("{}.data", hop.name()));
    let place = Place { data, database: world.new_database() };
    let keys = place.data.join("keys");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys)?;
    for entry in std::fs::read_dir(world.place.data.join("keys"))? {
        let entry = entry?;
        std::fs::copy(entry.path(), keys.join(entry.file_name()))?;
    }
    Ok(place)
}

/// Restores for good, and looks at what came of it.
fn restored(world: &World, target: &Place, file: &Path) -> Tried<Vec<String>> {
    let ran = world.run(Build::Shipped, target, &["restore", &file.to_string_lossy()])?;
    // What was declared whole before the crash is not restored over.
    let whole_already = ran.err.contains("already holds");
    if !ran.status.success() && !whole_already {
        return Ok(vec![format!("a restore after a crash: {}", ran.err)]);
    }
    let audit = world.run(Build::Shipped, target, &["audit", "--deep", "--json"])?;
    let status = world.run(Build::Shipped, target, &["quarantine", "status", "--json"])?;
    let mut findings = Vec::new();
    if !audit.status.success() {
        findings.push(format!("audit of the restored shop: {}{}", audit.out, audit.err));
    }
    if !status.out.contains("restored from a backup") {
        findings.push(format!("a restored shop is not in quarantine: {}{}", status.out, status.err));
    }
    Ok(findings)
}

/// A restore that was killed goes on where it stopped, and never serves half.
fn restoring(world: &mut World, hop: Hop) -> Tried<Vec<String>> {
    let file = world.path("whole.backup");
    if !file.exists()
        && let Err(why) = backup(world, "", &file)?
    {
        return Ok(vec![format!("backup: {why}")]);
    }
    let target = elsewhere(world, hop)?;
    let name = file.to_string_lossy().into_owned();
    let ran = world.run(Build::Failpoints(hop.name()), &target, &["restore", &name])?;
    if ran.status.signal().is_none() {
        return Ok([not_passed(hop), vec![ran.err]].concat());
    }
    world.kills += 1;
    let mut findings = Vec::new();
    if hop != Hop::RestoreLeft {
        let half = world.run(Build::Shipped, &target, &["orders", "list"])?;
        if half.status.success() {
            findings.push("half a restored shop answers".to_owned());
        }
    }
    findings.extend(restored(world, &target, &file)?);
    Ok(findings)
}
