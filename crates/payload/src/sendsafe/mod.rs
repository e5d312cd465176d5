//! Files of a SendSafe installation: the storefront's configuration, and tables of items.
//!
//! Everything is read before anything is done, and each line gets a [`Verdict`]: what it became here, or why
//! nothing became of it. Nothing is guessed: what old files leave open is asked.

mod columns;
mod items;
mod price;
mod settings;
mod text;

pub use columns::{Columns, ColumnsError};
pub use items::{Item, Items, TableError};
pub use price::{PriceError, price};
pub use settings::{Settings, Source, TtlUnit};
pub use text::{Encoding, Text};

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is taken over.
    Taken,
    /// It is understood, and this version has no place for it yet.
    Later,
    /// What it was for is no longer needed.
    Needless,
    /// It is not about payloads, or says nothing.
    Ignored,
    /// It leaves something open that has to be answered first.
    Asked,
    /// It cannot be right.
    Wrong,
}

impl Verdict {
    /// As a report shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Later => "later",
            Self::Needless => "needless",
            Self::Ignored => "ignored",
            Self::Asked => "asked",
            Self::Wrong => "wrong",
        }
    }
}

/// A line of an old file, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// Its number, counted from one.
    pub line: usize,
    /// The keyword, or the item's number.
    pub what: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The same in sentences, with the reason.
    pub told: Vec<String>,
}

impl Line {
    pub(crate) fn new(line: usize, what: &str, verdict: Verdict, told: impl Into<String>) -> Self {
        Self { line, what: what.to_owned(), verdict, told: vec![told.into()] }
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `KEYWORD = VALUE`, line by line.
    Settings,
    /// A table of items, in CSV or with tabs.
    Items,
}

impl Kind {
    /// Tells by the text; `None` when it is neither.
    pub fn of(text: &str, columns: &Columns) -> Option<Self> {
        if items::has_header(text, columns) {
            return Some(Self::Items);
        }
        settings::has_keywords(text).then_some(Self::Settings)
    }
}
