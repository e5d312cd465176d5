//! Merchants: who sells. A new installation has one; every business row belongs to one.

pub mod flow;
pub mod store;

use kernel::{Currency, EmailAddress, MerchantId, Timestamp};

/// A seller with what buyers and documents see of it.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// Names it in paths: `/m/{slug}`.
    pub slug: String,
    /// The host name under which it answers, where it has one of its own.
    pub host: Option<String>,
    /// As shown on pages.
    pub name: String,
    /// As on invoices.
    pub legal_name: String,
    /// As on invoices, several lines.
    pub legal_address: String,
    /// ISO 3166 alpha-2, where it is established.
    pub country: Option<String>,
    /// VAT or tax number, as on invoices.
    pub vat_id: Option<String>,
    /// IANA name, for dates on pages, reports and invoices.
    pub time_zone: String,
    /// BCP 47: the language of its pages and mails.
    pub locale: String,
    /// What new products are priced in.
    pub currency: Currency,
    /// Where its mail comes from.
    pub sender_email: EmailAddress,
    /// Where buyers write to.
    pub support_email: EmailAddress,
    /// How to get support, under every mail.
    pub support_text: String,
    /// What a buyer must agree to at checkout; empty: nothing.
    pub consent_text: String,
    /// The one accent color, `#rrggbb`.
    pub accent: String,
    /// The logo's content, where there is one.
    pub logo_sha256: Option<String>,
    /// Renamed page words: from the word of the field to the merchant's.
    pub words: serde_json::Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// Raised by every change.
    pub version: i64,
}
