//! The code of one copy, and the forms it takes in a file.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Bytes of the code itself: 80 bits, so that nobody hits an existing one by guessing.
const CODE: usize = 10;
/// Bytes of a block: the code and its checksum.
pub(crate) const BLOCK: usize = 16;
/// Letters of a block in an alphabet of four.
pub(crate) const QUADS: usize = BLOCK * 4;

/// Crockford's base 32: no letter that is read as a digit, none that makes a word.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters without width that mean nothing in the scripts of names: they travel with copied text.
pub(crate) const ZERO_WIDTH: [char; 4] = ['\u{200b}', '\u{2060}', '\u{2062}', '\u{2063}'];

/// The code of one stamped copy: opaque, and unique among a shop's copies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mark([u8; CODE]);

/// A text that is no mark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a copy's code is 16 letters and digits, like 7K3M-0QTA-9XWD-52CV")]
pub struct MarkError;

impl Mark {
    /// A mark of these bytes, which the caller derives by a keyed function.
    pub fn new(code: [u8; CODE]) -> Self {
        Self(code)
    }

    /// The bytes of the code.
    pub fn bytes(&self) -> [u8; CODE] {
        self.0
    }

    /// The code and its checksum: what every place in a file carries, each in its own form.
    pub(crate) fn block(self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let (code, check) = block.split_at_mut(CODE);
        code.copy_from_slice(&self.0);
        check.copy_from_slice(&checksum(&self.0));
        block
    }

    /// The mark of a block, if it is one.
    pub(crate) fn of_block(block: &[u8]) -> Option<Self> {
        let block: &[u8; BLOCK] = block.try_into().ok()?;
        let (code, check) = block.split_first_chunk::<CODE>()?;
        (checksum(code) == check).then_some(Self(*code))
    }

    /// The block as letters of an alphabet of four, most significant first.
    pub(crate) fn quads<T: Copy>(self, alphabet: &[T; 4]) -> Vec<T> {
        let [a, b, c, d] = *alphabet;
        let letter = |bits: u8| match bits & 3 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        self.block().iter().flat_map(|byte| [6, 4, 2, 0].map(|shift| letter(byte >> shift))).collect()
    }

    /// The block in characters that are not seen.
    pub(crate) fn zero_width(self) -> String {
        self.quads(&ZERO_WIDTH).into_iter().collect()
    }
}

/// The block that a run of [`QUADS`] values of 0 to 3 stands for.
pub(crate) fn block_of_quads(quads: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    for (byte, four) in block.iter_mut().zip(quads.chunks(4)) {
        *byte = four.iter().fold(0, |bits, quad| (bits << 2) | (quad & 3));
    }
    block
}

/// Not a secret: it tells marks from chance, not true ones from made up ones. Whether a code exists, the shop knows.
fn checksum(code: &[u8; CODE]) -> [u8; BLOCK - CODE] {
    let digest = Sha256::new().chain_update(b"handsel copy mark 1\0").chain_update(code).finalize();
    let mut check = [0; BLOCK - CODE];
    check.copy_from_slice(digest.get(..BLOCK - CODE).expect("a SHA-256 digest has 32 bytes"));
    check
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.to_string()
    }
}

impl TryFrom<String> for Mark {
    type Error = MarkError;

    fn try_from(text: String) -> Result<Self, MarkError> {
        text.parse()
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bits = self.0.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let mut letters = [0_u8; 16];
        for letter in letters.iter_mut().rev() {
            let index = usize::try_from(bits & 31).unwrap_or_default();
            *letter = LETTERS.get(index).copied().unwrap_or_default();
            bits >>= 5;
        }
        for (at, letter) in letters.into_iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({self})")
    }
}

impl FromStr for Mark {
    type Err = MarkError;

    /// Reads what a person typed from paper: any case, with or without hyphens, O for 0, I and L for 1.
    fn from_str(text: &str) -> Result<Self, MarkError> {
        let mut bits = 0_u128;
        let mut letters = 0;
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = LETTERS.iter().position(|letter| char::from(*letter) == c).ok_or(MarkError)?;
            bits = (bits << 5) | u128::try_from(value).map_err(|_| MarkError)?;
            letters += 1;
            if letters > 16 {
                return Err(MarkError);
            }
        }
        if letters != 16 {
            return Err(MarkError);
        }
        let mut code = [0; CODE];
        code.copy_from_slice(bits.to_be_bytes().get(16 - CODE..).ok_or(MarkError)?);
        Ok(Self(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_as_it_was_written_however_it_was_typed() {
        let mark = Mark::new([0, 1, 2, 3, 250, 251, 252, 253, 254, 255]);
        let text = mark.to_string();

        assert_eq!(text.parse(), Ok(mark));
        assert_eq!(text.to_lowercase().replace('-', " ").replace('0', "o").parse(), Ok(mark));
        assert_eq!("7K3M-0QTA".parse::<Mark>(), Err(MarkError));
    }

    #[test]
    fn a_block_with_one_bit_changed_is_no_mark() {
        let mark = Mark::new(*b"0123456789");
        let mut block = mark.block();
        assert_eq!(Mark::of_block(&block), Some(mark));

        block[3] ^= 4;

        assert_eq!(Mark::of_block(&block), None);
    }

    #[test]
    fn four_letters_carry_the_whole_block() {
        let mark = Mark::new(*b"\x00\xffabcdefgh");
        let quads = mark.quads(&[0_u8, 1, 2, 3]);

        assert_eq!(quads.len(), QUADS);
        assert_eq!(Mark::of_block(&block_of_quads(&quads)), Some(mark));
    }
}
