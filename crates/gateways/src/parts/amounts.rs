//! Amounts from the text that was sent, never through floating point.

use kernel::{Currency, Money};
use serde_json::value::RawValue;

/// A JSON number or string as money: `300.00`, `"12.34"`, `187`. Decimals past the currency's own
/// may only be zeros; an exponent is refused.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn decimal(raw: &RawValue, currency: Currency) -> Result<Money, String> {
    let text = raw.get();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    Money::parse(bare, currency).map_err(|error| format!("the amount {text}: {error}"))
}

/// The same, for an amount that may be missing or `null`.
///
/// # Errors
/// As [`decimal`].
pub(crate) fn decimal_if(raw: Option<&RawValue>, currency: Currency) -> Result<Option<Money>, String> {
    raw.filter(|raw| raw.get() != "null").map(|raw| decimal(raw, currency)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<i64, String> {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        decimal(&raw, Currency::USD).map(|money| money.minor)
    }

    #[test]
    fn an_amount_is_what_was_written() {
        assert_eq!(read("203.9").unwrap(), 20_390);
        assert_eq!(read("300.00").unwrap(), 30_000);
        assert_eq!(read("\"0.10\"").unwrap(), 10);
        assert_eq!(read("90071992547409.93").unwrap(), 9_007_199_254_740_993);
        for wrong in ["1e3", "0.001", "\"\"", "\"1,000.00\"", "true"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
