//! Benchmarks. Each measures the product against a baseline in turns, in the same run on the
//! same machine, and prints the ratio: absolute numbers say more about the machine.
//!
//! `cargo run --release -p bench -- bare`

mod bare;
mod downloads;
mod orders;
mod report;
mod shop;

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
    /// How long each turn is, in seconds.
    #[arg(long, global = true, default_value_t = 1.0)]
    seconds: f64,
    /// How many turns each side gets.
    #[arg(long, global = true, default_value_t = 3)]
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
    Downloads,
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
    let ran = match arguments.benchmark {
        Benchmark::Bare { engine } => bare::run(engine, pace, &mut report),
        Benchmark::Orders { engine } => orders::run(engine.map(EngineChoice::engine), pace, &mut report),
        Benchmark::Downloads => downloads::run(pace, &mut report),
    };
    if let Err(error) = ran {
        eprintln!("the benchmark failed: {error}");
        return ExitCode::FAILURE;
    }
    if arguments.json {
        report.print_json()
    } else {
        report.print_table()
    }
    if report.within_budgets() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
