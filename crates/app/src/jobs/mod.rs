//! Jobs: work for the outside world, between transactions.
//!
//! A job is written in the transaction that makes it necessary, and taken with a lease: a
//! worker that dies gives it back when the lease runs out, and a worker that wakes late is
//! refused by the lease's epoch. Whatever a job does inside the house it does in one
//! transaction that also ends the job, so doing it twice changes nothing.

pub mod desk_flow;
pub mod desk_store;
pub mod flow;
pub mod places;
pub mod runner;
pub mod staff_pages;
pub mod store;

use crate::parts::PartKey;
use kernel::{GrantId, JobId, MerchantId, MessageId, NoticeId, ProductFileId, Span, Timestamp};

db::words! {
    /// The kinds of work. None waits for the places, or the troubles, of another.
    pub enum Kind {
        /// Notices are verified by their gateway.
        VerifyNotice = "verify_notice",
        /// Messages leave.
        SendMessage = "send_message",
        /// Parts of units are made.
        MakePart = "make_part",
        /// Contents are deflated for archives.
        DeflateContent = "deflate_content",
        /// Copies of a file's new version are wanted.
        WantCopies = "want_copies",
    }
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Have a notice verified by its gateway and apply it.
    VerifyNotice {
        /// Whose.
        merchant: MerchantId,
        /// Which.
        notice: NoticeId,
    },
    /// Compose a message and hand it to the mail server.
    SendMessage {
        /// Whose.
        merchant: MerchantId,
        /// Which.
        message: MessageId,
    },
    /// Make a part of a unit.
    MakePart {
        /// Whose.
        merchant: MerchantId,
        /// Which.
        part: PartKey,
    },
    /// Deflate a content, for the archives that it will be in.
    DeflateContent {
        /// Whose product has it.
        merchant: MerchantId,
        /// Which, in hex.
        sha256: String,
    },
    /// Want a stamped copy of a file's new version for every unit that is to have one.
    WantCopies {
        /// Whose.
        merchant: MerchantId,
        /// Which file.
        file: ProductFileId,
        /// The grant that was looked at last.
        after: Option<GrantId>,
    },
}

impl Work {
    /// Of which kind it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::VerifyNotice { .. } => Kind::VerifyNotice,
            Self::SendMessage { .. } => Kind::SendMessage,
            Self::MakePart { .. } => Kind::MakePart,
            Self::DeflateContent { .. } => Kind::DeflateContent,
            Self::WantCopies { .. } => Kind::WantCopies,
        }
    }

    /// Whose work it is.
    pub const fn merchant(&self) -> MerchantId {
        match self {
            Self::VerifyNotice { merchant, .. }
            | Self::SendMessage { merchant, .. }
            | Self::MakePart { merchant, .. }
            | Self::DeflateContent { merchant, .. }
            | Self::WantCopies { merchant, .. } => *merchant,
        }
    }

    /// One waiting job per subject.
    pub fn dedupe_key(&self) -> String {
        match self {
            Self::VerifyNotice { notice, .. } => notice.to_string(),
            Self::SendMessage { message, .. } => message.to_string(),
            Self::MakePart { part: PartKey { line, unit_no, part, subject }, .. } => {
                format!("{line}:{unit_no}:{part}:{subject}")
            }
            Self::DeflateContent { sha256, .. } => sha256.clone(),
            Self::WantCopies { file, after, .. } => {
                format!("{file}:{}", after.map_or_else(String::new, |after| after.to_string()))
            }
        }
    }

    /// After so many attempts a person is asked.
    pub const fn attempts_max(&self) -> u32 {
        match self {
            // A gateway's verification service can be away for days; the money is real all the same.
            Self::VerifyNotice { .. } => 60,
            // About five days, as mail servers do among themselves.
            Self::SendMessage { .. } => 40,
            // About two days; then a person decides, and can have it tried again.
            Self::MakePart { .. } => 24,
            // A full disk is given time; until then archives have the content as it is.
            Self::DeflateContent { .. } => 20,
            // It only fails with the database.
            Self::WantCopies { .. } => 60,
        }
    }
}

/// A job in a worker's hands.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id.
    pub id: JobId,
    /// What to do.
    pub work: Work,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The lease: ending the job needs the same number.
    pub epoch: i64,
}

/// How long a worker may take before its job is given to another. Longer than any call's deadline.
pub const LEASE: Span = Span::seconds(90);

const RETRY_FIRST: Span = Span::seconds(2);
const RETRY_LONGEST: Span = Span::hours(4);

/// When to try again after this attempt: doubling from two seconds to four hours, spread by up
/// to a quarter so that an outage's jobs do not all come back in the same instant.
pub fn retry_at(now: Timestamp, attempt: u32, spread: [u8; 1]) -> Timestamp {
    let doubled = RETRY_FIRST.as_micros().saturating_mul(1i64 << attempt.saturating_sub(1).min(20));
    let wait = doubled.min(RETRY_LONGEST.as_micros());
    let extra = wait / 1024 * i64::from(spread[0]);
    now + Span::micros(wait + extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        let start = Timestamp::from_seconds(0);
        assert_eq!(retry_at(start, 1, [0]), start + Span::seconds(2));
        assert_eq!(retry_at(start, 2, [0]), start + Span::seconds(4));
        assert!(retry_at(start, 60, [255]) <= start + Span::hours(5));
    }
}
