//! Encryption: files that are handed out only as copies for the buyer's own public key.
//!
//! The buyer gives a key on the page of their link; it can be changed until the first download. A
//! copy of each file is made for each unit by a job, and takes the file's place: the file itself is
//! not in the list of what a grant gives (`downloads::store::files`), for no exit. The part's subject
//! is the key's fingerprint, so that a copy that was begun for a key that has been replaced is recorded
//! nowhere.

pub mod flow;
pub mod jobs;
pub mod pages;
pub mod staff_pages;
pub mod store;

/// What a product says; frozen into the lines that sell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {}

/// The form's field.
pub const FIELD: &str = "public_key";
