//! The merchant's own texts in mails, with their placeholders filled.

use ui::Frame;
use ui::texts::{Filled, LinkLine, Placeholder, Text, Values};

use super::compose::Delivery;
use crate::orders::Line;
use crate::orders::view::{self, Seen};

/// What the placeholders stand for in a mail about this line of an order.
pub fn values(frame: &Frame, deliveries: &[Delivery], seen: &Seen, line: &Line) -> Values {
    let order = &seen.order;
    let email = order.buyer_email.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = if order.buyer_name.trim().is_empty() { &email } else { &order.buyer_name };
    let ours = || deliveries.iter().filter(|delivery| delivery.grant.line == line.id);
    let links = ours().map(|delivery| LinkLine { label: delivery.name.clone(), url: delivery.url.clone() });
    let soonest = ours().map(|delivery| delivery.grant.expires_at).min();
    let expires = soonest.zip(frame.merchant.zone().ok());
    let expires = expires.map(|(at, zone)| frame.locale.date_time(at, &zone)).unwrap_or_default();
    let portal = format!("{}{}/portal", frame.merchant.origin, frame.merchant.base_path);
    Values::new()
        .with(Placeholder::Product, &line.name)
        .with(Placeholder::Sku, &line.sku)
        .with(Placeholder::Name, name)
        .with(Placeholder::Email, &email)
        .with(Placeholder::Order, &view::number(order))
        .with(Placeholder::Total, &frame.locale.money(order.due()))
        .with_links(links.collect())
        .with(Placeholder::Expires, &expires)
        .with(Placeholder::Support, frame.merchant.support_email.as_deref().unwrap_or_default())
        .with(Placeholder::Shop, &frame.merchant.name)
        .with(Placeholder::Portal, &portal)
}

/// The texts that are not empty, one below the other; `None` without any.
///
/// Texts are checked when they are saved. One that cannot be read all the same (another version
/// of the program wrote it) is shown as it stands: a receipt must not wait for it.
pub fn joined(texts: &[&str], values: &Values) -> Option<Filled> {
    let present: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    if present.is_empty() {
        return None;
    }
    let whole = present.join("\n\n");
    Some(match Text::parse(&whole, &Placeholder::ALL) {
        Ok(text) => text.fill(values),
        Err(error) => {
            tracing::warn!(%error, "a merchant's text cannot be read; it is sent as it stands");
            Filled::plain(&whole)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_joined_and_filled() {
        let values = Values::new().with(Placeholder::Name, "Ada");
        let filled = joined(&["Dear {name},", "  ", "write to us."], &values).unwrap();
        assert_eq!(filled.text(), "Dear Ada,\n\nwrite to us.");
        assert_eq!(joined(&["", " \n"], &values), None);
    }

    #[test]
    fn a_text_that_cannot_be_read_is_sent_as_it_stands() {
        assert_eq!(joined(&["a { b"], &Values::new()).unwrap().text(), "a { b");
    }
}
