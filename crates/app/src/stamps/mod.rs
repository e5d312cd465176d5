//! Stamps: each buyer's own copy of a file, with lines for everyone to see and a mark by which it is found again.
//!
//! A product says whether and how its files are stamped; an order keeps that as it was. The copy of a file is made by
//! a job after the receipt has left, and stands for the file: until there is one, nobody gets the file at all. What
//! cannot be stamped is held back, delivered as it is, or put before a person, as the product says. The mark is a code
//! in a table here; in the file it says nothing about anyone.

pub mod flow;
pub mod form;
pub mod jobs;
pub mod product_pages;
pub mod staff_pages;
pub mod store;
pub mod work;

use kernel::{FileVersionId, LineId, MerchantId, OrderId, Timestamp};
use serde::{Deserialize, Serialize};
use stamp::{Kind, Mark, Position, Stamp};
use ui::texts::{Placeholder, Text, TextError, Values};

use crate::ring::Ring;

/// How a product's files are stamped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamping {
    /// What is written, with placeholders; several lines, or none.
    pub text: String,
    /// Where on each page.
    pub position: Position,
    /// The height of letters in points.
    pub size: u8,
    /// In percent.
    pub opacity: u8,
    /// Which kinds of files.
    pub kinds: Vec<Kind>,
    /// What becomes of a file that cannot be stamped.
    pub unfit: Unfit,
}

/// What becomes of a file that cannot be stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// It is held back; nobody is asked.
    Hold,
    /// The buyer gets it as it is.
    Unstamped,
    /// It is held back, and a person is asked.
    Ask,
}

/// What the lines of a copy can name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The buyer's name, or address where there is none.
    pub name: String,
    /// The buyer's address.
    pub email: String,
    /// The order's number.
    pub order: String,
    /// The day of the purchase.
    pub date: String,
    /// The product.
    pub product: String,
    /// The shop.
    pub shop: String,
}

/// A copy that was made out to a buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its code.
    pub mark: Mark,
    /// Whose shop.
    pub merchant: MerchantId,
    /// Which order.
    pub order: OrderId,
    /// Which line.
    pub line: LineId,
    /// Which of its units.
    pub unit_no: u32,
    /// The file that the copy is of.
    pub version: FileVersionId,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Stamping {
    /// Whether a file of this name is stamped.
    pub fn covers(&self, name: &str) -> bool {
        Kind::named(name).is_some_and(|kind| self.kinds.contains(&kind))
    }

    /// The lines of one copy.
    ///
    /// # Errors
    /// [`TextError`] when the text is not what was checked when it was saved.
    pub fn stamp(&self, names: &Names, mark: Mark) -> Result<Stamp, TextError> {
        let values = Values::new()
            .with(Placeholder::Name, if names.name.is_empty() { &names.email } else { &names.name })
            .with(Placeholder::Email, &names.email)
            .with(Placeholder::Order, &names.order)
            .with(Placeholder::Date, &names.date)
            .with(Placeholder::Product, &names.product)
            .with(Placeholder::Shop, &names.shop)
            .with(Placeholder::Copy, &mark.to_string());
        let filled = checked(&self.text)?.fill(&values);
        Ok(Stamp {
            lines: filled.text().lines().map(str::to_owned).collect(),
            position: self.position,
            size: self.size,
            opacity: self.opacity,
        })
    }
}

/// A text of lines, if it names only what there is.
fn checked(text: &str) -> Result<Text, TextError> {
    Text::parse(text, &Placeholder::STAMP)
}

/// The code of a unit's copy of a file: the same however often it is made, and nothing that others could compute.
pub fn mark(
    ring: &Ring,
    merchant: MerchantId,
    (line, unit_no): (LineId, u32),
    version: FileVersionId,
) -> Mark {
    let parts = [merchant.to_string(), line.to_string(), unit_no.to_string(), version.to_string()];
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    let code = ring.code(ring.newest(), "stamp", &parts).unwrap_or_default();
    let mut short = [0; 10];
    short.copy_from_slice(code.first_chunk::<10>().unwrap_or(&[0; 10]));
    Mark::new(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamping(text: &str) -> Stamping {
        Stamping {
            text: text.to_owned(),
            position: Position::Bottom,
            size: 8,
            opacity: 60,
            kinds: vec![Kind::Pdf],
            unfit: Unfit::Ask,
        }
    }

    #[test]
    fn files_are_chosen_by_the_end_of_their_name() {
        let stamping = stamping("");

        assert!(stamping.covers("Book.PDF"));
        assert!(!stamping.covers("Book.epub") && !stamping.covers("pdf") && !stamping.covers("a.pdf.zip"));
    }

    #[test]
    fn the_lines_name_the_buyer_and_the_copy() {
        let names = Names { email: "a@b.example".to_owned(), order: "H-7".to_owned(), ..Names::default() };
        let mark = Mark::new([7; 10]);

        let stamp = stamping("For {name}\n{order} {copy}").stamp(&names, mark).unwrap();

        assert_eq!(stamp.lines, ["For a@b.example".to_owned(), format!("H-7 {mark}")]);
    }

    #[test]
    fn settings_are_read_back_as_they_were_saved() {
        let saved = serde_json::to_string(&stamping("{name}")).unwrap();

        assert_eq!(serde_json::from_str::<Stamping>(&saved).unwrap(), stamping("{name}"));
        assert!(serde_json::from_str::<Stamping>(&saved.replace("\"size\"", "\"scale\"")).is_err());
    }
}
