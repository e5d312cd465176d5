//! Events: the audit log of a merchant and the timeline of every order.
//!
//! An event is written in the transaction that it tells of. Its place in the hash chain is
//! sealed by a job of its own, because the chain's end is one hot row that every order of a
//! merchant would otherwise wait for.

pub mod api;
pub mod desk_store;
pub mod flow;
pub mod names;
pub mod staff_pages;
pub mod store;

use kernel::{EventId, MerchantId, OrderId, Timestamp};
use sha2::{Digest, Sha256};

/// Something that happened, with who did it.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Whose log it is in.
    pub merchant: MerchantId,
    /// The order whose timeline shows it.
    pub order: Option<OrderId>,
    /// What it is about: the id of a row.
    pub subject: String,
    /// What happened, as `noun.verb`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// More about it. Never a secret.
    pub detail: serde_json::Value,
    /// When.
    pub at: Timestamp,
}

impl Event {
    /// The link of the chain: SHA-256 over the previous link and every field.
    pub fn link(&self, previous: &[u8], seq: i64) -> [u8; 32] {
        let order = self.order.map(|order| order.to_string()).unwrap_or_default();
        let (id, merchant, detail) =
            (self.id.to_string(), self.merchant.to_string(), self.detail.to_string());
        let (seq, at) = (seq.to_be_bytes(), self.at.as_micros().to_be_bytes());
        let texts = [&id, &merchant, &order, &self.subject, &self.kind, &self.actor, &detail];
        let fields = [previous, &seq, &at].into_iter().chain(texts.map(|text| text.as_bytes()));
        let mut hash = Sha256::new();
        for field in fields {
            hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}
