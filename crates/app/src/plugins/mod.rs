//! Plug-ins: other systems that hand something over for us, and goods that staff send.
//!
//! `@parameter` in a payload spec asks a plug-in of the merchant's: an HTTPS endpoint that gets one
//! signed request for each unit, with the same idempotency key however often it is sent, and may
//! answer with texts, such as a tracking number, and with small files. `#parameter` puts the unit on the
//! drop-ship list, where staff mark it as sent.

pub mod answer;
pub mod flow;
pub mod jobs;
pub mod list_pages;
pub mod signature;
pub mod staff_pages;
pub mod store;

use kernel::{MerchantId, PluginId, Secret, Timestamp};

/// The name of the plug-in that takes what no other is named for.
pub const DEFAULT: &str = "default";

/// Longest name.
pub const NAME_LENGTH_MAX: usize = 40;

/// An endpoint that hands something over.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Its id.
    pub id: PluginId,
    /// Whose.
    pub merchant: MerchantId,
    /// The name by which specs call it: `@name:parameter`.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// What requests are signed with, sealed.
    pub secret_sealed: Vec<u8>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What a plug-in's secret is sealed for.
pub fn sealed_for(id: PluginId) -> String {
    format!("plug-in {id}")
}

/// A secret as endpoints get it, in the form of Standard Webhooks.
pub type PluginSecret = Secret<[u8; 32]>;

/// Which plug-in an item asks, and with which parameter: `name:parameter` where there is one of that
/// name, and the whole text is the default's otherwise.
pub fn asked<'a>(plugins: &'a [Plugin], text: &'a str) -> Option<(&'a Plugin, &'a str)> {
    let named = |name: &str| plugins.iter().find(|plugin| plugin.name == name);
    if let Some((name, parameter)) = text.split_once(':')
        && let Some(plugin) = named(&name.trim().to_lowercase())
    {
        return Some((plugin, parameter.trim()));
    }
    if let Some(plugin) = named(&text.trim().to_lowercase()) {
        return Some((plugin, ""));
    }
    named(DEFAULT).map(|plugin| (plugin, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(name: &str) -> Plugin {
        Plugin {
            id: PluginId::from_bits(1),
            merchant: MerchantId::from_bits(1),
            name: name.to_owned(),
            url: String::new(),
            secret_sealed: Vec::new(),
            created_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn an_item_names_its_plug_in_or_goes_to_the_default() {
        let plugins = [plugin("default"), plugin("printer")];
        let asks = |text| asked(&plugins, text).map(|(plugin, parameter)| (plugin.name.clone(), parameter));
        assert_eq!(asks("Printer: A4"), Some(("printer".to_owned(), "A4")));
        assert_eq!(asks("printer"), Some(("printer".to_owned(), "")));
        assert_eq!(asks("sku:17"), Some(("default".to_owned(), "sku:17")));
        assert!(asked(&plugins[1..], "sku:17").is_none());
    }
}
