//! WinZip's AES: AE-2 with 256 bits.
//!
//! An encrypted entry is `salt ‖ check ‖ ciphertext ‖ tag`. Salt and password give, by PBKDF2, a key
//! for AES-256 in counter mode (little-endian, from 1), a key for HMAC-SHA-1 over the ciphertext,
//! of which 10 bytes are the tag, and two bytes by which a reader notices a wrong password.
//!
//! The keystream of an entry depends on password and salt alone, so two contents under one salt
//! would give each other away. The salt is therefore a keyed function of the content and of its place.

use aes::Aes256;
use ctr::Ctr128LE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::Secret;
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroize as _;

use crate::hexed::hexed;
use crate::password::{self, PasswordError};
use crate::{Entry, Form};

/// The tag of an encrypted entry: the first 80 bits of an HMAC-SHA-1 over its ciphertext.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; 10]);

/// A text that is not 20 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tag is written as 20 lower-case hexadecimal digits")]
pub struct TagError;

hexed!(Tag, 10, TagError);

/// What the contents of an archive are encrypted with. Both are kept by the caller, sealed, for as long as
/// the archive's bytes must stay the same.
#[derive(Debug, Clone)]
pub struct Protection {
    seed: Secret<[u8; 32]>,
    password: Secret<String>,
}

impl Protection {
    /// Protects an archive by this password. The seed is random, made for this archive alone.
    ///
    /// # Errors
    /// When some reader could not be given the password: see [`PasswordError`].
    pub fn new(seed: Secret<[u8; 32]>, password: Secret<String>) -> Result<Self, PasswordError> {
        password::check(password.expose())?;
        Ok(Self { seed, password })
    }

    /// `HMAC-SHA-256(seed, ordinal ‖ content ‖ method)`, its first 16 bytes. For what is deflated, the method
    /// is told with the digest of the stream, since another deflater makes another one of the same content.
    fn salt(&self, ordinal: u32, entry: &Entry) -> [u8; 16] {
        let mut mac = self.mac();
        mac.update(&ordinal.to_be_bytes());
        mac.update(entry.content.as_bytes());
        match entry.form {
            Form::Stored => mac.update(&[0]),
            Form::Deflated { blob, .. } => {
                mac.update(&[8]);
                mac.update(blob.as_bytes());
            }
        }
        let mut salt = [0u8; 16];
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        salt.copy_from_slice(whole.split_at(16).0);
        salt
    }

    /// Says which seed and password these are, and gives neither away.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        let mut mac = self.mac();
        mac.update(b"handsel archive password\0");
        mac.update(self.password.expose().as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(self.seed.expose()).expect("HMAC takes a key of any length")
    }

    /// The keys of one entry. Costs 1,000 rounds four times over: half a millisecond.
    pub(crate) fn keys(&self, ordinal: u32, entry: &Entry) -> Keys {
        let salt = self.salt(ordinal, entry);
        let mut derived = [0u8; 66];
        pbkdf2::pbkdf2_hmac::<Sha1>(self.password.expose().as_bytes(), &salt, ROUNDS, &mut derived);
        let mut keys = Keys { salt, cipher: [0; 32], mac: [0; 32], check: [0; 2] };
        let (cipher, rest) = derived.split_at(32);
        let (mac, check) = rest.split_at(32);
        keys.cipher.copy_from_slice(cipher);
        keys.mac.copy_from_slice(mac);
        keys.check.copy_from_slice(check);
        derived.zeroize();
        keys
    }
}

/// What WinZip's format prescribes.
const ROUNDS: u32 = 1_000;

/// The keys of one entry.
pub(crate) struct Keys {
    salt: [u8; 16],
    cipher: [u8; 32],
    mac: [u8; 32],
    check: [u8; 2],
}

impl Keys {
    /// What stands in front of the ciphertext.
    pub fn opening(&self) -> Vec<u8> {
        [self.salt.as_slice(), self.check.as_slice()].concat()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.cipher.zeroize();
        self.mac.zeroize();
    }
}

/// Whether the tag is wanted at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tagged {
    /// It is known, or what is encrypted is not the whole entry.
    No,
    Yes,
}

/// Encrypts one stretch of an entry, from its beginning and in order.
pub struct Sealing {
    cipher: Ctr128LE<Aes256>,
    mac: Option<Hmac<Sha1>>,
    left: u64,
}

impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealing").field("left", &self.left).finish_non_exhaustive()
    }
}

/// A piece that stays in the first-level cache between the cipher and the hash.
const PIECE: usize = 16 * 1024;

impl Sealing {
    pub(crate) fn new(keys: &Keys, from: u64, length: u64, tagged: Tagged) -> Self {
        let mut first = [0u8; 16];
        first[0] = 1;
        let mut cipher = Ctr128LE::<Aes256>::new((&keys.cipher).into(), (&first).into());
        cipher.try_seek(from).expect("a counter of 128 bits counts further than 2^64 bytes");
        let mac = (tagged == Tagged::Yes)
            .then(|| Hmac::<Sha1>::new_from_slice(&keys.mac).expect("HMAC takes a key of any length"));
        Self { cipher, mac, left: length }
    }

    /// Encrypts the bytes that come next, where they are.
    pub fn seal(&mut self, bytes: &mut [u8]) {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(length);
        let Some(mac) = &mut self.mac else {
            return self.cipher.apply_keystream(bytes);
        };
        for piece in bytes.chunks_mut(PIECE) {
            self.cipher.apply_keystream(piece);
            mac.update(piece);
        }
    }

    /// The tag, if it was wanted and all bytes have been here.
    pub(crate) fn tag(self) -> Option<Tag> {
        let mac = self.mac.filter(|_| self.left == 0)?;
        let whole: [u8; 20] = mac.finalize().into_bytes().into();
        let mut tag = [0u8; 10];
        tag.copy_from_slice(whole.split_at(10).0);
        Some(Tag(tag))
    }
}
