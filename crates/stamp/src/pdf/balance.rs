//! How many graphics states a page leaves open or closes too often.
//!
//! A stamp must not stand where the page's last transformation left the pen. The page's content is enclosed in a saved
//! state of our own; for that, its own saves and restores must be known.

use lopdf::{Document, Object};

/// What one page's content may unpack to, to be counted; beyond that it is taken for balanced.
const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What all pages together may unpack to, to be counted.
const DOCUMENT_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// More than any page needs: readers themselves stop at 28 to 512.
const OPEN_MAX: usize = 512;

/// Saves and restores that a page's content lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Balance {
    /// Restores without a save before them.
    pub(crate) missing_saves: usize,
    /// Saves without a restore after them.
    pub(crate) missing_restores: usize,
}

/// What may still be unpacked for counting.
pub(crate) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: DOCUMENT_BYTES_MAX }
    }
}

/// Counts a page's saves and restores.
pub(crate) fn of(document: &Document, contents: &[Object], budget: &mut Budget) -> Balance {
    let mut counter = Counter::default();
    let mut left = PAGE_BYTES_MAX.min(budget.left);
    for content in contents {
        let Ok((_, Object::Stream(stream))) = document.dereference(content) else { continue };
        let Ok(bytes) = stream.get_plain_content_with_limit(left) else { return Balance::default() };
        left = left.saturating_sub(bytes.len());
        budget.left = budget.left.saturating_sub(bytes.len());
        counter.read(&bytes);
        counter.end_token();
    }
    counter.balance()
}

/// Reads tokens only as far as is needed to tell operators from what is inside strings, comments and inline images.
#[derive(Default)]
struct Counter {
    token: Vec<u8>,
    lowest: isize,
    depth: isize,
}

impl Counter {
    fn read(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'(' => at = after_string(bytes, at),
                b'%' => at = after_line(bytes, at),
                b'<' if bytes.get(at) != Some(&b'<') => at = after(bytes, at, b'>'),
                b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' | 0 | b'[' | b']' | b'<' | b'>' | b'{' | b'}' => {
                    if self.token == b"ID" {
                        at = after_image(bytes, at);
                        self.token.clear();
                    }
                    self.end_token();
                    continue;
                }
                b'/' => {
                    self.end_token();
                    self.token.push(b'/');
                    continue;
                }
                other => {
                    // Operators are short: of a longer token only that it is none matters.
                    if self.token.len() < 4 {
                        self.token.push(*other);
                    }
                    continue;
                }
            }
            self.end_token();
        }
    }

    fn end_token(&mut self) {
        match self.token.as_slice() {
            b"q" => self.depth += 1,
            b"Q" => {
                self.depth -= 1;
                self.lowest = self.lowest.min(self.depth);
            }
            _ => {}
        }
        self.token.clear();
    }

    fn balance(&self) -> Balance {
        let bounded = |count: isize| usize::try_from(count).unwrap_or(0).min(OPEN_MAX);
        Balance { missing_saves: bounded(-self.lowest), missing_restores: bounded(self.depth - self.lowest) }
    }
}

/// Past a literal string whose parenthesis was just read.
fn after_string(bytes: &[u8], mut at: usize) -> usize {
    let mut open = 1;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' => at += 1,
            b'(' => open += 1,
            b')' => {
                open -= 1;
                if open == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    at
}

fn after_line(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')))
        .map_or(bytes.len(), |n| at + n)
}

fn after(bytes: &[u8], at: usize, end: u8) -> usize {
    bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| *byte == end))
        .map_or(bytes.len(), |n| at + n + 1)
}

/// Past the data of an inline image: up to an `EI` between white space that is followed by something printable.
fn after_image(bytes: &[u8], at: usize) -> usize {
    let blank = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_whitespace() || *byte == 0);
    let readable =
        |rest: &[u8]| rest.iter().take(8).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let rest = bytes.get(at..).unwrap_or_default();
    (0..rest.len())
        .find(|n| {
            rest.get(*n..n + 2) == Some(b"EI")
                && (*n == 0 || blank(rest.get(n - 1)))
                && blank(rest.get(n + 2))
                && readable(rest.get(n + 2..).unwrap_or_default())
        })
        .map_or(bytes.len(), |n| at + n + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(content: &[u8]) -> (usize, usize) {
        let mut counter = Counter::default();
        counter.read(content);
        counter.end_token();
        let balance = counter.balance();
        (balance.missing_saves, balance.missing_restores)
    }

    #[test]
    fn saves_and_restores_are_counted_where_they_are_operators() {
        assert_eq!(counted(b"q 1 0 0 1 0 0 cm Q"), (0, 0));
        assert_eq!(counted(b"q q 2 w"), (0, 2));
        assert_eq!(counted(b"Q Q q"), (2, 1));
        assert_eq!(counted(b"Q q"), (1, 1));
        assert_eq!(counted(b"(q (q) \\) q) Tj % q q\n<71 51> Tj /q gs [q] TJ"), (0, 1));
        assert_eq!(counted(b"q\nBI /W 1 ID \x00q Q EIq q\x01 EI\nQ"), (0, 0));
    }

    #[test]
    fn an_unfinished_string_ends_with_the_content() {
        assert_eq!(counted(b"q (q q q"), (0, 1));
        assert_eq!(counted(b"q (q \\"), (0, 1));
        assert_eq!(counted(b"q BI ID q q q"), (0, 1));
    }
}
