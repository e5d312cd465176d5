//! The audit: what must be true of any database of ours, at a merchant's and at the end of every test.
//!
//! Each check stands for one promise and can run while the shop is open: work that is under way
//! is not a violation, work that nobody will ever do is. Checks read with SQL of their own, and
//! not through the nouns' stores: an oracle that shares the code of what it judges shares its
//! faults. What needs more than a query goes through the rows in pages, so that memory stays
//! bounded whatever the size of the shop.

mod access;
mod admission;
mod chain;
mod contents;
mod documents;
mod inbox;
mod money;
mod outbox;
mod replay;
mod tenancy;

use db::{Db, DbError, Snapshot, sql};
use kernel::{ConnectionId, Timestamp};
use stores::BlobStore;

pub use tenancy::{REFERENCES, Reference};

/// So many violations of one rule are shown; more are only said to be there.
pub const SHOWN_MAX: u32 = 100;
/// Rows that a check holds in memory at a time.
const PAGE_ROWS: u32 = 1_000;

/// A promise, and how to see whether it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name, for programs: `I1`. Never used for anything else.
    pub id: &'static str,
    /// What is promised.
    pub title: &'static str,
    /// What somebody would lose if it were broken.
    pub why: &'static str,
    /// What no row may be, each found by one query.
    pub rules: &'static [Rule],
    /// What takes more than a query.
    code: Option<Code>,
    /// Why there is nothing to look at.
    pub not_applicable: Option<&'static str>,
}

type Code = fn(&Auditor<'_>, &mut Findings) -> Result<(), DbError>;

/// Something that no row may be.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What is wrong with the rows that are found.
    pub says: &'static str,
    /// A query for them, without order and limit, that answers `id` and `detail`.
    pub find: &'static str,
}

/// Every check, in the order of their names.
pub const CHECKS: &[Check] = &[
    access::PAID_IS_GIVEN,
    access::GIVEN_IS_PAID,
    KEYS,
    money::LEDGER,
    inbox::ACKNOWLEDGED,
    inbox::DECIDED,
    outbox::SENT,
    access::COUNTED,
    documents::NUMBERED,
    USAGE,
    chain::SEALED,
    contents::STORED,
    replay::REPLAYED,
    tenancy::SEPARATE,
    CANARIES,
    replay::ALLOWED,
    WEBHOOKS,
    inbox::AUTHENTIC,
    admission::PLACES,
    admission::ENTRIES,
];

const KEYS: Check = Check {
    id: "I3",
    title: "no license key belongs to two units",
    why: "two buyers with one key lock each other out",
    rules: &[],
    code: None,
    not_applicable: Some("no license keys are kept yet"),
};

const USAGE: Check = Check {
    id: "I10",
    title: "metered usage counts every event once",
    why: "a buyer would be charged twice",
    rules: &[],
    code: None,
    not_applicable: Some("no usage is metered yet"),
};

const CANARIES: Check = Check {
    id: "I15",
    title: "no secret lies where it can be read",
    why: "a stolen copy of the database would open the shop",
    rules: &[],
    code: None,
    not_applicable: Some("needs to know the secrets: a test plants some and looks for them"),
};

const WEBHOOKS: Check = Check {
    id: "I17",
    title: "every event for another system is delivered or given up with an alert",
    why: "the merchant's other systems would miss sales",
    rules: &[],
    code: None,
    not_applicable: Some("no events are sent to other systems yet"),
};

/// How closely contents are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Whether each is there and has its size.
    #[default]
    Sizes,
    /// Every byte is read and compared with its digest. Takes as long as reading the disk.
    Contents,
}

/// A notice that somebody has heard 200 for.
#[derive(Debug, Clone, Copy)]
pub struct Acknowledged {
    /// Through which hook.
    pub connection: ConnectionId,
    /// Which bytes; see [`crate::notices::transport_key`].
    pub transport_key: [u8; 32],
}

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How closely contents are looked at.
    pub depth: Depth,
    /// What a test's sender has heard 200 for. Nobody else keeps such a list.
    pub acknowledged: Vec<Acknowledged>,
    /// Only these checks; all of them if empty.
    pub only: Vec<String>,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The rows that it is about.
    pub rows: Vec<String>,
    /// What is wrong with them.
    pub text: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The promise is kept.
    Held,
    /// It is not.
    Broken,
    /// There is nothing to look at.
    NotApplicable,
}

/// What came of one check.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Outcome {
    /// The check's name.
    pub id: &'static str,
    /// What is promised.
    pub title: &'static str,
    /// What somebody would lose.
    pub why: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// Why there was nothing to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// What was found, at most [`SHOWN_MAX`] of each kind.
    pub violations: Vec<Violation>,
    /// Whether there is more than is shown.
    pub more: bool,
}

/// What came of an audit.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// When it was made.
    pub at: Timestamp,
    /// Every check that was made.
    pub checks: Vec<Outcome>,
}

impl Report {
    /// Whether every promise is kept.
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.verdict != Verdict::Broken)
    }

    /// How many violations are shown.
    pub fn violations(&self) -> usize {
        self.checks.iter().map(|check| check.violations.len()).sum()
    }

    /// The checks that found something.
    pub fn broken(&self) -> impl Iterator<Item = &Outcome> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Broken)
    }
}

/// What the checks look at.
pub struct Auditor<'a> {
    db: &'a Db,
    blobs: &'a dyn BlobStore,
    now: Timestamp,
    options: &'a Options,
}

impl Auditor<'_> {
    /// Reads one moment. Every page is a moment of its own, so that a long audit does not keep
    /// the database from tidying up.
    fn read<T>(&self, work: impl FnMut(&mut Snapshot<'_>) -> Result<T, DbError>) -> Result<T, DbError> {
        self.db.read_blocking(work)
    }
}

/// What a check has found so far.
#[derive(Debug, Default)]
struct Findings {
    violations: Vec<Violation>,
    more: bool,
}

impl Findings {
    fn add(&mut self, rows: Vec<String>, text: String) {
        if self.violations.len() < usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX) {
            self.violations.push(Violation { rows, text });
        } else {
            self.more = true;
        }
    }
}

/// Runs the checks on a database and its contents.
///
/// # Errors
/// When the database cannot be read; what it holds is never an error, but a violation.
pub fn run(db: &Db, blobs: &dyn BlobStore, now: Timestamp, options: &Options) -> Result<Report, DbError> {
    run_watched(db, blobs, now, options, &mut |_| {})
}

/// [`run`], telling which check comes next.
///
/// # Errors
/// As [`run`].
pub fn run_watched(
    db: &Db,
    blobs: &dyn BlobStore,
    now: Timestamp,
    options: &Options,
    begins: &mut dyn FnMut(&Check),
) -> Result<Report, DbError> {
    let auditor = Auditor { db, blobs, now, options };
    let mut checks = Vec::new();
    for check in CHECKS {
        if options.only.is_empty() || options.only.iter().any(|id| id == check.id) {
            begins(check);
            checks.push(check.outcome(&auditor)?);
        }
    }
    Ok(Report { at: now, checks })
}

impl Check {
    fn outcome(&self, auditor: &Auditor<'_>) -> Result<Outcome, DbError> {
        let mut findings = Findings::default();
        for rule in self.rules {
            auditor.read(|snapshot| rule.look(snapshot, &mut findings))?;
        }
        if let Some(code) = self.code {
            code(auditor, &mut findings)?;
        }
        let verdict = match (self.not_applicable, findings.violations.is_empty()) {
            (Some(_), _) => Verdict::NotApplicable,
            (None, true) => Verdict::Held,
            (None, false) => Verdict::Broken,
        };
        Ok(Outcome {
            id: self.id,
            title: self.title,
            why: self.why,
            verdict,
            note: self.not_applicable,
            violations: findings.violations,
            more: findings.more,
        })
    }
}

impl Rule {
    fn look(&self, snapshot: &mut Snapshot<'_>, findings: &mut Findings) -> Result<(), DbError> {
        let limit = SHOWN_MAX + 1;
        let query = format!("SELECT id, detail FROM ({}) found ORDER BY id, detail LIMIT {limit}", self.find);
        let rows: Vec<(String, String)> =
            sql(query).all(snapshot, |row| Ok((row.get("id")?, row.get("detail")?)))?;
        let shown = usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
        findings.more |= rows.len() > shown;
        for (id, detail) in rows.into_iter().take(shown) {
            let text =
                if detail.is_empty() { self.says.to_owned() } else { format!("{}: {detail}", self.says) };
            findings.violations.push(Violation { rows: vec![id], text });
        }
        Ok(())
    }
}
