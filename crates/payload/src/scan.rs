//! Cuts the text at its commas and takes the quotation marks off.

use crate::error::{Expected, ParseError};
use crate::spec::Span;

/// A character that is meant, and whether it stood in quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    /// Where it stands in the text.
    pub byte: usize,
    /// The character.
    pub letter: char,
    /// Stands for itself, whatever it is.
    pub literal: bool,
}

impl Glyph {
    /// Whether it is this operator: the character, outside of quotation marks.
    pub fn is(self, operator: char) -> bool {
        !self.literal && self.letter == operator
    }

    /// Whether it parts a path. No name can hold a slash, so quotation marks do not matter.
    pub fn is_slash(self) -> bool {
        matches!(self.letter, '/' | '\\')
    }
}

/// What stands between two commas, without the white space around it.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Where, quotation marks and all.
    pub span: Span,
    /// What is meant.
    pub glyphs: Vec<Glyph>,
}

/// The segments of the text; none when it is blank.
pub(crate) fn segments(text: &str) -> Result<Vec<Segment>, ParseError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut start = 0;
    let mut glyphs = Vec::new();
    let mut opened: Option<usize> = None;
    let mut letters = text.char_indices().peekable();
    while let Some((byte, letter)) = letters.next() {
        match (opened, letter) {
            (Some(_), '"') if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                letters.next();
                glyphs.push(Glyph { byte, letter, literal: true });
            }
            (Some(_), '"') => opened = None,
            (None, '"') => opened = Some(byte),
            (None, ',') => {
                found.push(segment(text, start, byte, std::mem::take(&mut glyphs)));
                start = byte.saturating_add(1);
            }
            (quoted, letter) => glyphs.push(Glyph { byte, letter, literal: quoted.is_some() }),
        }
    }
    if let Some(byte) = opened {
        return Err(ParseError::new(text, byte, Expected::ClosingQuote));
    }
    found.push(segment(text, start, text.len(), glyphs));
    Ok(found)
}

fn segment(text: &str, start: usize, end: usize, glyphs: Vec<Glyph>) -> Segment {
    let raw = text.get(start..end).unwrap_or_default();
    let from = start.saturating_add(raw.len().saturating_sub(raw.trim_start().len()));
    let span = Span { start: from, end: from.saturating_add(raw.trim().len()) };
    Segment { span, glyphs: trim(&glyphs).to_vec() }
}

/// Without blanks at both ends, but for those in quotation marks.
pub(crate) fn trim(glyphs: &[Glyph]) -> &[Glyph] {
    let blank = |glyph: &Glyph| !glyph.literal && glyph.letter.is_whitespace();
    let Some(first) = glyphs.iter().position(|glyph| !blank(glyph)) else { return &[] };
    let last = glyphs.iter().rposition(|glyph| !blank(glyph)).unwrap_or(first);
    glyphs.get(first..=last).unwrap_or_default()
}

/// The characters, whatever they stood in.
pub(crate) fn text_of(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| glyph.letter).collect()
}
