//! API keys: what lets a program act for a merchant, within scopes.
//!
//! A key is `hsk_`, its id, and 160 random bits. The text is shown once, when the key is made;
//! only its SHA-256 is stored, and compared in constant time. The prefix lets scanners of
//! source code recognize a key that was published by mistake.

pub mod api;
pub mod flow;
pub mod staff_pages;
pub mod store;

use std::collections::BTreeSet;

use kernel::{ApiKeyId, MerchantId, Secret, Span, Timestamp};
use subtle::ConstantTimeEq;

use crate::ring;

db::words! {
    /// What a key may do. Writing does not include reading.
    pub enum Scope {
        /// See products, prices and files.
        ProductsRead = "products:read",
        /// Make and change products, prices and files.
        ProductsWrite = "products:write",
        /// See orders with their payments and grants.
        OrdersRead = "orders:read",
        /// Resend, extend, reissue and regenerate; see keyed URLs.
        OrdersWrite = "orders:write",
        /// See customers.
        CustomersRead = "customers:read",
        /// See invoices and credit notes.
        InvoicesRead = "invoices:read",
        /// See what was mailed.
        MessagesRead = "messages:read",
        /// Send messages again.
        MessagesWrite = "messages:write",
        /// See what gateways told.
        NoticesRead = "notices:read",
        /// Replay, accept and refuse notices.
        NoticesWrite = "notices:write",
        /// See connections, without their secrets.
        ConnectionsRead = "connections:read",
        /// See what waits for a person.
        ReviewsRead = "reviews:read",
        /// Close what waits for a person.
        ReviewsWrite = "reviews:write",
        /// See the audit log.
        EventsRead = "events:read",
    }
}

/// What a key may do, in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether this is among them.
    pub fn contain(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether a key with these could do nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// All there are.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl std::str::FromStr for Scopes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.split_whitespace().map(str::parse).collect()
    }
}

/// A key as it is stored: it cannot be shown again.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id, which is also the middle part of its text.
    pub id: ApiKeyId,
    /// Whose rows it opens.
    pub merchant: MerchantId,
    /// For people.
    pub name: String,
    /// SHA-256 of its text.
    pub secret_hash: [u8; 32],
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Since when it is dead.
    pub revoked_at: Option<Timestamp>,
    /// When it was last presented, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// What every key's text begins with.
pub const TEXT_PREFIX: &str = "hsk_";
/// How much of a key is secret: 160 bits.
pub const SECRET_BYTES: usize = 20;
/// The last use is written down at most so often.
pub const LAST_USED_STEP: Span = Span::minutes(1);

const ID_LETTERS: usize = 26;
const SECRET_LETTERS: usize = SECRET_BYTES * 2;

/// The whole text of a key. Shown once.
pub fn text(id: ApiKeyId, secret: [u8; SECRET_BYTES]) -> Secret<String> {
    let id = id.to_string();
    let digits = id.rsplit('_').next().unwrap_or_default();
    Secret::new(format!("{TEXT_PREFIX}{digits}_{}", hex::encode(secret)))
}

/// A text that was presented and has the form of a key.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The key that it names.
    pub id: ApiKeyId,
    hash: [u8; 32],
}

impl Presented {
    /// Reads a key's form. One key has one spelling.
    pub fn read(text: &str) -> Option<Self> {
        let (digits, secret) = text.strip_prefix(TEXT_PREFIX)?.split_once('_')?;
        let hex = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
        if digits.len() != ID_LETTERS || secret.len() != SECRET_LETTERS || !secret.bytes().all(hex) {
            return None;
        }
        let id = format!("{}_{digits}", ApiKeyId::PREFIX).parse().ok()?;
        Some(Self { id, hash: ring::token_hash(text.as_bytes()) })
    }

    /// Whether it is this key, in constant time, and the key is alive.
    pub fn opens(&self, key: &ApiKey) -> bool {
        bool::from(self.hash.ct_eq(&key.secret_hash)) && key.revoked_at.is_none()
    }
}

impl ApiKey {
    /// Whether its last use is to be written down.
    pub fn use_is_news(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|last| now.since(last) >= LAST_USED_STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: [u8; SECRET_BYTES]) -> ApiKey {
        let id = ApiKeyId::from_bits(7);
        ApiKey {
            id,
            merchant: MerchantId::from_bits(1),
            name: "test".to_owned(),
            secret_hash: ring::token_hash(text(id, secret).expose().as_bytes()),
            scopes: Scopes::all(),
            created_at: Timestamp::from_seconds(0),
            created_by: "shell".to_owned(),
            revoked_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_key_opens_itself_and_no_other() {
        let shown = text(ApiKeyId::from_bits(7), [5; SECRET_BYTES]);
        let presented = Presented::read(shown.expose()).unwrap();
        assert_eq!(presented.id, ApiKeyId::from_bits(7));
        assert!(presented.opens(&key([5; SECRET_BYTES])));
        assert!(!presented.opens(&key([6; SECRET_BYTES])));
    }

    #[test]
    fn a_revoked_key_opens_nothing() {
        let shown = text(ApiKeyId::from_bits(7), [5; SECRET_BYTES]);
        let revoked = ApiKey { revoked_at: Some(Timestamp::from_seconds(9)), ..key([5; SECRET_BYTES]) };
        assert!(!Presented::read(shown.expose()).unwrap().opens(&revoked));
    }

    #[test]
    fn a_key_has_one_spelling() {
        let shown = text(ApiKeyId::from_bits(7), [0xab; SECRET_BYTES]).expose().clone();
        assert!(Presented::read(&shown).is_some());
        assert!(Presented::read(&shown.to_uppercase()).is_none());
        assert!(Presented::read(&shown.replace("ab", "AB")).is_none());
        assert!(Presented::read(&format!("{shown}0")).is_none());
        assert!(Presented::read(&shown.replace("hsk_", "hsk-")).is_none());
        assert!(Presented::read("").is_none());
    }

    #[test]
    fn scopes_survive_their_text() {
        assert_eq!(Scopes::all().to_string().parse::<Scopes>().unwrap(), Scopes::all());
        assert!("orders:read orders:everything".parse::<Scopes>().is_err());
    }
}
