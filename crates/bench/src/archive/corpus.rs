//! Files that deflate two to one: texts, and what is compressed already.

use kernel::{Entropy as _, SeededEntropy};

/// Files of an order.
const FILES: usize = 14;
/// Of these are compressed already, as pictures and sound are.
const MEDIA: usize = 3;
const SEED: u64 = 1;
const WORDS: usize = 4096;
const LETTERS: &[u8] = b"etaoinshrdlcumwfgypbvk";

/// Names and contents, so many bytes together. The same ones for the same size.
pub fn files(bytes: usize) -> Vec<(String, Vec<u8>)> {
    let size = bytes / FILES;
    let vocabulary = vocabulary();
    let file = |number: usize| match number {
        0..MEDIA => (format!("take {number}.flac"), noise(number, size)),
        _ => (format!("chapter {number}.txt"), text(&vocabulary, number, size)),
    };
    (0..FILES).map(file).collect()
}

fn entropy(number: usize) -> SeededEntropy {
    SeededEntropy::new(SEED.wrapping_add(u64::try_from(number).unwrap_or_default()))
}

fn noise(number: usize, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    entropy(number).fill(&mut bytes);
    bytes
}

fn vocabulary() -> Vec<Vec<u8>> {
    let mut draws = Draws::new(FILES);
    let word = |draws: &mut Draws| {
        let length = 3 + draws.below(7);
        (0..length).filter_map(|_| LETTERS.get(draws.below(LETTERS.len())).copied()).collect()
    };
    (0..WORDS).map(|_| word(&mut draws)).collect()
}

/// Words, of which some are frequent, as they are in every language.
fn text(vocabulary: &[Vec<u8>], number: usize, size: usize) -> Vec<u8> {
    let mut draws = Draws::new(number);
    let mut text = Vec::with_capacity(size);
    while text.len() < size {
        let skewed = draws.below(WORDS) * draws.below(WORDS) / WORDS * draws.below(WORDS) / WORDS;
        text.extend_from_slice(vocabulary.get(skewed).map_or(b"", Vec::as_slice));
        text.push(b' ');
    }
    text.truncate(size);
    text
}

/// Small numbers, two bytes each.
struct Draws {
    entropy: SeededEntropy,
    bytes: Vec<u8>,
    used: usize,
}

impl Draws {
    fn new(number: usize) -> Self {
        Self { entropy: entropy(number), bytes: vec![0; 64 * 1024], used: 64 * 1024 }
    }

    fn below(&mut self, limit: usize) -> usize {
        if self.used >= self.bytes.len() {
            self.entropy.fill(&mut self.bytes);
            self.used = 0;
        }
        let pair = self.bytes.get(self.used..self.used + 2).unwrap_or_default();
        let number = pair.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        self.used += 2;
        number % limit.max(1)
    }
}
