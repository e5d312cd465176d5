//! The audit: the invariants of the spine, checked on any database at any time.
//!
//! The same checks stand at the end of every test, in the demo, and at a merchant's. Each names
//! the rows that break it. What can only be seen from outside is not here: that every notice
//! answered with 200 is stored (the crash tests keep their own log), that no secret leaks into
//! logs (a test greps), and outgoing webhooks, which do not exist yet.

mod rows;
mod walks;

use std::sync::Arc;

use db::{DbError, Snapshot};
use stores::BlobStore;

use crate::app::App;
use crate::problem::Flow;

/// How thoroughly contents are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// That they are there, with their size.
    Presence,
    /// Every byte is read and hashed.
    Contents,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Which invariant.
    pub check: &'static str,
    /// What it says.
    pub rule: &'static str,
    /// Which row, and what is wrong with it.
    pub found: String,
}

/// What the audit found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// The invariants that were looked at.
    pub checks: Vec<&'static str>,
    /// What breaks them, at most [`FOUND_MAX`] of each.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Whether everything holds.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Beyond so many rows of one check, more would tell nothing.
pub const FOUND_MAX: u32 = 20;

/// Runs every check on one moment of the database.
pub async fn run(app: &App, depth: Depth) -> Flow<Report> {
    let blobs = Arc::clone(app.blobs());
    app.read(move |snapshot| Ok(audit(snapshot, &*blobs, depth)?)).await
}

/// [`run`] for plain threads.
pub fn run_blocking(app: &App, depth: Depth) -> Flow<Report> {
    let blobs = Arc::clone(app.blobs());
    app.read_now(move |snapshot| Ok(audit(snapshot, &*blobs, depth)?))
}

/// Every check, on a snapshot.
pub fn audit(snapshot: &mut Snapshot<'_>, blobs: &dyn BlobStore, depth: Depth) -> Result<Report, DbError> {
    let mut report = Report { checks: Vec::new(), violations: Vec::new() };
    for check in rows::CHECKS {
        report.checks.push(check.id);
        for found in rows::find(snapshot, check)? {
            report.violations.push(Violation { check: check.id, rule: check.rule, found });
        }
    }
    rows::merchants_apart(snapshot, &mut report)?;
    walks::money_replayed(snapshot, &mut report)?;
    walks::chain(snapshot, &mut report)?;
    walks::contents(snapshot, blobs, depth, &mut report)?;
    report.checks.sort_unstable();
    report.checks.dedup();
    Ok(report)
}
