//! Idempotency: what a request with this `Idempotency-Key` was answered.
//!
//! The row is written in the transaction of the effect, so there is no moment at which one is
//! there without the other. A request that was refused changed nothing and leaves no row: it
//! may be sent again. No answer that is kept holds a secret that is shown once, because no
//! route that takes a key gives one.

pub mod flow;
pub mod store;

use kernel::{ApiKeyId, MerchantId, Span};
use sha2::{Digest, Sha256};

/// How long an answer is kept.
pub const KEPT: Span = Span::hours(48);
/// Longest key.
pub const KEY_LENGTH_MAX: usize = 255;

/// A request that is to have its effect once.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Whose request.
    pub merchant: MerchantId,
    /// Keys of two programs never meet.
    pub api_key: ApiKeyId,
    /// What the program calls its request.
    pub key: String,
    /// What it asks.
    pub request_hash: [u8; 32],
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Identifies a request: method, target and the very bytes of its body.
pub fn request_hash(method: &str, target: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), target.as_bytes(), body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Whether a text can be an `Idempotency-Key`.
pub fn is_key(text: &str) -> bool {
    (1..=KEY_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
