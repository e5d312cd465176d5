//! `handsel doctor`: is everything well, and if not, what is to be done?

use std::path::Path;
use std::process::ExitCode;

use kernel::Timestamp;

use super::Output;
use crate::checks::{self, Finding, Status};
use crate::config::{Config, ConfigError};

/// Makes every check and prints what was found. Exit code 1 when one failed.
pub fn run(config_file: Option<&Path>, output: Output, now: Timestamp) -> ExitCode {
    let findings = match Config::load(config_file, std::env::vars()) {
        Ok(config) => checks::all(&config, now),
        Err(error) => vec![unusable(&error)],
    };
    let worst = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
    let value = serde_json::json!({ "status": worst, "checks": findings });
    let row = |finding: &Finding| {
        let remedy = finding.remedy.iter().map(|remedy| format!("→ {remedy}"));
        vec![
            finding.status.word().to_owned(),
            finding.check.to_owned(),
            std::iter::once(finding.found.clone()).chain(remedy).collect::<Vec<_>>().join("  "),
        ]
    };
    let rows: Vec<_> = findings.iter().map(row).collect();
    output.table_or(&["STATUS", "CHECK", "FOUND"], &rows, &value);
    ExitCode::from(u8::from(worst == Status::Failed))
}

fn unusable(error: &ConfigError) -> Finding {
    Finding::failed(
        "configuration",
        error.to_string(),
        "correct the file named by --config, or the HANDSEL_… variable",
    )
}
