//! The merchant's part of every page and mail.

use ui::{Accent, Locale, MerchantFrame};

use super::{Address, Merchant};

/// What surrounds a page or mail of this merchant.
pub fn surroundings(merchant: &Merchant, address: &Address) -> MerchantFrame {
    let logo = merchant.logo_sha256.as_ref();
    MerchantFrame {
        base_path: address.base_path.clone(),
        logo_url: logo.map(|hash| format!("/logo/{hash}")),
        accent: Accent::parse(&merchant.accent).ok(),
        support_text: Some(merchant.support_text.clone()).filter(|text| !text.trim().is_empty()),
        support_email: Some(merchant.support_email.to_string()),
        time_zone: merchant.time_zone.clone(),
        // Words that cannot be read are not worth a page: the usual ones stand in their place.
        words: serde_json::from_value(merchant.words.clone()).unwrap_or_default(),
        ..MerchantFrame::named(merchant.name.clone(), address.origin.clone())
    }
}

/// The language of a tag, or of the merchant, or ours.
pub fn language(merchant: &Merchant, tag: &str) -> Locale {
    Locale::parse(tag).or_else(|| Locale::parse(&merchant.locale)).unwrap_or_default()
}
