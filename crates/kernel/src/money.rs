//! Money: whole minor units with their currency, never a float.

/// What was wrong with an amount or a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a code of ISO 4217 that can be priced in.
    #[error("\"{0}\" is not a currency code of ISO 4217 in capital letters, such as EUR")]
    UnknownCurrency(String),
    /// Not a plain decimal number.
    #[error("\"{0}\" is not an amount: write digits, and a point before the decimals")]
    NotAnAmount(String),
    /// More decimals than the currency has.
    #[error("{currency} has {decimals} decimals, and \"{text}\" has more")]
    TooManyDecimals {
        /// The amount as it was written.
        text: String,
        /// The currency it was to be in.
        currency: Currency,
        /// How many decimals that currency has.
        decimals: u32,
    },
    /// Past what 64 bits hold.
    #[error("the amount is too large")]
    TooLarge,
    /// Two currencies in one sum.
    #[error("{0} and {1} cannot be added: no currency is converted")]
    Mixed(Currency, Currency),
    /// Nothing to divide by.
    #[error("an amount cannot be divided among no weights")]
    NoWeights,
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
const TWO_DECIMALS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE \
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW";

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads a code in capital letters.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] for anything that is not on the list.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(text.chars().take(12).collect());
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        let known = [TWO_DECIMALS, NO_DECIMALS, THREE_DECIMALS];
        if known.iter().any(|list| list.split_whitespace().any(|entry| entry == text)) {
            Ok(Self(code))
        } else {
            Err(unknown())
        }
    }

    /// How many decimals an amount is written with.
    pub fn decimals(self) -> u32 {
        let among = |list: &str| list.split_whitespace().any(|code| code == self.code());
        if among(NO_DECIMALS) {
            0
        } else if among(THREE_DECIMALS) {
            3
        } else {
            2
        }
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::str::FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Self::parse(text)
    }
}

impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An amount in one currency. Negative amounts are money going back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Money {
    /// Whole minor units: cents for EUR, yen for JPY.
    pub minor: i64,
    /// The currency that the units are of.
    pub currency: Currency,
}

impl Money {
    /// So many minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads a decimal text such as `12.34` or `-3`. No exponent, no separators, no sign `+`.
    ///
    /// Zeros past the currency's decimals are accepted, as `100.00` JPY is sent by some gateways.
    ///
    /// # Errors
    /// When the text is not such a number, has too many decimals, or does not fit.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let not_an_amount = || MoneyError::NotAnAmount(text.chars().take(40).collect());
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
            return Err(not_an_amount());
        }
        let decimals = currency.decimals();
        let kept = usize::try_from(decimals).unwrap_or(0).min(fraction.len());
        let (fraction, surplus) = fraction.split_at(kept);
        if surplus.bytes().any(|byte| byte != b'0') {
            return Err(MoneyError::TooManyDecimals {
                text: text.chars().take(40).collect(),
                currency,
                decimals,
            });
        }
        let mut minor: i64 = 0;
        let padding = usize::try_from(decimals).unwrap_or(0) - kept;
        for byte in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', padding)) {
            let digit = i64::from(byte - b'0');
            minor = minor.checked_mul(10).and_then(|m| m.checked_add(digit)).ok_or(MoneyError::TooLarge)?;
        }
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// The decimal text without the currency, as gateways want it: `12.34`, `100` for JPY.
    pub fn decimal(self) -> String {
        let decimals = usize::try_from(self.currency.decimals()).unwrap_or(0);
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = decimals + 1);
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// The sum.
    ///
    /// # Errors
    /// When the currencies differ or the sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor, ..self })
    }

    /// The amount, so many times.
    ///
    /// # Errors
    /// When the product does not fit.
    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(count)).ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor, ..self })
    }

    /// Splits by weight. The parts always sum to the whole: what rounding
    /// leaves over goes, one unit each, to the earliest weighted parts.
    ///
    /// # Errors
    /// When no weight is positive. Negative weights count as none.
    pub fn allocate(self, weights: &[i64]) -> Result<Vec<Self>, MoneyError> {
        let weights = || weights.iter().map(|weight| i128::from(*weight).max(0));
        let total: i128 = weights().sum();
        if total == 0 {
            return Err(MoneyError::NoWeights);
        }
        let whole = i128::from(self.minor);
        let mut parts: Vec<i128> = weights().map(|weight| (whole * weight).div_euclid(total)).collect();

        let mut left = whole - parts.iter().sum::<i128>();
        for (part, weight) in parts.iter_mut().zip(weights()) {
            if left > 0 && weight > 0 {
                *part += 1;
                left -= 1;
            }
        }
        let to_money = |part: i128| i64::try_from(part).map(|minor| Self { minor, ..self });
        parts.into_iter().map(|part| to_money(part).map_err(|_| MoneyError::TooLarge)).collect()
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn every_currency_survives_its_decimal_text() {
        for code in ["EUR", "JPY", "KWD", "HUF", "TWD", "USD"].map(currency) {
            for minor in [0, 1, 9, 10, 99, 100, 123_456, -1, -250, i64::MAX] {
                let money = Money::new(minor, code);
                assert_eq!(Money::parse(&money.decimal(), code), Ok(money));
            }
        }
    }

    #[test]
    fn decimals_follow_the_currency() {
        assert_eq!(Money::parse("100", currency("JPY")).unwrap().minor, 100);
        assert_eq!(Money::parse("100.00", currency("JPY")).unwrap().minor, 100);
        assert_eq!(Money::parse("1.005", currency("KWD")).unwrap().minor, 1005);
        assert_eq!(Money::parse("19.9", currency("EUR")).unwrap().minor, 1990);
        assert!(matches!(Money::parse("1.005", currency("EUR")), Err(MoneyError::TooManyDecimals { .. })));
    }

    #[test]
    fn what_is_not_a_plain_number_is_refused() {
        for text in
            ["", "-", ".", "1.", ".5", "+1", "1e3", "0x10", "1,000", " 1", "1 ", "NaN", "٣", "--1", "1.2.3"]
        {
            assert!(Money::parse(text, Currency::EUR).is_err(), "{text:?} was taken");
        }
        assert_eq!(Money::parse("99999999999999999999", Currency::EUR), Err(MoneyError::TooLarge));
    }

    #[test]
    fn only_listed_currencies_exist() {
        for text in ["usd", "USD ", "XXX", "", "EURO", "\u{20ac}"] {
            assert!(Currency::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn parts_always_sum_to_the_whole() {
        for minor in [0, 1, 100, 101, 9_999, -100, -1] {
            let parts = Money::new(minor, Currency::EUR).allocate(&[1, 1, 1, 0, 7]).unwrap();
            assert_eq!(parts.iter().map(|part| part.minor).sum::<i64>(), minor);
            assert_eq!(parts[3].minor, 0);
        }
    }

    #[test]
    fn weights_may_be_as_large_as_amounts() {
        let (net, tax) = (5_000_000_000, 950_000_000);
        let parts = Money::new(net + tax, currency("IDR")).allocate(&[net, tax]).unwrap();
        assert_eq!(parts.iter().map(|part| part.minor).collect::<Vec<_>>(), [net, tax]);
        assert_eq!(Money::new(5, Currency::EUR).allocate(&[0, -1]), Err(MoneyError::NoWeights));
    }

    #[test]
    fn currencies_do_not_mix() {
        assert!(Money::new(1, Currency::EUR).plus(Money::new(1, Currency::USD)).is_err());
    }
}
