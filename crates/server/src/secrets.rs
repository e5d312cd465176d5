//! The key ring on its way to a safe: sealed by a passphrase.
//!
//! Five lines: what it is, how the key follows from the passphrase, salt, nonce, and the ring's
//! file under XChaCha20-Poly1305. The first three lines are authenticated with it, so that
//! nobody can weaken the derivation.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use kernel::{Entropy, Secret};

const TITLE: &str = "handsel-secrets 1";
const SALT_LENGTH: usize = 16;
const NONCE_LENGTH: usize = 24;
/// A file that claims to need more is made to exhaust this machine.
const COST_MAX: Cost = Cost { memory_kib: 1 << 20, passes: 16, lanes: 16 };
/// Shorter ones are found by trying.
pub const PASSPHRASE_CHARS_MIN: usize = 12;

/// What deriving the key costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The second recommendation of RFC 9106, in a quarter of a second or so.
    pub const USUAL: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
}

/// Why an export cannot be opened, or not be made.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The passphrase is too easy.
    #[error(
        "the passphrase is shorter than {PASSPHRASE_CHARS_MIN} characters; take a longer one, such as five words"
    )]
    PassphraseShort,
    /// The file is something else.
    #[error("this is not an export made by \"handsel secrets export\"")]
    NotAnExport,
    /// The passphrase is another one, or the file was changed.
    #[error("the passphrase is wrong, or the file was changed")]
    Wrong,
    /// The derivation cannot be done.
    #[error("deriving the key: {0}")]
    Derivation(String),
}

/// Seals the text of a ring's file.
pub fn seal(
    ring: &Secret<String>,
    passphrase: &Secret<String>,
    cost: Cost,
    entropy: &dyn Entropy,
) -> Result<String, SecretsError> {
    if passphrase.expose().chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(SecretsError::PassphraseShort);
    }
    let (mut salt, mut nonce) = ([0u8; SALT_LENGTH], [0u8; NONCE_LENGTH]);
    entropy.fill(&mut salt);
    entropy.fill(&mut nonce);
    let head = head(cost, &salt);
    let cipher = XChaCha20Poly1305::new(&(*derive(passphrase, &salt, cost)?.expose()).into());
    let payload = Payload { msg: ring.expose().as_bytes(), aad: head.as_bytes() };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SecretsError::Wrong)?;
    Ok(format!("{head}nonce {}\nsealed {}\n", hex::encode(nonce), hex::encode(sealed)))
}

/// Opens an export: the text of a ring's file.
pub fn open(export: &str, passphrase: &Secret<String>) -> Result<Secret<String>, SecretsError> {
    let Export { cost, salt, nonce, sealed } = parse(export).ok_or(SecretsError::NotAnExport)?;
    let cipher = XChaCha20Poly1305::new(&(*derive(passphrase, &salt, cost)?.expose()).into());
    let head = head(cost, &salt);
    let payload = Payload { msg: &sealed, aad: head.as_bytes() };
    let plain = cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| SecretsError::Wrong)?;
    String::from_utf8(plain).map(Secret::new).map_err(|_| SecretsError::Wrong)
}

fn head(cost: Cost, salt: &[u8; SALT_LENGTH]) -> String {
    let Cost { memory_kib, passes, lanes } = cost;
    format!("{TITLE}\nargon2id m={memory_kib} t={passes} p={lanes}\nsalt {}\n", hex::encode(salt))
}

/// An export's parts.
struct Export {
    cost: Cost,
    salt: [u8; SALT_LENGTH],
    nonce: [u8; NONCE_LENGTH],
    sealed: Vec<u8>,
}

fn parse(export: &str) -> Option<Export> {
    let mut lines = export.lines();
    if lines.next()? != TITLE {
        return None;
    }
    let mut costs = lines.next()?.strip_prefix("argon2id ")?.split(' ');
    let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
    let cost = Cost { memory_kib: cost("m=")?, passes: cost("t=")?, lanes: cost("p=")? };
    let bearable = cost.memory_kib <= COST_MAX.memory_kib
        && cost.passes <= COST_MAX.passes
        && cost.lanes <= COST_MAX.lanes;
    let mut bytes = |name: &str| hex::decode(lines.next()?.strip_prefix(name)?).ok();
    let (salt, nonce, sealed) = (bytes("salt ")?, bytes("nonce ")?, bytes("sealed ")?);
    let export = Export { cost, salt: salt.try_into().ok()?, nonce: nonce.try_into().ok()?, sealed };
    bearable.then_some(export)
}

/// A key that takes long to find by trying passphrases.
pub fn derive(
    passphrase: &Secret<String>,
    salt: &[u8; SALT_LENGTH],
    cost: Cost,
) -> Result<Secret<[u8; 32]>, SecretsError> {
    let failed = |error: argon2::Error| SecretsError::Derivation(error.to_string());
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(failed)?;
    let mut key = [0u8; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), salt, &mut key)
        .map_err(failed)?;
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use kernel::SeededEntropy;

    use super::*;

    const QUICK: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn sealed() -> String {
        seal(&secret("1 abcd\n"), &secret("five words are enough"), QUICK, &SeededEntropy::new(1)).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_its_passphrase_only() {
        let export = sealed();
        assert!(!export.contains("abcd"));
        assert_eq!(open(&export, &secret("five words are enough")).unwrap().expose(), "1 abcd\n");
        assert!(matches!(open(&export, &secret("another passphrase")), Err(SecretsError::Wrong)));
    }

    #[test]
    fn a_changed_export_does_not_open() {
        let passphrase = secret("five words are enough");
        let weaker = sealed().replace("t=1", "t=2");
        assert!(matches!(open(&weaker, &passphrase), Err(SecretsError::Wrong)));
        let cut = sealed();
        let cut = &cut[..cut.len() - 3];
        assert!(open(cut, &passphrase).is_err());
        assert!(matches!(open("PK", &passphrase), Err(SecretsError::NotAnExport)));
    }

    #[test]
    fn an_export_that_would_exhaust_the_machine_is_not_tried() {
        let costly = sealed().replace("m=64", "m=4000000000");
        assert!(matches!(open(&costly, &secret("five words are enough")), Err(SecretsError::NotAnExport)));
    }

    #[test]
    fn a_short_passphrase_is_refused() {
        let refused = seal(&secret("1 abcd"), &secret("hunter2"), QUICK, &SeededEntropy::new(1));
        assert!(matches!(refused, Err(SecretsError::PassphraseShort)));
    }
}
