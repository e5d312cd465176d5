//! Archives that a product asks for: one zip instead of single files, with a password if wanted.
//!
//! A unit's seed and password are made with the unit and lie sealed in its row: the same archive
//! comes out on every node and after every restart, and a rotation of the key ring changes
//! nothing of it. The password is not the account's, and another for every unit.

pub mod flow;
pub mod staff_pages;
pub mod store;
pub mod tags;

db::words! {
    /// How the buyer learns the password.
    pub enum PasswordRule {
        /// It stands on the page of the link, and in no mail.
        Page = "page",
        /// It comes in a mail of its own, and stands on no page.
        Mail = "mail",
        /// The buyer chooses it on the page of the link, before the first download.
        Chosen = "chosen",
    }
}

/// How a product's files are packed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Whether they are protected, and how the buyer learns the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordRule>,
}

/// Shortest password that a buyer may choose: whoever has the archive can try as fast as a machine
/// allows, and the format slows that down by a thousand rounds only.
pub const CHOSEN_LENGTH_MIN: usize = 10;
