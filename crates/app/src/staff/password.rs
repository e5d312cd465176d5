//! Passwords: what may be one, and how it is kept.
//!
//! Length is what counts (NIST SP 800-63B): 12 to 128 characters, no rules of composition, and
//! none of those that everybody tries first. Kept as Argon2id, which is slow and fills 19 MiB
//! on purpose; so hashing happens off the async workers, and only so many at a time.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use kernel::{Entropy, Secret};
use tokio::sync::Semaphore;

use crate::problem::{Code, Problem};

/// Fewest characters.
pub const LENGTH_MIN: u32 = 12;
/// Most characters: more would only make hashing dear.
pub const LENGTH_MAX: u32 = 128;

/// Hashes at once in this process: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

const SALT_BYTES: usize = 16;

/// The hash of a password that nobody has, for accounts that do not exist: looking one up must
/// take as long as trying a wrong password.
static NOBODY: LazyLock<Secret<String>> = LazyLock::new(|| {
    let hash = Argon2::default().hash_password_with_salt(b"", &[0; SALT_BYTES]);
    Secret::new(hash.map(|hash| hash.to_string()).unwrap_or_default())
});

/// What is tried first in every attack, as far as it is long enough to be taken at all.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password that may be set, or what is wrong with it in words for its owner.
pub fn acceptable(password: &str, email: &str, shop: &str) -> Result<(), Problem> {
    let refuse = |text: &str| Err(Problem::invalid("password", text));
    let length = password.chars().count();
    let too_long = u32::try_from(length).map_or(true, |length| length > LENGTH_MAX);
    if too_long {
        return refuse("use at most 128 characters");
    }
    if u32::try_from(length).unwrap_or(0) < LENGTH_MIN {
        return refuse("use at least 12 characters; a few unrelated words are easy to remember");
    }
    let plain: String = password.to_lowercase();
    let letters = {
        let mut seen: Vec<char> = plain.chars().collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    };
    let common = COMMON.lines().any(|line| line == plain);
    let about_us = plain == email.to_lowercase() || plain == shop.to_lowercase();
    if common || about_us || letters < DIFFERENT_MIN {
        return refuse("this is among the first passwords that an attacker tries; choose another");
    }
    Ok(())
}

/// Fewer different characters than this are a pattern.
const DIFFERENT_MIN: usize = 4;

/// Hashes a password for keeping, on a thread that may be busy.
pub async fn hash(password: Secret<String>, entropy: &dyn Entropy) -> Result<Secret<String>, Problem> {
    let mut salt = [0u8; SALT_BYTES];
    entropy.fill(&mut salt);
    let hashed = on_a_thread(move || {
        let hash = Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &salt);
        hash.map(|hash| Secret::new(hash.to_string()))
    });
    let broken = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a password could not be hashed");
        Problem::new(Code::Internal, "the password could not be kept; try again")
    };
    hashed.await?.map_err(|error| broken(&error))
}

/// Whether the password is the one that was kept. Without one it takes as long, and is not.
pub async fn matches(password: Secret<String>, kept: Option<Secret<String>>) -> Result<bool, Problem> {
    on_a_thread(move || {
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| NOBODY.clone());
        let Ok(kept) = PasswordHash::new(kept.expose()) else { return false };
        let same = Argon2::default().verify_password(password.expose().as_bytes(), &kept).is_ok();
        same && known
    })
    .await
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let busy = || Problem::new(Code::Unavailable, "too many people are signing in; try again in a moment");
    // The place goes along: a request that is given up must not let another thread begin.
    let place = PLACES.acquire().await.map_err(|_| busy())?;
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    done.await.map_err(|_| busy())
}

#[cfg(test)]
mod tests {
    use kernel::SeededEntropy;

    use super::*;

    fn refused(password: &str) -> bool {
        acceptable(password, "grace@shop.example", "Sheet Music Shop").is_err()
    }

    #[test]
    fn length_counts_and_composition_does_not() {
        assert!(refused("Tr0ub4dor&3"));
        assert!(!refused("correct horse battery"));
        assert!(!refused("zwölf böse ölige"));
        assert!(refused(&"long enough ".repeat(11)));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        assert!(refused("password1234"));
        assert!(refused("PassWord1234"));
        assert!(refused("aaaaaaaaaaaa"));
        assert!(refused("121212121212"));
        assert!(refused("grace@shop.example"));
        assert!(refused("sheet music shop"));
    }

    #[test]
    fn every_common_password_is_long_enough_to_be_worth_listing() {
        let wrong: Vec<&str> =
            COMMON.lines().filter(|line| line.chars().count() < 12 || *line != line.to_lowercase()).collect();
        assert_eq!(wrong, Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_kept_password_is_recognized_and_no_other() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let kept = hash(secret("correct horse battery"), &SeededEntropy::new(1)).await.unwrap();
        assert!(matches(secret("correct horse battery"), Some(kept.clone())).await.unwrap());
        assert!(!matches(secret("correct horse batterz"), Some(kept)).await.unwrap());
        assert!(!matches(secret(""), None).await.unwrap());
    }

    #[test]
    fn an_unknown_account_costs_the_same_hash() {
        let nobody = PasswordHash::new(NOBODY.expose()).unwrap();
        let usual = Argon2::default().hash_password_with_salt(b"x", &[1; SALT_BYTES]).unwrap();
        assert_eq!(nobody.params, usual.params);
        assert_eq!(nobody.algorithm, usual.algorithm);
    }
}
