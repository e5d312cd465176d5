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

use sha2::Digest as _;

use crate::parts::PartKey;
use kernel::{
    ConnectionId, FileVersionId, GrantId, JobId, LineId, MerchantId, MessageId, NoticeId, OrderId,
    ProductFileId, ProductId, Span, Timestamp,
};

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
        /// Buyers are told of new versions.
        TellOfVersion = "tell_of_version",
        /// Files are taken from folders.
        PickUp = "pick_up",
        /// Gateways are asked for what their notices may have failed to tell.
        AskGateway = "ask_gateway",
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
    /// Intend mails to some of those who are entitled to a new version.
    TellOfVersion {
        /// Whose.
        merchant: MerchantId,
        /// Of which version.
        version: FileVersionId,
        /// Those of the lines behind this one.
        after: Option<LineId>,
    },
    /// Take files from the operator's folders.
    PickUp {
        /// Whose.
        merchant: MerchantId,
        /// For which product.
        product: ProductId,
        /// Which, as in a payload.
        spec: String,
    },
    /// Ask a gateway what became of an order's checkout.
    AskAboutOrder {
        /// Whose.
        merchant: MerchantId,
        /// Which.
        order: OrderId,
        /// What the buyer brought back from the gateway; empty: nobody came.
        query: Vec<(String, String)>,
    },
    /// Ask a gateway what happened.
    AskForNews {
        /// Whose.
        merchant: MerchantId,
        /// Through which account.
        connection: ConnectionId,
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
            Self::TellOfVersion { .. } => Kind::TellOfVersion,
            Self::PickUp { .. } => Kind::PickUp,
            Self::AskAboutOrder { .. } | Self::AskForNews { .. } => Kind::AskGateway,
        }
    }

    /// Whose work it is.
    pub const fn merchant(&self) -> MerchantId {
        match self {
            Self::VerifyNotice { merchant, .. }
            | Self::SendMessage { merchant, .. }
            | Self::MakePart { merchant, .. }
            | Self::DeflateContent { merchant, .. }
            | Self::WantCopies { merchant, .. }
            | Self::TellOfVersion { merchant, .. }
            | Self::PickUp { merchant, .. }
            | Self::AskAboutOrder { merchant, .. }
            | Self::AskForNews { merchant, .. } => *merchant,
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
            Self::TellOfVersion { version, after: Some(line), .. } => format!("{version}:{line}"),
            Self::TellOfVersion { version, after: None, .. } => version.to_string(),
            // A spec may be longer than a key of an index.
            Self::PickUp { product, spec, .. } => {
                format!("{product}:{}", hex::encode(sha2::Sha256::digest(spec.as_bytes())))
            }
            // Who comes back is asked for beside what is asked by the clock.
            Self::AskAboutOrder { order, query, .. } => format!("{order}:{}", !query.is_empty()),
            Self::AskForNews { connection, .. } => connection.to_string(),
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
            // It only waits for the database.
            Self::TellOfVersion { .. } => 20,
            // A folder that is not mounted, or a file that is still being written.
            Self::PickUp { .. } => 20,
            // The clock asks again anyhow; a buyer who waits is worth some tries.
            Self::AskAboutOrder { .. } => 12,
            Self::AskForNews { .. } => 4,
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
