//! The digests of a blob, all made in one pass.

use md5::Md5;
use sha2::Digest as _;

/// A SHA-256: the name of a blob. Shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is written as 64 lower-case hexadecimal digits")]
pub struct Sha256Error;

impl Sha256 {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of these bytes.
    pub fn of(content: &[u8]) -> Self {
        Self(sha2::Sha256::digest(content).into())
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its first byte, which says on which shelf the blob stands.
    pub const fn shelf(&self) -> u8 {
        self.0[0]
    }
}

impl std::fmt::Display for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = [0u8; 64];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| std::fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Sha256 {
    type Err = Sha256Error;

    /// One digest has one spelling: upper case is refused, so that texts compare like digests.
    fn from_str(text: &str) -> Result<Self, Sha256Error> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Sha256Error);
        }
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Sha256Error)?;
        Ok(Self(bytes))
    }
}

/// What is known of a blob's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// Its name here.
    pub sha256: Sha256,
    /// For zip entries.
    pub crc32: u32,
    /// For buyers who compare with what old mails and shops show; proves nothing.
    pub md5: [u8; 16],
    /// Its size in bytes.
    pub size: u64,
}

impl Digests {
    /// The digests of bytes in memory.
    pub fn of(content: &[u8]) -> Self {
        let mut hashing = Hashing::new();
        hashing.update(content);
        hashing.finish()
    }

    /// The MD5 as buyers see it.
    pub fn md5_hex(&self) -> String {
        hex::encode(self.md5)
    }
}

/// The digests of content that is still arriving.
#[derive(Clone)]
pub(crate) struct Hashing {
    sha256: sha2::Sha256,
    md5: Md5,
    crc32: crc32fast::Hasher,
    size: u64,
}

/// A piece that stays in the first-level cache, so that three passes over it are one over memory.
const PIECE: usize = 16 * 1024;

impl Hashing {
    pub(crate) fn new() -> Self {
        Self { sha256: sha2::Sha256::new(), md5: Md5::new(), crc32: crc32fast::Hasher::new(), size: 0 }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.sha256.update(piece);
            self.md5.update(piece);
            self.crc32.update(piece);
        }
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn finish(self) -> Digests {
        Digests {
            sha256: Sha256(self.sha256.finalize().into()),
            crc32: self.crc32.finalize(),
            md5: self.md5.finalize().into(),
            size: self.size,
        }
    }
}
