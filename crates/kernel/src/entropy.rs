//! Randomness as an argument.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Timestamp;

/// A source of random bytes. The program uses the system's; tests and the simulator seed their own.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one door to the system's generator")]
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness no token is safe: stopping is the only right answer.
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// A reproducible generator: the same seed gives the same bytes in the same order.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: [u8; 32],
    calls: std::sync::atomic::AtomicU64,
}

impl SeededEntropy {
    /// A generator for this seed.
    pub const fn new(seed: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = seed.to_le_bytes();
        let mut key = [0; 32];
        let (first, _) = key.split_at_mut(8);
        first.copy_from_slice(&[a, b, c, d, e, f, g, h]);
        Self::of_key(key)
    }

    /// A generator for this key: as unpredictable as the key is.
    pub const fn of_key(key: [u8; 32]) -> Self {
        Self { seed: key, calls: std::sync::atomic::AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let call = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut stream = Stream::new(&self.seed, call);
        stream.fill(buffer);
    }
}

/// The ids and nonces of one transaction.
///
/// Made once, outside the transaction, and cloned for every rerun, so that a
/// rerun is the same run. HMAC-SHA-256 in counter mode: ids are public, and one
/// output tells nothing about the next.
#[derive(Clone)]
pub struct Draws {
    at: Timestamp,
    minted: u16,
    stream: Stream,
}

impl std::fmt::Debug for Draws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draws").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Draws {
    /// Draws for a transaction that begins now.
    pub fn new(at: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut seed = [0u8; 32];
        entropy.fill(&mut seed);
        Self { at, minted: 0, stream: Stream::new(&seed, 0) }
    }

    /// 48 bits of milliseconds, 16 of sequence, 64 of randomness.
    pub(crate) fn id_bits(&mut self) -> u128 {
        let millis = u128::try_from(self.at.as_micros().max(0) / 1000).unwrap_or(0) & 0xffff_ffff_ffff;
        let sequence = u128::from(self.minted);
        self.minted = self.minted.wrapping_add(1);
        let mut random = [0u8; 8];
        self.stream.fill(&mut random);
        (millis << 80) | (sequence << 64) | u128::from(u64::from_le_bytes(random))
    }

    /// A secret nonce of `N` bytes.
    pub fn nonce<const N: usize>(&mut self) -> [u8; N] {
        let mut nonce = [0u8; N];
        self.stream.fill(&mut nonce);
        nonce
    }
}

#[derive(Clone)]
struct Stream {
    mac: Hmac<Sha256>,
    block: u64,
    left: [u8; 32],
    used: usize,
}

impl Stream {
    fn new(seed: &[u8], domain: u64) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(seed).expect("HMAC takes a key of any length");
        mac.update(&domain.to_le_bytes());
        Self { mac, block: 0, left: [0; 32], used: 32 }
    }

    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            if self.used == self.left.len() {
                let mut mac = self.mac.clone();
                mac.update(&self.block.to_le_bytes());
                self.left = mac.finalize().into_bytes().into();
                self.block += 1;
                self.used = 0;
            }
            *byte = self.left.get(self.used).copied().unwrap_or(0);
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_draws_the_same() {
        let mut first = Draws::new(Timestamp::from_micros(5), &SeededEntropy::new(1));
        let mut second = first.clone();
        assert_eq!(first.nonce::<40>(), second.nonce::<40>());
    }

    #[test]
    fn two_transactions_draw_differently() {
        let entropy = SeededEntropy::new(1);
        let mut first = Draws::new(Timestamp::from_micros(5), &entropy);
        let mut second = Draws::new(Timestamp::from_micros(5), &entropy);
        assert_ne!(first.nonce::<16>(), second.nonce::<16>());
    }
}
