//! `/v1/messages`: what was mailed. What a message says is not kept, so it is not shown.

use db::Snapshot;
use kernel::{CustomerId, EmailAddress, MessageId, OrderId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Message, MessageKind, MessageState, flow, store};
use crate::api_keys::Scope;
use crate::cx::Cx;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::{Nothing, Page};

const READ: Access = Access::Scope(Scope::MessagesRead);
const WRITE: Access = Access::Scope(Scope::MessagesWrite);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(at("listMessages", "/v1/messages", READ, "Messages to buyers, newest first."), list),
        Endpoint::get(at("getMessage", "/v1/messages/{id}", READ, "A message and what became of it."), get),
        Endpoint::act(
            at("resendMessage", "/v1/messages/{id}/resend", WRITE, "Sends a message again, as a new one."),
            resend,
        ),
    ]
}

/// A message to one person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView {
    /// Also the left half of its Message-ID.
    id: MessageId,
    kind: MessageKind,
    state: MessageState,
    order: Option<OrderId>,
    customer: Option<CustomerId>,
    to: EmailAddress,
    /// Empty until it was composed.
    subject: String,
    /// How often sending was tried.
    attempts: u32,
    /// Why it did not leave, the last time; empty otherwise.
    last_error: String,
    created_at: Timestamp,
    /// When the mail server took it.
    sent_at: Option<Timestamp>,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            kind: message.kind,
            state: message.state,
            order: message.order,
            customer: message.customer,
            to: message.to,
            subject: message.subject,
            attempts: message.attempts,
            last_error: message.last_error,
            created_at: message.created_at,
            sent_at: message.sent_at,
        }
    }
}

/// Which messages.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// In this state.
    state: Option<MessageState>,
    /// About this order.
    order: Option<OrderId>,
}

/// `GET /v1/messages`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Wanted>,
    paging: Paging<MessageId>,
) -> Flow<Page<MessageView>> {
    let Wanted { state, order } = asked.input;
    let rows = match order {
        Some(order) => {
            let mut rows = store::of_order(snapshot, asked.merchant, order)?;
            rows.retain(|row| {
                state.is_none_or(|state| row.state == state)
                    && paging.after.is_none_or(|after| row.id < after)
            });
            rows.reverse();
            rows
        }
        None => store::page(snapshot, asked.merchant, state, paging.after, paging.rows())?,
    };
    Ok(Page::of(rows, paging.limit, |row: &Message| row.id.to_string(), MessageView::from))
}

/// `GET /v1/messages/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<MessageId, Nothing>) -> Flow<MessageView> {
    let message = store::by_id(snapshot, asked.merchant, asked.at)?;
    Ok(message.ok_or_else(|| Problem::not_found("message"))?.into())
}

/// `POST /v1/messages/{id}/resend`
fn resend(cx: &mut Cx<'_, '_>, asked: &Asked<MessageId, Nothing>) -> Flow<MessageView> {
    flow::resend(cx, asked.at).map(MessageView::from)
}
