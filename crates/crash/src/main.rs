//! Kills the program at every hop and at random, and looks for what was lost or done twice.
//!
//! The real program runs as processes of its own, against a simulated PayPal and a mail server
//! that writes everything down. Whoever sent a notice knows what was acknowledged, whoever
//! received a mail knows what was delivered; the database is only believed where it agrees.
//!
//! `cargo run -p crash -- --shipped target/release/handsel --failpoints target/failpoints/handsel`

mod check;
mod control;
mod dice;
mod ending;
mod hops;
mod http;
mod load;
mod node;
mod outage;
mod random;
mod report;
mod transfer;
mod trouble;
mod verbs;
mod wait;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use report::Report;
use trouble::{Tried, trouble};
use world::{Programs, Topology, World};

/// Kills the program at every hop and at random, and looks for what was lost or done twice.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program as it ships: it is killed at random.
    #[arg(long, value_name = "PATH")]
    shipped: PathBuf,
    /// The same program with the feature `failpoints`: it is killed at every hop.
    #[arg(long, value_name = "PATH")]
    failpoints: PathBuf,
    /// Only this way of running it; may be given several times.
    #[arg(long, value_enum)]
    on: Vec<Topology>,
    /// Only this part; may be given several times.
    #[arg(long, value_enum)]
    part: Vec<Part>,
    /// How often the program is started, killed a few times at random, and looked at.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Repeats a run: what is bought, and when is killed.
    #[arg(long)]
    seed: Option<u64>,
    /// Wait until the leases of the dead run out, instead of moving them into the past.
    #[arg(long)]
    wait_for_leases: bool,
    /// Print one JSON object at the end.
    #[arg(long)]
    json: bool,
}

/// What can be done to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Killed at every named hop.
    Hops,
    /// Killed at random, under load.
    Random,
    /// Its PostgreSQL is killed, under load.
    Outage,
    /// Asked to end, under load.
    Ending,
    /// A program that acknowledges before it commits must be found out.
    Control,
}

const PARTS: [Part; 5] = [Part::Hops, Part::Random, Part::Outage, Part::Ending, Part::Control];
const TOPOLOGIES: [Topology; 3] = [Topology::Sqlite, Topology::Postgres, Topology::TwoNodes];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(dice::fresh_seed);
    eprintln!("seed {seed}: --seed {seed} repeats this run");
    let mut report = Report::of(seed);
    if let Err(trouble) = run(&arguments, seed, &mut report) {
        report.findings.push(format!("the test itself could not go on: {trouble}"));
    }
    report.tell(arguments.json);
    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(arguments: &Arguments, seed: u64, report: &mut Report) -> Tried<()> {
    let chosen = |part| arguments.part.is_empty() || arguments.part.contains(&part);
    let parts: Vec<Part> = PARTS.into_iter().filter(|part| chosen(*part)).collect();
    let topologies = if arguments.on.is_empty() { &TOPOLOGIES[..] } else { arguments.on.as_slice() };
    let programs =
        Programs { shipped: found(&arguments.shipped)?, failpoints: found(&arguments.failpoints)? };
    for topology in topologies {
        let mut world = World::make(*topology, &programs, seed, arguments.wait_for_leases)?;
        for part in &parts {
            eprintln!("{}: {part:?}", topology.name());
            match part {
                Part::Hops => hops::run(&mut world, report)?,
                Part::Random => random::run(&mut world, arguments.rounds, report)?,
                Part::Outage if world.has_server() => outage::run(&mut world, arguments.rounds, report)?,
                Part::Ending => ending::run(&mut world, report)?,
                Part::Outage | Part::Control => {}
            }
        }
        report.add(&world);
        if parts.contains(&Part::Control) {
            eprintln!("{}: Control", topology.name());
            control::run(*topology, &programs, seed, report)?;
        }
    }
    Ok(())
}

/// The whole path of a program: each run of it has a working folder of its own.
fn found(program: &Path) -> Tried<PathBuf> {
    std::fs::canonicalize(program).map_err(|e| trouble(format!("{}: {e}; build it first", program.display())))
}
