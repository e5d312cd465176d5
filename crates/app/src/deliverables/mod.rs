//! Deliverables: what a product delivers beside its files.
//!
//! Each kind is a field here and a folder of its own, which owns its terms and how they are kept.
//! A product's deliverables are one value in one column, frozen into the line when it is bought:
//! a sale costs no further statement, and what was sold stays what was sold.

pub mod flow;
pub mod staff_view;

use db::{FromColumn, IntoParam, Param, Value};

use crate::parts::Part;
use crate::{access, archives, artworks, encryption, payloads, stamps, streams, tickets};

/// What a product delivers beside its files, or what a line was sold with.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliverables {
    /// One archive in place of single files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<archives::Terms>,
    /// Files that a spec names below the operator's roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<payloads::Terms>,
    /// What lets the buyer in elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<access::Terms>,
    /// A stream or page behind the buyer's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<streams::Terms>,
    /// Admission to an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<tickets::Ticket>,
    /// Files are handed out as copies for the buyer's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<encryption::Terms>,
    /// A drawing that the buyer fills in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artwork: Option<artworks::Terms>,
    /// Each buyer gets a stamped copy of the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<stamps::Stamping>,
}

impl Deliverables {
    /// Whether there is nothing beside the files.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why these cannot be delivered together, and what to do.
    pub const fn contradiction(&self) -> Option<&'static str> {
        if self.encryption.is_some() && self.payload.is_some() {
            return Some("files of a payload are not encrypted to the buyer's key; take one of the two away");
        }
        if self.encryption.is_some() && self.stamp.is_some() {
            return Some("stamped copies are not encrypted to the buyer's key; take one of the two away");
        }
        None
    }

    /// What has to be made for each unit, once its money is as far as `access` says.
    ///
    /// What leaves the house or uses something up waits for the money; copies of files do not. The
    /// stamped copies are not here: there is one for each file, and for each that comes later.
    pub fn parts(&self) -> Vec<Part> {
        let artwork = !self.artwork_formats().is_empty();
        let parts = [
            self.payload.as_ref().map(|_| Part::Payload),
            self.access.as_ref().map(|_| Part::Access),
            artwork.then_some(Part::Artwork),
        ];
        parts.into_iter().flatten().collect()
    }

    /// Whether a file of the product is handed out only as a copy that was made for the unit.
    pub fn replaces(&self, name: &str) -> bool {
        self.encryption.is_some() || self.stamp.as_ref().is_some_and(|stamp| stamp.covers(name))
    }
}

impl<'a> IntoParam<'a> for &Deliverables {
    fn into_param(self) -> Param<'a> {
        serde_json::to_value(self).unwrap_or_default().to_string().into_param()
    }
}

impl FromColumn for Deliverables {
    fn from_value(value: Value) -> Result<Self, String> {
        let text = String::from_value(value)?;
        if text == "{}" {
            return Ok(Self::default());
        }
        serde_json::from_str(&text).map_err(|error| format!("deliverables that cannot be read: {error}"))
    }
}
