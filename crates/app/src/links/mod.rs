//! Links: keyed URLs to grants and orders. No token is stored; each is derived from its row.
//!
//! `token = id ‖ MAC(ring key, merchant, id, nonce, purpose, generation)`, 32 bytes in
//! base64url. The database alone opens nothing, a resend gives the same link, a reissue is
//! the next generation, and an unknown id and a wrong code look and take the same.

pub mod doors;
pub mod flow;
pub mod pages;
pub mod view;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{GrantId, OrderId};
use subtle::ConstantTimeEq;

use crate::fulfillment::Grant;
use crate::orders::Order;
use crate::ring::Ring;

const TOKEN_BYTES: usize = 32;
const TOKEN_LETTERS: usize = 43;

/// A token that was presented: which row it names, and the code that must prove the right to it.
#[derive(Debug, Clone, Copy)]
pub struct Presented {
    /// The id's bits.
    pub id: u128,
    code: [u8; 16],
}

impl Presented {
    /// Reads a token's form. Anything but 43 canonical letters is no token.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() != TOKEN_LETTERS {
            return None;
        }
        let mut bytes = [0u8; TOKEN_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let code = rest.first_chunk::<16>()?;
        (length == TOKEN_BYTES).then_some(Self { id: u128::from_be_bytes(*id), code: *code })
    }

    /// Whether the code is this one, in constant time.
    pub fn proves(&self, expected: Option<[u8; 16]>) -> bool {
        expected.is_some_and(|expected| bool::from(expected.ct_eq(&self.code)))
    }

    /// The grant that it names, if it is a link.
    pub const fn grant(&self) -> GrantId {
        GrantId::from_bits(self.id)
    }

    /// The order that it names, if it is a thank-you page.
    pub const fn order(&self) -> OrderId {
        OrderId::from_bits(self.id)
    }
}

/// Joins id and code to a token.
pub fn join(id: u128, code: [u8; 16]) -> String {
    let mut bytes = [0u8; TOKEN_BYTES];
    bytes[..16].copy_from_slice(&id.to_be_bytes());
    bytes[16..].copy_from_slice(&code);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The code of a grant's present link; `None` when the ring lacks its key.
pub fn grant_code(ring: &Ring, grant: &Grant) -> Option<[u8; 16]> {
    let (merchant, id) = (grant.merchant.bits().to_be_bytes(), grant.id.bits().to_be_bytes());
    ring.code(grant.ring_key, "link", &[&merchant, &id, &grant.nonce, &grant.generation.to_be_bytes()])
}

/// The token of a grant's present link.
pub fn grant_token(ring: &Ring, grant: &Grant) -> Option<String> {
    grant_code(ring, grant).map(|code| join(grant.id.bits(), code))
}

/// The code of an order's thank-you page.
pub fn order_code(ring: &Ring, order: &Order) -> Option<[u8; 16]> {
    let (merchant, id) = (order.merchant.bits().to_be_bytes(), order.id.bits().to_be_bytes());
    ring.code(order.ring_key, "order page", &[&merchant, &id, &order.nonce])
}

/// The token of an order's thank-you page.
pub fn order_token(ring: &Ring, order: &Order) -> Option<String> {
    order_code(ring, order).map(|code| join(order.id.bits(), code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling() {
        let token = join(7, [9; 16]);
        assert!(Presented::read(&token).is_some_and(|read| read.id == 7 && read.proves(Some([9; 16]))));
        assert!(Presented::read(&format!("{token}A")).is_none());
        assert!(Presented::read(&token[..42]).is_none());
        assert!(Presented::read(&token.replace(|_: char| true, "=")).is_none());
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let token = join(7, [9; 16]);
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        let flipped = (0..256).map(|bit| {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            Presented::read(&URL_SAFE_NO_PAD.encode(bytes)).unwrap()
        });
        assert!(flipped.into_iter().all(|read| read.id != 7 || !read.proves(Some([9; 16]))));
    }
}
