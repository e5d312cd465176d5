//! Asking a person.

use db::DbError;
use kernel::{LineId, NoticeId, OrderId, ReviewId};

use super::{Review, ReviewKind, store};
use crate::cx::Cx;
use crate::fulfillment::GrantStatus;
use crate::orders::{Order, OrderStatus};
use crate::problem::{Flow, Problem};
use crate::{events, fulfillment, orders, payments};

/// Opens a question about an order.
pub fn ask(
    cx: &mut Cx<'_, '_>,
    kind: ReviewKind,
    order: OrderId,
    notice: impl Into<Option<NoticeId>>,
    detail: String,
) -> Result<(), DbError> {
    let review = Review {
        id: ReviewId::mint(cx.draws),
        merchant: cx.merchant,
        kind,
        order: Some(order),
        notice: notice.into(),
        detail,
        opened_at: cx.now,
        resolved_at: None,
        resolution: None,
    };
    store::insert(cx.tx, &review)
}

/// Which lines of its order a decision concerns.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// To be taken back.
    pub revoke: Vec<LineId>,
    /// Revoked ones, to be given back.
    pub reinstate: Vec<LineId>,
}

/// Closes a question and does to the order's lines what was decided, in one transaction.
pub fn decide(cx: &mut Cx<'_, '_>, id: ReviewId, resolution: &str, lines: &Lines) -> Flow<Review> {
    if resolution.trim().is_empty() {
        let text = "write what was decided, for whoever looks at this next year";
        return Err(Problem::invalid("resolution", text).into());
    }
    let review = resolve(cx, id, resolution)?;
    if lines.revoke.is_empty() && lines.reinstate.is_empty() {
        return Ok(review);
    }
    let order = match review.order {
        Some(order) => orders::store::lock(cx.tx, cx.merchant, order)?,
        None => None,
    };
    let order = order.ok_or_else(|| Problem::conflict("this question is about no transaction"))?;
    if !lines.reinstate.is_empty() && order.status != OrderStatus::Paid {
        let text = format!("nothing can be given back: the transaction is {}", order.status);
        return Err(Problem::conflict(text).into());
    }
    let known = orders::store::lines(cx.tx, cx.merchant, order.id)?;
    let mut wanted = lines.revoke.iter().chain(&lines.reinstate);
    if !wanted.all(|line| known.iter().any(|known| known.id == *line)) {
        return Err(Problem::not_found("line").into());
    }
    change_lines(cx, id, &order, lines)?;
    Ok(review)
}

fn change_lines(cx: &mut Cx<'_, '_>, id: ReviewId, order: &Order, lines: &Lines) -> Result<(), DbError> {
    let cause = id.to_string();
    for mut grant in fulfillment::store::of_order(cx.tx, cx.merchant, order.id)? {
        if lines.revoke.contains(&grant.line) && grant.status != GrantStatus::Revoked {
            fulfillment::flow::revoke(cx, &mut grant, &cause)?;
        } else if lines.reinstate.contains(&grant.line) && grant.status == GrantStatus::Revoked {
            fulfillment::flow::give_back(cx, &mut grant, &cause)?;
        }
    }
    let revoked = lines.revoke.iter().map(|line| (line, "order.line_revoked"));
    let reinstated = lines.reinstate.iter().map(|line| (line, "order.line_reinstated"));
    for (line, kind) in revoked.chain(reinstated) {
        let detail = serde_json::json!({ "line": line, "review": id });
        events::flow::record(cx, Some(order.id), order.id, kind, detail)?;
    }
    Ok(())
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
    if review.kind == ReviewKind::Dispute {
        close_cases(cx, &review)?;
    }
    let by = cx.actor.to_string();
    store::resolve(cx.tx, cx.merchant, id, (&by, resolution), cx.now)?;
    let detail = serde_json::json!({ "kind": review.kind, "resolution": resolution });
    events::flow::record(cx, review.order, id, "review.resolved", detail)?;
    Ok(Review { resolved_at: Some(cx.now), resolution: Some(resolution.to_owned()), ..review })
}

/// Whoever answers the question about a case has dealt with it: the payment is disputed no longer.
fn close_cases(cx: &mut Cx<'_, '_>, review: &Review) -> Flow<()> {
    let Some(notice) = review.notice else { return Ok(()) };
    if let Some(order) = review.order {
        orders::store::lock(cx.tx, cx.merchant, order)?;
    }
    for (payment, fact) in payments::flow::close_cases(cx, notice)? {
        orders::money::record(cx, review.order, &payment, &fact, "")?;
    }
    Ok(())
}
