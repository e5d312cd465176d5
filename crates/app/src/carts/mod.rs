//! Carts: what a visitor wants to buy, kept in a signed cookie of the visitor's own.
//!
//! Only ids of products and of what was chosen for them, and quantities, are in it. Prices never are: they are looked up whenever the
//! cart is shown and once more when the order is placed, so there is nothing to tamper with. The
//! server keeps no state for visitors who may never come back.

pub mod flow;
pub mod pages;
pub mod view;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{ChoiceId, Currency, MerchantId, OrderId, ProductId};
use subtle::ConstantTimeEq;

use crate::merchants::Merchant;
use crate::orders::QUANTITY_MAX;
use crate::ring::Ring;

/// Most lines in a cart. Its cookie stays far below the 4 KiB that browsers keep.
pub const LINES_MAX: usize = 50;
/// How long a browser keeps a cart.
pub const LIFE_SECONDS: i64 = 30 * 24 * 3600;

const VERSION: u8 = 2;
const CODE_BYTES: usize = 16;
const LINE_BYTES: usize = 16 + 16 + 4;
const HEAD_BYTES: usize = 1 + 4 + 3 + 16;
/// Longer texts are not looked at.
const TEXT_MAX: usize = (HEAD_BYTES + LINES_MAX * LINE_BYTES + CODE_BYTES) * 4 / 3 + 4;

/// What a visitor wants to buy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cart {
    /// What to pay in; `None` until something is in it.
    pub currency: Option<Currency>,
    /// Products, each once for what was chosen of it, and how many.
    pub lines: Vec<CartItem>,
    /// The order that was placed for exactly this cart, until it is changed.
    pub placed: Option<OrderId>,
}

/// A line of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartItem {
    /// What.
    pub product: ProductId,
    /// What was chosen and filled in, for a product that asks.
    pub choice: Option<ChoiceId>,
    /// How many.
    pub quantity: u32,
}

impl CartItem {
    /// Its name in forms: the choice, or the product where there is none.
    pub fn name(&self) -> String {
        self.choice.map_or_else(|| self.product.to_string(), |choice| choice.to_string())
    }
}

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartFull {
    /// Too many different products.
    Lines,
    /// Too many of one.
    Quantity,
}

/// What putting a product in does with those that are in it already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// They add up.
    Add,
    /// The new number counts: pressing "buy now" twice buys once.
    Set,
}

impl Cart {
    /// The cookie's name. Merchants on one host have a cart each.
    pub fn cookie_name(secure: bool, merchant: &Merchant) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}cart-{}", merchant.slug)
    }

    /// How many pieces are in it.
    pub fn pieces(&self) -> u32 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity))
    }

    /// Puts a product in.
    ///
    /// # Errors
    /// [`CartFull`] says what there is too much of; the cart stays as it was.
    pub fn put(&mut self, item: CartItem, put: Put) -> Result<(), CartFull> {
        let full = self.lines.len() >= LINES_MAX;
        let CartItem { product, choice, quantity } = item;
        let same = |known: &&mut CartItem| known.product == product && known.choice == choice;
        match self.lines.iter_mut().find(same) {
            Some(CartItem { quantity: present, .. }) => {
                let wanted = if put == Put::Add { present.saturating_add(quantity) } else { quantity };
                if wanted > QUANTITY_MAX {
                    return Err(CartFull::Quantity);
                }
                *present = wanted;
            }
            None if full => return Err(CartFull::Lines),
            None => self.lines.push(item),
        }
        self.placed = None;
        Ok(())
    }

    /// Takes a line out, by its name.
    pub fn remove(&mut self, name: &str) {
        self.lines.retain(|line| line.name() != name);
        self.placed = None;
    }

    /// The cookie's value.
    pub fn seal(&self, ring: &Ring, merchant: MerchantId) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&ring.newest().to_be_bytes());
        let currency = self.currency.unwrap_or(Currency::USD);
        bytes.extend_from_slice(currency.code().as_bytes());
        bytes.extend_from_slice(&self.placed.map_or(0, OrderId::bits).to_be_bytes());
        for line in self.lines.iter().take(LINES_MAX) {
            bytes.extend_from_slice(&line.product.bits().to_be_bytes());
            bytes.extend_from_slice(&line.choice.map_or(0, ChoiceId::bits).to_be_bytes());
            bytes.extend_from_slice(&line.quantity.to_be_bytes());
        }
        let code = code(ring, ring.newest(), merchant, &bytes).unwrap_or_default();
        bytes.extend_from_slice(&code);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cookie's value; `None` for anything that is not a cart that we sealed for this
    /// merchant.
    pub fn open(ring: &Ring, merchant: MerchantId, text: &str) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (plain, proof) = bytes.split_last_chunk::<CODE_BYTES>()?;
        let (version, rest) = plain.split_first()?;
        let (key, rest) = rest.split_first_chunk::<4>()?;
        let expected = code(ring, u32::from_be_bytes(*key), merchant, plain)?;
        if *version != VERSION || !bool::from(expected.ct_eq(proof)) {
            return None;
        }
        let (currency, rest) = rest.split_first_chunk::<3>()?;
        let (placed, rest) = rest.split_first_chunk::<16>()?;
        let currency = Currency::parse(std::str::from_utf8(currency).ok()?).ok()?;
        let placed = u128::from_be_bytes(*placed);
        let lines = rest.chunks_exact(LINE_BYTES).map(line).collect::<Option<Vec<_>>>()?;
        Some(Self {
            currency: (!lines.is_empty()).then_some(currency),
            lines,
            placed: (placed != 0).then(|| OrderId::from_bits(placed)),
        })
    }
}

fn line(bytes: &[u8]) -> Option<CartItem> {
    let (product, rest) = bytes.split_first_chunk::<16>()?;
    let (choice, rest) = rest.split_first_chunk::<16>()?;
    let choice = u128::from_be_bytes(*choice);
    Some(CartItem {
        product: ProductId::from_bits(u128::from_be_bytes(*product)),
        choice: (choice != 0).then(|| ChoiceId::from_bits(choice)),
        quantity: u32::from_be_bytes(*rest.first_chunk::<4>()?),
    })
}

fn code(ring: &Ring, key: u32, merchant: MerchantId, plain: &[u8]) -> Option<[u8; CODE_BYTES]> {
    ring.code(key, "cart", &[&merchant.bits().to_be_bytes(), plain])
}

/// Reads a quantity as a form sends it: 1 to the most, in plain digits and nothing else.
///
/// `+1`, `1e3`, `0x10`, `1.5`, ` 1`, `٣` and `１` are all somebody's number, and none of ours.
pub fn read_quantity(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && !text.starts_with('0');
    text.parse().ok().filter(|quantity| plain && *quantity <= QUANTITY_MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kernel::Secret;

    use super::*;

    const OURS: MerchantId = MerchantId::from_bits(1);

    fn ring(numbers: &[u32]) -> Ring {
        let key = |number: u32| Secret::new([u8::try_from(number).unwrap(); 32]);
        Ring::new(numbers.iter().map(|number| (*number, key(*number))).collect::<BTreeMap<_, _>>()).unwrap()
    }

    fn of(product: u128) -> CartItem {
        CartItem { product: ProductId::from_bits(product), choice: None, quantity: 1 }
    }

    fn cart(lines: u32) -> Cart {
        let line = |number: u32| CartItem { quantity: number, ..of(u128::from(number)) };
        Cart {
            currency: Some(Currency::EUR),
            lines: (1..=lines).map(line).collect(),
            placed: Some(OrderId::from_bits(9)),
        }
    }

    #[test]
    fn a_cart_comes_back_as_it_was() {
        let full = cart(u32::try_from(LINES_MAX).unwrap());
        let sealed = full.seal(&ring(&[1]), OURS);
        assert_eq!(Cart::open(&ring(&[1]), OURS, &sealed), Some(full));
        assert!(sealed.len() < 3_000, "{} bytes in a cookie", sealed.len());
    }

    #[test]
    fn a_rotated_key_does_not_empty_carts() {
        let sealed = cart(2).seal(&ring(&[1]), OURS);
        assert_eq!(Cart::open(&ring(&[1, 2]), OURS, &sealed), Some(cart(2)));
    }

    #[test]
    fn every_changed_letter_is_noticed() {
        let sealed = cart(2).seal(&ring(&[1]), OURS);
        let changed = (0..sealed.len()).map(|at| {
            let mut letters: Vec<u8> = sealed.clone().into_bytes();
            letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(letters).unwrap()
        });
        assert_eq!(changed.filter(|text| Cart::open(&ring(&[1]), OURS, text).is_some()).count(), 0);
    }

    #[test]
    fn one_merchants_cart_is_not_anothers() {
        let sealed = cart(1).seal(&ring(&[1]), OURS);
        assert_eq!(Cart::open(&ring(&[1]), MerchantId::from_bits(2), &sealed), None);
    }

    #[test]
    fn only_plain_numbers_are_quantities() {
        assert_eq!(read_quantity("1"), Some(1));
        assert_eq!(read_quantity("1000"), Some(1_000));
        let wrong = [
            "",
            "0",
            "-1",
            "+1",
            "1.5",
            "1e3",
            "0x10",
            "1 ",
            " 1",
            "01",
            "٣",
            "１",
            "1001",
            "2147483648",
            "9223372036854775808",
            "1,0",
            "NaN",
        ];
        assert_eq!(wrong.map(read_quantity), [None; 17]);
    }

    #[test]
    fn a_cart_has_a_limit_in_both_directions() {
        let mut cart = cart(u32::try_from(LINES_MAX).unwrap());
        let most = CartItem { quantity: QUANTITY_MAX, ..of(7) };
        assert_eq!(cart.put(of(999), Put::Add), Err(CartFull::Lines));
        assert_eq!(cart.put(most, Put::Add), Err(CartFull::Quantity));
        assert_eq!(cart.put(most, Put::Set), Ok(()));
    }

    #[test]
    fn buying_now_twice_buys_once_and_adding_twice_adds() {
        let mut cart = Cart::default();
        let two = CartItem { quantity: 2, ..of(1) };
        cart.put(two, Put::Set).unwrap();
        cart.put(two, Put::Set).unwrap();
        assert_eq!(cart.lines, [two]);
        cart.put(two, Put::Add).unwrap();
        assert_eq!(cart.lines, [CartItem { quantity: 4, ..two }]);
    }

    #[test]
    fn what_was_chosen_otherwise_is_another_line() {
        let mut cart = Cart::default();
        let large = CartItem { choice: Some(ChoiceId::from_bits(1)), ..of(1) };
        let small = CartItem { choice: Some(ChoiceId::from_bits(2)), ..of(1) };
        cart.put(large, Put::Set).unwrap();
        cart.put(small, Put::Set).unwrap();
        assert_eq!(
            Cart::open(&ring(&[1]), OURS, &cart.seal(&ring(&[1]), OURS)).unwrap().lines,
            [large, small]
        );
        cart.remove(&large.name());
        assert_eq!(cart.lines, [small]);
    }
}
