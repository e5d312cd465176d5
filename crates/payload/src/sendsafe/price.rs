//! Prices as people wrote them into tables.

use kernel::{Currency, Money, MoneyError};

/// Why a text is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// A sign of another currency.
    #[error(
        "the price is in {sign}, and the currency is {currency}; add a column for the currency, or name another"
    )]
    Sign {
        /// The sign.
        sign: char,
        /// The currency that was meant.
        currency: Currency,
    },
    /// `1,234`: a thousand in one country, hardly more than one in another.
    #[error("\"{0}\" can be read in two ways; write it with a dot before the decimals, and no other sign")]
    TwoWays(String),
    /// Less than nothing.
    #[error("a price cannot be negative")]
    Negative,
    /// Not a number, or one with too many decimals.
    #[error("{0}")]
    Amount(MoneyError),
}

/// Reads `12.50`, `$12.50`, `1,234.50`, `12,50 €`.
///
/// # Errors
/// [`PriceError`]: what could be read in two ways is not guessed.
pub fn price(text: &str, currency: Currency) -> Result<Money, PriceError> {
    let text = text.trim();
    let sign = text.chars().find(|letter| matches!(letter, '$' | '€' | '£' | '¥'));
    if let Some(sign) = sign.filter(|sign| !fits(*sign, currency)) {
        return Err(PriceError::Sign { sign, currency });
    }
    let bare: String = text.chars().filter(|letter| Some(*letter) != sign).collect();
    let money = Money::parse(&with_dot(bare.trim())?, currency).map_err(PriceError::Amount)?;
    if money.minor < 0 { Err(PriceError::Negative) } else { Ok(money) }
}

fn fits(sign: char, currency: Currency) -> bool {
    let currencies: &[&str] = match sign {
        '€' => &["EUR"],
        '£' => &["GBP"],
        '¥' => &["JPY", "CNY"],
        _ => &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "BRL"],
    };
    currencies.contains(&currency.code())
}

/// The number with a dot before its decimals and no other sign.
fn with_dot(text: &str) -> Result<String, PriceError> {
    let grouped = |whole: &str| {
        let mut groups = whole.split(',');
        let first = groups.next().unwrap_or_default();
        (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3)
    };
    match (text.split_once('.'), text.rsplit_once(',')) {
        (_, None) => Ok(text.to_owned()),
        (Some((whole, decimals)), Some(_)) if grouped(whole) && !decimals.contains(',') => {
            Ok(text.replace(',', ""))
        }
        (None, Some((whole, decimals))) if !whole.contains(',') && decimals.len() != 3 => {
            Ok(format!("{whole}.{decimals}"))
        }
        _ => Err(PriceError::TwoWays(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Result<i64, PriceError> {
        price(text, Currency::USD).map(|money| money.minor)
    }

    #[test]
    fn a_price_is_read_as_people_write_it() {
        for text in ["1234.50", "$1234.50", "1,234.50", " $ 1,234.5 ", "1234,50"] {
            assert_eq!(usd(text), Ok(1_234_50), "{text}");
        }
        assert_eq!(price("12,50 €", Currency::EUR).map(|money| money.minor), Ok(12_50));
        assert_eq!(usd("0"), Ok(0));
    }

    #[test]
    fn what_could_mean_two_prices_means_none() {
        for text in ["1,234", "1.234,50", "1,23,4.50", "1,234,567"] {
            assert!(matches!(usd(text), Err(PriceError::TwoWays(_))), "{text}");
        }
    }

    #[test]
    fn a_sign_of_another_currency_a_loss_and_no_number_are_refused() {
        assert!(matches!(usd("€5"), Err(PriceError::Sign { sign: '€', .. })));
        assert_eq!(usd("-5"), Err(PriceError::Negative));
        for text in ["", "free", "12.345", "$$5.", "1e3"] {
            assert!(matches!(usd(text), Err(PriceError::Amount(_))), "{text}");
        }
    }
}
