//! What is wrong with a spec, at which character, and what was expected.

use crate::path::PathError;
use crate::spec::Format;

/// Why a text is not a spec. `at` counts characters from one, as an editor does; `byte` is the
/// same place for programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {at}: {expected}")]
pub struct ParseError {
    /// The character, counted from one.
    pub at: usize,
    /// The same place in bytes, counted from zero.
    pub byte: usize,
    /// What is wrong there and what belongs there.
    pub expected: Expected,
}

impl ParseError {
    pub(crate) fn new(text: &str, byte: usize, expected: Expected) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        Self { at: before.chars().count().saturating_add(1), byte, expected }
    }

    /// The text with a mark under the place, for a terminal: two lines.
    pub fn pointed(&self, text: &str) -> String {
        let mark = " ".repeat(self.at.saturating_sub(1));
        format!("{text}\n{mark}^ {}", self.expected)
    }
}

/// What belongs at the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Expected {
    /// Two commas in a row, or one at an end.
    #[error("expected a file, \"@\", \"#\" or FFPSOURCED between the commas; remove the extra comma")]
    Item,
    /// Nothing after a prefix.
    #[error("expected a file after \"{0}\"")]
    AfterPrefix(char),
    /// The same prefix twice.
    #[error("\"{0}\" stands here a second time; once is enough")]
    PrefixOnce(char),
    /// `+` and `^` contradict each other.
    #[error("\"+\" adds to what stands before and \"^\" replaces it; keep one of them")]
    PlusOrCaret,
    /// `^` at the beginning.
    #[error("\"^\" means \"only if the item before came to nothing\", and there is no item before this one")]
    NothingBefore,
    /// `~` or `%` before something that is no file.
    #[error("\"{0}\" goes with files only; remove it here")]
    FilesOnly(char),
    /// `%` before a path that is not absolute.
    #[error(
        "expected an absolute path after \"%\", as in %c:\\payloadsource\\file.zip or %/srv/goods/file.zip"
    )]
    AbsoluteAfterPercent,
    /// `@` or `#` with nothing behind it.
    #[error("expected the parameter that \"{0}\" hands over, as in {0}W8898")]
    Parameter(char),
    /// A quotation mark without its partner.
    #[error("this quotation mark is never closed")]
    ClosingQuote,
    /// An exclamation mark outside of FFPSOURCED is allowed; a missing one inside is not.
    #[error("expected \"!\" and a format: FFPSOURCED!PDF!NONE")]
    FormatMark,
    /// A format that nothing renders to.
    #[error("\"{0}\" cannot be rendered; expected {names}", names = Format::NAMES)]
    Format(String),
    /// Nothing after the format.
    #[error("expected \"!NONE\", or \"!host!directory!user!password\" to upload it")]
    Place,
    /// A number of fields that means nothing.
    #[error(
        "expected host, user and password with or without a directory, that is 3 or 4 fields after the format; found \
         {0}. A field that holds \"!\" stands in quotation marks"
    )]
    PlaceFields(usize),
    /// A field that may not be empty.
    #[error("the {0} is empty")]
    EmptyField(&'static str),
    /// A field that cannot be what it should be.
    #[error("the {field} cannot hold {what}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is in it that must not be.
        what: &'static str,
    },
    /// A path that leads nowhere, or where it must not.
    #[error("{0}")]
    Path(#[from] PathError),
    /// More than can be meant.
    #[error("a spec has at most {max} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
}
