//! The forms of a mark, wherever they stand in bytes or text.

use super::Place;
use crate::Mark;
use crate::mark::{BLOCK, QUADS, ZERO_WIDTH, block_of_quads};
use crate::pdf::HIDDEN_LETTERS;
use std::collections::BTreeMap;

/// How many candidates are tried: chance gives few, and a file made to waste time is given up on.
const CANDIDATES_MAX: u32 = 2_000_000;
/// How many different marks are kept.
const MARKS_MAX: usize = 1_000;

/// What was found so far.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) found: BTreeMap<(Mark, Place), u32>,
    tried: u32,
}

impl Scan {
    /// Looks for every form in bytes that may be anything.
    pub(super) fn anything(&mut self, bytes: &[u8]) {
        self.hexadecimal(bytes);
        self.zero_width(bytes);
    }

    /// Looks for every form in the content of a PDF's stream.
    pub(super) fn pdf_content(&mut self, bytes: &[u8]) {
        self.hexadecimal(bytes);
        self.zero_width(bytes);
        self.letters(bytes);
        self.path(bytes);
    }

    /// A text string of a PDF, as bytes: the block itself or its digits.
    pub(super) fn string(&mut self, bytes: &[u8], place: Place) {
        if bytes.len() == BLOCK {
            self.candidate(bytes, place);
        } else if bytes.len() >= BLOCK * 2 {
            self.hexadecimal(bytes);
        }
    }

    fn candidate(&mut self, block: &[u8], place: Place) -> bool {
        if self.tried >= CANDIDATES_MAX || self.found.len() >= MARKS_MAX {
            return false;
        }
        self.tried += 1;
        let Some(mark) = Mark::of_block(block) else { return false };
        *self.found.entry((mark, place)).or_default() += 1;
        true
    }

    /// Runs of digits that are as long as a block, or longer by a letter before it.
    fn hexadecimal(&mut self, bytes: &[u8]) {
        for run in bytes.split(|byte| !byte.is_ascii_hexdigit()) {
            // `c` before the digits of an element's identifier is a digit too.
            let place = match run.len().checked_sub(BLOCK * 2) {
                Some(0) => Place::Metadata,
                Some(1) => Place::Element,
                _ => continue,
            };
            let digits = run.get(run.len() - BLOCK * 2..).unwrap_or_default();
            if let Ok(block) = hex::decode(digits) {
                self.candidate(&block, place);
            }
        }
    }

    /// Characters without width, in UTF-8, with any others between them: lines are broken and joined on the way.
    fn zero_width(&mut self, bytes: &[u8]) {
        let mut run = Run::default();
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == 0xe2) {
            let three = rest.get(at..at + 3).unwrap_or_default();
            let quad = std::str::from_utf8(three)
                .ok()
                .and_then(|text| text.chars().next())
                .and_then(|c| ZERO_WIDTH.iter().position(|known| *known == c));
            if let Some(quad) = quad {
                run.push(quad, self, Place::Text);
            }
            rest = rest.get(at + if quad.is_some() { 3 } else { 1 }..).unwrap_or_default();
        }
    }

    /// The letters that the hidden font gives a meaning, in a run of nothing else.
    fn letters(&mut self, bytes: &[u8]) {
        for letters in bytes.split(|byte| !HIDDEN_LETTERS.contains(byte)) {
            if letters.len() < QUADS {
                continue;
            }
            let mut run = Run::default();
            for letter in letters {
                if let Some(quad) = HIDDEN_LETTERS.iter().position(|known| known == letter) {
                    run.push(quad, self, Place::Text);
                }
            }
        }
    }

    /// Sixteen coordinates in a row from 1.000 to 1.255.
    fn path(&mut self, bytes: &[u8]) {
        let mut row: Vec<u8> = Vec::new();
        for token in bytes.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()) {
            match token {
                b"m" | b"l" => continue,
                _ => match thousandths(token) {
                    Some(byte) => row.push(byte),
                    None => {
                        self.row(&row);
                        row.clear();
                    }
                },
            }
        }
        self.row(&row);
    }

    fn row(&mut self, row: &[u8]) {
        for block in row.windows(BLOCK) {
            self.candidate(block, Place::Drawing);
        }
    }
}

/// The last letters of a run, as many as a block has.
#[derive(Default)]
struct Run(Vec<u8>);

impl Run {
    fn push(&mut self, quad: usize, scan: &mut Scan, place: Place) {
        self.0.push(u8::try_from(quad).unwrap_or_default());
        if self.0.len() < QUADS {
            return;
        }
        if scan.candidate(&block_of_quads(&self.0), place) {
            self.0.clear();
        } else {
            self.0.remove(0);
        }
    }
}

/// The byte that a coordinate stands for, however many zeros another program dropped or added.
fn thousandths(token: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(token).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole != "1" || part.len() > 6 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (three, beyond) = part.split_at(part.len().min(3));
    if !beyond.bytes().all(|byte| byte == b'0') {
        return None;
    }
    format!("{three:0<3}").parse::<u16>().ok().and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_read_with_and_without_trailing_zeros() {
        assert_eq!(thousandths(b"1.040"), Some(40));
        assert_eq!(thousandths(b"1.04"), Some(40));
        assert_eq!(thousandths(b"1"), Some(0));
        assert_eq!(thousandths(b"1.2550"), Some(255));
        assert_eq!(thousandths(b"1.256"), None);
        assert_eq!(thousandths(b"2.040"), None);
    }

    #[test]
    fn letters_without_width_are_found_among_others() {
        let mark = Mark::new(*b"abcdefghij");
        let broken: String = mark.zero_width().chars().flat_map(|c| [c, '\n', 'ä']).collect();
        let mut scan = Scan::default();

        scan.anything(broken.as_bytes());

        assert_eq!(scan.found.into_keys().collect::<Vec<_>>(), [(mark, Place::Text)]);
    }
}
