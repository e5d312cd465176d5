//! `/v1/notices`: what gateways told, and what a person decides about it.

use db::{Snapshot, Source};
use kernel::{ConnectionId, MerchantId, NoticeId, OrderId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::desk_flow::{self, Again};
use super::{NoticeState, Stored, store};
use crate::api_keys::Scope;
use crate::cx::Cx;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::{Nothing, Page};

const READ: Access = Access::Scope(Scope::NoticesRead);
const WRITE: Access = Access::Scope(Scope::NoticesWrite);

/// Longest reason of a refusal.
const REASON_LENGTH_MAX: usize = 500;

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(at("listNotices", "/v1/notices", READ, "What gateways told, newest first."), list),
        Endpoint::get(at("getNotice", "/v1/notices/{id}", READ, "A notice and what became of it."), get),
        Endpoint::act(
            at(
                "replayNotice",
                "/v1/notices/{id}/replay",
                WRITE,
                "Has a notice judged again, with every check. Changes nothing if it was applied.",
            ),
            replay,
        ),
        Endpoint::act(
            at(
                "acceptNotice",
                "/v1/notices/{id}/accept",
                WRITE,
                "Takes a quarantined notice as it is. Whether it is authentic is still checked.",
            ),
            accept,
        ),
        Endpoint::act_with(
            at("refuseNotice", "/v1/notices/{id}/refuse", WRITE, "Refuses a quarantined notice for good."),
            refuse,
        ),
    ]
}

/// What a gateway told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
pub struct NoticeView {
    id: NoticeId,
    connection: ConnectionId,
    state: NoticeState,
    /// Why it is in that state.
    reason: String,
    /// What it says, in short.
    #[schema(value_type = Object)]
    summary: serde_json::Value,
    /// Which order it is about, once that is known.
    order: Option<OrderId>,
    /// The network address that it came from.
    address: String,
    /// How often the same bytes came.
    copies: u32,
    /// Whether it can be judged again: the raw bytes are dropped by age.
    raw_kept: bool,
    received_at: Timestamp,
    /// When its gateway confirmed it.
    verified_at: Option<Timestamp>,
    decided_at: Option<Timestamp>,
}

impl From<Stored> for NoticeView {
    fn from(notice: Stored) -> Self {
        Self {
            id: notice.id,
            connection: notice.connection,
            state: notice.state,
            reason: notice.reason,
            summary: notice.summary,
            order: notice.order,
            address: notice.address,
            copies: notice.copies,
            raw_kept: notice.raw_sealed.is_some(),
            received_at: notice.received_at,
            verified_at: notice.verified_at,
            decided_at: notice.decided_at,
        }
    }
}

/// Which notices.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// In this state.
    state: Option<NoticeState>,
    /// About this order.
    order: Option<OrderId>,
}

/// `GET /v1/notices`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Wanted>,
    paging: Paging<NoticeId>,
) -> Flow<Page<NoticeView>> {
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
    Ok(Page::of(rows, paging.limit, |row: &Stored| row.id.to_string(), NoticeView::from))
}

fn shown(source: &mut impl Source, merchant: MerchantId, id: NoticeId) -> Flow<NoticeView> {
    let notice = store::by_id(source, merchant, id)?;
    Ok(notice.ok_or_else(|| Problem::not_found("notice"))?.into())
}

/// `GET /v1/notices/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<NoticeId, Nothing>) -> Flow<NoticeView> {
    shown(snapshot, asked.merchant, asked.at)
}

/// `POST /v1/notices/{id}/replay`
fn replay(cx: &mut Cx<'_, '_>, asked: &Asked<NoticeId, Nothing>) -> Flow<NoticeView> {
    desk_flow::again(cx, asked.at, Again::Replay)?;
    shown(cx.tx, cx.merchant, asked.at)
}

/// `POST /v1/notices/{id}/accept`
fn accept(cx: &mut Cx<'_, '_>, asked: &Asked<NoticeId, Nothing>) -> Flow<NoticeView> {
    desk_flow::again(cx, asked.at, Again::Accept)?;
    shown(cx.tx, cx.merchant, asked.at)
}

/// Why it is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// For the log; without it the reason of the quarantine stays.
    reason: Option<String>,
}

/// `POST /v1/notices/{id}/refuse`
fn refuse(cx: &mut Cx<'_, '_>, asked: &Asked<NoticeId, Refusal>) -> Flow<NoticeView> {
    let reason = asked.input.reason.as_deref().unwrap_or_default().trim();
    if reason.chars().count() > REASON_LENGTH_MAX || reason.chars().any(char::is_control) {
        let text = format!("a reason has at most {REASON_LENGTH_MAX} printable characters");
        return Err(Problem::invalid("reason", text).into());
    }
    desk_flow::refuse(cx, asked.at, reason)?;
    shown(cx.tx, cx.merchant, asked.at)
}
