//! What surrounds every page: who asks, at which merchant, in which language, at what time.

use std::collections::BTreeMap;

use kernel::Timestamp;
use serde::Serialize;

use crate::{Accent, Locale};

/// Why a frame could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The merchant's time zone is not in the time zone database.
    #[error("\"{0}\" is not a time zone: write a name such as Europe/Berlin")]
    TimeZone(String),
}

/// The surroundings of one page or mail.
#[derive(Debug, Clone, Serialize)]
pub struct Frame {
    /// The language to write in.
    pub locale: Locale,
    /// The time of the request, for "2 days left".
    pub now: Timestamp,
    /// Whose shop this is.
    pub merchant: MerchantFrame,
    /// The path of the request, without the merchant's base path, such as `/cart`.
    pub path: String,
    /// The token that every form posts back in the field `_csrf`.
    pub csrf: String,
    /// A message from the request before, shown once.
    pub flash: Option<Flash>,
    /// Pieces in the buyer's cart.
    pub cart_count: u32,
    /// The buyer, when signed in to the portal.
    pub customer: Option<CustomerFrame>,
    /// The person in the back office, when signed in.
    pub staff: Option<StaffFrame>,
    /// The languages to choose from in the footer; empty shows no choice.
    pub locales: Vec<LocaleChoice>,
    /// Says on every page that no real money moves: the demo, and connections in test mode.
    pub test_mode: bool,
}

impl Frame {
    /// A frame with nobody signed in, for a request to `path`.
    pub fn new(locale: Locale, now: Timestamp, merchant: MerchantFrame, path: impl Into<String>) -> Self {
        Self {
            locale,
            now,
            merchant,
            path: path.into(),
            csrf: String::new(),
            flash: None,
            cart_count: 0,
            customer: None,
            staff: None,
            locales: Vec::new(),
            test_mode: false,
        }
    }
}

/// The merchant as pages show it.
#[derive(Debug, Clone, Serialize)]
pub struct MerchantFrame {
    /// The shop's name.
    pub name: String,
    /// What stands before every path of this merchant: empty, or `/m/slug`.
    pub base_path: String,
    /// Scheme and host for addresses in mails, without a slash at the end: `https://shop.example`.
    pub origin: String,
    /// The logo's address; without one the name is set in type.
    pub logo_url: Option<String>,
    /// The one color that is the merchant's.
    pub accent: Option<Accent>,
    /// How to get help, in the merchant's own words: plain text, under every mail.
    pub support_text: Option<String>,
    /// Where buyers get help.
    pub support_email: Option<String>,
    /// A help page elsewhere.
    pub support_url: Option<String>,
    /// IANA name of the zone that times are told in.
    pub time_zone: String,
    /// The merchant's own page words, by key without `words.`: `packages` → `Albums`.
    pub words: BTreeMap<String, String>,
    /// Imprint, terms, privacy: shown at the foot of each page.
    pub legal_links: Vec<NamedLink>,
}

impl MerchantFrame {
    /// A merchant of this name at the root of its host, with nothing else set.
    pub fn named(name: impl Into<String>, origin: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            base_path: String::new(),
            origin: origin.into(),
            logo_url: None,
            accent: None,
            support_text: None,
            support_email: None,
            support_url: None,
            time_zone: "UTC".to_owned(),
            words: BTreeMap::new(),
            legal_links: Vec::new(),
        }
    }

    /// The zone to tell times in.
    ///
    /// # Errors
    /// [`FrameError::TimeZone`] when the name is not known.
    pub fn zone(&self) -> Result<jiff::tz::TimeZone, FrameError> {
        jiff::tz::TimeZone::get(&self.time_zone).map_err(|_| FrameError::TimeZone(self.time_zone.clone()))
    }
}

/// An address with its words.
#[derive(Debug, Clone, Serialize)]
pub struct NamedLink {
    /// What to click on.
    pub label: String,
    /// Where it leads: a path at this merchant, or an address elsewhere.
    pub url: String,
}

/// One language in the footer's choice.
#[derive(Debug, Clone, Serialize)]
pub struct LocaleChoice {
    /// The language.
    pub locale: Locale,
    /// Its name for itself.
    pub name: String,
    /// This page in that language.
    pub url: String,
}

/// How a message or a badge is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// It is done, and well.
    Ok,
    /// Something to know.
    Info,
    /// Something to look at.
    Warn,
    /// Something went wrong.
    Bad,
    /// Of no weight.
    Quiet,
}

/// A message shown once after a form was posted.
#[derive(Debug, Clone, Serialize)]
pub struct Flash {
    /// How it is meant.
    pub tone: Tone,
    /// The sentence, in the reader's language.
    pub text: String,
}

/// A signed-in buyer.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerFrame {
    /// The address that the sign-in link was mailed to.
    pub email: String,
    /// The name on the last order, if there was one.
    pub name: Option<String>,
}

/// A signed-in person of the back office.
#[derive(Debug, Clone, Serialize)]
pub struct StaffFrame {
    /// Name, or mail address when there is none.
    pub name: String,
    /// `owner`, `support` or `read_only`.
    pub role: String,
    /// The rights of the role, such as `refund`: pages show only what may be done.
    pub rights: Vec<String>,
    /// How many things wait for a person, shown beside the entry of that list.
    pub waiting: BTreeMap<String, u32>,
}
