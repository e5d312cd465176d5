//! `handsel migrate`: brings the database up to this program.

use db::{Db, MIGRATIONS, Migration, OnPending};

use super::{Output, VerbError};
use crate::checks::tuning;
use crate::config::Config;
use crate::{installation, wiring};

/// What to do beside showing.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only show what has run and what has not.
    #[arg(long)]
    check: bool,
}

/// Shows which migrations have run, and runs the others.
pub fn run(config: &Config, options: &Options, output: Output) -> Result<(), VerbError> {
    // A look makes nothing: of a database that is not there, everything is missing.
    let db = if options.check { installation::database(config)? } else { Some(made(config)?) };
    let pending = match &db {
        Some(db) => db.pending()?,
        None => MIGRATIONS.iter().collect(),
    };
    let applied: Vec<&Migration> =
        MIGRATIONS.iter().filter(|known| pending.iter().all(|missing| missing.name != known.name)).collect();
    let ran = match &db {
        Some(db) if !options.check => db.migrate()?,
        _ => Vec::new(),
    };
    let missing: Vec<&str> = if options.check { names(pending.iter().copied()) } else { Vec::new() };
    let value = serde_json::json!({
        "applied": names(applied.iter().copied()), "ran": names(ran.iter().copied()), "pending": missing,
    });
    let row = |name: &str, state: &str| vec![name.to_owned(), state.to_owned()];
    let rows: Vec<_> = applied
        .iter()
        .map(|migration| row(migration.name, "applied before"))
        .chain(ran.iter().map(|migration| row(migration.name, "applied now")))
        .chain(missing.iter().map(|name| row(name, "pending")))
        .collect();
    output.table_or(&["MIGRATION", "STATE"], &rows, &value);
    Ok(())
}

/// The database as it is, made when it is missing.
fn made(config: &Config) -> Result<Db, VerbError> {
    wiring::make_data_folder(&config.data)?;
    Ok(Db::open_with(&wiring::database_options(config), MIGRATIONS, tuning(OnPending::Leave))?)
}

fn names<'a>(migrations: impl Iterator<Item = &'a Migration>) -> Vec<&'static str> {
    migrations.map(|migration| migration.name).collect()
}
