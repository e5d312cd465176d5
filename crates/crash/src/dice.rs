//! Chance that can be repeated.

use std::time::Duration;

use kernel::{Entropy as _, SeededEntropy, SystemEntropy};

/// Throws that follow from a seed.
pub struct Dice(SeededEntropy);

impl Dice {
    /// Dice of this seed, for this purpose: parts of a run do not disturb each other's throws.
    pub fn of(seed: u64, purpose: &str) -> Self {
        let mixed = purpose
            .bytes()
            .fold(seed, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(17));
        Self(SeededEntropy::new(mixed))
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let mut bytes = [0u8; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end.max(1)
    }

    /// A time between two, in milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to.saturating_sub(from) + 1))
    }

    /// A place in a list of this length.
    pub fn place(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(length)).unwrap_or(0)
    }

    /// One of these.
    pub fn one_of<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        let place = self.place(N);
        from.get(place).copied().unwrap_or(from[0])
    }
}

/// A seed that nobody has chosen.
pub fn fresh_seed() -> u64 {
    let mut bytes = [0u8; 4];
    SystemEntropy.fill(&mut bytes);
    u64::from(u32::from_le_bytes(bytes))
}
