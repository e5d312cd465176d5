//! `handsel import …`: what other shops leave behind.

mod sendsafe;

use super::{Desk, VerbError};

/// From where.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Configuration files and item tables of SendSafe, with a report of what each line became.
    Sendsafe(sendsafe::Options),
}

/// Runs the verb. `false`: something has to be put right or answered first, and nothing was written.
pub fn run(desk: &Desk, verb: Verb) -> Result<bool, VerbError> {
    match verb {
        Verb::Sendsafe(options) => sendsafe::run(desk, &options),
    }
}
