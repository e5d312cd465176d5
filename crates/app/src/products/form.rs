//! A product as staff type it: every field is checked at once, and says what to write instead.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{Currency, Money, Span, Timestamp};

use super::change::{self, Change, DOWNLOAD_LIMIT_MAX, UPDATE_DAYS_MAX};
use super::{FilePolicy, Price, Product, flow, price_at};
use crate::orders::staff_view::days;
use crate::problem::Problem;

/// Field name to what is wrong with it.
pub type Wrong = BTreeMap<String, String>;

/// What was typed, by field: `currency_N`, `amount_N` and `from_N` are the rows of prices.
pub type Typed = BTreeMap<String, String>;

/// Most rows of prices of one form; there are fewer currencies than this.
const ROWS_MAX: usize = 200;
/// Longest life of a link, in days.
const LINK_LIFE_DAYS_MAX: i64 = 3_650;

/// A price as it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedPrice {
    /// The currency.
    pub currency: Currency,
    /// The amount; `None` ends the sale in this currency.
    pub minor: Option<i64>,
    /// From when; `None` from now on.
    pub from: Option<Timestamp>,
}

/// What a form asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The fields. What is `None` stays.
    pub change: Change,
    /// One per currency.
    pub prices: Vec<WantedPrice>,
}

/// When and where a form is read: a date begins with the merchant's day.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// IANA name of the merchant's time zone.
    pub zone: String,
}

/// Reads what was typed. `present` is the product that is changed, if it is not a new one.
///
/// # Errors
/// Every field that is wrong, with what to write instead.
pub fn read(typed: &Typed, present: Option<&Product>, moment: &Moment) -> Result<Wanted, Wrong> {
    let mut form = Form { typed, wrong: Wrong::new() };
    let change = Change {
        sku: form.checked("sku", flow::valid_sku),
        name: form.checked("name", flow::valid_name),
        description: form.checked("description", |text| change::valid_text("description", text)),
        status: form.chosen("status"),
        standard_text: form.mail_text("standard_text"),
        other_text: form.mail_text("other_text"),
        support_text: form.mail_text("support_text"),
        link_life: form.link_life(present),
        download_limit: form.download_limit(),
        file_policy: form.chosen("file_policy"),
        update_days: form.update_days(),
        pending_policy: form.chosen("pending_policy"),
        version: None,
    };
    let prices = form.prices(moment);
    if form.wrong.is_empty() { Ok(Wanted { change, prices }) } else { Err(form.wrong) }
}

/// What the fields of a product hold before anything is typed.
pub fn typed_of(product: &Product, prices: &[Price], now: Timestamp) -> Typed {
    let pairs = [
        ("sku", product.sku.clone()),
        ("name", product.name.clone()),
        ("description", product.description.clone()),
        ("status", product.status.to_string()),
        ("standard_text", product.standard_text.clone()),
        ("other_text", product.other_text.clone()),
        ("support_text", product.support_text.clone()),
        ("link_life_days", days(product.link_life).to_string()),
        ("download_limit", product.download_limit.to_string()),
        ("file_policy", product.file_policy.to_string()),
        ("update_days", product.update_days.map(|days| days.to_string()).unwrap_or_default()),
        ("pending_policy", product.pending_policy.to_string()),
    ];
    let mut typed: Typed = pairs.map(|(name, value)| (name.to_owned(), value)).into();
    for (row, price) in in_force(prices, now).into_iter().enumerate() {
        typed.insert(format!("currency_{row}"), price.currency.to_string());
        typed.insert(format!("amount_{row}"), price.decimal());
    }
    typed
}

/// The prices in force, one per currency, by currency.
pub fn in_force(prices: &[Price], now: Timestamp) -> Vec<Money> {
    let mut currencies: Vec<Currency> = prices.iter().map(|price| price.currency).collect();
    currencies.sort_unstable_by(|a, b| a.code().cmp(b.code()));
    currencies.dedup();
    currencies.into_iter().filter_map(|currency| price_at(prices, currency, now)).collect()
}

/// The numbers of the rows of prices that were posted.
pub fn price_rows(typed: &Typed) -> Vec<usize> {
    let number = |name: &String| {
        let (field, row) = name.split_once('_')?;
        let known = matches!(field, "currency" | "amount" | "from");
        row.parse::<usize>().ok().filter(|row| known && *row < ROWS_MAX)
    };
    typed.keys().filter_map(number).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A reason as a sentence beside a field.
pub fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if reason.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

struct Form<'a> {
    typed: &'a Typed,
    wrong: Wrong,
}

impl Form<'_> {
    /// Browsers end lines with CR LF.
    fn get(&self, name: &str) -> String {
        self.typed.get(name).map(|value| value.replace("\r\n", "\n")).unwrap_or_default()
    }

    fn say(&mut self, name: &str, reason: impl std::fmt::Display) {
        self.wrong.insert(name.to_owned(), sentence(&reason.to_string()));
    }

    fn checked<T>(&mut self, name: &str, check: impl Fn(&str) -> Result<T, Problem>) -> Option<T> {
        check(&self.get(name)).map_err(|problem| self.say(name, problem)).ok()
    }

    fn mail_text(&mut self, name: &str) -> Option<String> {
        self.checked(name, |text| change::valid_mail_text(name, text))
    }

    fn chosen<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        self.get(name).parse().map_err(|_| self.say(name, "choose one")).ok()
    }

    /// A life that is no whole number of days stands rounded in the form; untouched, it stays.
    fn link_life(&mut self, present: Option<&Product>) -> Option<Span> {
        let text = self.get("link_life_days");
        let same = present.is_some_and(|product| days(product.link_life).to_string() == text.trim());
        let number = text.trim().parse::<i64>().ok();
        match number.filter(|days| (1..=LINK_LIFE_DAYS_MAX).contains(days)) {
            _ if same => None,
            Some(days) => Some(Span::days(days)),
            None => {
                self.say("link_life_days", "write a whole number of days from 1 to 3650");
                None
            }
        }
    }

    fn download_limit(&mut self) -> Option<u32> {
        let number = self.get("download_limit").trim().parse::<u32>().ok();
        let number = number.filter(|number| (1..=DOWNLOAD_LIMIT_MAX).contains(number));
        if number.is_none() {
            self.say("download_limit", format!("write a whole number from 1 to {DOWNLOAD_LIMIT_MAX}"));
        }
        number
    }

    /// The days are only looked at where their policy is chosen: the field stands beside it always.
    fn update_days(&mut self) -> Option<u32> {
        if self.get("file_policy") != FilePolicy::UpdatesUntil.as_str() {
            return None;
        }
        let days = self.get("update_days").trim().parse::<u32>().ok();
        let days = days.filter(|days| (1..=UPDATE_DAYS_MAX).contains(days));
        if days.is_none() {
            self.say("update_days", format!("write a whole number of days from 1 to {UPDATE_DAYS_MAX}"));
        }
        days
    }

    fn prices(&mut self, moment: &Moment) -> Vec<WantedPrice> {
        let mut wanted: Vec<WantedPrice> = Vec::new();
        for row in price_rows(self.typed) {
            let Some(price) = self.price(row, moment) else { continue };
            if wanted.iter().any(|known| known.currency == price.currency) {
                self.say(&format!("currency_{row}"), format!("{} stands here twice", price.currency));
            }
            wanted.push(price);
        }
        wanted
    }

    fn price(&mut self, row: usize, moment: &Moment) -> Option<WantedPrice> {
        let names = [format!("currency_{row}"), format!("amount_{row}"), format!("from_{row}")];
        let [code, amount, from] = names.each_ref().map(|name| self.get(name).trim().to_owned());
        let [in_code, in_amount, in_from] = names;
        if code.is_empty() {
            if !amount.is_empty() || !from.is_empty() {
                self.say(&in_code, "write the three letters of the currency, such as EUR");
            }
            return None;
        }
        let Ok(currency) = Currency::parse(&code.to_ascii_uppercase()) else {
            self.say(&in_code, "write the three letters of a currency, such as EUR");
            return None;
        };
        let minor = match valid_amount(&amount, currency) {
            Ok(minor) => minor,
            Err(reason) => {
                self.say(&in_amount, reason);
                return None;
            }
        };
        match begins(&from, moment) {
            Ok(from) => Some(WantedPrice { currency, minor, from }),
            Err(reason) => {
                self.say(&in_from, reason);
                None
            }
        }
    }
}

/// An amount with a point or a comma before its decimals; `None` when nothing was typed.
fn valid_amount(text: &str, currency: Currency) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let point = if text.contains('.') { text.to_owned() } else { text.replacen(',', ".", 1) };
    match Money::parse(&point, currency) {
        Ok(money) if money.minor >= 0 => Ok(Some(money.minor)),
        _ => Err(format!("write an amount such as {}", Money::new(example(currency), currency).decimal())),
    }
}

fn example(currency: Currency) -> i64 {
    19i64.saturating_mul(10i64.saturating_pow(currency.decimals()))
}

/// From when a price is to hold: today is now, and what buyers were shown cannot be rewritten.
fn begins(text: &str, moment: &Moment) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let zone = TimeZone::get(&moment.zone).unwrap_or(TimeZone::UTC);
    let today = moment.now.to_jiff().to_zoned(zone.clone()).date();
    let unreadable = || format!("write a date such as {today}");
    let date: Date = text.parse().map_err(|_| unreadable())?;
    if date < today {
        return Err("a price cannot begin in the past".to_owned());
    }
    if date == today {
        return Ok(None);
    }
    let start = date.to_zoned(zone).map_err(|_| unreadable())?;
    Ok(Some(Timestamp::from_micros(start.timestamp().as_microsecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> Moment {
        Moment {
            now: Timestamp::parse_rfc3339("2026-03-10T23:30:00Z").unwrap(),
            zone: "Europe/Berlin".into(),
        }
    }

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        let usual = [
            ("sku", "A-1"),
            ("name", "Charts"),
            ("status", "draft"),
            ("link_life_days", "3"),
            ("download_limit", "5"),
            ("file_policy", "as_bought"),
            ("pending_policy", "nothing"),
        ];
        usual.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn prices(pairs: &[(&str, &str)]) -> Result<Vec<WantedPrice>, Wrong> {
        read(&typed(pairs), None, &moment()).map(|wanted| wanted.prices)
    }

    #[test]
    fn every_wrong_field_is_told_at_once_and_by_its_name() {
        let fields = [
            ("sku", ""),
            ("status", "sold"),
            ("link_life_days", "forever"),
            ("download_limit", "0"),
            ("standard_text", "Dear {buyer},"),
            ("currency_0", "XYZ"),
            ("currency_1", "EUR"),
            ("amount_1", "nineteen"),
            ("amount_2", "19.00"),
        ];
        let wrong = read(&typed(&fields), None, &moment()).unwrap_err();
        let named: Vec<&str> = wrong.keys().map(String::as_str).collect();
        let expected = [
            "amount_1",
            "currency_0",
            "currency_2",
            "download_limit",
            "link_life_days",
            "sku",
            "standard_text",
            "status",
        ];
        assert_eq!(named, expected);
        assert_eq!(wrong["amount_1"], "Write an amount such as 19.00.");
        assert!(wrong["standard_text"].starts_with("Line 1, column 6"), "{}", wrong["standard_text"]);
    }

    #[test]
    fn a_price_begins_with_the_merchants_day() {
        let row = [("currency_0", "eur"), ("amount_0", "19,90"), ("from_0", "2026-03-12")];
        let price = prices(&row).unwrap()[0];
        assert_eq!(price.minor, Some(19_90));
        assert_eq!(price.from.unwrap().to_string(), "2026-03-11T23:00:00Z");
    }

    #[test]
    fn today_is_now_and_yesterday_is_refused() {
        let from = |day| prices(&[("currency_0", "EUR"), ("amount_0", "1"), ("from_0", day)]);
        assert_eq!(from("2026-03-11").unwrap()[0].from, None);
        assert_eq!(from("2026-03-10").unwrap_err()["from_0"], "A price cannot begin in the past.");
    }

    #[test]
    fn a_currency_stands_in_one_row_only() {
        let rows = [("currency_0", "EUR"), ("amount_0", "1"), ("currency_1", "EUR"), ("amount_1", "2")];
        assert!(prices(&rows).unwrap_err().contains_key("currency_1"));
    }

    #[test]
    fn an_empty_row_is_no_price_and_an_empty_amount_ends_the_sale() {
        let rows = [("currency_0", ""), ("amount_0", ""), ("currency_1", "USD"), ("amount_1", " ")];
        let ended = WantedPrice { currency: Currency::USD, minor: None, from: None };
        assert_eq!(prices(&rows).unwrap(), [ended]);
    }

    #[test]
    fn days_of_updates_are_asked_for_with_their_policy_only() {
        let days = |policy, days| {
            let typed = typed(&[("file_policy", policy), ("update_days", days)]);
            read(&typed, None, &moment()).map(|wanted| wanted.change.update_days)
        };
        assert_eq!(days("updates_until", " 365 "), Ok(Some(365)));
        assert_eq!(days("latest", "365"), Ok(None));
        for wrong in ["", "0", "-1", "36501", "a year"] {
            let said = days("updates_until", wrong).unwrap_err();
            assert_eq!(said["update_days"], "Write a whole number of days from 1 to 36500.");
        }
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let jpy = Currency::parse("JPY").unwrap();
        assert_eq!(valid_amount("1500", jpy), Ok(Some(1500)));
        assert_eq!(valid_amount("1.5", jpy), Err("write an amount such as 19".to_owned()));
        assert!(valid_amount("-1", Currency::EUR).is_err());
        assert!(valid_amount("1.234,50", Currency::EUR).is_err());
    }
}
