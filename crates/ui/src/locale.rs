//! The languages that pages and mails are written in, and how each writes numbers and dates.

use kernel::{Currency, Money, Timestamp};

/// A language that has a catalog in `/locales`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Locale {
    /// American English: the language every text exists in.
    #[default]
    En,
    /// German.
    De,
}

impl Locale {
    /// All of them, the fallback first.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The language tag for `lang` attributes and for storage.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language's name for itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }

    /// Reads a tag such as `de` or `de-AT`; `None` when there is no catalog for it.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|locale| primary.eq_ignore_ascii_case(locale.tag()))
    }

    /// The best of an `Accept-Language` header, or `None` when it names none of ours.
    pub fn from_accept_language(header: &str) -> Option<Self> {
        let wanted = header.split(',').filter_map(|part| {
            let mut fields = part.split(';');
            let locale = Self::parse(fields.next().unwrap_or_default())?;
            let quality = fields.find_map(|field| field.trim().strip_prefix("q=")?.parse::<f32>().ok());
            Some((locale, quality.unwrap_or(1.0)))
        });
        // Among equals the first wins, as the browser listed it first.
        wanted
            .filter(|(_, quality)| *quality > 0.0)
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .map(|(locale, _)| locale)
    }

    const fn decimal_separator(self) -> char {
        match self {
            Self::En => '.',
            Self::De => ',',
        }
    }

    const fn group_separator(self) -> char {
        match self {
            Self::En => ',',
            Self::De => '.',
        }
    }

    const fn months(self) -> [&'static str; 12] {
        match self {
            Self::En => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
            Self::De => [
                "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.",
                "Dez.",
            ],
        }
    }

    /// A decimal text (`-1234.5`) with this language's separators.
    pub fn number(self, decimal: &str) -> String {
        let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |rest| ("\u{2212}", rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut text = String::from(sign);
        for (place, digit) in whole.chars().enumerate() {
            let left = whole.len().saturating_sub(place);
            if place > 0 && left.is_multiple_of(3) {
                text.push(self.group_separator());
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(self.decimal_separator());
            text.push_str(fraction);
        }
        text
    }

    /// An amount as this language's readers write it: `$1,234.50`, `1.234,50 €`.
    pub fn money(self, amount: Money) -> String {
        let number = self.number(&amount.decimal());
        let symbol = symbol(&amount.currency);
        match self {
            Self::De => format!("{number}\u{a0}{symbol}"),
            // A code of letters needs a space, a sign does not: CHF 12.00, but €12.00.
            Self::En => {
                let gap = if symbol.ends_with(|c: char| c.is_ascii_alphabetic()) { "\u{a0}" } else { "" };
                let (sign, digits) =
                    number.strip_prefix('\u{2212}').map_or(("", number.as_str()), |d| ("\u{2212}", d));
                format!("{sign}{symbol}{gap}{digits}")
            }
        }
    }

    /// A size in bytes with three significant digits, in decimal units as stores and disks show them.
    pub fn bytes(self, count: u64) -> String {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        if count < 1_000 {
            return format!("{count}\u{a0}B");
        }
        let mut unit = "kB";
        // Tenths of the unit, in whole numbers so that no float rounds a size.
        let mut tenths = count.saturating_add(50) / 100;
        for next in UNITS.into_iter().skip(1) {
            if tenths < 10_000 {
                break;
            }
            tenths = tenths.saturating_add(500) / 1_000;
            unit = next;
        }
        let text = if tenths >= 1_000 || tenths.is_multiple_of(10) {
            (tenths.saturating_add(if tenths >= 1_000 { 5 } else { 0 }) / 10).to_string()
        } else {
            format!("{}{}{}", tenths / 10, self.decimal_separator(), tenths % 10)
        };
        format!("{text}\u{a0}{unit}")
    }

    /// A calendar day in the merchant's time zone.
    pub fn date(self, at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
        let day = at.to_jiff().to_zoned(zone.clone());
        let index = usize::try_from(day.month().saturating_sub(1)).unwrap_or_default();
        let month = self.months().get(index).copied().unwrap_or_default();
        match self {
            Self::En => format!("{month} {}, {}", day.day(), day.year()),
            Self::De => format!("{}. {month} {}", day.day(), day.year()),
        }
    }

    /// A calendar day without its year, for dense lists.
    pub fn day_and_month(self, at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
        let day = at.to_jiff().to_zoned(zone.clone());
        let index = usize::try_from(day.month().saturating_sub(1)).unwrap_or_default();
        let month = self.months().get(index).copied().unwrap_or_default();
        match self {
            Self::En => format!("{month} {}", day.day()),
            Self::De => format!("{}. {month}", day.day()),
        }
    }

    /// Day, time of day and the zone it is told in.
    pub fn date_time(self, at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
        let time = at.to_jiff().to_zoned(zone.clone());
        format!(
            "{}, {:02}:{:02}\u{a0}{}",
            self.date(at, zone),
            time.hour(),
            time.minute(),
            time.strftime("%Z")
        )
    }
}

/// The sign that readers know; the code where a sign would be ambiguous.
fn symbol(currency: &Currency) -> String {
    let sign = match currency.code() {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        "KRW" => "₩",
        "ILS" => "₪",
        "BRL" => "R$",
        "CAD" => "CA$",
        "AUD" => "A$",
        "NZD" => "NZ$",
        code => code,
    };
    sign.to_owned()
}

impl serde::Serialize for Locale {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, currency: &str) -> Money {
        Money::parse(text, Currency::parse(currency).unwrap()).unwrap()
    }

    #[test]
    fn each_language_writes_money_its_own_way() {
        assert_eq!(Locale::En.money(money("1234.5", "USD")), "$1,234.50");
        assert_eq!(Locale::De.money(money("1234.5", "EUR")), "1.234,50\u{a0}€");
        assert_eq!(Locale::En.money(money("-4", "EUR")), "\u{2212}€4.00");
        assert_eq!(Locale::En.money(money("12", "CHF")), "CHF\u{a0}12.00");
        assert_eq!(Locale::En.money(money("1234567", "JPY")), "¥1,234,567");
    }

    #[test]
    fn sizes_are_short_and_never_reach_a_thousand_of_a_unit() {
        assert_eq!(Locale::En.bytes(0), "0\u{a0}B");
        assert_eq!(Locale::En.bytes(999), "999\u{a0}B");
        assert_eq!(Locale::En.bytes(1_000), "1\u{a0}kB");
        assert_eq!(Locale::En.bytes(1_549), "1.5\u{a0}kB");
        assert_eq!(Locale::De.bytes(1_549), "1,5\u{a0}kB");
        assert_eq!(Locale::En.bytes(734_003_200), "734\u{a0}MB");
        assert_eq!(Locale::En.bytes(999_999), "1\u{a0}MB");
        assert_eq!(Locale::En.bytes(4_700_000_000), "4.7\u{a0}GB");
    }

    #[test]
    fn times_are_told_in_the_merchants_zone() {
        let at = Timestamp::parse_rfc3339("2026-03-31T22:30:00Z").unwrap();
        let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(Locale::En.date_time(at, &berlin), "Apr 1, 2026, 00:30\u{a0}CEST");
        assert_eq!(Locale::De.date(at, &berlin), "1. Apr. 2026");
    }

    #[test]
    fn the_browsers_first_wish_that_we_speak_is_taken() {
        assert_eq!(Locale::from_accept_language("fr-FR, de-AT;q=0.8, en;q=0.5"), Some(Locale::De));
        assert_eq!(Locale::from_accept_language("en-US,en;q=0.9,de;q=0.8"), Some(Locale::En));
        assert_eq!(Locale::from_accept_language("fr, de;q=0"), None);
    }
}
