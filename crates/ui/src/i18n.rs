//! Texts by key and language.
//!
//! A catalog is a TOML file whose tables nest to dotted keys. A text may have slots (`{name}`);
//! a table with exactly `one` and `other` is a text that depends on `count`. English is complete;
//! what another language lacks falls back to it.

use std::collections::BTreeMap;

use crate::Locale;

/// What is wrong with a catalog or with a use of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// Not TOML.
    #[error("locales/{locale}.toml is not valid TOML: {why}")]
    Syntax {
        /// The language.
        locale: &'static str,
        /// What the parser said.
        why: String,
    },
    /// Neither a text nor a table.
    #[error("locales/{locale}.toml: {key} must be a text or a table")]
    NotAText {
        /// The language.
        locale: &'static str,
        /// The dotted key.
        key: String,
    },
    /// A brace that is not closed, or an empty slot.
    #[error("locales/{locale}.toml: {key} has a slot that is not of the form {{name}}")]
    Slot {
        /// The language.
        locale: &'static str,
        /// The dotted key.
        key: String,
    },
    /// No language has this key.
    #[error("no text has the key \"{0}\": add it to locales/en.toml")]
    UnknownKey(String),
    /// The template gave no value for a slot.
    #[error("the text \"{key}\" needs a value for {{{slot}}}")]
    MissingValue {
        /// The dotted key.
        key: String,
        /// The slot's name.
        slot: String,
    },
}

/// A run of plain text, or the place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Written as it stands.
    Plain(String),
    /// Replaced by the value of this name.
    Slot(String),
}

#[derive(Debug, Clone)]
enum Message {
    Fixed(Vec<Piece>),
    Counted { one: Vec<Piece>, other: Vec<Piece> },
}

impl Message {
    #[cfg(test)]
    fn slots(&self) -> std::collections::BTreeSet<&str> {
        let pieces: Vec<&Piece> = match self {
            Self::Fixed(pieces) => pieces.iter().collect(),
            Self::Counted { one, other } => one.iter().chain(other).collect(),
        };
        pieces
            .into_iter()
            .filter_map(|piece| if let Piece::Slot(name) = piece { Some(name.as_str()) } else { None })
            .collect()
    }
}

/// All texts of one language.
#[derive(Debug, Clone, Default)]
struct Catalog {
    messages: BTreeMap<String, Message>,
}

/// The texts of every language.
#[derive(Debug, Clone)]
pub struct Catalogs {
    by_locale: BTreeMap<Locale, Catalog>,
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../locales/", $name))
    };
}

/// A language's texts for everybody, and those of the back office in a file of their own.
const SOURCES: [(Locale, &str); 4] = [
    (Locale::En, file!("en.toml")),
    (Locale::En, file!("admin.en.toml")),
    (Locale::De, file!("de.toml")),
    (Locale::De, file!("admin.de.toml")),
];

impl Catalogs {
    /// Reads the catalogs that are compiled in.
    pub fn embedded() -> Result<Self, CatalogError> {
        let mut by_locale: BTreeMap<Locale, Catalog> = BTreeMap::new();
        for (locale, source) in SOURCES {
            by_locale.entry(locale).or_default().add(locale, source)?;
        }
        Ok(Self { by_locale })
    }

    /// The pieces of a text; `count` chooses between one and many.
    pub fn pieces(&self, locale: Locale, key: &str, count: Option<i64>) -> Result<&[Piece], CatalogError> {
        let unknown = || CatalogError::UnknownKey(key.to_owned());
        let find = |locale| self.by_locale.get(&locale)?.messages.get(key);
        match find(locale).or_else(|| find(Locale::En)).ok_or_else(unknown)? {
            Message::Fixed(pieces) => Ok(pieces),
            Message::Counted { one, other } => match count {
                Some(1) => Ok(one),
                Some(_) => Ok(other),
                None => Err(CatalogError::MissingValue { key: key.to_owned(), slot: "count".to_owned() }),
            },
        }
    }

    /// A text with its slots filled, for places that are not templates.
    pub fn text(&self, locale: Locale, key: &str, values: &[(&str, &str)]) -> Result<String, CatalogError> {
        let mut text = String::new();
        for piece in self.pieces(locale, key, None)? {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Slot(slot) => {
                    let value = values.iter().find(|(name, _)| name == slot).map(|(_, value)| *value);
                    text.push_str(value.ok_or_else(|| missing(key, slot))?);
                }
            }
        }
        Ok(text)
    }
}

/// The error for a slot that was given no value.
pub fn missing(key: &str, slot: &str) -> CatalogError {
    CatalogError::MissingValue { key: key.to_owned(), slot: slot.to_owned() }
}

impl Catalog {
    fn add(&mut self, locale: Locale, source: &str) -> Result<(), CatalogError> {
        let table: toml::Table = source.parse().map_err(|error: toml::de::Error| CatalogError::Syntax {
            locale: locale.tag(),
            why: error.to_string(),
        })?;
        flatten(locale, "", &table, &mut self.messages)
    }
}

fn flatten(
    locale: Locale,
    prefix: &str,
    table: &toml::Table,
    messages: &mut BTreeMap<String, Message>,
) -> Result<(), CatalogError> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::String(text) => {
                messages.insert(key.clone(), Message::Fixed(split(locale, &key, text)?));
            }
            toml::Value::Table(inner) => match counted(inner) {
                Some((one, other)) => {
                    let (one, other) = (split(locale, &key, one)?, split(locale, &key, other)?);
                    messages.insert(key, Message::Counted { one, other });
                }
                None => flatten(locale, &key, inner, messages)?,
            },
            _ => return Err(CatalogError::NotAText { locale: locale.tag(), key }),
        }
    }
    Ok(())
}

fn counted(table: &toml::Table) -> Option<(&str, &str)> {
    if table.len() != 2 {
        return None;
    }
    Some((table.get("one")?.as_str()?, table.get("other")?.as_str()?))
}

fn split(locale: Locale, key: &str, text: &str) -> Result<Vec<Piece>, CatalogError> {
    let wrong = || CatalogError::Slot { locale: locale.tag(), key: key.to_owned() };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('{') {
        let (slot, tail) = after.split_once('}').ok_or_else(wrong)?;
        if slot.is_empty() || !slot.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Err(wrong());
        }
        pieces.push(Piece::Plain(plain.to_owned()));
        pieces.push(Piece::Slot(slot.to_owned()));
        rest = tail;
    }
    if rest.contains('}') {
        return Err(wrong());
    }
    pieces.push(Piece::Plain(rest.to_owned()));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text_with_the_same_slots() {
        let catalogs = Catalogs::embedded().unwrap();
        let english = &catalogs.by_locale[&Locale::En].messages;
        let mut wrong = Vec::new();
        for (locale, catalog) in &catalogs.by_locale {
            for (key, message) in english {
                match catalog.messages.get(key) {
                    None => wrong.push(format!("{}: {key} is missing", locale.tag())),
                    Some(other) if other.slots() != message.slots() => {
                        wrong.push(format!("{}: {key} has other slots than English", locale.tag()));
                    }
                    Some(_) => {}
                }
            }
            for key in catalog.messages.keys().filter(|key| !english.contains_key(*key)) {
                wrong.push(format!("{}: {key} is not in English", locale.tag()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_slot_that_is_not_closed_is_refused() {
        for text in ["{name", "name}", "{}", "{Na me}"] {
            assert!(
                Catalog::default().add(Locale::En, &format!("key = '{text}'")).is_err(),
                "{text:?} was taken"
            );
        }
    }

    #[test]
    fn an_unknown_key_says_where_to_add_it() {
        let catalogs = Catalogs::embedded().unwrap();
        let error = catalogs.text(Locale::De, "no.such.key", &[]).unwrap_err();
        assert_eq!(error.to_string(), "no text has the key \"no.such.key\": add it to locales/en.toml");
    }
}
