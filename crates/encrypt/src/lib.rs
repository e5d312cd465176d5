//! Encrypting what is sold to the buyer's own public key, in the age format (age-encryption.org).
//!
//! A key is `age1…`, as `age-keygen` makes it, or an ssh public key as it stands in
//! `id_ed25519.pub` or `id_rsa.pub`; the buyer opens the file with `age -d -i KEY`. Keys come from
//! strangers: whatever is not a sound public key is refused when it is given, with what to do
//! instead, so that no paid order is held up by it later.
//!
//! The format's own nonces come from the operating system, so encrypting again gives other bytes.
//! Whoever delivers an encrypted copy keeps it.

mod recipient;

use std::io::{self, Read, Write};

pub use recipient::{KEY_LENGTH_MAX, KeyError, KeyKind, Recipient};

/// What an encrypted file's name ends with.
pub const SUFFIX: &str = ".age";

/// How much is read at a time.
const PIECE: usize = 64 * 1024;

/// Why a content could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// The content could not be read, or the copy not be written.
    #[error("the content cannot be encrypted: {0}")]
    Io(#[from] io::Error),
    /// A key that was checked is refused all the same.
    #[error("the buyer's key cannot be used: {0}; ask the buyer for another key")]
    Key(String),
}

/// Writes the content, encrypted to the recipient. Memory does not grow with the content.
///
/// Answers how many bytes of content were encrypted.
///
/// # Errors
/// [`EncryptError`]; what was written by then is of no use and to be thrown away.
pub fn encrypt(
    recipient: &Recipient,
    content: &mut dyn Read,
    target: &mut dyn Write,
) -> Result<u64, EncryptError> {
    let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient.as_age()));
    let encryptor = encryptor.map_err(|error| EncryptError::Key(error.to_string()))?;
    let mut writer = encryptor.wrap_output(target)?;
    let mut piece = vec![0u8; PIECE];
    let mut bytes = 0u64;
    loop {
        let count = match content.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        writer.write_all(piece.get(..count).unwrap_or_default())?;
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    writer.finish()?.flush()?;
    Ok(bytes)
}
