//! `handsel payload …`: what a payload spec delivers, before anything is sold.
//!
//! No database is needed: specs, folders and a password are all there is.

mod explain;
mod ground;
mod pack;
mod range;
mod spool;
mod words;

use std::process::ExitCode;

use super::{Output, VerbError};

/// What can be done with a spec.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Show which files a spec delivers, why each is in or out, and how many bytes that costs.
    Explain(explain::Options),
    /// Write the archive that a spec delivers, or a range of its bytes.
    Pack(pack::Options),
}

/// Runs the verb.
pub fn run(verb: Verb, output: Output) -> Result<ExitCode, VerbError> {
    match verb {
        Verb::Explain(options) => explain::run(&options, output),
        Verb::Pack(options) => pack::run(&options, output).map(|()| ExitCode::SUCCESS),
    }
}
