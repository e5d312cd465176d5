//! Typed ids: a prefix that says what is named, then 128 bits in lower-case Crockford base32.
//!
//! The first 48 bits are the minting time in milliseconds and the next 16 count within one
//! transaction, so new rows land at the end of every index; the last 64 are random. An id is
//! not a secret: whoever needs one of those draws a nonce.

use crate::entropy::Draws;

/// Why a text is not the id that was wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix names something else, or is missing.
    #[error("expected an id that starts with \"{wanted}_\", got \"{got}\"")]
    Prefix {
        /// The prefix that this kind of id has.
        wanted: &'static str,
        /// What was given, cut to a printable length.
        got: String,
    },
    /// What follows the prefix is not 26 base32 digits.
    #[error("\"{0}\" is not a complete id: 26 digits or lower-case letters must follow the prefix")]
    Digits(String),
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

fn encode(value: u128) -> String {
    let mut text = String::with_capacity(DIGITS);
    for place in (0..DIGITS).rev() {
        let digit = (value >> (place * 5)) & 31;
        let index = usize::try_from(digit).unwrap_or(0);
        text.push(char::from(*ALPHABET.get(index).unwrap_or(&b'0')));
    }
    text
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != DIGITS {
        return None;
    }
    text.bytes().try_fold(0u128, |value, byte| {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        // 26 digits hold 130 bits; a first digit over 7 would not fit in 128.
        if value >> 123 != 0 {
            return None;
        }
        Some((value << 5) | u128::try_from(digit).ok()?)
    })
}

fn parse(prefix: &'static str, text: &str) -> Result<u128, IdError> {
    let shown = || text.chars().take(40).collect::<String>();
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or_else(|| IdError::Prefix { wanted: prefix, got: shown() })?;
    decode(digits).ok_or_else(|| IdError::Digits(shown()))
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $name:ident = $prefix:literal;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What every id of this kind starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Makes a new id from the transaction's draws.
            pub fn mint(draws: &mut Draws) -> Self {
                Self(draws.id_bits())
            }

            /// The id with exactly these bits, for ids that are derived from other facts.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The 128 bits, for tokens and derivations.
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}_{}", $prefix, encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl crate::schema::Described for $name {
            const FORM: crate::schema::Form = crate::schema::Form {
                name: stringify!($name),
                description: concat!($($doc),*),
                format: None,
                prefix: Some($prefix),
                example: concat!($prefix, "_01k0a3tqw00000m5bzn2vqk8rd"),
            };
        }

        #[cfg(feature = "schema")]
        crate::schema::described!($name);
    )*};
}

ids! {
    /// A seller. A new installation has one.
    MerchantId = "mer";
    /// A person who works in the back office of one merchant.
    StaffId = "stf";
    /// A signed-in browser, of staff or of a customer.
    SessionId = "ses";
    /// A one-time link that signs somebody in.
    LoginTokenId = "lgn";
    /// A key for the JSON API.
    ApiKeyId = "key";
    /// One gateway account in one mode, with its own hook path.
    ConnectionId = "con";
    /// What is sold.
    ProductId = "prd";
    /// A price of a product in one currency from one moment on.
    PriceId = "prc";
    /// A file slot of a product; its versions come and go.
    ProductFileId = "fil";
    /// One immutable content of a product file.
    FileVersionId = "ver";
    /// An upload that has not become a file yet.
    UploadId = "upl";
    /// What a visitor chose and filled in for a product.
    ChoiceId = "chc";
    /// An endpoint that hands something over for a merchant.
    PluginId = "plg";
    /// A buyer of one merchant.
    CustomerId = "cus";
    /// A buyer's purchase of one or more products.
    OrderId = "ord";
    /// One product in an order, times a quantity.
    LineId = "lin";
    /// One attempt to move money through a gateway.
    PaymentId = "pay";
    /// One authentic statement about a payment.
    FactId = "fct";
    /// One movement of money between two accounts of the ledger.
    TransferId = "trf";
    /// What a gateway told us.
    NoticeId = "ntc";
    /// The right to have what one unit delivers.
    GrantId = "grt";
    /// One change of a grant, with its cause.
    GrantChangeId = "gch";
    /// One counted session of handing out a file.
    DownloadId = "dwn";
    /// A message that is to leave: mail now, other ways later.
    MessageId = "msg";
    /// The numbered document of a paid order.
    InvoiceId = "inv";
    /// Something that a person has to decide.
    ReviewId = "rev";
    /// A line of the audit log and of an order's timeline.
    EventId = "evt";
    /// Work for the outside world.
    JobId = "job";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SeededEntropy, Timestamp};

    fn draws() -> Draws {
        Draws::new(Timestamp::from_micros(1_800_000_000_000_000), &SeededEntropy::new(7))
    }

    #[test]
    fn an_id_survives_its_text() {
        let id = OrderId::mint(&mut draws());
        assert_eq!(id.to_string().parse::<OrderId>(), Ok(id));
        assert_eq!(
            OrderId::from_bits(u128::MAX).to_string().parse::<OrderId>(),
            Ok(OrderId::from_bits(u128::MAX))
        );
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let text = PaymentId::mint(&mut draws()).to_string();
        assert!(matches!(text.parse::<OrderId>(), Err(IdError::Prefix { .. })));
    }

    #[test]
    fn a_damaged_id_is_refused() {
        assert!(matches!("ord_01".parse::<OrderId>(), Err(IdError::Digits(_))));
        assert!(matches!("ord_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<OrderId>(), Err(IdError::Digits(_))));
        assert!(matches!("ord_0000000000000000000000000I".parse::<OrderId>(), Err(IdError::Digits(_))));
    }

    #[test]
    fn ids_of_one_transaction_sort_in_minting_order() {
        let mut draws = draws();
        let minted: Vec<String> = (0..100).map(|_| OrderId::mint(&mut draws).to_string()).collect();
        let mut sorted = minted.clone();
        sorted.sort();
        assert_eq!(minted, sorted);
    }
}
