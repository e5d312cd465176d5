//! What customers do with their account: get in by mail, and say who they are on invoices.

use kernel::EmailAddress;

use super::{Customer, countries, store};
use crate::cx::{Actor, Cx};
use crate::events;
use crate::messages::{self, MessageKind};
use crate::problem::{Flow, Problem};
use crate::sessions::{self, Holder, LoginLink, Opened, Origin, Token};

/// The page that a mailed sign-in link leads to.
pub const CONFIRM_PATH: &str = "/portal/confirm";

/// Mails a one-time link to whoever bought with this address; to nobody else.
pub fn ask_to_sign_in(cx: &mut Cx<'_, '_>, email: &EmailAddress) -> Flow<()> {
    let Some(customer) = store::by_email(cx.tx, cx.merchant, email)? else { return Ok(()) };
    let link = sessions::flow::make_link(cx, Holder::Customer(customer.id))?;
    let (kind, to) = (MessageKind::SignIn, &customer.email);
    messages::flow::let_in(cx, kind, to, &link, CONFIRM_PATH, serde_json::json!({}))?;
    Ok(())
}

/// Spends a one-time link and signs its customer in; `None` for one that is spent, too old,
/// unknown, or the back office's.
pub fn sign_in(cx: &mut Cx<'_, '_>, token: &Token, origin: &Origin) -> Flow<Option<Opened>> {
    let link = sessions::flow::look_at_link(cx.tx, cx.merchant, token, cx.now)?;
    if link.and_then(|link| link.holder.customer()).is_none() {
        return Ok(None);
    }
    let Some(LoginLink { holder: Holder::Customer(customer), .. }) = sessions::flow::consume_link(cx, token)?
    else {
        return Ok(None);
    };
    cx.actor = Actor::Customer(customer);
    Ok(Some(sessions::flow::open(cx, Holder::Customer(customer), origin)?))
}

/// What a customer writes about themselves.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Company, street, town, one a line.
    pub address: String,
    /// ISO 3166 alpha-2, or empty.
    pub country: String,
    /// VAT id, or empty.
    pub vat_id: String,
}

/// Longest name of a person or a company.
pub(super) const NAME_CHARS_MAX: usize = 200;
const ADDRESS_CHARS_MAX: usize = 600;
const ADDRESS_LINES_MAX: usize = 8;
const VAT_ID_BYTES_MAX: usize = 20;

/// Keeps what a customer writes about themselves, for the invoices to come.
pub fn save_profile(cx: &mut Cx<'_, '_>, customer: &Customer, profile: &Profile) -> Flow<()> {
    let mut changed = customer.clone();
    changed.name = one_line(&profile.name, NAME_CHARS_MAX)
        .ok_or_else(|| Problem::invalid("name", "a name has at most 200 printable characters"))?;
    changed.address = lines(&profile.address)
        .ok_or_else(|| Problem::invalid("address", "an address has at most 8 lines and 600 characters"))?;
    let country = profile.country.trim();
    if !country.is_empty() && !countries::is_country(country) {
        return Err(Problem::invalid("country", "this is not a country of the list").into());
    }
    changed.country = (!country.is_empty()).then(|| country.to_owned());
    let vat_id: String = profile.vat_id.to_ascii_uppercase().split_whitespace().collect();
    if vat_id.len() > VAT_ID_BYTES_MAX
        || !vat_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"+*.-".contains(&b))
    {
        return Err(Problem::invalid("vat_id", "a VAT id has at most 20 letters and digits").into());
    }
    changed.vat_id = (!vat_id.is_empty()).then_some(vat_id);
    store::save_profile(cx.tx, &changed)?;
    events::flow::record(cx, None, customer.id, "customer.profile_changed", serde_json::json!({}))?;
    Ok(())
}

/// A trimmed line of printable characters, unless it is too long.
pub(super) fn one_line(text: &str, chars_max: usize) -> Option<String> {
    let text = text.trim();
    let fits = text.chars().count() <= chars_max && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

fn lines(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let joined = lines.join("\n");
    let control = joined.chars().any(|c| c.is_control() && c != '\n');
    let fits = lines.len() <= ADDRESS_LINES_MAX && joined.chars().count() <= ADDRESS_CHARS_MAX && !control;
    fits.then_some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_to_lines_and_bounded() {
        assert_eq!(lines(" Street 1 \r\n\r\nTown\t\n"), Some("Street 1\nTown".to_owned()));
        assert_eq!(lines(&"x\n".repeat(9)), None);
        assert_eq!(lines("a\u{0}b"), None);
    }
}
