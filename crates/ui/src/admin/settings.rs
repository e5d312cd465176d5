//! The merchant's settings: name, legal details, mail, looks, texts, page words.

use serde::Serialize;

use super::access::{Errors, errors};
use super::list::{Choice, Label};
use crate::Template;
use crate::samples::{LONG, text};

/// templates/admin/settings.html - `/admin/settings`.
///
/// Posts to `/admin/settings`: `version` and every field of [`SettingsForm`] by its name, and
/// `word_KEY` for each page word. The logo is posted as `logo` (multipart) to
/// `/admin/settings/logo`, and taken away by `/admin/settings/logo/remove`.
#[derive(Debug, Clone, Serialize)]
pub struct SettingsPage {
    /// The version that was read, so that nobody overwrites a colleague's change.
    pub version: i64,
    /// What the fields hold.
    pub form: SettingsForm,
    /// Names of time zones to choose from.
    pub time_zones: Vec<String>,
    /// Languages for pages and mails.
    pub locales: Vec<Choice>,
    /// The words that pages use, with what stands in their place.
    pub words: Vec<WordField>,
    /// The logo's address.
    pub logo_url: Option<String>,
    /// The largest logo, in bytes.
    pub logo_bytes_max: u64,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// A merchant's fields as they were typed.
#[derive(Debug, Clone, Serialize)]
pub struct SettingsForm {
    /// As shown on pages.
    pub name: String,
    /// As on invoices.
    pub legal_name: String,
    /// As on invoices, several lines.
    pub legal_address: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// VAT or tax number.
    pub vat_id: String,
    /// IANA name.
    pub time_zone: String,
    /// The language of its pages and mails.
    pub locale: String,
    /// What new products are priced in, ISO 4217.
    pub currency: String,
    /// Where its mail comes from.
    pub sender_email: String,
    /// Where buyers write to.
    pub support_email: String,
    /// Where alarms go; empty: to the first owner.
    pub alarm_email: String,
    /// How to get support, under every mail.
    pub support_text: String,
    /// What a buyer must agree to at checkout; empty: nothing.
    pub consent_text: String,
    /// `#rrggbb`.
    pub accent: String,
}

/// A page word that can be replaced.
#[derive(Debug, Clone, Serialize)]
pub struct WordField {
    /// Its key: `packages`.
    pub key: String,
    /// What it is without a replacement, in the merchant's language.
    pub usual: String,
    /// What was typed; empty for the usual word.
    pub value: String,
}

impl Template for SettingsPage {
    const NAME: &'static str = "admin/settings.html";

    fn samples() -> Vec<Self> {
        let word = |key: &str, usual: &str, value: &str| WordField {
            key: text(key),
            usual: text(usual),
            value: text(value),
        };
        let locale = |value: &str, name: &str| Choice { value: text(value), label: Label::text(name) };
        let form = SettingsForm {
            name: text("Sandpiper Press"),
            legal_name: text("Sandpiper Press GmbH"),
            legal_address: text("Deichstraße 7\n20459 Hamburg\nGermany"),
            country: text("DE"),
            vat_id: text("DE123456789"),
            time_zone: text("Europe/Berlin"),
            locale: text("en"),
            currency: text("EUR"),
            sender_email: text("orders@shop.example"),
            support_email: text("help@shop.example"),
            alarm_email: text("on-call@shop.example"),
            support_text: String::new(),
            consent_text: text("I agree that delivery begins at once."),
            accent: text("#0f5c55"),
        };
        let page = Self {
            version: 7,
            form: form.clone(),
            time_zones: vec![text("America/New_York"), text("Europe/Berlin"), text("UTC")],
            locales: vec![locale("en", "English"), locale("de", "Deutsch")],
            words: vec![
                word("package", "Package", "Album"),
                word("packages", "Packages", "Albums"),
                word("account", "Account", ""),
            ],
            logo_url: Some(text("/logo?v=1")),
            logo_bytes_max: 1_000_000,
            errors: Errors::new(),
        };
        let wrong = errors(&[
            ("time_zone", "\"Berlin\" is not a time zone: write a name such as Europe/Berlin."),
            ("sender_email", "Write a mail address."),
            ("accent", "\"teal\" is not a color: write # and six hexadecimal digits."),
            ("word_account", "Use at most 40 characters."),
        ]);
        let typed = SettingsForm {
            name: text(LONG),
            time_zone: text("Berlin"),
            sender_email: String::new(),
            accent: text("teal"),
            ..form
        };
        vec![page.clone(), Self { form: typed, logo_url: None, errors: wrong, ..page }]
    }
}
