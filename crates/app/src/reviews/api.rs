//! `/v1/reviews`: what waits for a person.

use db::Snapshot;
use kernel::{NoticeId, OrderId, ReviewId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Review, ReviewKind, Which, flow, store};
use crate::api_keys::Scope;
use crate::cx::Cx;
use crate::problem::Flow;
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::Page;

const READ: Access = Access::Scope(Scope::ReviewsRead);
const WRITE: Access = Access::Scope(Scope::ReviewsWrite);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(
            at("listReviews", "/v1/reviews", READ, "What waits for a person, newest first."),
            list,
        ),
        Endpoint::act_with(
            at("resolveReview", "/v1/reviews/{id}/resolve", WRITE, "Closes a review with what was decided."),
            resolve,
        ),
    ]
}

/// An open or closed question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
pub struct ReviewView {
    id: ReviewId,
    kind: ReviewKind,
    order: Option<OrderId>,
    /// What raised it.
    notice: Option<NoticeId>,
    /// In words.
    detail: String,
    opened_at: Timestamp,
    resolved_at: Option<Timestamp>,
    /// What was decided.
    resolution: Option<String>,
}

impl From<Review> for ReviewView {
    fn from(review: Review) -> Self {
        let Review { id, merchant: _, kind, order, notice, detail, opened_at, resolved_at, resolution } =
            review;
        Self { id, kind, order, notice, detail, opened_at, resolved_at, resolution }
    }
}

/// Which reviews.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// `open` unless said otherwise.
    which: Option<Which>,
}

/// `GET /v1/reviews`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Wanted>,
    paging: Paging<ReviewId>,
) -> Flow<Page<ReviewView>> {
    let which = asked.input.which.unwrap_or(Which::Open);
    let rows = store::page(snapshot, asked.merchant, which, paging.after, paging.rows())?;
    Ok(Page::of(rows, paging.limit, |row: &Review| row.id.to_string(), ReviewView::from))
}

/// What was decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// In words, for the log.
    resolution: String,
}

/// `POST /v1/reviews/{id}/resolve`
fn resolve(cx: &mut Cx<'_, '_>, asked: &Asked<ReviewId, Resolution>) -> Flow<ReviewView> {
    flow::resolve(cx, asked.at, &asked.input.resolution).map(ReviewView::from)
}
