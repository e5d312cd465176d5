//! Message authentication codes, compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

/// HMAC-SHA-256 of the parts, one after the other.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = new_mac::<Hmac<Sha256>>(key);
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-512 of the parts, one after the other.
pub(crate) fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = new_mac::<Hmac<Sha512>>(key);
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn new_mac<M: Mac + KeyInit>(key: &[u8]) -> M {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    <M as KeyInit>::new_from_slice(key).expect("any length is fine")
}

/// Whether two codes are the same; how much of them is the same does not show in the time.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}
