//! Bodies of Instant Payment Notifications, pure: the shape is PayPal's, the people are invented.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use kernel::{Currency, Money, Timestamp};
use sha2::{Digest, Sha256};

use crate::form;

/// The charset that a body is written in, and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// PayPal's default.
    #[default]
    Windows1252,
    /// What accounts can be set to.
    Utf8,
}

impl Charset {
    fn label(self) -> &'static str {
        match self {
            Self::Windows1252 => "windows-1252",
            Self::Utf8 => "UTF-8",
        }
    }

    fn encoding(self) -> &'static Encoding {
        match self {
            Self::Windows1252 => WINDOWS_1252,
            Self::Utf8 => UTF_8,
        }
    }
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// The address of their PayPal account.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
}

impl Default for Buyer {
    fn default() -> Self {
        Self {
            email: "jo.buyer@example.com".to_owned(),
            first_name: "Jörg".to_owned(),
            last_name: "Beispiel".to_owned(),
            country: "DE".to_owned(),
        }
    }
}

/// One item of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The merchant's item number.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// At least 1.
    pub quantity: u32,
    /// For one.
    pub unit: Money,
    /// Names and choices, at most seven at PayPal.
    pub options: Vec<(String, String)>,
}

impl Item {
    /// One piece without options.
    pub fn one(sku: &str, unit: Money) -> Self {
        Self { sku: sku.to_owned(), name: format!("The {sku}"), quantity: 1, unit, options: Vec::new() }
    }

    /// For all pieces. Stops at the largest amount there is.
    pub fn gross(&self) -> Money {
        Money::new(self.unit.minor.saturating_mul(i64::from(self.quantity)), self.unit.currency)
    }
}

/// Whether real money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// Notifications say `test_ipn=1`.
    #[default]
    Sandbox,
    /// They say nothing.
    Live,
}

/// A payment as far as its notifications tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Names the payment for good, whatever becomes of it.
    pub txn_id: String,
    /// The account that is paid, as the button names it.
    pub business: String,
    /// The merchant's reference; may be empty.
    pub invoice: String,
    /// Passed through; may be empty.
    pub custom: String,
    /// One for a button, more for a cart.
    pub items: Vec<Item>,
    /// On top of the items, in their currency.
    pub tax: Money,
    /// Who pays.
    pub buyer: Buyer,
    /// When.
    pub paid_at: Timestamp,
    /// Sandbox or live.
    pub side: Side,
    /// How the bodies are written.
    pub charset: Charset,
}

impl Sale {
    /// A sandbox sale of these items to the default buyer, in the first item's currency.
    pub fn of(business: &str, merchant_ref: &str, items: Vec<Item>) -> Self {
        let currency = items.first().map_or(Currency::USD, |item| item.unit.currency);
        Self {
            txn_id: txn_id(&format!("{business} {merchant_ref}")),
            business: business.to_owned(),
            invoice: merchant_ref.to_owned(),
            custom: merchant_ref.to_owned(),
            items,
            tax: Money::zero(currency),
            buyer: Buyer::default(),
            paid_at: Timestamp::from_seconds(1_794_000_000),
            side: Side::default(),
            charset: Charset::default(),
        }
    }

    /// Items and tax. Stops at the largest amount there is.
    pub fn total(&self) -> Money {
        let minor =
            self.items.iter().fold(self.tax.minor, |sum, item| sum.saturating_add(item.gross().minor));
        Money::new(minor, self.tax.currency)
    }

    /// What PayPal keeps of an amount: 2.9 % and 30 of the smallest unit.
    pub fn fee_of(&self, amount: Money) -> Money {
        let share = i128::from(amount.minor) * 29 / 1000;
        let fee = i64::try_from(share).unwrap_or(i64::MAX).saturating_add(30);
        Money::new(fee.min(amount.minor), amount.currency)
    }
}

/// How money got there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Card or balance.
    Instant,
    /// From a bank account, days later.
    Echeck,
}

/// A body: fields in order, editable, then bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    fields: Vec<(String, String)>,
    charset: Charset,
}

impl Body {
    /// The money is there.
    pub fn completed(sale: &Sale, means: Means) -> Self {
        Self::payment(sale, means, "Completed", None)
    }

    /// The money is on its way, or held for this reason: `echeck`, `paymentreview`, …
    pub fn pending(sale: &Sale, means: Means, reason: &str) -> Self {
        Self::payment(sale, means, "Pending", Some(("pending_reason", reason)))
    }

    /// Any other status of the payment itself: `Failed`, `Denied`, `Voided`, …
    pub fn with_status(sale: &Sale, means: Means, status: &str) -> Self {
        Self::payment(sale, means, status, None)
    }

    /// Money went back to the buyer.
    pub fn refunded(sale: &Sale, movement: &Movement) -> Self {
        Self::moved(sale, movement, "Refunded", Direction::Back)
    }

    /// Money was pulled back: reason `chargeback`, `buyer-complaint`, `unauthorized_claim`, …
    pub fn reversed(sale: &Sale, movement: &Movement) -> Self {
        Self::moved(sale, movement, "Reversed", Direction::Back)
    }

    /// Pulled back money came again.
    pub fn canceled_reversal(sale: &Sale, movement: &Movement) -> Self {
        Self::moved(sale, movement, "Canceled_Reversal", Direction::Again)
    }

    /// The buyer or the bank objects: type `chargeback`, `complaint`, `dispute`, `bankreturn`.
    pub fn new_case(sale: &Sale, case_id: &str, case_type: &str, at: Timestamp) -> Self {
        let mut body = Self::blank(sale);
        body.push("txn_type", "new_case");
        body.push("case_type", case_type);
        body.push("case_id", case_id);
        body.push("case_creation_date", &date(at));
        body.push("reason_code", "non_receipt");
        body.push("txn_id", &sale.txn_id);
        body.references(sale);
        body.push("payer_id", &account_id(&sale.buyer.email));
        body.push("payer_email", &sale.buyer.email);
        body.receivers(sale);
        body.closing(sale, &format!("{} {case_id}", sale.txn_id));
        body
    }

    fn payment(sale: &Sale, means: Means, status: &str, reason: Option<(&str, &str)>) -> Self {
        let total = sale.total();
        let fee = (status == "Completed").then(|| sale.fee_of(total));
        let mut body = Self::blank(sale);
        body.push("mc_gross", &total.decimal());
        body.push("invoice", &sale.invoice);
        body.push("protection_eligibility", "Ineligible");
        body.push("payer_id", &account_id(&sale.buyer.email));
        body.push("tax", &sale.tax.decimal());
        body.push("payment_date", &date(sale.paid_at));
        body.push("payment_status", status);
        body.push("charset", sale.charset.label());
        body.push("first_name", &sale.buyer.first_name);
        if let Some(fee) = fee {
            body.push("mc_fee", &fee.decimal());
        }
        body.push("notify_version", "3.9");
        body.push("custom", &sale.custom);
        body.push("payer_status", "verified");
        body.push("business", &sale.business);
        body.items(sale);
        body.push("payer_email", &sale.buyer.email);
        body.push("txn_id", &sale.txn_id);
        body.push("payment_type", if means == Means::Instant { "instant" } else { "echeck" });
        body.push("last_name", &sale.buyer.last_name);
        body.push("receiver_email", &sale.business);
        body.push("receiver_id", &account_id(&sale.business));
        if let Some((name, value)) = reason {
            body.push(name, value);
        }
        body.push("txn_type", if sale.items.len() > 1 { "cart" } else { "web_accept" });
        body.push("mc_currency", total.currency.code());
        body.push("residence_country", &sale.buyer.country);
        body.dollars(Some(total), fee);
        body.closing(sale, &format!("{} {status}", sale.txn_id));
        body
    }

    /// `txn_type` is missing here, as it is at PayPal.
    fn moved(sale: &Sale, movement: &Movement, status: &str, direction: Direction) -> Self {
        let signed = |money: Money| match direction {
            Direction::Back => Money::new(-money.minor, money.currency),
            Direction::Again => money,
        };
        let (gross, fee) = (signed(movement.amount), signed(sale.fee_of(movement.amount)));
        let mut body = Self::blank(sale);
        body.push("mc_gross", &gross.decimal());
        body.push("invoice", &sale.invoice);
        body.push("protection_eligibility", "Ineligible");
        body.push("payer_id", &account_id(&sale.buyer.email));
        body.push("payment_date", &date(movement.at));
        body.push("payment_status", status);
        body.push("charset", sale.charset.label());
        body.push("first_name", &sale.buyer.first_name);
        body.push("mc_fee", &fee.decimal());
        body.push("notify_version", "3.9");
        body.push("reason_code", &movement.reason);
        body.push("custom", &sale.custom);
        body.push("business", &sale.business);
        body.items(sale);
        body.push("payer_email", &sale.buyer.email);
        body.push("parent_txn_id", &sale.txn_id);
        body.push("txn_id", &movement.txn_id);
        body.push("payment_type", "instant");
        body.push("last_name", &sale.buyer.last_name);
        body.push("receiver_email", &sale.business);
        body.push("receiver_id", &account_id(&sale.business));
        body.push("mc_currency", gross.currency.code());
        body.push("residence_country", &sale.buyer.country);
        body.dollars(Some(gross), Some(fee));
        body.closing(sale, &movement.txn_id);
        body
    }

    fn blank(sale: &Sale) -> Self {
        Self { fields: Vec::new(), charset: sale.charset }
    }

    fn references(&mut self, sale: &Sale) {
        self.push("invoice", &sale.invoice);
        self.push("custom", &sale.custom);
        self.push("charset", sale.charset.label());
        self.push("notify_version", "3.9");
    }

    fn receivers(&mut self, sale: &Sale) {
        self.push("business", &sale.business);
        self.push("receiver_email", &sale.business);
        self.push("receiver_id", &account_id(&sale.business));
    }

    fn items(&mut self, sale: &Sale) {
        if let [item] = sale.items.as_slice() {
            self.push("item_name", &item.name);
            self.push("item_number", &item.sku);
            self.push("quantity", &item.quantity.to_string());
            self.options(item, "");
            return;
        }
        self.push("num_cart_items", &sale.items.len().to_string());
        for (number, item) in (1u32..).zip(&sale.items) {
            self.push(&format!("item_name{number}"), &item.name);
            self.push(&format!("item_number{number}"), &item.sku);
            self.push(&format!("quantity{number}"), &item.quantity.to_string());
            self.push(&format!("mc_shipping{number}"), &Money::zero(sale.tax.currency).decimal());
            self.push(&format!("mc_handling{number}"), &Money::zero(sale.tax.currency).decimal());
            self.push(&format!("mc_gross_{number}"), &item.gross().decimal());
            self.options(item, &format!("_{number}"));
        }
    }

    fn options(&mut self, item: &Item, suffix: &str) {
        for (number, (name, choice)) in (1u32..).zip(&item.options) {
            self.push(&format!("option_name{number}{suffix}"), name);
            self.push(&format!("option_selection{number}{suffix}"), choice);
        }
    }

    /// Fields from the time before other currencies: empty unless it is US dollars.
    fn dollars(&mut self, gross: Option<Money>, fee: Option<Money>) {
        let shown = |money: Option<Money>| {
            money.filter(|money| money.currency == Currency::USD).map(Money::decimal).unwrap_or_default()
        };
        self.push("payment_fee", &shown(fee));
        self.push("payment_gross", &shown(gross));
    }

    fn closing(&mut self, sale: &Sale, seed: &str) {
        if sale.side == Side::Sandbox {
            self.push("test_ipn", "1");
        }
        self.push("transaction_subject", "");
        self.push("verify_sign", &draw(&format!("sign {seed}"), SIGN_LETTERS, 56));
        self.push("ipn_track_id", &draw(&format!("track {seed}"), b"0123456789abcdef", 13));
    }

    fn push(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// The body with this field changed, in its place, or added at the end.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.push(name, value),
        }
        self
    }

    /// The body without this field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// The body with this field once more at the end, for those who test what must be refused.
    #[must_use]
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The bytes as they are posted.
    pub fn encode(&self) -> Vec<u8> {
        form::encode(&self.fields, self.charset.encoding())
    }
}

/// One movement of money that is not the payment itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its own id.
    pub txn_id: String,
    /// Positive; the status tells the direction.
    pub amount: Money,
    /// `refund`, `chargeback`, …
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

#[derive(Clone, Copy)]
enum Direction {
    Back,
    Again,
}

const SIGN_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
const ID_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789";

/// A transaction id as PayPal makes them, 17 capital letters and digits; the same for the same seed.
pub fn txn_id(seed: &str) -> String {
    draw(&format!("txn {seed}"), ID_LETTERS, 17)
}

/// The id of the account with this address, 13 capital letters and digits.
pub fn account_id(address: &str) -> String {
    draw(&format!("account {address}"), ID_LETTERS, 13)
}

/// A reproducible text of these letters.
pub(crate) fn draw(seed: &str, letters: &[u8], length: usize) -> String {
    let blocks = (0u32..).flat_map(|block| Sha256::digest(format!("{block} {seed}")).to_vec());
    let letter = |byte: u8| letters.get(usize::from(byte) % letters.len().max(1)).copied().unwrap_or(b'0');
    blocks.take(length).map(|byte| char::from(letter(byte))).collect()
}

/// As PayPal writes dates: `20:12:59 Jan 13, 2026 PST`.
fn date(at: Timestamp) -> String {
    let pacific = at.to_jiff().in_tz("America/Los_Angeles");
    pacific.map_or_else(|_| at.to_string(), |at| at.strftime("%H:%M:%S %b %d, %Y %Z").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale() -> Sale {
        Sale::of("seller@example.com", "ord_1", vec![Item::one("FONT", Money::new(1234, Currency::USD))])
    }

    #[test]
    fn a_purchase_has_paypals_shape() {
        let body = Body::completed(&sale(), Means::Instant);
        let text = String::from_utf8(body.encode()).unwrap();
        assert!(
            text.starts_with("mc_gross=12.34&invoice=ord_1&protection_eligibility=Ineligible&payer_id="),
            "{text}"
        );
        assert!(
            text.contains(
                "&payment_date=13%3A20%3A00+Nov+06%2C+2026+PST&payment_status=Completed&charset=windows-1252"
            ),
            "{text}"
        );
        assert!(text.contains("&first_name=J%F6rg&mc_fee=0.65&"), "{text}");
        assert!(text.contains("&test_ipn=1&"), "{text}");
        assert_eq!(body.get("txn_id").map(str::len), Some(17));
    }

    #[test]
    fn summer_is_daylight_time() {
        assert_eq!(date(Timestamp::from_seconds(1_783_000_000)), "06:46:40 Jul 02, 2026 PDT");
    }

    #[test]
    fn the_same_sale_gives_the_same_bytes_and_another_sale_other_ids() {
        assert_eq!(
            Body::completed(&sale(), Means::Instant).encode(),
            Body::completed(&sale(), Means::Instant).encode()
        );
        assert_ne!(txn_id("a"), txn_id("b"));
    }

    #[test]
    fn an_echeck_keeps_its_txn_id_and_has_no_fee_until_it_clears() {
        let pending = Body::pending(&sale(), Means::Echeck, "echeck");
        let cleared = Body::completed(&sale(), Means::Echeck);
        assert_eq!(pending.get("txn_id"), cleared.get("txn_id"));
        assert_eq!((pending.get("mc_fee"), cleared.get("mc_fee")), (None, Some("0.65")));
        assert_eq!(pending.get("pending_reason"), Some("echeck"));
    }

    #[test]
    fn a_refund_is_negative_and_names_its_payment() {
        let movement = Movement {
            txn_id: txn_id("refund"),
            amount: Money::new(500, Currency::USD),
            reason: "refund".to_owned(),
            at: Timestamp::from_seconds(1_794_100_000),
        };
        let body = Body::refunded(&sale(), &movement);
        assert_eq!((body.get("mc_gross"), body.get("mc_fee")), (Some("-5.00"), Some("-0.44")));
        assert_eq!(body.get("parent_txn_id"), Some(sale().txn_id.as_str()));
        assert_eq!(body.get("txn_type"), None);
    }

    #[test]
    fn a_cart_numbers_its_items() {
        let yen = Currency::parse("JPY").unwrap();
        let mut book = Item::one("BOOK", Money::new(900, yen));
        book.quantity = 2;
        book.options.push(("Format".to_owned(), "EPUB".to_owned()));
        let body = Body::completed(
            &Sale::of("s@example.com", "o", vec![Item::one("A", Money::new(100, yen)), book]),
            Means::Instant,
        );
        assert_eq!((body.get("mc_gross"), body.get("payment_gross")), (Some("1900"), Some("")));
        assert_eq!((body.get("mc_gross_2"), body.get("quantity2")), (Some("1800"), Some("2")));
        assert_eq!(body.get("option_selection1_2"), Some("EPUB"));
        assert_eq!(body.get("txn_type"), Some("cart"));
    }

    #[test]
    fn a_body_can_be_bent_for_tests_of_refusal() {
        let body = Body::completed(&sale(), Means::Instant)
            .set("mc_gross", "0.01")
            .without("test_ipn")
            .also("mc_gross", "99");
        let text = String::from_utf8(body.encode()).unwrap();
        assert!(text.starts_with("mc_gross=0.01&"));
        assert!(text.ends_with("&mc_gross=99"));
        assert!(!text.contains("test_ipn"));
    }
}
