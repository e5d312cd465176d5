//! Passwords of archives: which can be used, and new ones.

use kernel::{Entropy, Secret};

/// The longest that 7-Zip and WinZip take.
pub const PASSWORD_BYTES_MAX: usize = 99;

/// Why some reader could not open an archive with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing, which is not a password.
    #[error("the password is empty; give one, or leave the archive unprotected")]
    Empty,
    /// More than the programs take.
    #[error("the password has {0} characters; the programs that open archives take {PASSWORD_BYTES_MAX}")]
    Long(usize),
    /// Programs do not agree on how to read other characters.
    #[error(
        "character {at} of the password is not a letter from A to Z, a digit, a blank or a sign of an English \
         keyboard; programs that open archives read others differently"
    )]
    Character {
        /// Which one, counted from one.
        at: usize,
    },
}

/// Whether a password opens an archive everywhere.
///
/// The format says nothing of an encoding: the same letter `é` is one byte here and two there, so
/// what is beyond ASCII opens an archive on some machines only.
///
/// # Errors
/// What is wrong with it.
pub fn check(password: &str) -> Result<(), PasswordError> {
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    if let Some(at) = password.chars().position(|letter| !matches!(letter, ' '..='~')) {
        return Err(PasswordError::Character { at: at + 1 });
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::Long(password.len()));
    }
    Ok(())
}

/// What is not taken for something else when read from paper: no 0 or o, no 1, i or l, no 2 beside z, no 5
/// beside s, no 8 beside b, no 9 or g beside q, no v beside u.
const LETTERS: &[u8; 25] = b"abcdefhjkmnpqrstuwxyz3467";
const GROUPS: usize = 5;
const GROUP: usize = 5;

/// A new password: `xk3mq-t7hwd-…`, five groups of five out of 25 letters and digits, 116 bits.
pub fn generate(entropy: &dyn Entropy) -> Secret<String> {
    let mut text = String::with_capacity(GROUPS * (GROUP + 1));
    for group in 0..GROUPS {
        if group > 0 {
            text.push('-');
        }
        for _ in 0..GROUP {
            text.push(letter(entropy));
        }
    }
    Secret::new(text)
}

/// Any letter, each as likely as the others: numbers without a letter are drawn again.
fn letter(entropy: &dyn Entropy) -> char {
    loop {
        let mut drawn = [0u8; 1];
        entropy.fill(&mut drawn);
        let [drawn] = drawn.map(|byte| usize::from(byte & 0x1f));
        if let Some(letter) = LETTERS.get(drawn) {
            return char::from(*letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_opens_everywhere_is_taken() {
        assert_eq!(check("correct horse ~!\"battery"), Ok(()));
        assert_eq!(check(&"x".repeat(99)), Ok(()));
    }

    #[test]
    fn a_password_that_some_program_refuses_is_refused() {
        assert_eq!(check(""), Err(PasswordError::Empty));
        assert_eq!(check(&"x".repeat(100)), Err(PasswordError::Long(100)));
        assert_eq!(check("abcé"), Err(PasswordError::Character { at: 4 }));
        assert_eq!(check("a\tb"), Err(PasswordError::Character { at: 2 }));
    }

    #[test]
    fn a_new_password_has_five_groups_of_letters_that_are_not_mistaken() {
        let password = generate(&kernel::SeededEntropy::new(1));
        let password = password.expose();
        assert!(password.split('-').all(|group| group.len() == 5), "{password}");
        assert!(password.bytes().all(|byte| byte == b'-' || LETTERS.contains(&byte)), "{password}");
        assert_eq!(password.len(), 29);
        assert_eq!(check(password), Ok(()));
    }

    #[test]
    fn a_new_password_has_more_than_a_hundred_bits() {
        let mut letters = LETTERS.to_vec();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 25);
        assert!(25f64.log2() * 25.0 > 116.0);
    }

    #[test]
    fn every_letter_is_drawn_about_as_often() {
        let entropy = kernel::SeededEntropy::new(2);
        let mut drawn = std::collections::BTreeMap::<char, u32>::new();
        for _ in 0..5_000 {
            *drawn.entry(letter(&entropy)).or_default() += 1;
        }
        assert_eq!(drawn.len(), 25);
        assert!(drawn.values().all(|times| (120..280).contains(times)), "{drawn:?}");
    }
}
