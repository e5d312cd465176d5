//! Notices: the inbox. What gateways told us, byte for byte, and what became of it.
//!
//! A notice is durably stored before its gateway hears 200. It is then authenticated, matched
//! and applied, in this order; what is not authentic changes nothing, and what does not match
//! waits in quarantine for a person. Three keys keep repetitions apart: the transport key
//! (these bytes), the money key (connection and transaction), the transition key (payment and
//! kind of fact).

pub mod api;
pub mod desk_flow;
pub mod desk_store;
pub mod flow;
pub mod jobs;
pub mod json;
pub mod matching;
pub mod staff_pages;
pub mod store;
pub mod view;

use gateways::RawPost;
use kernel::{ConnectionId, MerchantId, NoticeId, OrderId, Timestamp};
use sha2::{Digest, Sha256};

db::words! {
    /// What became of a notice.
    pub enum NoticeState {
        /// Stored; its gateway has not confirmed it yet.
        Received = "received",
        /// Authentic, matched, and part of an order's facts.
        Applied = "applied",
        /// Authentic, and of no interest.
        Ignored = "ignored",
        /// Authentic, and waiting for the payment that it is about.
        Unmatched = "unmatched",
        /// Authentic, and contradicting what we know: a person decides.
        Quarantined = "quarantined",
        /// Looked at by a person and refused.
        Refused = "refused",
        /// Not the gateway's word.
        Forged = "forged",
    }
}

/// A stored notice.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: NoticeId,
    /// Whose.
    pub merchant: MerchantId,
    /// Through which hook it came.
    pub connection: ConnectionId,
    /// What became of it.
    pub state: NoticeState,
    /// Why.
    pub reason: String,
    /// What it says, in short, for people and search. No names, no addresses.
    pub summary: serde_json::Value,
    /// The request, sealed; `None` once it was pruned.
    pub raw_sealed: Option<Vec<u8>>,
    /// Where it came from.
    pub address: String,
    /// Which order it is about, once that is known.
    pub order: Option<OrderId>,
    /// How often the same bytes came.
    pub copies: u32,
    /// When it came first.
    pub received_at: Timestamp,
    /// When its gateway confirmed it.
    pub verified_at: Option<Timestamp>,
    /// When its state was decided.
    pub decided_at: Option<Timestamp>,
}

/// Identifies the bytes of a post, whatever headers they came with.
pub fn transport_key(post: &RawPost) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(post.method.as_bytes());
    hash.update([0]);
    hash.update(post.target.as_bytes());
    hash.update([0]);
    hash.update(&post.body);
    hash.finalize().into()
}

/// What the sealed bytes of a notice are bound to.
pub fn seal_context(id: NoticeId) -> String {
    format!("notice {id}")
}

/// A post as it is sealed: head fields as JSON, then the body.
pub fn pack(post: &RawPost) -> Vec<u8> {
    let headers: Vec<(&str, String)> =
        post.headers.iter().map(|(name, value)| (name.as_str(), hex::encode(value))).collect();
    let head = serde_json::json!({ "method": post.method, "target": post.target, "headers": headers });
    let head = head.to_string().into_bytes();
    let mut packed = Vec::with_capacity(4 + head.len() + post.body.len());
    packed.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes());
    packed.extend_from_slice(&head);
    packed.extend_from_slice(&post.body);
    packed
}

/// The post that was packed; `None` when the bytes are not such a pack.
pub fn unpack(packed: &[u8], received_at: Timestamp) -> Option<RawPost> {
    #[derive(serde::Deserialize)]
    struct Head {
        method: String,
        target: String,
        headers: Vec<(String, String)>,
    }
    let (length, rest) = packed.split_first_chunk::<4>()?;
    let (head, body) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    let headers = head.headers.into_iter().map(|(name, value)| Some((name, hex::decode(value).ok()?)));
    Some(RawPost {
        method: head.method,
        target: head.target,
        headers: headers.collect::<Option<Vec<_>>>()?,
        body: body.to_vec(),
        received_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_post_comes_back_byte_for_byte() {
        let post = RawPost {
            method: "POST".to_owned(),
            target: "/hooks/x?y=1".to_owned(),
            headers: vec![("X-Odd".to_owned(), vec![0xff, 0x00])],
            body: (0..=255).collect(),
            received_at: Timestamp::from_seconds(5),
        };
        let back = unpack(&pack(&post), post.received_at).unwrap();
        assert_eq!(
            (back.method, back.target, back.headers, back.body),
            (post.method, post.target, post.headers, post.body)
        );
        assert!(unpack(&[0, 0, 0, 9, 1], Timestamp::from_seconds(5)).is_none());
    }
}
