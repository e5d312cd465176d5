//! Access: what lets a buyer in elsewhere, such as a login for support or for a webcast.
//!
//! The text is the same for everybody but for the placeholders in it, or it is taken from a list
//! that the seller imported: each entry goes to one unit, once, and never to another, also when the
//! unit is taken back. Either is told in the transaction that gives the unit, so that the receipt has
//! it. Where the list is empty, units wait and are served in the order in which they were paid, as
//! soon as somebody imports more: whoever takes an entry holds the list's lock, and serves those
//! first who have waited longer.

pub mod desk_store;
pub mod flow;
pub mod jobs;
pub mod list;
pub mod staff_pages;
pub mod store;

use kernel::AccessEntryId;
use ui::texts::{Placeholder, Text};

use crate::problem::Problem;

/// What a text can name: what is known when it is told.
pub const PLACEHOLDERS: [Placeholder; 7] = [
    Placeholder::Product,
    Placeholder::Sku,
    Placeholder::Name,
    Placeholder::Email,
    Placeholder::Order,
    Placeholder::Support,
    Placeholder::Shop,
];

/// Longest label.
const LABEL_LENGTH_MAX: usize = 60;
/// Longest text.
const TEXT_LENGTH_MAX: usize = 4_000;
/// Below so many free entries somebody is told, unless the seller says otherwise.
pub const LOW_WATER_DEFAULT: u32 = 10;
/// Highest such number.
pub const LOW_WATER_MAX: u32 = 100_000;

/// What a product says of the access that it gives; frozen into the lines that sell it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What it is: "Webcast login".
    pub label: String,
    /// Where the text comes from.
    pub source: Source,
}

/// Where the text comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The same for everybody, but for the placeholders.
    Template(String),
    /// The next entry of the product's list.
    List,
}

impl Terms {
    /// Checks what somebody typed.
    ///
    /// # Errors
    /// At the field that is wrong, with what to write instead.
    pub fn read(label: &str, source: Source) -> Result<Self, Problem> {
        let label = label.trim().to_owned();
        let letters = label.chars().count();
        if letters == 0 || letters > LABEL_LENGTH_MAX || label.chars().any(char::is_control) {
            let text = format!("write one line of 1 to {LABEL_LENGTH_MAX} characters");
            return Err(Problem::invalid("label", text));
        }
        let source = match source {
            Source::List => Source::List,
            Source::Template(text) => Source::Template(valid_template(&text)?),
        };
        Ok(Self { label, source })
    }
}

fn valid_template(text: &str) -> Result<String, Problem> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    let odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if text.is_empty() || text.chars().count() > TEXT_LENGTH_MAX || text.chars().any(odd) {
        let why = format!("write 1 to {TEXT_LENGTH_MAX} printable characters");
        return Err(Problem::invalid("template", why));
    }
    Text::parse(&text, &PLACEHOLDERS).map_err(|error| Problem::invalid("template", error))?;
    Ok(text)
}

/// What the text of an entry is sealed for.
pub fn sealed_for(entry: AccessEntryId) -> String {
    format!("access entry {entry}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_only_what_is_known_when_it_is_told() {
        let read = |text: &str| Terms::read("Login", Source::Template(text.to_owned()));
        assert!(read("User {email}, order {order}").is_ok());
        assert!(read("{links}").unwrap_err().detail.contains("not a placeholder here"));
        assert_eq!(read(" ").unwrap_err().pointer.as_deref(), Some("template"));
    }

    #[test]
    fn terms_are_kept_as_words() {
        let list = Terms::read("Login", Source::List).unwrap();
        let kept = serde_json::to_string(&list).unwrap();
        assert_eq!(kept, r#"{"label":"Login","source":"list"}"#);
        assert_eq!(serde_json::from_str::<Terms>(&kept).unwrap(), list);
    }
}
