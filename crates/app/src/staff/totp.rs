//! The second step: time-based one-time codes (RFC 6238), as every authenticator app makes them.
//!
//! SHA-1, six digits, thirty seconds: other choices are written into the address that apps
//! scan, and quietly ignored by many of them. A code works once: the step that was used last
//! is remembered, and only a later one is taken.

use hmac::{Hmac, KeyInit, Mac};
use kernel::{Secret, SessionId, StaffId, Timestamp};
use sha1::Sha1;

use crate::ring::Ring;

/// 160 bits, as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
const DIGITS: usize = 6;
/// Clocks of phones may be off by a step either way.
const STEPS_AROUND: i64 = 1;

/// The secret that a session offers to set up. It is derived and not stored: looking at the page
/// changes nothing, and looking again shows the same one.
pub fn offered(ring: &Ring, staff: StaffId, session: SessionId) -> Secret<Vec<u8>> {
    let parts = [&staff.bits().to_be_bytes()[..], &session.bits().to_be_bytes()[..]];
    let half = |purpose| ring.code(ring.newest(), purpose, &parts).unwrap_or_default();
    let mut bytes = [half("second step, first half"), half("second step, second half")].concat();
    bytes.truncate(SECRET_BYTES);
    Secret::new(bytes)
}

/// The step whose code this is, if it is one for now and later than the one used last.
pub fn step_of(secret: &Secret<Vec<u8>>, code: &str, now: Timestamp, last_step: i64) -> Option<i64> {
    let typed: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let present = now.as_seconds().div_euclid(STEP_SECONDS);
    let steps = (present - STEPS_AROUND)..=(present + STEPS_AROUND);
    // Every step is compared, so that the time tells nothing about which one it was.
    let found = steps.filter(|step| code_at(secret, *step).matches(typed.as_bytes())).max();
    found.filter(|step| *step > last_step)
}

/// The code of a step.
pub fn code_at(secret: &Secret<Vec<u8>>, step: i64) -> Secret<String> {
    let counter = u64::try_from(step).unwrap_or(0).to_be_bytes();
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose()).expect("HMAC takes a key of any length");
    mac.update(&counter);
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let offset = usize::from(hash[19] & 0x0f);
    let four = hash.get(offset..offset + 4).and_then(|part| part.first_chunk::<4>());
    let number = u32::from_be_bytes(*four.expect("an offset below 16 leaves four of 20 bytes")) & 0x7fff_ffff;
    Secret::new(format!("{:0DIGITS$}", number % 1_000_000))
}

/// The step of a time, for tests and the shell.
pub const fn step_at(now: Timestamp) -> i64 {
    now.as_seconds().div_euclid(STEP_SECONDS)
}

/// The secret as people type it: base32 in groups of four.
pub fn spelled(secret: &Secret<Vec<u8>>) -> String {
    let letters: Vec<char> = base32(secret.expose()).chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The address that an app scans.
pub fn address(secret: &Secret<Vec<u8>>, shop: &str, email: &str) -> String {
    let encoded = |text: &str| {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    let (shop, email, key) = (encoded(shop), encoded(email), base32(secret.expose()));
    format!(
        "otpauth://totp/{shop}:{email}?secret={key}&issuer={shop}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
    )
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0u32, 0u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let index = usize::try_from((held >> bits) & 31).unwrap_or(0);
            text.push(char::from(*ALPHABET.get(index).unwrap_or(&b'A')));
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        let index = usize::try_from((held << (5 - bits)) & 31).unwrap_or(0);
        text.push(char::from(*ALPHABET.get(index).unwrap_or(&b'A')));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret<Vec<u8>> {
        Secret::new(b"12345678901234567890".to_vec())
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        let code = |seconds: i64| code_at(&secret(), seconds / 30).expose().clone();
        assert_eq!(code(59), "287082");
        assert_eq!(code(1_111_111_109), "081804");
        assert_eq!(code(1_111_111_111), "050471");
        assert_eq!(code(1_234_567_890), "005924");
        assert_eq!(code(2_000_000_000), "279037");
        assert_eq!(code(20_000_000_000), "353130");
    }

    #[test]
    fn a_code_is_taken_a_step_early_or_late_and_no_further() {
        let at = |seconds| step_of(&secret(), "287082", Timestamp::from_seconds(seconds), 0);
        assert_eq!(at(59), Some(1));
        assert_eq!(at(29), Some(1));
        assert_eq!(at(89), Some(1));
        assert_eq!(at(90), None);
    }

    #[test]
    fn a_code_works_once() {
        assert_eq!(step_of(&secret(), "287082", Timestamp::from_seconds(59), 1), None);
        assert_eq!(step_of(&secret(), "287 082", Timestamp::from_seconds(59), 0), Some(1));
        assert_eq!(step_of(&secret(), "", Timestamp::from_seconds(59), 0), None);
    }

    #[test]
    fn the_secret_is_spelled_as_rfc_4648_does() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(spelled(&secret()), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
