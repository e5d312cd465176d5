//! What only the back office's templates call: dense times, rates, rights, words that may be unknown.

use kernel::Timestamp;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, State};

use crate::escape::Escaped;
use crate::filters::{surroundings, timestamp};

/// Adds all of them to an environment.
pub(crate) fn register(environment: &mut Environment<'static>) {
    environment.add_function("may", may);
    environment.add_function("known", known);
    environment.add_filter("stamp", stamp);
    environment.add_filter("clock", clock);
    environment.add_filter("day", day);
    environment.add_filter("rate", rate);
}

/// `may("orders")`: whether the signed-in person has this right.
fn may(state: &State, right: &str) -> Result<bool, Error> {
    let around = surroundings(state)?;
    Ok(around.frame.staff.as_ref().is_some_and(|staff| staff.rights.iter().any(|known| known == right)))
}

/// `known("admin.event." ~ event.kind, event.kind)`: a text without slots, or the fallback where the
/// catalog has none: logs are older and younger than this page.
fn known(state: &State, key: &str, fallback: &str) -> Result<String, Error> {
    let around = surroundings(state)?;
    Ok(around.catalogs.text(around.frame.locale, key, &[]).unwrap_or_else(|_| fallback.to_owned()))
}

/// `at|stamp`: day and time of day in few letters, without the year while it is this one.
fn stamp(state: &State, at: &Value) -> Result<Value, Error> {
    let at = timestamp(at)?;
    let around = surroundings(state)?;
    let (time, now) = (
        at.to_jiff().to_zoned(around.zone.clone()),
        around.frame.now.to_jiff().to_zoned(around.zone.clone()),
    );
    let locale = around.frame.locale;
    let short = if time.year() == now.year() {
        format!("{}, {}", locale.day_and_month(at, &around.zone), time.strftime("%H:%M"))
    } else {
        locale.date(at, &around.zone)
    };
    Ok(element(at, &short, &locale.date_time(at, &around.zone)))
}

/// `at|clock`: the time of day to the second, under a heading that tells the day.
fn clock(state: &State, at: &Value) -> Result<Value, Error> {
    let at = timestamp(at)?;
    let around = surroundings(state)?;
    let time = at.to_jiff().to_zoned(around.zone.clone()).strftime("%H:%M:%S").to_string();
    Ok(element(at, &time, &around.frame.locale.date_time(at, &around.zone)))
}

fn element(at: Timestamp, text: &str, whole: &str) -> Value {
    let exact = Timestamp::from_seconds(at.as_seconds());
    let (text, whole) = (Escaped(text), Escaped(whole));
    Value::from_safe_string(format!("<time datetime=\"{exact}\" title=\"{whole}\">{text}</time>"))
}

/// `at|day`: the calendar day as plain text, to compare and for pictures.
fn day(state: &State, at: &Value) -> Result<String, Error> {
    let at = timestamp(at)?;
    let around = surroundings(state)?;
    Ok(around.frame.locale.date(at, &around.zone))
}

/// `tax_rate_ppm|rate`: millionths as a percentage, `19 %`.
fn rate(state: &State, millionths: i64) -> Result<String, Error> {
    const PER_PERCENT: i64 = 10_000;
    let (whole, rest) = (millionths / PER_PERCENT, (millionths % PER_PERCENT).abs());
    let fraction = format!("{rest:04}");
    let fraction = fraction.trim_end_matches('0');
    let decimal = if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") };
    let around =
        surroundings(state).map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    Ok(format!("{}\u{a0}%", around.frame.locale.number(&decimal)))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use crate::{Locale, Renderer, samples};

    #[derive(Serialize)]
    struct Probe {}

    fn shown(template: &'static str, locale: Locale) -> String {
        let renderer = Renderer::new().unwrap();
        renderer.probe(template, &Probe {}, &samples::frame(locale)).unwrap()
    }

    #[test]
    fn a_rate_is_told_without_needless_digits() {
        assert_eq!(shown("{{ 190000|rate }}", Locale::De), "19\u{a0}%");
        assert_eq!(shown("{{ 77000|rate }}", Locale::En), "7.7\u{a0}%");
        assert_eq!(shown("{{ 81250|rate }}", Locale::De), "8,125\u{a0}%");
    }

    #[test]
    fn a_stamp_drops_the_year_only_while_it_is_this_one() {
        let this_year = shown("{{ frame.now|stamp }}", Locale::En);
        assert!(this_year.contains(">Sep 21, 16:13<"), "{this_year}");
        let long_ago = shown("{{ \"1999-12-31T23:30:00Z\"|stamp }}", Locale::En);
        assert!(long_ago.contains(">Jan 1, 2000<"), "{long_ago}");
    }

    #[test]
    fn an_unknown_kind_is_shown_as_it_is() {
        assert_eq!(shown("{{ known('admin.event.no.such', 'no.such') }}", Locale::En), "no.such");
    }

    #[test]
    fn nobody_signed_in_may_do_nothing() {
        assert_eq!(shown("{{ 'yes' if may('orders') else 'no' }}", Locale::En), "no");
    }
}
