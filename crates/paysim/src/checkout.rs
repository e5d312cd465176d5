//! What a button or a cart asks a buyer to pay: Website Payments Standard, read as PayPal reads it.

use std::collections::BTreeMap;

use kernel::{Currency, Money, MoneyError};

use crate::ipn::{Charset, Item, Sale, Side};

/// How the buyer's browser comes back to the shop (`rm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnBy {
    /// A link, without any variables.
    Link,
    /// A form with the variables of the notification (`rm=2`).
    Form,
}

/// A form that has been understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Who is paid.
    pub business: String,
    /// What for; never empty.
    pub items: Vec<Item>,
    /// On top.
    pub tax: Money,
    /// The merchant's reference; may be empty.
    pub invoice: String,
    /// Passed through; may be empty.
    pub custom: String,
    /// Where notifications go; without it, to the account's profile address.
    pub notify_url: Option<String>,
    /// Where the buyer goes after paying.
    pub return_url: Option<String>,
    /// Where the buyer goes instead of paying.
    pub cancel_url: Option<String>,
    /// How.
    pub return_by: ReturnBy,
    /// How notifications are written.
    pub charset: Charset,
}

/// Why a form opens no payment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckoutError {
    /// A command that this PayPal does not have.
    #[error("the command \"{0}\" is not simulated; _xclick and _cart with upload=1 are")]
    Command(String),
    /// A field that is needed.
    #[error("the field {0} is missing")]
    Missing(String),
    /// A field that makes no sense.
    #[error("the field {field} is \"{value}\"; {wanted}")]
    Field {
        /// Its name.
        field: String,
        /// What it was.
        value: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// An amount that is none.
    #[error("the field {0}: {1}")]
    Amount(String, MoneyError),
    /// More than this PayPal lets anybody pay.
    #[error("the total is too high")]
    TooHigh,
    /// More than fit in a cart.
    #[error("a cart holds at most {ITEMS_MAX} items")]
    TooMany,
}

/// As many as anybody tests with.
const ITEMS_MAX: usize = 500;
const QUANTITY_MAX: u32 = 10_000;
const TOTAL_MINOR_MAX: i64 = 100_000_000_000;
/// PayPal's buttons have at most seven options.
const OPTIONS_MAX: u32 = 7;

impl Checkout {
    /// Reads the fields of a button or of a cart upload.
    ///
    /// # Errors
    /// Says which field is wrong, for the merchant who wrote the button.
    pub fn read(fields: &[(String, String)]) -> Result<Self, CheckoutError> {
        let form = Form(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect());
        let currency = form.currency()?;
        let (items, tax) = match (form.get("cmd"), form.get("upload")) {
            (Some("_xclick"), _) => (vec![form.item("", currency)?], form.amount_or_zero("tax", currency)?),
            (Some("_cart"), Some("1")) => (form.cart(currency)?, form.amount_or_zero("tax_cart", currency)?),
            (command, _) => return Err(CheckoutError::Command(short(command.unwrap_or_default()))),
        };
        let checkout = Self {
            business: form.needed("business")?.to_owned(),
            items,
            tax,
            invoice: form.get("invoice").unwrap_or_default().to_owned(),
            custom: form.get("custom").unwrap_or_default().to_owned(),
            notify_url: form.url("notify_url")?,
            return_url: form.url("return")?,
            cancel_url: form.url("cancel_return")?,
            return_by: if form.get("rm") == Some("2") { ReturnBy::Form } else { ReturnBy::Link },
            charset: match form.get("charset") {
                Some(label) if label.eq_ignore_ascii_case("utf-8") => Charset::Utf8,
                _ => Charset::Windows1252,
            },
        };
        if checkout.total().minor > TOTAL_MINOR_MAX {
            return Err(CheckoutError::TooHigh);
        }
        Ok(checkout)
    }

    /// What the buyer pays.
    pub fn total(&self) -> Money {
        let minor =
            self.items.iter().fold(self.tax.minor, |sum, item| sum.saturating_add(item.gross().minor));
        Money::new(minor, self.tax.currency)
    }

    /// The sale that paying this makes.
    pub(crate) fn sale(
        &self,
        txn_id: String,
        buyer: crate::ipn::Buyer,
        paid_at: kernel::Timestamp,
        side: Side,
    ) -> Sale {
        Sale {
            txn_id,
            business: self.business.clone(),
            invoice: self.invoice.clone(),
            custom: self.custom.clone(),
            items: self.items.clone(),
            tax: self.tax,
            buyer,
            paid_at,
            side,
            charset: self.charset,
        }
    }
}

struct Form<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Form<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied().map(str::trim).filter(|value| !value.is_empty())
    }

    fn needed(&self, name: &str) -> Result<&'a str, CheckoutError> {
        self.get(name).ok_or_else(|| CheckoutError::Missing(name.to_owned()))
    }

    fn currency(&self) -> Result<Currency, CheckoutError> {
        let code = self.get("currency_code").unwrap_or("USD");
        Currency::parse(code).map_err(|wrong| CheckoutError::Amount("currency_code".to_owned(), wrong))
    }

    fn amount_or_zero(&self, name: &str, currency: Currency) -> Result<Money, CheckoutError> {
        let text = self.get(name).unwrap_or("0");
        let money =
            Money::parse(text, currency).map_err(|wrong| CheckoutError::Amount(name.to_owned(), wrong))?;
        if money.minor < 0 { Err(wrong_field(name, text, "it cannot be negative")) } else { Ok(money) }
    }

    fn url(&self, name: &str) -> Result<Option<String>, CheckoutError> {
        let Some(url) = self.get(name) else { return Ok(None) };
        if url.starts_with("http://") || url.starts_with("https://") {
            return Ok(Some(url.to_owned()));
        }
        Err(wrong_field(name, url, "it has to begin with http:// or https://"))
    }

    fn cart(&self, currency: Currency) -> Result<Vec<Item>, CheckoutError> {
        let numbers = (1..).map(|number: u32| format!("_{number}"));
        let present = numbers.take_while(|suffix| self.get(&format!("amount{suffix}")).is_some());
        let items: Vec<Item> = present
            .take(ITEMS_MAX + 1)
            .map(|suffix| self.item(&suffix, currency))
            .collect::<Result<_, _>>()?;
        match items.len() {
            0 => Err(CheckoutError::Missing("amount_1".to_owned())),
            count if count > ITEMS_MAX => Err(CheckoutError::TooMany),
            _ => Ok(items),
        }
    }

    fn item(&self, suffix: &str, currency: Currency) -> Result<Item, CheckoutError> {
        let amount = format!("amount{suffix}");
        self.needed(&amount)?;
        let unit = self.amount_or_zero(&amount, currency)?;
        if unit.minor == 0 {
            return Err(wrong_field(&amount, &unit.decimal(), "it has to be more than nothing"));
        }
        let quantity = self.get(&format!("quantity{suffix}")).unwrap_or("1");
        let in_range = quantity.parse().ok().filter(|count| (1..=QUANTITY_MAX).contains(count));
        let wanted = "it has to be a whole number between 1 and 10000";
        let options = (0..OPTIONS_MAX).filter_map(|number| {
            let name = self.get(&format!("on{number}{suffix}"))?;
            Some((name.to_owned(), self.get(&format!("os{number}{suffix}")).unwrap_or_default().to_owned()))
        });
        Ok(Item {
            sku: self.get(&format!("item_number{suffix}")).unwrap_or_default().to_owned(),
            name: self.get(&format!("item_name{suffix}")).unwrap_or_default().to_owned(),
            quantity: in_range.ok_or_else(|| wrong_field(&format!("quantity{suffix}"), quantity, wanted))?,
            unit,
            options: options.collect(),
        })
    }
}

fn wrong_field(field: &str, value: &str, wanted: &'static str) -> CheckoutError {
    CheckoutError::Field { field: field.to_owned(), value: short(value), wanted }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[(&str, &str)]) -> Result<Checkout, CheckoutError> {
        let base = [
            ("business", "seller@example.com"),
            ("currency_code", "EUR"),
            ("return", "https://shop.example/t"),
        ];
        let fields: Vec<_> =
            base.iter().chain(list).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Checkout::read(&fields)
    }

    #[test]
    fn a_button_is_one_item() {
        let read = read(&[
            ("cmd", "_xclick"),
            ("amount", "19.90"),
            ("quantity", "2"),
            ("tax", "1.00"),
            ("item_number", "BOOK"),
            ("on0", "Format"),
            ("os0", "EPUB"),
            ("rm", "2"),
            ("charset", "UTF-8"),
        ]);
        let checkout = read.unwrap();
        assert_eq!(checkout.total(), Money::new(4080, Currency::EUR));
        assert_eq!(checkout.items[0].options, [("Format".to_owned(), "EPUB".to_owned())]);
        assert_eq!((checkout.return_by, checkout.charset), (ReturnBy::Form, Charset::Utf8));
    }

    #[test]
    fn a_cart_is_read_to_its_first_gap() {
        let cart = read(&[
            ("cmd", "_cart"),
            ("upload", "1"),
            ("amount_1", "5.00"),
            ("amount_2", "2.50"),
            ("quantity_2", "3"),
            ("amount_4", "9.00"),
            ("tax_cart", "0.95"),
        ]);
        assert_eq!(cart.unwrap().total(), Money::new(1345, Currency::EUR));
    }

    #[test]
    fn what_cannot_be_paid_opens_nothing() {
        let button =
            |field: (&'static str, &'static str)| read(&[("cmd", "_xclick"), ("amount", "5.00"), field]);
        assert!(button(("amount", "0")).is_err());
        assert!(button(("amount", "-5")).is_err());
        assert!(button(("amount", "1e3")).is_err());
        assert!(button(("quantity", "0")).is_err());
        assert!(button(("quantity", "99999999")).is_err());
        assert!(button(("return", "javascript:alert(1)")).is_err());
        assert!(button(("business", " ")).is_err());
        assert!(button(("amount", "9999999999.00")).is_err());
        assert!(matches!(button(("cmd", "_s-xclick")), Err(CheckoutError::Command(_))));
        assert!(matches!(button(("cmd", "_cart")), Err(CheckoutError::Command(_))));
    }
}
