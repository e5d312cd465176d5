//! `/v1/events`: the audit log, oldest first, for programs that follow it.

use db::Snapshot;
use kernel::{EventId, OrderId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::{self, Placed};
use crate::api_keys::Scope;
use crate::problem::Flow;
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::Page;

const READ: Access = Access::Scope(Scope::EventsRead);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::list(
        at("listEvents", "/v1/events", READ, "The audit log, oldest first. Who follows it misses nothing."),
        list,
    )]
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    id: EventId,
    /// Its place in the log, from 1, without gaps. To follow the log, send the last one seen
    /// as `after`.
    seq: i64,
    /// The order whose timeline shows it.
    order: Option<OrderId>,
    /// The id of what it is about.
    subject: String,
    /// What happened, as `noun.verb`.
    #[schema(example = "order.links_resent")]
    kind: String,
    /// Who did it.
    actor: String,
    /// More about it.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    happened_at: Timestamp,
}

impl From<Placed> for EventView {
    fn from(placed: Placed) -> Self {
        let event = placed.event;
        Self {
            id: event.id,
            seq: placed.seq,
            order: event.order,
            subject: event.subject,
            kind: event.kind,
            actor: event.actor,
            detail: event.detail,
            happened_at: event.at,
        }
    }
}

/// Which events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Of this order.
    order: Option<OrderId>,
}

/// `GET /v1/events`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Wanted>,
    paging: Paging<Seq>,
) -> Flow<Page<EventView>> {
    let after = paging.after.map_or(0, |seq| seq.0);
    let rows = store::page(snapshot, asked.merchant, asked.input.order, after, paging.rows())?;
    Ok(Page::of(rows, paging.limit, |row: &Placed| row.seq.to_string(), EventView::from))
}

/// A place in the log as a cursor: digits only.
#[derive(Debug, Clone, Copy)]
struct Seq(i64);

impl std::str::FromStr for Seq {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| plain).map(Self).ok_or(())
    }
}
