//! What staff do to accounts.

use kernel::{CustomerId, EmailAddress, MessageId};

use super::flow::{NAME_CHARS_MAX, one_line};
use super::{Customer, desk_store, flow};
use crate::cx::Cx;
use crate::events;
use crate::messages::{self, Message, MessageKind, MessageState};
use crate::problem::{Code, Flow, Problem};
use crate::sessions::{self, Holder};

/// What staff write about an account, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// May be empty.
    pub name: String,
    /// May be empty.
    pub company: String,
    /// What the account is known by.
    pub email: String,
}

/// Changes an account's name, company and address.
///
/// Whoever could read the old mailbox is out: browsers are signed out and mailed sign-in links
/// die. The old address is told, so that a change that nobody asked for is noticed.
pub fn change(cx: &mut Cx<'_, '_>, id: CustomerId, changes: &Changes) -> Flow<()> {
    let before = known(cx, id)?;
    let after = changed(&before, changes)?;
    if desk_store::is_taken(cx.tx, &before, &after.email)? {
        let text = "another account has this mail address; accounts cannot be merged";
        return Err(Problem::invalid("email", text).into());
    }
    let detail = differences(&before, &after);
    if detail.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(());
    }
    desk_store::save(cx.tx, &after)?;
    let event = events::flow::record(cx, None, id, "customer.changed", detail)?;
    if before.email != after.email {
        sessions::flow::revoke_all(cx, Holder::Customer(id), None)?;
        sessions::store::void_links(cx.tx, cx.merchant, Holder::Customer(id), cx.now)?;
        tell_old_address(cx, &before, &event.to_string())?;
    }
    Ok(())
}

fn known(cx: &mut Cx<'_, '_>, id: CustomerId) -> Flow<Customer> {
    let customer = desk_store::lock(cx.tx, cx.merchant, id)?;
    customer.ok_or_else(|| Problem::not_found("account").into())
}

fn changed(before: &Customer, changes: &Changes) -> Result<Customer, Problem> {
    let text = |field: &'static str, typed: &str| {
        one_line(typed, NAME_CHARS_MAX)
            .ok_or_else(|| Problem::invalid(field, format!("at most {NAME_CHARS_MAX} printable characters")))
    };
    let email = EmailAddress::parse(changes.email.trim());
    Ok(Customer {
        email: email.map_err(|_| Problem::invalid("email", "this is no mail address"))?,
        name: text("name", &changes.name)?,
        company: text("company", &changes.company)?,
        ..before.clone()
    })
}

/// What was and what is, of each field that differs.
fn differences(before: &Customer, after: &Customer) -> serde_json::Value {
    let fields = [
        ("email", before.email.as_str(), after.email.as_str()),
        ("name", &before.name, &after.name),
        ("company", &before.company, &after.company),
    ];
    let differing = fields.into_iter().filter(|(_, was, is)| was != is);
    let pairs = differing.flat_map(|(name, was, is)| {
        [(name.to_owned(), is.to_owned().into()), (format!("{name}_was"), was.to_owned().into())]
    });
    serde_json::Value::Object(pairs.collect())
}

fn tell_old_address(cx: &mut Cx<'_, '_>, before: &Customer, reason: &str) -> Flow<()> {
    let kind = MessageKind::AddressChanged;
    let message = Message {
        id: MessageId::mint(cx.draws),
        merchant: cx.merchant,
        kind,
        dedupe_key: format!("{kind}:{reason}"),
        order: None,
        customer: Some(before.id),
        to: before.email.clone(),
        subject: String::new(),
        context: serde_json::json!({}),
        state: MessageState::Waiting,
        attempts: 0,
        last_error: String::new(),
        created_at: cx.now,
        sent_at: None,
    };
    messages::flow::intend(cx, &message)?;
    Ok(())
}

/// Ends the account's sessions in every browser.
pub fn sign_out(cx: &mut Cx<'_, '_>, id: CustomerId) -> Flow<()> {
    known(cx, id)?;
    if sessions::flow::revoke_all(cx, Holder::Customer(id), None)? == 0 {
        return Err(Problem::new(Code::Conflict, "this account is signed in nowhere").into());
    }
    Ok(())
}

/// Mails a one-time sign-in link to the account's own address.
pub fn send_sign_in_link(cx: &mut Cx<'_, '_>, id: CustomerId) -> Flow<()> {
    let customer = known(cx, id)?;
    flow::ask_to_sign_in(cx, &customer.email)
}
