//! Copies made out to their buyer.
//!
//! [`stamp`] writes visible lines (name, address, order) on every page of a PDF, or in every chapter of an EPUB, and
//! hides a [`Mark`] in several places that do not depend on each other. [`find_marks`] reads the marks of a leaked
//! file, whatever was done to it in between: metadata stripped, saved again by another program, text copied out.
//!
//! A mark is an opaque code: it says nothing about the buyer to anyone but the shop that made it. All the places carry
//! the same block, the code and a checksum, so that a mark is recognized wherever it turns up, and nothing else is
//! taken for one.
//!
//! The result is a function of its arguments: the same file, lines and mark give the same bytes. What cannot be stamped
//! *whole* is an error and never a file with some pages stamped.
//!
//! # Sources of the formats
//!
//! * ISO 32000-1 (PDF 1.7): page tree 7.7.3, page boxes and rotation 14.11.2 and 7.7.3.3, form XObjects 8.10, Type 3
//!   fonts 9.6.5, file identifiers 14.4, metadata 14.3.
//! * EPUB 3.3 and OCF: container 4.2, encryption 4.2.6.3.2, package metadata 5.5.

mod bundle;
mod epub;
mod error;
mod find;
mod kind;
mod mark;
mod pdf;
mod text;
mod zipped;

pub use error::StampError;
pub use find::{Found, Place, find_marks};
pub use kind::Kind;
pub use mark::{Mark, MarkError};

use serde::{Deserialize, Serialize};

/// The largest file that is stamped. A PDF is held in memory while it is stamped, about twice.
pub const INPUT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The most lines of a stamp.
pub const LINES_MAX: usize = 6;
/// The most characters of one line; what is longer is cut.
pub const LINE_CHARS_MAX: usize = 200;

/// Where the lines stand on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// In the middle of the upper edge.
    Top,
    /// In the middle of the lower edge.
    Bottom,
    /// Along the left edge, read from below.
    Side,
    /// Large across the page, from the lower left to the upper right.
    Diagonal,
}

/// What is written on a copy for everyone to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The lines, from top to bottom.
    pub lines: Vec<String>,
    /// Where they stand.
    pub position: Position,
    /// The height of the letters in points; lines too long for a page are set smaller.
    pub size: u8,
    /// How much of the page they cover, in percent.
    pub opacity: u8,
}

/// Stamps a file of the kind that its own bytes show.
pub fn stamp(file: &[u8], stamp: &Stamp, mark: Mark) -> Result<Vec<u8>, StampError> {
    match Kind::of(file) {
        Some(Kind::Pdf) => stamp_pdf(file, stamp, mark),
        Some(Kind::Epub) => stamp_epub(file, stamp, mark),
        Some(Kind::Zip) => stamp_zip(file, stamp, mark),
        None => Err(StampError::broken("it is no PDF, EPUB or ZIP file")),
    }
}

/// Stamps every page of a PDF.
pub fn stamp_pdf(file: &[u8], stamp: &Stamp, mark: Mark) -> Result<Vec<u8>, StampError> {
    fits(file)?;
    pdf::stamp(file, &stamp.bounded(), mark)
}

/// Stamps every chapter of an EPUB.
pub fn stamp_epub(file: &[u8], stamp: &Stamp, mark: Mark) -> Result<Vec<u8>, StampError> {
    fits(file)?;
    epub::stamp(file, &stamp.bounded(), mark)
}

/// Stamps every PDF and EPUB file in a zip archive; the others stay as they are.
///
/// # Errors
/// [`StampError::Nothing`] when there is none.
pub fn stamp_zip(file: &[u8], stamp: &Stamp, mark: Mark) -> Result<Vec<u8>, StampError> {
    fits(file)?;
    bundle::stamp(file, &stamp.bounded(), mark)
}

fn fits(file: &[u8]) -> Result<(), StampError> {
    let fits = file.len() <= INPUT_BYTES_MAX;
    fits.then_some(()).ok_or(StampError::TooLarge { what: "the file", limit: INPUT_BYTES_MAX })
}

impl Stamp {
    /// The stamp within its limits, without characters that steer instead of being seen.
    fn bounded(&self) -> Self {
        let clean = |line: &String| -> String {
            line.chars()
                .filter(|c| !text::steers(*c))
                .take(LINE_CHARS_MAX)
                .collect::<String>()
                .trim()
                .to_owned()
        };
        Self {
            lines: self.lines.iter().map(clean).filter(|line| !line.is_empty()).take(LINES_MAX).collect(),
            position: self.position,
            size: self.size.clamp(4, 72),
            opacity: self.opacity.clamp(5, 100),
        }
    }
}
