//! What templates may call: texts, addresses, icons, and the reader's way to write money, sizes and times.
//!
//! In HTML, times come out as `<time>` with the exact moment for machines.

use std::sync::Arc;

use kernel::{Currency, Money, Timestamp};
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State};

use crate::engine::Surroundings;
use crate::escape::Escaped;
use crate::i18n::{Piece, missing};
use crate::{assets, escape, icons};

/// Adds all of them to an environment.
pub(crate) fn register(environment: &mut Environment<'static>) {
    environment.add_function("t", translate);
    environment.add_function("url", url);
    environment.add_function("absolute", absolute);
    environment.add_function("asset", |name: &str| assets::asset_url(name).ok_or_else(|| no_asset(name)));
    environment.add_function("accent_url", accent_url);
    environment.add_function("accent_shade", accent_shade);
    environment.add_function("icon", icon);
    environment.add_filter("money", money);
    environment.add_filter("bytes", bytes);
    environment.add_filter("number", number);
    environment.add_filter("datetime", |state: &State, at: &Value| time(state, at, Precision::Minute));
    environment.add_filter("date", |state: &State, at: &Value| time(state, at, Precision::Day));
    environment.add_filter("left", time_left);
    environment.add_filter("ago", time_ago);
    environment.add_filter("short_id", short_id);
    environment.add_filter("monogram", monogram);
    environment.add_filter("tint", tint);
    environment.add_filter("paragraphs", |text: &str| Value::from_safe_string(escape::paragraphs(text)));
    environment.add_filter("linked", |text: &str| Value::from_safe_string(escape::linked(text)));
    environment.add_filter("groups", groups);
}

pub(crate) fn surroundings(state: &State) -> Result<Arc<Surroundings>, Error> {
    let frame = state.lookup("frame").and_then(|frame| frame.downcast_object::<Surroundings>());
    frame.ok_or_else(|| wrong("`frame` is covered by another variable of that name"))
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

fn no_asset(name: &str) -> Error {
    wrong(format!("there is no asset \"{name}\""))
}

fn is_html(state: &State) -> bool {
    matches!(state.auto_escape(), AutoEscape::Html)
}

/// `t("cart.title", name=value)`: a text in the reader's language, with the merchant's own page words.
///
/// Values are escaped unless they are HTML already (a `<time>`, a macro's output); then the
/// whole is HTML and so is not escaped again.
fn translate(state: &State, key: &str, values: Kwargs) -> Result<Value, Error> {
    let around = surroundings(state)?;
    if let Some(word) = key.strip_prefix("words.").and_then(|word| around.frame.merchant.words.get(word)) {
        return Ok(Value::from(word.as_str()));
    }
    let unknown = |error: crate::CatalogError| wrong(error.to_string());
    let count = values.get::<Option<i64>>("count")?;
    let pieces = around.catalogs.pieces(around.frame.locale, key, count).map_err(unknown)?;
    let mut text = String::new();
    let mut holds_html = false;
    let mut slots = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => slots.push((plain.clone(), false)),
            Piece::Slot(name) => {
                let value: Option<Value> = values.get(name)?;
                let value = value.ok_or_else(|| unknown(missing(key, name)))?;
                holds_html |= value.is_safe();
                let written = match value.as_i64().filter(|_| value.is_number()) {
                    Some(number) => around.frame.locale.number(&number.to_string()),
                    None => value.to_string(),
                };
                slots.push((written, value.is_safe()));
            }
        }
    }
    let escape = holds_html && is_html(state);
    for (part, safe) in slots {
        if escape && !safe {
            text.push_str(&Escaped(&part).to_string());
        } else {
            text.push_str(&part);
        }
    }
    Ok(if escape { Value::from_safe_string(text) } else { Value::from(text) })
}

/// `url("/cart")`: the path at this merchant. Addresses elsewhere stay as they are.
fn url(state: &State, path: &str) -> Result<String, Error> {
    if !path.starts_with('/') {
        return Ok(path.to_owned());
    }
    Ok(format!("{}{path}", surroundings(state)?.frame.merchant.base_path))
}

/// `absolute("/cart")`: the same with scheme and host, for mails.
fn absolute(state: &State, path: &str) -> Result<String, Error> {
    if !path.starts_with('/') {
        return Ok(path.to_owned());
    }
    let around = surroundings(state)?;
    Ok(format!("{}{}{path}", around.frame.merchant.origin, around.frame.merchant.base_path))
}

/// The address of the stylesheet that holds the merchant's color.
fn accent_url(state: &State) -> Result<String, Error> {
    let around = surroundings(state)?;
    Ok(around
        .frame
        .merchant
        .accent
        .map_or_else(String::new, |accent| format!("/assets/accent.css?c={accent}")))
}

/// `accent_shade("fill")`: a shade of the merchant's color, for the styles of mails.
fn accent_shade(state: &State, name: &str) -> Result<String, Error> {
    let accent = surroundings(state)?.frame.merchant.accent.unwrap_or_default();
    accent.shade(name).ok_or_else(|| wrong(format!("there is no shade \"{name}\"")))
}

/// `icon("check")`: decoration only; the words beside it say the same.
fn icon(name: &str) -> Result<Value, Error> {
    let shape = icons::shape(name).ok_or_else(|| wrong(format!("there is no icon \"{name}\"")))?;
    Ok(Value::from_safe_string(format!(
        "<svg class=\"icon\" viewBox=\"0 0 20 20\" aria-hidden=\"true\" focusable=\"false\">{shape}</svg>"
    )))
}

/// `price|money`: an amount as the reader writes it.
fn money(state: &State, amount: &Value) -> Result<String, Error> {
    let minor = amount.get_attr("minor")?.as_i64();
    let currency = amount.get_attr("currency")?;
    let currency = currency.as_str().and_then(|code| Currency::parse(code).ok());
    let amount = minor.zip(currency).map(|(minor, currency)| Money::new(minor, currency));
    let amount = amount.ok_or_else(|| wrong("`money` wants an amount with its currency"))?;
    Ok(surroundings(state)?.frame.locale.money(amount))
}

/// `file.size|bytes`: 4.2 MB.
fn bytes(state: &State, count: u64) -> Result<String, Error> {
    Ok(surroundings(state)?.frame.locale.bytes(count))
}

/// `count|number`: 12,345.
fn number(state: &State, count: i64) -> Result<String, Error> {
    Ok(surroundings(state)?.frame.locale.number(&count.to_string()))
}

#[derive(Clone, Copy)]
enum Precision {
    Day,
    Minute,
}

pub(crate) fn timestamp(at: &Value) -> Result<Timestamp, Error> {
    let at = at.as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok());
    at.ok_or_else(|| wrong("a point in time is wanted here"))
}

/// `at|datetime`, `at|date`: in the merchant's time zone.
fn time(state: &State, at: &Value, precision: Precision) -> Result<Value, Error> {
    let at = timestamp(at)?;
    let around = surroundings(state)?;
    let text = match precision {
        Precision::Day => around.frame.locale.date(at, &around.zone),
        Precision::Minute => around.frame.locale.date_time(at, &around.zone),
    };
    Ok(as_time_element(state, at, &text))
}

fn as_time_element(state: &State, at: Timestamp, text: &str) -> Value {
    if !is_html(state) {
        return Value::from(text);
    }
    let exact = Timestamp::from_seconds(at.as_seconds());
    Value::from_safe_string(format!("<time datetime=\"{exact}\">{}</time>", Escaped(text)))
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The two largest units of a length of time, in words: "2 days 4 hours".
fn duration(around: &Surroundings, seconds: i64) -> Result<String, Error> {
    // Rounded up, so that three days are not told as "2 days 23 hours" a second after the purchase.
    let minutes = seconds.max(0).saturating_add(MINUTE - 1) / MINUTE;
    let hours = minutes.saturating_add(29) / 60;
    let parts = match minutes {
        0..60 => vec![("time.minutes", minutes)],
        60..1_440 => vec![("time.hours", minutes / 60), ("time.minutes", minutes % 60)],
        _ => vec![("time.days", hours / 24), ("time.hours", hours % 24)],
    };
    let mut words = Vec::new();
    for (key, count) in parts.iter().filter(|(_, count)| *count > 0 || parts.len() == 1) {
        let pieces = around.catalogs.pieces(around.frame.locale, key, Some(*count));
        let pieces = pieces.map_err(|error| wrong(error.to_string()))?;
        let word = pieces.iter().map(|piece| match piece {
            Piece::Plain(plain) => plain.clone(),
            Piece::Slot(_) => count.to_string(),
        });
        words.push(word.collect::<String>());
    }
    Ok(words.join(" "))
}

/// `expires_at|left`: how long until then; the exact time is in the element.
fn time_left(state: &State, at: &Value) -> Result<Value, Error> {
    let at = timestamp(at)?;
    let around = surroundings(state)?;
    let text = duration(&around, at.since(around.frame.now).as_seconds())?;
    Ok(as_time_element(state, at, &text))
}

/// `paid_at|ago`: how long since then, for lists.
fn time_ago(state: &State, at: &Value) -> Result<Value, Error> {
    let at = timestamp(at)?;
    let around = surroundings(state)?;
    let seconds = around.frame.now.since(at).as_seconds();
    // The largest unit is enough when looking back.
    let unit = [DAY, HOUR, MINUTE].into_iter().find(|unit| seconds >= *unit).unwrap_or(MINUTE);
    let text = duration(&around, seconds.max(0) / unit * unit)?;
    Ok(as_time_element(state, at, &text))
}

/// `id|short_id`: enough of an id to tell two apart by eye. Ids begin with the time, so the end is shown.
fn short_id(id: &str) -> String {
    const SHOWN: usize = 6;
    let Some((prefix, digits)) = id.split_once('_') else { return id.to_owned() };
    let tail: String = digits.chars().skip(digits.chars().count().saturating_sub(SHOWN)).collect();
    format!("{prefix}\u{2026}{tail}")
}

/// `name|monogram`: up to two first letters, for products without a picture.
fn monogram(name: &str) -> String {
    let first = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    name.split_whitespace().filter_map(first).take(2).flat_map(char::to_uppercase).collect()
}

/// `sku|tint`: one of six shades that is always the same for the same text.
fn tint(text: &str) -> u32 {
    text.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 6
}

/// `sha256|groups`: break opportunities every eight characters, so that a checksum wraps instead of overflowing.
///
/// The text itself is unchanged, so that what is selected and copied is the checksum.
fn groups(text: &str) -> Value {
    const GROUP: usize = 8;
    let mut html = String::new();
    for (place, c) in text.chars().enumerate() {
        if place > 0 && place % GROUP == 0 {
            html.push_str("<wbr>");
        }
        html.push_str(&Escaped(c.encode_utf8(&mut [0; 4])).to_string());
    }
    Value::from_safe_string(html)
}
