//! The one context of every flow: a transaction, the time, ids, who acts, and for whom.

use db::Tx;
use kernel::{ApiKeyId, ConnectionId, CustomerId, Draws, MerchantId, StaffId, Timestamp};

use crate::ring::Ring;

/// What a flow needs. Made outside the transaction, so that a rerun is the same run.
pub struct Cx<'t, 'c> {
    /// The open transaction. The caller opened it and commits it; a flow never does.
    pub tx: &'t mut Tx<'c>,
    /// The time of the whole transaction.
    pub now: Timestamp,
    /// Ids and nonces.
    pub draws: &'t mut Draws,
    /// Keys for tokens and seals.
    pub ring: &'t Ring,
    /// Who does this.
    pub actor: Actor,
    /// The seller whose rows are touched. Every query names it.
    pub merchant: MerchantId,
}

/// Who caused a change, for the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The program itself: jobs, sweeps.
    System,
    /// The operator at the shell.
    Shell,
    /// A gateway, through a verified notice.
    Gateway(ConnectionId),
    /// Somebody in the back office.
    Staff(StaffId),
    /// A program with an API key.
    Api(ApiKeyId),
    /// A buyer who is signed in or holds a link.
    Customer(CustomerId),
    /// A visitor.
    Visitor,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Shell => f.write_str("shell"),
            Self::Gateway(id) => write!(f, "{id}"),
            Self::Staff(id) => write!(f, "{id}"),
            Self::Api(id) => write!(f, "{id}"),
            Self::Customer(id) => write!(f, "{id}"),
            Self::Visitor => f.write_str("visitor"),
        }
    }
}
