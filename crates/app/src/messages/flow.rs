//! Intending messages.

use db::{DbError, Inserted};
use kernel::{CustomerId, EmailAddress, MessageId};

use super::{Message, MessageKind, MessageState, store};
use crate::customers;
use crate::cx::Cx;
use crate::events;
use crate::jobs::{self, Work};
use crate::orders::Order;
use crate::problem::{Flow, Problem};
use crate::sessions::NewLink;

/// To whom, and where.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The account.
    pub customer: CustomerId,
    /// Its address, as stored: never one that a request brought along.
    pub email: EmailAddress,
}

/// Intends a message about an order, once per reason.
pub fn about_order(
    cx: &mut Cx<'_, '_>,
    kind: MessageKind,
    order: &Order,
    to: &Recipient,
    reason: &str,
    context: serde_json::Value,
) -> Result<(), DbError> {
    let message = Message {
        id: MessageId::mint(cx.draws),
        merchant: cx.merchant,
        kind,
        dedupe_key: format!("{kind}:{}:{reason}", order.id),
        order: Some(order.id),
        customer: Some(to.customer),
        to: to.email.clone(),
        subject: String::new(),
        context,
        state: MessageState::Waiting,
        attempts: 0,
        last_error: String::new(),
        created_at: cx.now,
        sent_at: None,
    };
    intend(cx, &message)
}

/// Writes a message and the job that sends it, unless there is one for the same reason.
pub fn intend(cx: &mut Cx<'_, '_>, message: &Message) -> Result<(), DbError> {
    if store::insert(cx.tx, message)? == Inserted::New {
        jobs::flow::enqueue(cx, &Work::SendMessage { merchant: cx.merchant, message: message.id })?;
    }
    Ok(())
}

/// Intends a message that lets somebody in by a one-time link, whose page is at `path`.
///
/// The link lies sealed in the message: a copy of the database signs nobody in.
pub fn let_in(
    cx: &mut Cx<'_, '_>,
    kind: MessageKind,
    to: &EmailAddress,
    link: &NewLink,
    path: &str,
    mut context: serde_json::Value,
) -> Result<(), DbError> {
    let sealed = link.sealed(cx.ring, cx.draws.nonce());
    if let Some(context) = context.as_object_mut() {
        context.insert("path".to_owned(), path.into());
        context.insert("link".to_owned(), sealed.into());
    }
    let message = Message {
        id: MessageId::mint(cx.draws),
        merchant: cx.merchant,
        kind,
        dedupe_key: format!("{kind}:{}", link.link.id),
        order: None,
        customer: link.link.holder.customer(),
        to: to.clone(),
        subject: String::new(),
        context,
        state: MessageState::Waiting,
        attempts: 0,
        last_error: String::new(),
        created_at: cx.now,
        sent_at: None,
    };
    intend(cx, &message)
}

/// Sends a message again, as a new one: to the account's present address, with what holds now.
/// Whatever signs somebody in is not sent again; a new one must be asked for.
pub fn resend(cx: &mut Cx<'_, '_>, id: MessageId) -> Flow<Message> {
    let old = store::by_id(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("message"))?;
    if old.state == MessageState::Waiting {
        return Err(Problem::conflict("this message is still on its way").into());
    }
    if matches!(old.kind, MessageKind::SignIn | MessageKind::StaffInvitation) {
        let text = "a message that signs somebody in is not sent again; a new one must be asked for";
        return Err(Problem::conflict(text).into());
    }
    if old.kind == MessageKind::Alarm {
        let text = "an alarm is not sent again; what stands now is on the first page of the back office";
        return Err(Problem::conflict(text).into());
    }
    let account = match old.customer {
        Some(customer) => customers::store::by_id(cx.tx, cx.merchant, customer)?,
        None => None,
    };
    let detail = serde_json::json!({ "kind": old.kind });
    let event = events::flow::record(cx, old.order, id, "message.resent", detail)?;
    let again = Message {
        id: MessageId::mint(cx.draws),
        dedupe_key: format!("{}:again:{event}", old.kind),
        to: match account {
            // What tells an address that it is the account's no longer goes there and nowhere else.
            Some(account) if old.kind != MessageKind::AddressChanged => account.email,
            _ => old.to,
        },
        subject: String::new(),
        state: MessageState::Waiting,
        attempts: 0,
        last_error: String::new(),
        created_at: cx.now,
        sent_at: None,
        ..old
    };
    intend(cx, &again)?;
    Ok(again)
}
