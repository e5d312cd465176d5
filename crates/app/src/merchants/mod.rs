//! Merchants: who sells. A new installation has one; every business row belongs to one.

pub mod flow;
pub mod settings;
pub mod staff_pages;
pub mod store;
pub mod view;

use kernel::{Currency, EmailAddress, MerchantId, Timestamp};

/// Where a merchant's pages are: what stands before every path in a mail or at a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme and host, without a slash at the end.
    pub origin: String,
    /// Empty, or `/m/{slug}`.
    pub base_path: String,
}

impl Address {
    /// The whole URL of a path such as `/cart`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.base_path)
    }
}

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
    /// Where alarms go; `None`: to the first of its owners.
    pub alarm_email: Option<EmailAddress>,
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

/// The path under which a merchant without a host of its own is reached.
pub const PATH_PREFIX: &str = "/m/";

impl Merchant {
    /// Scheme and host of its pages: its own host, or the installation's.
    ///
    /// Never what a request's `Host` header says: whoever sends that could put their own name
    /// into somebody else's mail.
    pub fn origin(&self, base_url: &str) -> String {
        let Some(host) = &self.host else { return base_url.to_owned() };
        let scheme = base_url.split_once("://").map_or("https", |(scheme, _)| scheme);
        // A shop on an unusual port is there under all of its names.
        let port = url::Url::parse(base_url).ok().and_then(|url| url.port());
        port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}"))
    }

    /// Where its pages are. The oldest merchant is the one whose shop needs no prefix.
    pub fn address(&self, base_url: &str, oldest: Option<MerchantId>) -> Address {
        let unprefixed = self.host.is_some() || oldest == Some(self.id);
        let base_path = if unprefixed { String::new() } else { format!("{PATH_PREFIX}{}", self.slug) };
        Address { origin: self.origin(base_url), base_path }
    }
}
