//! The form that opens a payment: a button for one item, a cart for more.

use kernel::Money;

use super::{TITLE, settings};
use crate::{Button, Checkout, Connection, Opening, Unsupported};

/// PayPal cuts longer names off or refuses them.
const NAME_CHARS_MAX: usize = 127;
/// PayPal takes no decimals in these, although ISO 4217 has them.
const WHOLE_AT_PAYPAL: [&str; 2] = ["HUF", "TWD"];

pub(super) fn form(wanted: &Checkout, on: &Connection) -> Result<Opening, Unsupported> {
    let mut fields = match wanted.lines.as_slice() {
        // PayPal's documents do not say whether the tax of a button is per piece.
        [line] if line.quantity == 1 || wanted.tax.minor == 0 => vec![
            field("cmd", "_xclick"),
            field("item_name", &name(&line.name)),
            field("item_number", &line.sku),
            field("amount", &amount(line.unit)?),
            field("quantity", &line.quantity.to_string()),
            field("tax", &amount(wanted.tax)?),
        ],
        _ => cart(wanted)?,
    };
    fields.extend([
        field("business", settings::business(on)),
        field("currency_code", wanted.currency.code()),
        // Refunds and cases do not always carry both.
        field("invoice", &wanted.merchant_ref),
        field("custom", &wanted.merchant_ref),
        field("notify_url", &wanted.notify_url),
        field("return", &wanted.return_url),
        field("cancel_return", &wanted.cancel_url),
        // Back by GET: a form posted from another site would come without the session's cookie.
        field("rm", "1"),
        field("charset", "utf-8"),
        field("no_note", "1"),
        field("no_shipping", "1"),
    ]);
    fields.extend(wanted.locale.as_deref().and_then(country).map(|country| field("lc", &country)));
    Ok(Opening::Form { action: settings::webscr_url(on), fields })
}

/// What a button on another site posts. Nothing in it names an order: whoever presses it twice
/// buys twice.
pub(super) fn button(wanted: &Button, on: &Connection) -> Result<Opening, Unsupported> {
    let fields = vec![
        field("cmd", "_xclick"),
        field("business", settings::business(on)),
        field("item_name", &name(&wanted.name)),
        field("item_number", &wanted.sku),
        field("amount", &amount(wanted.price)?),
        field("currency_code", wanted.price.currency.code()),
        field("notify_url", &wanted.notify_url),
        field("charset", "utf-8"),
        field("no_note", "1"),
        field("no_shipping", "1"),
    ];
    Ok(Opening::Form { action: settings::webscr_url(on), fields })
}

fn cart(wanted: &Checkout) -> Result<Vec<(String, String)>, Unsupported> {
    let mut fields = vec![field("cmd", "_cart"), field("upload", "1")];
    for (number, line) in (1u32..).zip(&wanted.lines) {
        fields.extend([
            field(&format!("item_name_{number}"), &name(&line.name)),
            field(&format!("item_number_{number}"), &line.sku),
            field(&format!("amount_{number}"), &amount(line.unit)?),
            field(&format!("quantity_{number}"), &line.quantity.to_string()),
        ]);
    }
    // Said even when it is nothing, so that no tax of the account's profile is added.
    fields.push(field("tax_cart", &amount(wanted.tax)?));
    Ok(fields)
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn name(text: &str) -> String {
    text.chars().take(NAME_CHARS_MAX).collect()
}

fn amount(money: Money) -> Result<String, Unsupported> {
    let decimal = money.decimal();
    if !WHOLE_AT_PAYPAL.contains(&money.currency.code()) {
        return Ok(decimal);
    }
    let whole = decimal.strip_suffix(".00").map(str::to_owned);
    whole.ok_or(Unsupported {
        gateway: TITLE,
        what: "take fractions of this currency: price it in whole units",
    })
}

/// PayPal's `lc` names a country; a mere language leaves the choice to PayPal.
fn country(locale: &str) -> Option<String> {
    let region = locale.split(['-', '_']).skip(1).find(|part| part.len() == 2)?;
    region.bytes().all(|byte| byte.is_ascii_alphabetic()).then(|| region.to_ascii_uppercase())
}
