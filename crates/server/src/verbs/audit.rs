//! `handsel audit`

use app::audit::{self, Depth};

use super::{Desk, VerbError};

/// How thoroughly.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// Read and hash every content too.
    #[arg(long)]
    deep: bool,
}

/// Runs the invariants and tells what breaks them. `false`: something does.
pub fn run(desk: &Desk, options: Options) -> Result<bool, VerbError> {
    let depth = if options.deep { Depth::Contents } else { Depth::Presence };
    let report = audit::run_blocking(&desk.app, depth)?;
    if report.is_clean() {
        let text = format!("{} invariants hold", report.checks.len());
        desk.output.done(&text, &serde_json::json!(report));
    } else {
        let row = |one: &audit::Violation| vec![one.check.to_owned(), one.found.clone(), one.rule.to_owned()];
        let rows: Vec<_> = report.violations.iter().map(row).collect();
        let values: Vec<_> = report.violations.iter().map(|one| serde_json::json!(one)).collect();
        desk.output.list(&["CHECK", "FOUND", "RULE"], &rows, &values);
    }
    Ok(report.is_clean())
}
