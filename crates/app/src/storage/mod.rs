//! Storage: the stores that contents lie in, how they stand, and how contents leave them.
//!
//! A content that reading finds missing or damaged in one store is taken from another, noted
//! here, put back from a store that has it whole, and told to its sellers as an alarm: at once
//! when nobody has it, and for some days also after it was mended when it was damaged, since a
//! disk that damages one file damages others.

pub mod check;
pub mod flow;
pub mod jobs;
pub mod network;
pub mod reading;
pub mod staff_pages;
pub mod store;

use http::HeaderName;
use kernel::{Span, Timestamp};
use net::serve::TrustedProxies;

db::words! {
    /// What is wrong with a content in a store.
    pub enum Defect {
        /// It is not there.
        Missing = "missing",
        /// It is not what its name says.
        Damaged = "damaged",
    }
}

db::words! {
    /// How thoroughly a store is checked.
    pub enum Depth {
        /// Whether each content is there, with its size.
        Presence = "presence",
        /// Whether each is what its name says.
        Content = "content",
    }
}

db::words! {
    /// How a merchant wants files to be delivered.
    #[derive(Default)]
    pub enum Way {
        /// By us: every byte is counted, and a revocation is felt at once.
        #[default]
        ThroughUs = "through_us",
        /// By a bucket, where one has the file.
        Redirect = "redirect",
    }
}

/// How files are left to the proxy in front of us.
#[derive(Debug, Clone)]
pub struct HandOff {
    /// `X-Accel-Redirect` or `X-Sendfile`.
    pub header: HeaderName,
    /// What stands before `sha256/ab/…` in it.
    pub prefix: String,
    /// The store whose folder the proxy can read.
    pub store: String,
    /// Whom files are left to.
    pub proxies: TrustedProxies,
}

impl From<stores::Defect> for Defect {
    fn from(found: stores::Defect) -> Self {
        match found {
            stores::Defect::Missing => Self::Missing,
            stores::Defect::Damaged => Self::Damaged,
        }
    }
}

/// How a store stood when it was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreState {
    /// Its name.
    pub name: String,
    /// When that was.
    pub asked_at: Timestamp,
    /// Since when it does not answer, if so.
    pub away_since: Option<Timestamp>,
    /// What it did instead.
    pub away_why: String,
    /// Its last check, if there was one.
    pub check: Option<LastCheck>,
}

/// What the last check of a store found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCheck {
    /// When it ended.
    pub at: Timestamp,
    /// How thorough it was.
    pub depth: Depth,
    /// How many contents were looked for.
    pub contents: u64,
    /// How many were missing or damaged.
    pub defects: u64,
}

/// A content that a store should have and has not, or has damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The store.
    pub store: String,
    /// The content, in hex.
    pub sha256: String,
    /// Its size by its row.
    pub size: u64,
    /// What is wrong with it.
    pub defect: Defect,
    /// In words.
    pub detail: String,
    /// When that was found.
    pub found_at: Timestamp,
    /// When it was put right.
    pub mended_at: Option<Timestamp>,
}

/// A content that could not be mended is tried again after so long.
pub const TRIED_EVERY: Span = Span::minutes(10);
/// For how long damage is told after it was mended: the disk under it may be dying.
pub const TOLD_FOR: Span = Span::days(3);
/// A store that was away for less is no alarm: it may have been restarted.
pub const AWAY_FOR_MIN: Span = Span::minutes(5);
