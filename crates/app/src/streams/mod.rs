//! Streams: a webcast, a video or a page behind the buyer's own address.
//!
//! `/s/{token}` is derived from the grant as its link is, and works as long as that: until it runs
//! out, is replaced, suspended or revoked. How often it is opened is counted and not limited. It leads
//! on to the stream, plays it in a page, or shows the seller's words. Where the stream is, is no term
//! of the sale: a server that moves must not lose its buyers, so the product's present settings count,
//! and those of the day of purchase when the product has none any more.
//!
//! An address can be signed, so that the stream's server can refuse one that was passed on.

pub mod desk_flow;
pub mod pages;
pub mod staff_pages;
pub mod store;

use hmac::{Hmac, KeyInit, Mac};
use kernel::{GrantId, Secret, Span, Timestamp};
use sha2::Sha256;
use url::Url;

use crate::fulfillment::Grant;
use crate::links::join;
use crate::problem::Problem;
use crate::ring::Ring;

/// How long a signed address can be opened at the stream's server. It is made afresh each time.
pub const SIGNED_FOR: Span = Span::minutes(15);
/// Longest title.
const TITLE_LENGTH_MAX: usize = 200;
/// Longest address.
const URL_LENGTH_MAX: usize = 2_000;
/// Longest text.
const TEXT_LENGTH_MAX: usize = 20_000;

db::words! {
    /// What the buyer's address shows.
    pub enum Shown {
        /// It leads on to the stream.
        Redirect = "redirect",
        /// The stream plays in a page of ours.
        Player = "player",
        /// The seller's words alone.
        Text = "text",
    }
}

db::words! {
    /// Whether the stream's server can check an address.
    pub enum Signing {
        /// It cannot.
        Plain = "plain",
        /// Expiry, grant and a code are added.
        Signed = "signed",
    }
}

/// What a product says of its stream; frozen into the lines that sell it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the buyer presses.
    pub title: String,
    /// What that shows.
    pub shown: Shown,
    /// Where the stream is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The words on the page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether the address is signed.
    pub signing: Signing,
}

impl Terms {
    /// Checks what somebody typed.
    ///
    /// # Errors
    /// At the field that is wrong, with what to write instead.
    pub fn checked(self) -> Result<Self, Problem> {
        let title = self.title.trim().to_owned();
        let letters = title.chars().count();
        if letters == 0 || letters > TITLE_LENGTH_MAX || title.chars().any(char::is_control) {
            let text = format!("write one line of 1 to {TITLE_LENGTH_MAX} characters");
            return Err(Problem::invalid("title", text));
        }
        let text = self.text.replace("\r\n", "\n").trim().to_owned();
        let odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
        if text.chars().count() > TEXT_LENGTH_MAX || text.chars().any(odd) {
            let why = format!("use at most {TEXT_LENGTH_MAX} printable characters");
            return Err(Problem::invalid("text", why));
        }
        if self.shown == Shown::Text {
            if text.is_empty() {
                return Err(Problem::invalid("text", "a page of words needs some"));
            }
            return Ok(Self { title, text, url: String::new(), signing: Signing::Plain, ..self });
        }
        let url = valid_url(&self.url)?;
        Ok(Self { title, text, url, ..self })
    }
}

/// An address of the web that can be led on to, and framed.
fn valid_url(text: &str) -> Result<String, Problem> {
    let refused = || Problem::invalid("url", "write an address that begins with https://");
    let text = text.trim();
    let url = Url::parse(text).map_err(|_| refused())?;
    let named = url.username().is_empty() && url.password().is_none() && url.host_str().is_some();
    if url.scheme() != "https" || !named || text.len() > URL_LENGTH_MAX {
        return Err(refused());
    }
    let taken = |name: &str| url.query_pairs().any(|(known, _)| known == name);
    if let Some(name) = PARAMETERS.into_iter().find(|name| taken(name)) {
        return Err(Problem::invalid(
            "url",
            format!("\"{name}\" is a parameter that signing adds; take it out"),
        ));
    }
    if url.fragment().is_some() {
        return Err(Problem::invalid("url", "take out what stands behind #; a server never sees it"));
    }
    Ok(url.into())
}

const PARAMETERS: [&str; 3] = ["expires", "grant", "signature"];

/// The address with `expires`, `grant` and `signature`.
///
/// The signature is the hexadecimal HMAC-SHA-256 of the address as it stands before the signature,
/// from the path on: `/live/42?expires=1800000900&grant=grt_…`.
pub fn signed(url: &str, secret: &Secret<String>, grant: GrantId, now: Timestamp) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    let expires = (now + SIGNED_FOR).as_seconds().to_string();
    url.query_pairs_mut().append_pair("expires", &expires).append_pair("grant", &grant.to_string());
    let covered = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(covered.as_bytes());
    let code: [u8; 32] = mac.finalize().into_bytes().into();
    url.query_pairs_mut().append_pair("signature", &hex::encode(code));
    Some(url.into())
}

/// The code of a grant's present address.
pub fn code(ring: &Ring, grant: &Grant) -> Option<[u8; 16]> {
    let (merchant, id) = (grant.merchant.bits().to_be_bytes(), grant.id.bits().to_be_bytes());
    ring.code(grant.ring_key, "stream", &[&merchant, &id, &grant.nonce, &grant.generation.to_be_bytes()])
}

/// The path of a grant's present address.
pub fn path(ring: &Ring, grant: &Grant) -> Option<String> {
    Some(format!("/s/{}", join(grant.id.bits(), code(ring, grant)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(shown: Shown, url: &str, text: &str) -> Result<Terms, Problem> {
        let (title, url, text) = ("Live".to_owned(), url.to_owned(), text.to_owned());
        Terms { title, shown, url, text, signing: Signing::Signed }.checked()
    }

    /// By OpenSSL: `printf %s '/live/42?a=b&expires=…&grant=…' | openssl dgst -sha256 -hmac secret`.
    #[test]
    fn a_signature_is_what_openssl_makes_of_the_address() {
        let secret = Secret::new("secret".to_owned());
        let now = Timestamp::from_seconds(1_800_000_000);
        let url = signed("https://tv.example/live/42?a=b", &secret, GrantId::from_bits(7), now).unwrap();
        let covered = "/live/42?a=b&expires=1800000900&grant=grt_00000000000000000000000007";
        let by_openssl = "b74ea4003b810a389586698528de60a52c9408680ae08ba703854b31bf89cb56";
        assert_eq!(url, format!("https://tv.example{covered}&signature={by_openssl}"));
    }

    #[test]
    fn what_cannot_be_led_on_to_is_refused() {
        let refused = |url| terms(Shown::Redirect, url, "").unwrap_err().pointer;
        let urls = [
            "",
            "tv.example",
            "http://tv.example/",
            "javascript:alert(1)",
            "https://user:pw@tv.example/",
            "https://tv.example/?signature=1",
            "https://tv.example/#part",
            "data:text/html,x",
        ];
        assert!(urls.into_iter().all(|url| refused(url).as_deref() == Some("url")));
        assert!(terms(Shown::Player, " https://tv.example/embed?a=1 ", "").is_ok());
    }

    #[test]
    fn a_page_of_words_has_words_and_no_address() {
        assert_eq!(terms(Shown::Text, "", " ").unwrap_err().pointer.as_deref(), Some("text"));
        let page = terms(Shown::Text, "https://tv.example/", "Hello").unwrap();
        assert_eq!((page.url.as_str(), page.signing), ("", Signing::Plain));
    }
}
