//! The program `handsel`: sells and delivers digital goods from one binary.

mod checks;
mod config;
mod demo;
mod descriptors;
mod installation;
mod keys;
mod outfile;
mod secrets;
mod serve;
mod storage;
mod verbs;
mod wiring;
mod witness;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::verbs::VerbError;
use crate::wiring::StartError;

/// Sells and delivers digital goods: a payment is announced, the right buyer gets the right files.
#[derive(Debug, Parser)]
#[command(name = "handsel", version, max_term_width = 100)]
struct Cli {
    /// The configuration file (TOML). Without one: SQLite in ./data, listening on 127.0.0.1:8080.
    #[arg(long, global = true, env = "HANDSEL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    common: verbs::Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the shop.
    Serve,
    /// Try everything on this machine: a shop with sample products, a simulated PayPal, a mailbox.
    Demo(demo::DemoOptions),
    #[command(flatten)]
    Desk(verbs::Verb),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("HANDSEL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let colors = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colors).init();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("handsel: {error}");
            // 1: refused, or not there. 2: could not begin.
            ExitCode::from(if matches!(error, VerbError::Refused(_) | VerbError::Backup(_)) { 1 } else { 2 })
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, VerbError> {
    match cli.verb {
        Verb::Serve => serve_shop(cli.config.as_deref()),
        Verb::Demo(options) => Ok(runtime()?.block_on(demo::run(options, cli.common.json))?),
        Verb::Desk(verb) => verbs::run(cli.config.as_deref(), &cli.common, verb),
    }
}

fn serve_shop(config_file: Option<&Path>) -> Result<ExitCode, VerbError> {
    let config = Config::load(config_file, std::env::vars()).map_err(StartError::Config)?;
    // The database is opened before the runtime: its driver must not run on an async worker.
    let app = wiring::open(&config)?;
    checks::refuse_insecure(&app, &config)?;
    let merchant = wiring::first_merchant(&app)?;
    tell_quarantine(witness::arrive(&app, &config.data)?.as_ref());
    let (db, runtime) = (app.db().clone(), runtime()?);
    let ended = runtime.block_on(async {
        let stopped = serve::stop_on_signals()?;
        tokio::spawn(witness::keep(app.clone(), config.data.clone()));
        let listener = serve::bind(&config.listen).await?;
        println!("shop: {}/", config.base_url);
        if let Some(link) = wiring::owner_link(&app, merchant, &config.base_url).await? {
            println!("owner: {link}   (works once, for 15 minutes)");
        }
        serve::run(app, &config, listener, stopped).await
    });
    // Whatever writes ends with the runtime. Then the database is closed, which leaves all of it in
    // its one file: an end of the process alone would leave the newest in the log.
    drop(runtime);
    db.close();
    ended.map_err(VerbError::Start)?;
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> Result<tokio::runtime::Runtime, StartError> {
    let failed = |why| StartError::System { what: "starting the runtime".to_owned(), why };
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)
}

/// Loud, since a shop that sends nothing looks like one that works.
fn tell_quarantine(quarantine: Option<&app::installation::Quarantine>) {
    if let Some(quarantine) = quarantine {
        eprintln!(
            "QUARANTINE since {}: {}.\nNo mail is sent and no gateway is called. See: handsel quarantine status",
            quarantine.since, quarantine.why
        );
    }
}
