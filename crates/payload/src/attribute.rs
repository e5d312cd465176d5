//! The values that a buyer can choose from, where each is a folder.

use crate::path::{PathError, folder_name};
use crate::pattern::NameKey;

/// The values of a product's attribute. What a buyer sends is looked up in them and never
/// becomes part of a path by itself.
#[derive(Debug, Clone, Default)]
pub struct Attributes(Vec<String>);

/// One of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice(String);

/// Why values cannot be an attribute's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// It cannot be a folder.
    #[error("\"{value}\" cannot be a folder: {why}")]
    Name {
        /// Which.
        value: String,
        /// Why not.
        why: PathError,
    },
    /// Two that a buyer could not tell apart.
    #[error("\"{0}\" is there twice; values are compared without regard to case")]
    Twice(String),
}

impl Attributes {
    /// Each value is the name of one folder, and no two differ by case only.
    ///
    /// # Errors
    /// [`AttributeError`].
    pub fn new(values: impl IntoIterator<Item = String>) -> Result<Self, AttributeError> {
        let mut known: Vec<String> = Vec::new();
        for value in values {
            if let Err(why) = folder_name(&value) {
                return Err(AttributeError::Name { value, why });
            }
            if known.iter().any(|other| NameKey::of(other) == NameKey::of(&value)) {
                return Err(AttributeError::Twice(value));
            }
            known.push(value);
        }
        Ok(Self(known))
    }

    /// The values of a list with commas, as in `Large, Medium, Small`; none when there is only blank.
    ///
    /// # Errors
    /// [`AttributeError`].
    pub fn list(text: &str) -> Result<Self, AttributeError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        Self::new(text.split(',').map(|value| value.trim().to_owned()))
    }

    /// The values, as declared.
    pub fn values(&self) -> &[String] {
        &self.0
    }

    /// The value that a buyer means.
    pub fn choose(&self, sent: &str) -> Option<Choice> {
        let key = NameKey::of(sent);
        self.0.iter().find(|value| NameKey::of(value) == key).cloned().map(Choice)
    }
}

impl Choice {
    /// The name of its folder, in any case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(values: &[&str]) -> Result<Attributes, AttributeError> {
        Attributes::new(values.iter().map(|value| (*value).to_owned()))
    }

    #[test]
    fn a_choice_is_one_of_the_values_in_any_case() {
        let sizes = attributes(&["8x10", "Groß"]).expect("two folders");
        assert_eq!(sizes.choose("8X10").expect("known").as_str(), "8x10");
        assert_eq!(sizes.choose("GROSS").expect("known").as_str(), "Groß");
        assert_eq!(sizes.choose("../8x10"), None);
    }

    #[test]
    fn values_are_names_of_folders_and_differ() {
        assert!(matches!(attributes(&["a/b"]), Err(AttributeError::Name { .. })));
        assert!(matches!(attributes(&[".."]), Err(AttributeError::Name { .. })));
        assert!(matches!(attributes(&[""]), Err(AttributeError::Name { .. })));
        assert_eq!(
            attributes(&["Red", "RED"]).expect_err("the same"),
            AttributeError::Twice("RED".to_owned())
        );
    }
}
