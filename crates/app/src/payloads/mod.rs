//! Payloads: files below the operator's roots that a spec names, gathered when the unit is made.
//!
//! The language is the crate `payload`'s. Only the operator declares roots, in the configuration;
//! a product has a spec, and the values that a buyer may choose from. Files are taken into the
//! blob store when they are delivered, so that what a buyer has does not change with the folder.

pub mod jobs;
pub mod source;
pub mod staff_pages;

use payload::{Artwork, Attributes, Choice, Delivery, Goods, Item, Layout, Login, Spec};

use crate::problem::Problem;

/// What a product's payload is.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The spec. Logins in it are sealed elsewhere; it holds no password.
    pub spec: String,
    /// The base directory, as specs call it; without one every path is absolute.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base: String,
    /// What the buyer chooses from, each a folder below the base directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
}

/// The name under which a line keeps the buyer's choice.
pub const ATTRIBUTE: &str = "attribute";

/// Longest spec.
pub const SPEC_LENGTH_MAX: usize = 8_192;

impl Terms {
    /// Reads terms as somebody typed them.
    ///
    /// # Errors
    /// At the field that is wrong, with the place in the text and what was expected there.
    pub fn read(spec: &str, base: &str, attributes: &str) -> Result<Self, Problem> {
        let terms = Self {
            spec: spec.trim().to_owned(),
            base: base.trim().to_owned(),
            attributes: Attributes::list(attributes)
                .map_err(|error| Problem::invalid("attributes", error))?
                .values()
                .to_vec(),
        };
        let parsed = terms.parsed().map_err(|why| Problem::invalid("spec", why))?;
        if parsed.items.iter().any(has_login) {
            let text = "a login must not stand in a spec, which is no place for passwords; let the file be \
                        downloaded with NONE, or have a plug-in send it";
            return Err(Problem::invalid("spec", text));
        }
        if parsed.is_empty() {
            return Err(Problem::invalid("spec", "a payload needs at least one item; take it away instead"));
        }
        terms.layout(None).map_err(|why| Problem::invalid("base", why))?;
        if terms.base.is_empty() && !terms.attributes.is_empty() {
            let text = "choices are folders below a base directory; name that too, or take the choices away";
            return Err(Problem::invalid("base", text));
        }
        Ok(terms)
    }

    /// The spec as a tree; in words, where it cannot be read and what was expected there.
    pub fn parsed(&self) -> Result<Spec, String> {
        Spec::parse(&self.spec)
            .map_err(|error| format!("character {}:\n{}", error.at, error.pointed(&self.spec)))
    }

    /// Where paths begin for who made this choice.
    pub fn layout(&self, choice: Option<Choice>) -> Result<Layout, String> {
        if self.base.is_empty() {
            return Ok(Layout::FullPaths);
        }
        Layout::by_attribute(&self.base, choice).map_err(|error| error.to_string())
    }

    /// The choice that a buyer sent, if it is one.
    pub fn choose(&self, sent: &str) -> Option<Choice> {
        Attributes::new(self.attributes.iter().cloned()).ok()?.choose(sent)
    }
}

/// Whether an item has somebody's password in it.
fn has_login(item: &Item) -> bool {
    match &item.goods {
        Goods::Artwork(Artwork { delivery: Delivery::Upload { login, .. }, .. }) => {
            matches!(login, Login::Plain(_))
        }
        Goods::Artwork(_) | Goods::Files { .. } | Goods::External(_) | Goods::DropShip(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_spec_is_pointed_at() {
        let refused = Terms::read("a.zip,+", "/srv", "").unwrap_err();
        assert!(refused.detail.contains("character 8"), "{}", refused.detail);
    }

    #[test]
    fn a_password_is_not_kept_in_a_spec() {
        let refused = Terms::read("FFPSOURCED!PNG!ftp.example.com!prints!jo!secret", "", "").unwrap_err();
        assert!(!refused.detail.contains("secret"), "{}", refused.detail);
    }

    #[test]
    fn choices_without_a_base_directory_are_refused() {
        assert!(Terms::read("/srv/a.zip", "", "Large, Small").is_err());
        let terms = Terms::read("a.zip", "/srv", "Large, Small").unwrap();
        assert_eq!(terms.attributes, ["Large", "Small"]);
        assert!(terms.choose("lArGe").is_some() && terms.choose("../x").is_none());
    }
}
