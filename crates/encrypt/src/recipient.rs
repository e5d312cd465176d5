//! Public keys as strangers paste them.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use sha2::{Digest as _, Sha256};

/// Longest key that is looked at: an ssh-rsa key of 8,192 bits has 1,400 characters.
pub const KEY_LENGTH_MAX: usize = 4_096;

/// Length of a point of the curve.
const POINT_LENGTH: usize = 32;

/// Why something is not a key that can be encrypted to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing was given.
    #[error("paste a public key: it begins with age1, ssh-ed25519 or ssh-rsa")]
    Empty,
    /// More than any key has.
    #[error("this is longer than any public key; paste one key alone")]
    Long,
    /// Several keys at once.
    #[error("this is more than one line; paste one public key alone")]
    Lines,
    /// A secret was pasted.
    #[error(
        "this is a private key, which nobody else may ever see: make a new pair of keys, and paste the public one"
    )]
    Private,
    /// OpenPGP.
    #[error("OpenPGP keys cannot be used here; make a key with age-keygen, or paste an ssh public key")]
    OpenPgp,
    /// A kind of key that the format does not know, or hardware that needs a plug-in.
    #[error("keys of this kind cannot be used here; paste one that begins with age1, ssh-ed25519 or ssh-rsa")]
    Kind,
    /// An RSA key that can be broken.
    #[error("this RSA key has less than 2048 bits; use a longer one, or an ed25519 key")]
    Weak,
    /// An RSA key that would take for ever.
    #[error("this RSA key is longer than 4096 bits; use a shorter one, or an ed25519 key")]
    Huge,
    /// Mistyped or cut.
    #[error("this key is incomplete or mistyped; copy the whole line once more")]
    Broken,
    /// A key to which everybody has the secret.
    #[error("this is not a safe key: anybody could read what is encrypted to it; make a new one")]
    Unsafe,
}

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `age1…`
    Age,
    /// `ssh-ed25519 …`
    SshEd25519,
    /// `ssh-rsa …`
    SshRsa,
}

/// A public key that has been checked.
#[derive(Clone)]
pub struct Recipient {
    key: Key,
    text: String,
}

#[derive(Clone)]
enum Key {
    Age(age::x25519::Recipient),
    Ssh(age::ssh::Recipient),
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipient").field(&self.text).finish()
    }
}

impl Recipient {
    /// Reads a key as it was pasted. What stands behind an ssh key, usually a name, is dropped.
    ///
    /// # Errors
    /// [`KeyError`], with what to paste instead.
    pub fn parse(pasted: &str) -> Result<Self, KeyError> {
        let pasted = pasted.trim();
        if pasted.is_empty() {
            return Err(KeyError::Empty);
        }
        // Before anything else: whoever pasted a secret must hear of that.
        if is_private(pasted) {
            return Err(KeyError::Private);
        }
        if pasted.contains("BEGIN PGP") {
            return Err(KeyError::OpenPgp);
        }
        if pasted.len() > KEY_LENGTH_MAX {
            return Err(KeyError::Long);
        }
        if pasted.lines().count() > 1 {
            return Err(KeyError::Lines);
        }
        let mut words = pasted.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some(kind @ ("ssh-ed25519" | "ssh-rsa")), Some(body)) => Self::ssh(kind, body),
            (Some("ssh-ed25519" | "ssh-rsa"), None) => Err(KeyError::Broken),
            (Some(word), None) if word.to_ascii_lowercase().starts_with("age1") => Self::age(word),
            _ => Err(KeyError::Kind),
        }
    }

    fn age(word: &str) -> Result<Self, KeyError> {
        let (kind, point) = bech32::decode(word).map_err(|_| KeyError::Broken)?;
        // "age1tag…" and "age1yubikey…" are keys of plug-ins.
        if kind.to_lowercase() != "age" {
            return Err(KeyError::Kind);
        }
        let point = <[u8; POINT_LENGTH]>::try_from(point).map_err(|_| KeyError::Broken)?;
        // Each secret times such a point is zero, which the format's library answers by a panic.
        if MontgomeryPoint(point).mul_clamped([1; POINT_LENGTH]) == MontgomeryPoint([0; POINT_LENGTH]) {
            return Err(KeyError::Unsafe);
        }
        let text = word.to_ascii_lowercase();
        let key = text.parse::<age::x25519::Recipient>().map_err(|_| KeyError::Broken)?;
        Ok(Self { key: Key::Age(key), text })
    }

    fn ssh(kind: &str, body: &str) -> Result<Self, KeyError> {
        use age::ssh::ParseRecipientKeyError as Refused;
        let wire = BASE64_STANDARD.decode(body).map_err(|_| KeyError::Broken)?;
        let text = format!("{kind} {body}");
        let key = text.parse::<age::ssh::Recipient>().map_err(|refused| match refused {
            Refused::RsaModulusTooSmall => KeyError::Weak,
            Refused::RsaModulusTooLarge => KeyError::Huge,
            Refused::Unsupported(_) => KeyError::Kind,
            _ => KeyError::Broken,
        })?;
        // The library reads what it needs and passes over the rest of the line.
        if key.to_string() != text || !is_whole(&wire) {
            return Err(KeyError::Broken);
        }
        if matches!(key, age::ssh::Recipient::SshEd25519(..)) && is_small(&wire) {
            return Err(KeyError::Unsafe);
        }
        Ok(Self { key: Key::Ssh(key), text })
    }

    /// The key as it is kept and shown.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of key it is.
    pub const fn kind(&self) -> KeyKind {
        match &self.key {
            Key::Age(_) => KeyKind::Age,
            Key::Ssh(age::ssh::Recipient::SshEd25519(..)) => KeyKind::SshEd25519,
            Key::Ssh(age::ssh::Recipient::SshRsa(..)) => KeyKind::SshRsa,
        }
    }

    /// A short name of the key, for logs and pages: the first half of its SHA-256.
    pub fn fingerprint(&self) -> String {
        let digest: [u8; 32] = Sha256::digest(self.text.as_bytes()).into();
        hex::encode(digest.get(..16).unwrap_or_default())
    }

    pub(crate) fn as_age(&self) -> &dyn age::Recipient {
        match &self.key {
            Key::Age(key) => key,
            Key::Ssh(key) => key,
        }
    }
}

fn is_private(pasted: &str) -> bool {
    let upper = pasted.to_ascii_uppercase();
    upper.contains("AGE-SECRET-KEY-") || upper.contains("PRIVATE KEY")
}

/// The fields of an ssh key, each behind its length, fill its bytes to the last.
fn is_whole(wire: &[u8]) -> bool {
    let mut rest = wire;
    while !rest.is_empty() {
        let Some((length, behind)) = rest.split_first_chunk::<4>() else { return false };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        match behind.get(length..) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

/// Whether an ed25519 key is one of the few points to which no secret belongs.
fn is_small(wire: &[u8]) -> bool {
    let point = wire.last_chunk::<POINT_LENGTH>().and_then(|point| CompressedEdwardsY(*point).decompress());
    point.is_none_or(|point| point.is_small_order())
}
