//! SQL of the reviews as a person goes through them.

use db::{DbError, Source, sql};
use kernel::{MerchantId, ReviewId};

use super::store::read;
use super::{Review, ReviewKind, Which};
use crate::paging::{Ask, ListQuery, Slice};

const LISTED: &str =
    "SELECT id, merchant_id, kind, order_id, notice_id, detail, opened_at, resolved_at, resolved_by,
    resolution FROM reviews";

/// One page of the questions.
pub fn list(
    source: &mut impl Source,
    merchant: MerchantId,
    which: Which,
    kind: Option<ReviewKind>,
    ask: &Ask,
) -> Result<Slice<Review>, DbError> {
    let mut query = ListQuery::new(LISTED, merchant);
    match which {
        Which::Open => query = query.narrowed_to("resolved_at IS NULL"),
        Which::Resolved => query = query.among("resolved_at > $", 0_i64),
        Which::All => {}
    }
    if let Some(kind) = kind {
        query = query.among("kind = $", kind);
    }
    query.page(source, ask, read)
}

/// Who answered a question.
pub fn resolved_by(
    source: &mut impl Source,
    merchant: MerchantId,
    id: ReviewId,
) -> Result<Option<String>, DbError> {
    let by = sql("SELECT resolved_by FROM reviews WHERE merchant_id = $1 AND id = $2")
        .bind(merchant)
        .bind(id)
        .optional(source, |row| row.get("resolved_by"))?;
    Ok(by.flatten())
}
