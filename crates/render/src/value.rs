//! What a buyer enters.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use crate::picture::Picture;

/// What was entered, by field.
pub type Entered = BTreeMap<String, Value>;

/// What was entered in a field.
#[derive(Debug, Clone)]
pub enum Value {
    /// Letters, perhaps in several lines.
    Text(String),
    /// A color.
    Color(Color),
    /// A picture that was read.
    Picture(Arc<Picture>),
}

/// A color without transparency, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color([u8; 3]);

/// Not `#rrggbb` nor `#rgb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a color as #rrggbb")]
pub struct NotAColor;

impl FromStr for Color {
    type Err = NotAColor;

    fn from_str(text: &str) -> Result<Self, NotAColor> {
        let digits: Option<Vec<u8>> = text.trim().strip_prefix('#').and_then(|digits| {
            let digit = |letter: char| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            digits.chars().take(7).map(digit).collect()
        });
        let pair = |high: u8, low: u8| high.wrapping_mul(16).wrapping_add(low);
        match digits.as_deref() {
            Some([r, g, b]) => Ok(Self([pair(*r, *r), pair(*g, *g), pair(*b, *b)])),
            Some([r1, r2, g1, g2, b1, b2]) => Ok(Self([pair(*r1, *r2), pair(*g1, *g2), pair(*b1, *b2)])),
            _ => Err(NotAColor),
        }
    }
}

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl TryFrom<String> for Color {
    type Error = NotAColor;

    fn try_from(text: String) -> Result<Self, NotAColor> {
        text.parse()
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}
