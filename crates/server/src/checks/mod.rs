//! Checks of everything the program stands on, each with what to do about it.
//!
//! `doctor` makes all of them. Those that say "insecure" are made at every start as well, and
//! [`refuse_insecure`] does not let the shop open: a warning in a log is read by nobody.

mod connections;
mod database;
mod files;
mod network;
mod storage;

use app::app::App;
pub use database::tuning;
use kernel::Timestamp;

use crate::config::Config;
use crate::wiring::StartError;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Works, and somebody should look.
    Warning,
    /// Does not work, or must not be used.
    Failed,
}

impl Status {
    /// As it is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do.
    pub remedy: Option<String>,
    /// Whether `serve` refuses to start because of it.
    pub refused_at_start: bool,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, found: found.into(), remedy: None, refused_at_start: false }
    }

    /// Works, and somebody should look.
    pub fn warning(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (status, remedy) = (Status::Warning, Some(remedy.into()));
        Self { check, status, found: found.into(), remedy, refused_at_start: false }
    }

    /// Does not work.
    pub fn failed(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (status, remedy) = (Status::Failed, Some(remedy.into()));
        Self { check, status, found: found.into(), remedy, refused_at_start: false }
    }

    /// Must not be used: `serve` does not start with it.
    pub fn insecure(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { refused_at_start: true, ..Self::failed(check, found, remedy) }
    }
}

/// Makes every check, going on where one fails. Not on an async worker.
pub fn all(config: &Config, now: Timestamp) -> Vec<Finding> {
    let mut findings = files::folders(config);
    findings.push(files::disk(config));
    findings.extend(storage::all(config));
    let ring = files::ring(config);
    findings.extend(database::clock_alone(now));
    let (of_database, db) = database::open(config, now);
    findings.extend(of_database);
    match &ring {
        Ok(Some(ring)) => findings.push(files::ring_is_there(ring)),
        Ok(None) => findings.push(files::ring_is_missing(db.as_ref().is_some_and(database::is_used))),
        Err(finding) => findings.push(finding.clone()),
    }
    findings.extend(network::base_url(config));
    findings.extend(network::tls(config));
    findings.extend(network::proxies(config));
    findings.push(network::smtp(config));
    if let Some(db) = &db {
        findings.extend(connections::all(db, ring.ok().flatten().as_ref(), config));
        findings.push(database::jobs(db, now));
    }
    findings
}

/// Refuses what must not be run with, all of it at once.
pub fn refuse_insecure(app: &App, config: &Config) -> Result<(), StartError> {
    let mut findings = files::folders(config);
    findings.extend(network::tls(config));
    findings.extend(network::proxies(config));
    findings.extend(connections::all(app.db(), Some(app.ring()), config));
    let refused: Vec<Finding> = findings.into_iter().filter(|finding| finding.refused_at_start).collect();
    let (Some(first), rest) = (refused.first(), refused.get(1..).unwrap_or_default()) else {
        return Ok(());
    };
    let more: String = rest.iter().map(|finding| format!("\nand {}", sentence(finding))).collect();
    let remedy = first.remedy.clone().unwrap_or_default();
    Err(StartError::Insecure { problem: first.found.clone(), remedy: remedy + &more })
}

fn sentence(finding: &Finding) -> String {
    match &finding.remedy {
        Some(remedy) => format!("{}; {remedy}", finding.found),
        None => finding.found.clone(),
    }
}

#[cfg(test)]
mod tests;
