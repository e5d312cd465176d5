//! Benchmarks. Each measures the product against a baseline in turns, in the same run on the
//! same machine, and prints the ratio: absolute numbers say more about the machine.
//!
//! `cargo run --release -p bench -- orders | downloads | archive | scale | frames | program | bare`

mod archive;
mod bare;
mod downloads;
mod frames;
mod orders;
mod program;
mod report;
mod shop;
mod slow;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use report::Report;

/// Measures the product against baselines.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    benchmark: Benchmark,
    /// Print one JSON object instead of a table.
    #[arg(long, global = true)]
    json: bool,
    /// End with an error when something is beyond its budget.
    #[arg(long, global = true)]
    enforce: bool,
    /// How long each turn is, in seconds. Short ones, so that a busy machine is busy for both sides.
    #[arg(long, global = true, default_value_t = 0.3)]
    seconds: f64,
    /// How many turns each side gets.
    #[arg(long, global = true, default_value_t = 21)]
    turns: usize,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Transactions of 20 statements: the drivers alone against the `db` crate.
    Bare {
        /// Only this engine.
        #[arg(long)]
        engine: Option<EngineChoice>,
    },
    /// From a notice's arrival to the commit that fulfilled its order.
    Orders {
        /// Only this engine.
        #[arg(long)]
        engine: Option<EngineChoice>,
    },
    /// Authorized downloads against nginx with secure_link and sendfile.
    Downloads {
        /// Leave out what is larger than so many bytes.
        #[arg(long, default_value_t = 1 << 30)]
        largest: usize,
    },
    /// Archives with a password, computed while they are sent.
    Archive {
        /// MiB of the contents.
        #[arg(long, default_value_t = 150)]
        mebibytes: usize,
        /// Files of the archive whose layout is timed.
        #[arg(long, default_value_t = 10_000)]
        entries: u32,
        /// Clients that read slowly, at once; 0 leaves them out.
        #[arg(long, default_value_t = 1_000)]
        slow_readers: usize,
        /// MiB of what they read.
        #[arg(long, default_value_t = 1024)]
        slow_mebibytes: usize,
        /// The built program that they read from; without it this one serves them.
        #[arg(long)]
        program: Option<PathBuf>,
    },
    /// What one more order costs among many, and how fast lists are then. SQLite.
    Scale {
        /// How many.
        #[arg(long, default_value_t = 1_000_000)]
        orders: u64,
    },
    /// How large the frames of a body should be.
    Frames {
        /// Bytes of the file.
        #[arg(long, default_value_t = 256 << 20)]
        size: usize,
    },
    /// The program's size and start, and memory, idle and with slow readers of a file and an archive.
    Program {
        /// The built program; without it only slow readers are measured.
        #[arg(long)]
        program: Option<PathBuf>,
        /// How many downloads run at once.
        #[arg(long, default_value_t = 1_000)]
        downloads: usize,
    },
    /// The shop that slow readers fetch from.
    #[command(hide = true)]
    ServeDownloads {
        /// Where the shop is.
        #[arg(long)]
        data: PathBuf,
        /// Where it listens.
        #[arg(long)]
        port: u16,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineChoice {
    Sqlite,
    Postgres,
}

impl EngineChoice {
    const fn engine(self) -> db::Engine {
        match self {
            Self::Sqlite => db::Engine::Sqlite,
            Self::Postgres => db::Engine::Postgres,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let pace = report::Pace { seconds: arguments.seconds, turns: arguments.turns };
    let mut report = Report::default();
    let ran = match &arguments.benchmark {
        Benchmark::Bare { engine } => bare::run(*engine, pace, &mut report),
        Benchmark::Orders { engine } => orders::run(engine.map(EngineChoice::engine), pace, &mut report),
        Benchmark::Downloads { largest } => downloads::run(*largest, pace, &mut report),
        Benchmark::Archive { mebibytes, entries, slow_readers, slow_mebibytes, program } => {
            let scale = archive::Scale { content: mebibytes << 20, entries: *entries };
            let (program, bytes) = (program.as_deref(), slow_mebibytes << 20);
            let crowd = slow::Crowd { program, readers: *slow_readers, bytes };
            archive::run(scale, crowd, pace, &mut report)
        }
        Benchmark::Scale { orders } => orders::at_scale(*orders, pace, &mut report),
        Benchmark::Frames { size } => frames::run(*size, pace, &mut report),
        Benchmark::Program { program, downloads } => {
            program::run(program.as_deref(), *downloads, &mut report)
        }
        Benchmark::ServeDownloads { data, port } => return ended(slow::serve(data, *port)),
    };
    if ran.is_err() {
        return ended(ran);
    }
    if arguments.json {
        report.print_json()
    } else {
        report.print_table()
    }
    if arguments.enforce && !report.within_budgets() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn ended(outcome: Result<(), report::Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the benchmark failed: {error}");
            ExitCode::FAILURE
        }
    }
}
