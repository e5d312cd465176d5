//! What stands on a ticket: its number and a signature, short enough to be typed at a door.

use kernel::GrantId;
use subtle::ConstantTimeEq;

use super::Hold;
use crate::links::join;
use crate::ring::Ring;

/// Crockford's base 32: no letter looks like a digit or another letter.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of the signature: 50 bits, and every guess takes a person of the staff.
const LETTERS: usize = 10;

/// What somebody typed or scanned, as far as it has a code's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The ticket's number.
    pub number: u32,
    signature: String,
}

impl Typed {
    /// Reads a code: in any case, with O for 0 and I or L for 1, with or without its dashes, or the
    /// whole address that a scanner read.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.rsplit_once("code=").map_or(text, |(_, code)| code);
        let plain: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .map(|letter| match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        if !plain.bytes().all(|byte| ALPHABET.contains(&byte)) {
            return None;
        }
        let (number, signature) = plain.split_at_checked(plain.len().checked_sub(LETTERS)?)?;
        let number = number.parse().ok().filter(|number| *number > 0)?;
        Some(Self { number, signature: signature.to_owned() })
    }

    /// Whether this is the code of one of the hold's tickets; which one is found by its number.
    pub fn proves(&self, ring: &Ring, hold: &Hold) -> bool {
        let unit = hold.unit_of(self.number);
        let expected = unit.and_then(|unit| signature(ring, hold, unit));
        expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())))
    }
}

/// The code of a unit's ticket, such as `17-K7QX9-MZP2R`; `None` when the ring lacks its key.
pub fn of(ring: &Ring, hold: &Hold, unit_no: u32) -> Option<String> {
    let signature = signature(ring, hold, unit_no)?;
    let (first, second) = signature.split_at_checked(LETTERS / 2)?;
    Some(format!("{}-{first}-{second}", hold.number(unit_no)))
}

fn signature(ring: &Ring, hold: &Hold, unit_no: u32) -> Option<String> {
    let mut bits = u128::from_be_bytes(mac(ring, "ticket", hold, unit_no)?);
    let letter = |_| {
        bits = bits.rotate_left(5);
        let index = usize::try_from(bits & 31).unwrap_or(0);
        char::from(*ALPHABET.get(index).unwrap_or(&b'0'))
    };
    Some((0..LETTERS).map(letter).collect())
}

fn mac(ring: &Ring, purpose: &str, hold: &Hold, unit_no: u32) -> Option<[u8; 16]> {
    let ids = [hold.merchant.bits(), hold.event.bits(), hold.line.bits()].map(u128::to_be_bytes);
    let [merchant, event, line] = &ids;
    ring.code(hold.ring_key, purpose, &[merchant, event, line, &unit_no.to_be_bytes(), &hold.nonce])
}

/// The code that proves the right to a ticket's page.
pub fn page_code(ring: &Ring, hold: &Hold, unit_no: u32) -> Option<[u8; 16]> {
    mac(ring, "ticket page", hold, unit_no)
}

/// The path of a ticket's page.
pub fn page_path(ring: &Ring, hold: &Hold, grant: GrantId, unit_no: u32) -> Option<String> {
    Some(format!("/k/{}", join(grant.bits(), page_code(ring, hold, unit_no)?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kernel::{LineId, MerchantId, OrderId, Secret, TicketEventId, Timestamp};

    use super::*;
    use crate::tickets::HoldState;

    fn ring() -> Ring {
        Ring::new(BTreeMap::from([(1, Secret::new([7; 32])), (2, Secret::new([8; 32]))])).unwrap()
    }

    fn hold() -> Hold {
        Hold {
            line: LineId::from_bits(1),
            merchant: MerchantId::from_bits(2),
            order: OrderId::from_bits(3),
            event: TicketEventId::from_bits(4),
            places: 3,
            state: HoldState::Kept,
            held_until: Timestamp::from_seconds(0),
            first_number: 17,
            nonce: [5; 16],
            ring_key: 1,
        }
    }

    fn proves(text: &str, hold: &Hold) -> bool {
        Typed::read(text).is_some_and(|typed| typed.proves(&ring(), hold))
    }

    #[test]
    fn a_code_is_understood_as_people_type_and_phones_scan_it() {
        let code = of(&ring(), &hold(), 2).unwrap();
        assert!(code.starts_with("18-") && code.len() == 14, "{code}");
        let alike = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        let scanned = format!("https://shop.example/admin/tickets/tev_1/check-in?code={code}");
        assert!(proves(&code, &hold()) && proves(&alike, &hold()) && proves(&scanned, &hold()));
        assert!(proves(&code.replace('-', ""), &hold()));
    }

    #[test]
    fn the_code_of_one_ticket_is_none_for_another() {
        let code = of(&ring(), &hold(), 2).unwrap();
        let other_number = code.replacen("18", "19", 1);
        let elsewhere = Hold { event: TicketEventId::from_bits(9), ..hold() };
        let later = Hold { nonce: [6; 16], ..hold() };
        assert!(!proves(&other_number, &hold()) && !proves(&code, &elsewhere) && !proves(&code, &later));
    }

    #[test]
    fn every_changed_letter_is_refused() {
        let code = of(&ring(), &hold(), 2).unwrap();
        let changed = (3..code.len()).filter(|place| !code[*place..].starts_with('-')).flat_map(|place| {
            let code = code.clone();
            ALPHABET.iter().filter_map(move |letter| {
                let mut changed = code.clone();
                changed.replace_range(place..=place, &char::from(*letter).to_string());
                (changed != code).then_some(changed)
            })
        });
        assert!(changed.into_iter().all(|changed| !proves(&changed, &hold())));
    }

    #[test]
    fn what_has_not_the_form_is_no_code() {
        let texts =
            ["", "17", "-", "0-AAAAA-AAAAA", "x17-AAAAA-AAAAA", "17-AAAAA-AAAA!", "99999999999-AAAAA-AAAAA"];
        assert!(texts.iter().all(|text| Typed::read(text).is_none()));
    }
}
