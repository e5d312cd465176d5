//! Stylesheet, scripts and pictures, compiled in and named by their content.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// One file that pages load.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The name after `/assets/`.
    pub name: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// For the `Content-Type` header.
    pub content_type: &'static str,
    /// The start of the content's SHA-256, in hexadecimal: for `ETag` and the `v` of addresses.
    pub hash: &'static str,
}

macro_rules! file {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/", $path))
    };
}

/// One stylesheet for the browser, in pieces for the reader.
const STYLES: &[&str] =
    &[file!("css/base.css"), file!("css/components.css"), file!("css/shop.css"), file!("css/print.css")];

/// Of the back office alone: buyers do not load it.
const STAFF_STYLES: &[&str] = &[file!("css/admin.css"), file!("css/admin-pages.css")];

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Everything under `/assets/`, except the merchant's `accent.css`.
pub fn assets() -> &'static [Asset] {
    static ASSETS: OnceLock<Vec<Asset>> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let styles: &'static str = String::leak(STYLES.concat());
        let staff_styles: &'static str = String::leak(STAFF_STYLES.concat());
        vec![
            described("admin.css", staff_styles.as_bytes(), CSS),
            described("admin.js", file!("admin.js").as_bytes(), SCRIPT),
            described("artwork.js", file!("artwork.js").as_bytes(), SCRIPT),
            described("app.css", styles.as_bytes(), CSS),
            described("app.js", file!("app.js").as_bytes(), SCRIPT),
            described("htmx.min.js", file!("vendor/htmx.min.js").as_bytes(), SCRIPT),
            described("favicon.svg", file!("favicon.svg").as_bytes(), SVG),
        ]
    })
}

fn described(name: &'static str, bytes: &'static [u8], content_type: &'static str) -> Asset {
    const SHOWN: usize = 8;
    let hash: String = Sha256::digest(bytes).iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    Asset { name, bytes, content_type, hash: String::leak(hash) }
}

/// The asset of this name, such as `app.css`.
pub fn asset(name: &str) -> Option<Asset> {
    assets().iter().find(|asset| asset.name == name).copied()
}

/// The address that pages load it from; it changes when the content does, so it may be kept forever.
pub fn asset_url(name: &str) -> Option<String> {
    asset(name).map(|asset| format!("/assets/{}?v={}", asset.name, asset.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_content() {
        let css = asset("app.css").unwrap();
        assert_eq!(css.hash.len(), 16);
        assert_eq!(asset_url("app.css").unwrap(), format!("/assets/app.css?v={}", css.hash));
        assert!(asset("../Cargo.toml").is_none());
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for style in STYLES.iter().chain(STAFF_STYLES) {
            assert!(
                !style.contains("@import") && !style.contains("url(http"),
                "a stylesheet loads something"
            );
        }
    }
}
