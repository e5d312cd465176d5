//! What a merchant can change about itself: read from a form, every field checked at once.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use kernel::{Currency, EmailAddress};
use ui::{Accent, Locale};

use super::Merchant;
use crate::customers::countries::COUNTRIES;

/// The words of the field that pages use and a merchant may rename.
pub const WORDS: [&str; 16] = [
    "package",
    "packages",
    "account",
    "accounts",
    "transaction",
    "transactions",
    "invoice",
    "invoices",
    "notice",
    "notices",
    "notification",
    "notifications",
    "link",
    "payload",
    "key",
    "keys",
];

/// Longest replacement of a word.
pub const WORD_LENGTH_MAX: usize = 40;
/// Longest name.
pub const NAME_LENGTH_MAX: usize = 100;
/// Longest legal name.
pub const LEGAL_NAME_LENGTH_MAX: usize = 200;
/// Longest VAT or tax number.
pub const VAT_ID_LENGTH_MAX: usize = 30;
/// Longest text.
pub const TEXT_LENGTH_MAX: usize = 4_000;

/// Field name to what is wrong with it.
pub type Wrong = BTreeMap<String, String>;

/// What was typed, by field.
pub type Typed = BTreeMap<String, String>;

/// Reads what was typed into a merchant.
///
/// # Errors
/// Every field that is wrong, with what to write instead.
pub fn read(typed: &Typed, merchant: &Merchant) -> Result<Merchant, Wrong> {
    let mut form = Form { typed, wrong: Wrong::new() };
    let changed = Merchant {
        name: form.line("name", NAME_LENGTH_MAX, Needed::Yes),
        legal_name: form.line("legal_name", LEGAL_NAME_LENGTH_MAX, Needed::Yes),
        legal_address: form.text("legal_address"),
        country: form.country(),
        vat_id: Some(form.line("vat_id", VAT_ID_LENGTH_MAX, Needed::No)).filter(|id| !id.is_empty()),
        time_zone: form.time_zone(),
        locale: form.locale(),
        currency: form.currency(merchant.currency),
        sender_email: form.email("sender_email", &merchant.sender_email),
        support_email: form.email("support_email", &merchant.support_email),
        alarm_email: form.email_if_any("alarm_email"),
        support_text: form.text("support_text"),
        consent_text: form.text("consent_text"),
        accent: form.accent(),
        words: form.words(),
        ..merchant.clone()
    };
    if form.wrong.is_empty() { Ok(changed) } else { Err(form.wrong) }
}

/// Which fields two merchants differ in, for the log.
pub fn changes(was: &Merchant, is: &Merchant) -> Vec<&'static str> {
    let pairs = [
        ("name", was.name != is.name),
        ("legal_name", was.legal_name != is.legal_name),
        ("legal_address", was.legal_address != is.legal_address),
        ("country", was.country != is.country),
        ("vat_id", was.vat_id != is.vat_id),
        ("time_zone", was.time_zone != is.time_zone),
        ("locale", was.locale != is.locale),
        ("currency", was.currency != is.currency),
        ("sender_email", was.sender_email != is.sender_email),
        ("support_email", was.support_email != is.support_email),
        ("alarm_email", was.alarm_email != is.alarm_email),
        ("support_text", was.support_text != is.support_text),
        ("consent_text", was.consent_text != is.consent_text),
        ("accent", was.accent != is.accent),
        ("words", was.words != is.words),
    ];
    pairs.into_iter().filter(|(_, differ)| *differ).map(|(name, _)| name).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Yes,
    No,
}

struct Form<'a> {
    typed: &'a Typed,
    wrong: Wrong,
}

impl Form<'_> {
    fn get(&self, field: &str) -> String {
        self.typed.get(field).map(|text| text.trim().to_owned()).unwrap_or_default()
    }

    fn refuse(&mut self, field: &str, why: impl Into<String>) {
        self.wrong.insert(field.to_owned(), why.into());
    }

    /// One line of so many letters.
    fn line(&mut self, field: &str, most: usize, needed: Needed) -> String {
        let text = self.get(field);
        if needed == Needed::Yes && text.is_empty() {
            self.refuse(field, "This cannot be empty.");
        } else if text.chars().count() > most {
            self.refuse(field, format!("Use at most {most} characters."));
        } else if text.chars().any(char::is_control) {
            self.refuse(field, "Use one line of printable characters.");
        }
        text
    }

    /// Several lines.
    fn text(&mut self, field: &str) -> String {
        // Browsers post line ends of their own kind.
        let text = self.get(field).replace("\r\n", "\n");
        if text.chars().count() > TEXT_LENGTH_MAX {
            self.refuse(field, format!("Use at most {TEXT_LENGTH_MAX} characters."));
        } else if text.chars().any(|letter| letter.is_control() && letter != '\n') {
            self.refuse(field, "Use printable characters.");
        }
        text
    }

    fn country(&mut self) -> Option<String> {
        let code = self.get("country").to_uppercase();
        if code.is_empty() {
            return None;
        }
        if !COUNTRIES.iter().any(|(known, _)| *known == code) {
            self.refuse("country", format!("\"{code}\" is not a country: write two letters, such as DE."));
        }
        Some(code)
    }

    fn time_zone(&mut self) -> String {
        let name = self.get("time_zone");
        match TimeZone::get(&name) {
            Ok(zone) => zone.iana_name().unwrap_or(&name).to_owned(),
            Err(_) => {
                let why = format!("\"{name}\" is not a time zone: write a name such as Europe/Berlin.");
                self.refuse("time_zone", why);
                name
            }
        }
    }

    fn locale(&mut self) -> String {
        let tag = self.get("locale");
        if !Locale::ALL.iter().any(|known| known.tag() == tag) {
            self.refuse("locale", "Choose one of the languages.");
        }
        tag
    }

    fn currency(&mut self, present: Currency) -> Currency {
        let code = self.get("currency").to_uppercase();
        Currency::parse(&code).unwrap_or_else(|error| {
            self.refuse("currency", error.to_string());
            present
        })
    }

    fn email(&mut self, field: &str, present: &EmailAddress) -> EmailAddress {
        EmailAddress::parse(&self.get(field)).unwrap_or_else(|error| {
            self.refuse(field, error.to_string());
            present.clone()
        })
    }

    fn email_if_any(&mut self, field: &str) -> Option<EmailAddress> {
        let text = self.get(field);
        if text.is_empty() {
            return None;
        }
        EmailAddress::parse(&text).map_err(|error| self.refuse(field, error.to_string())).ok()
    }

    fn accent(&mut self) -> String {
        let color = self.get("accent").to_lowercase();
        if let Err(error) = Accent::parse(&color) {
            self.refuse("accent", error.to_string());
        }
        if color.starts_with('#') { color } else { format!("#{color}") }
    }

    fn words(&mut self) -> serde_json::Value {
        let mut words = serde_json::Map::new();
        for key in WORDS {
            let word = self.line(&format!("word_{key}"), WORD_LENGTH_MAX, Needed::No);
            if !word.is_empty() {
                words.insert(key.to_owned(), word.into());
            }
        }
        words.into()
    }
}

#[cfg(test)]
mod tests {
    use kernel::{MerchantId, Timestamp};

    use super::*;

    fn merchant() -> Merchant {
        let email = EmailAddress::parse("shop@example.com").unwrap();
        Merchant {
            id: MerchantId::from_bits(1),
            slug: "shop".to_owned(),
            host: None,
            name: "Shop".to_owned(),
            legal_name: "Shop Ltd".to_owned(),
            legal_address: String::new(),
            country: None,
            vat_id: None,
            time_zone: "UTC".to_owned(),
            locale: "en".to_owned(),
            currency: Currency::EUR,
            sender_email: email.clone(),
            support_email: email,
            alarm_email: None,
            support_text: String::new(),
            consent_text: String::new(),
            accent: "#2f5d50".to_owned(),
            logo_sha256: None,
            words: serde_json::json!({}),
            created_at: Timestamp::from_seconds(0),
            version: 1,
        }
    }

    fn typed(changes: &[(&str, &str)]) -> Typed {
        let usual = [
            ("name", "Shop"),
            ("legal_name", "Shop Ltd"),
            ("time_zone", "UTC"),
            ("locale", "en"),
            ("currency", "EUR"),
            ("sender_email", "shop@example.com"),
            ("support_email", "shop@example.com"),
            ("accent", "#2f5d50"),
        ];
        usual.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_was_typed_becomes_the_merchant() {
        let wanted = [
            ("alarm_email", "on-call@example.com"),
            ("name", " New "),
            ("country", "de"),
            ("time_zone", "Europe/Berlin"),
            ("word_key", "Serial"),
        ];
        let changed = read(&typed(&wanted), &merchant()).unwrap();
        assert_eq!((changed.name.as_str(), changed.country.as_deref()), ("New", Some("DE")));
        assert_eq!(changed.words, serde_json::json!({ "key": "Serial" }));
        assert_eq!(changes(&merchant(), &changed), ["name", "country", "time_zone", "alarm_email", "words"]);
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let long = "x".repeat(41);
        let wrong = [
            ("name", ""),
            ("country", "XX"),
            ("time_zone", "Berlin"),
            ("locale", "tlh"),
            ("currency", "EURO"),
            ("sender_email", "nobody"),
            ("alarm_email", "nobody"),
            ("accent", "teal"),
            ("word_key", long.as_str()),
            ("vat_id", "DE\u{7}1"),
        ];
        let told = read(&typed(&wrong), &merchant()).unwrap_err();
        let fields: Vec<&str> = told.keys().map(String::as_str).collect();
        let mut expected: Vec<&str> = wrong.iter().map(|(field, _)| *field).collect();
        expected.sort_unstable();
        assert_eq!(fields, expected);
    }
}
