//! Asking a person.

use db::DbError;
use kernel::{NoticeId, OrderId, ReviewId};

use super::{Review, ReviewKind, store};
use crate::cx::Cx;

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
        resolved_by: None,
        resolution: None,
    };
    store::insert(cx.tx, &review)
}
