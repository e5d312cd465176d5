//! Asking a person.

use db::DbError;
use kernel::{NoticeId, OrderId, ReviewId};

use super::{Review, ReviewKind, store};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Flow, Problem};

/// Opens a question about an order.
pub fn ask(
    cx: &mut Cx<'_, '_>,
    kind: ReviewKind,
    order: OrderId,
    notice: NoticeId,
    detail: String,
) -> Result<(), DbError> {
    let review = Review {
        id: ReviewId::mint(cx.draws),
        merchant: cx.merchant,
        kind,
        order: Some(order),
        notice: Some(notice),
        detail,
        opened_at: cx.now,
        resolved_at: None,
        resolution: None,
    };
    store::insert(cx.tx, &review)
}

/// Longest text of a decision.
pub const RESOLUTION_LENGTH_MAX: usize = 1_000;

/// Closes a question with what was decided.
pub fn resolve(cx: &mut Cx<'_, '_>, id: ReviewId, resolution: &str) -> Flow<Review> {
    let resolution = resolution.trim();
    let odd = |c: char| c.is_control() && c != '\n';
    if resolution.chars().count() > RESOLUTION_LENGTH_MAX || resolution.chars().any(odd) {
        let text = format!("a resolution has at most {RESOLUTION_LENGTH_MAX} printable characters");
        return Err(Problem::invalid("resolution", text).into());
    }
    let review = store::by_id(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("review"))?;
    if review.resolved_at.is_some() {
        return Err(Problem::conflict("this review has been resolved already").into());
    }
    let by = cx.actor.to_string();
    store::resolve(cx.tx, cx.merchant, id, (&by, resolution), cx.now)?;
    let detail = serde_json::json!({ "kind": review.kind, "resolution": resolution });
    events::flow::record(cx, review.order, id, "review.resolved", detail)?;
    Ok(Review { resolved_at: Some(cx.now), resolution: Some(resolution.to_owned()), ..review })
}
