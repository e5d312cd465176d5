//! The key ring: what tokens are signed and secrets sealed with. It lives outside the database.
//!
//! Keys are numbered and never reused; the newest signs and seals, all of them verify and
//! open. Rows record the number, so that a rotation breaks no mailed link. Each use has a key
//! of its own, derived by HMAC-SHA-256 with the use's name.

use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use kernel::Secret;
use sha2::{Digest, Sha256};

/// Length of a ring key in bytes.
pub const KEY_LENGTH: usize = 32;

const SEAL_VERSION: u8 = 1;
const SEAL_NONCE_LENGTH: usize = 24;
const SEAL_HEAD_LENGTH: usize = 1 + 4 + SEAL_NONCE_LENGTH;

/// Why something sealed could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The ring lacks the key; the keys of another installation, or an old key file.
    #[error(
        "sealed with key {0}, which is not in the key ring: put back the key file that belongs to this database"
    )]
    KeyMissing(u32),
    /// The bytes were changed, cut, or sealed for another purpose.
    #[error("sealed data is damaged or belongs to another row")]
    Damaged,
    /// An empty ring cannot do anything.
    #[error("the key ring is empty")]
    RingEmpty,
}

/// Numbered keys. Cloned only behind an `Arc`.
#[derive(Debug)]
pub struct Ring {
    keys: BTreeMap<u32, Secret<[u8; KEY_LENGTH]>>,
    newest: u32,
}

impl Ring {
    /// A ring of these keys; the highest number is the one that signs.
    ///
    /// # Errors
    /// [`SealError::RingEmpty`] without keys.
    pub fn new(keys: BTreeMap<u32, Secret<[u8; KEY_LENGTH]>>) -> Result<Self, SealError> {
        let newest = *keys.keys().next_back().ok_or(SealError::RingEmpty)?;
        Ok(Self { keys, newest })
    }

    /// The number of the key that signs now.
    pub const fn newest(&self) -> u32 {
        self.newest
    }

    /// The numbers and keys, for the key file and the sealed export.
    pub fn keys(&self) -> impl Iterator<Item = (u32, &Secret<[u8; KEY_LENGTH]>)> {
        self.keys.iter().map(|(number, key)| (*number, key))
    }

    /// A 128-bit authentication code over the parts, under the key with this number.
    ///
    /// Parts are length-prefixed, so that no two lists of parts give the same bytes.
    pub fn code(&self, number: u32, purpose: &str, parts: &[&[u8]]) -> Option<[u8; 16]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.derived(number, purpose)?).ok()?;
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        full.first_chunk().copied()
    }

    /// Encrypts for storage. `context` names the row, so that sealed values cannot be swapped.
    pub fn seal(&self, context: &str, nonce: [u8; SEAL_NONCE_LENGTH], plain: &[u8]) -> Vec<u8> {
        let key = self.derived(self.newest, "seal").expect("the newest key is in the ring");
        let cipher = XChaCha20Poly1305::new(&key.into());
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let sealed =
            cipher.encrypt(&XNonce::from(nonce), payload).expect("a row is far below the cipher's limit");
        let mut out = Vec::with_capacity(SEAL_HEAD_LENGTH + sealed.len());
        out.push(SEAL_VERSION);
        out.extend_from_slice(&self.newest.to_be_bytes());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Decrypts what [`Ring::seal`] made with the same context.
    ///
    /// # Errors
    /// [`SealError`] when the key is missing or the bytes are not what was sealed.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Damaged)?;
        let (number, rest) = rest.split_first_chunk::<4>().ok_or(SealError::Damaged)?;
        let (nonce, body) = rest.split_first_chunk::<SEAL_NONCE_LENGTH>().ok_or(SealError::Damaged)?;
        if *version != SEAL_VERSION {
            return Err(SealError::Damaged);
        }
        let number = u32::from_be_bytes(*number);
        let key = self.derived(number, "seal").ok_or(SealError::KeyMissing(number))?;
        let payload = Payload { msg: body, aad: context.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&key.into());
        cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Damaged)
    }

    fn derived(&self, number: u32, purpose: &str) -> Option<[u8; 32]> {
        let key = self.keys.get(&number)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
        mac.update(purpose.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

/// What is stored of a random token with at least 128 bits: its SHA-256.
pub fn token_hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(numbers: &[u32]) -> Ring {
        let key = |number: u32| Secret::new([u8::try_from(number).unwrap(); KEY_LENGTH]);
        Ring::new(numbers.iter().map(|number| (*number, key(*number))).collect()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_only_for_its_own_row() {
        let sealed = ring(&[1]).seal("row a", [7; 24], b"secret");
        assert_eq!(ring(&[1]).open("row a", &sealed).unwrap(), b"secret");
        assert_eq!(ring(&[1]).open("row b", &sealed), Err(SealError::Damaged));
    }

    #[test]
    fn a_rotation_breaks_nothing_that_was_sealed_or_signed_before() {
        let sealed = ring(&[1]).seal("row", [7; 24], b"secret");
        assert_eq!(ring(&[1, 2]).open("row", &sealed).unwrap(), b"secret");
        assert_eq!(ring(&[1]).code(1, "link", &[b"a"]), ring(&[1, 2]).code(1, "link", &[b"a"]));
    }

    #[test]
    fn a_lost_key_is_named() {
        let sealed = ring(&[3]).seal("row", [7; 24], b"secret");
        assert_eq!(ring(&[1]).open("row", &sealed), Err(SealError::KeyMissing(3)));
    }

    #[test]
    fn codes_differ_by_purpose_and_by_where_the_parts_divide() {
        let ring = ring(&[1]);
        assert_ne!(ring.code(1, "link", &[b"ab"]), ring.code(1, "transfer", &[b"ab"]));
        assert_ne!(ring.code(1, "link", &[b"a", b"b"]), ring.code(1, "link", &[b"ab"]));
    }
}
