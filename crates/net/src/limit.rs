//! How often someone may do something: token buckets in bounded memory.

use std::net::IpAddr;

use kernel::{Entropy, Span, Timestamp};

/// One kind of act that is limited: `burst` at once, and `burst` more within every `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Keeps the same key in two buckets apart.
    pub name: &'static str,
    /// How many at once; 0 refuses everything.
    pub burst: u32,
    /// In what time an empty bucket is full again.
    pub per: Span,
}

/// Whom a limit is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// One network subscriber: an IPv4 address, or an IPv6 /64.
    Network(u64),
    /// Anything else that has a name: an account, an order, an e-mail address.
    Name(String),
}

impl Key {
    /// The subscriber behind an address.
    pub fn address(_address: IpAddr) -> Self {
        todo!()
    }
}

/// Not now; the `Retry-After` header says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests; try again in {seconds} seconds")]
pub struct RetryAfter {
    /// Whole seconds, at least 1.
    pub seconds: u32,
}

/// Counts for all buckets and keys, in memory that never grows.
pub struct RateLimiter {}

impl RateLimiter {
    /// A limiter in which nobody has done anything yet.
    pub fn new(_entropy: &dyn Entropy) -> Self {
        todo!()
    }

    /// Takes one token, or tells when there will be one.
    ///
    /// # Errors
    /// When the bucket of this key is empty.
    pub fn check(&self, _bucket: &Bucket, _key: &Key, _now: Timestamp) -> Result<(), RetryAfter> {
        todo!()
    }
}
