//! Enqueueing from within a transaction.

use db::DbError;
use kernel::{JobId, Timestamp};

use super::{Claimed, Work, store};
use crate::cx::Cx;

/// Has this done as soon as the transaction is committed, by whichever process comes first.
pub fn enqueue(cx: &mut Cx<'_, '_>, work: &Work) -> Result<(), DbError> {
    enqueue_at(cx, work, cx.now)
}

/// Has this done at a time.
pub fn enqueue_at(cx: &mut Cx<'_, '_>, work: &Work, run_at: Timestamp) -> Result<(), DbError> {
    let id = JobId::mint(cx.draws);
    store::insert_ready(cx.tx, id, work, cx.now, run_at)
}

/// Takes the job on at once: the caller runs it after the commit, and if it dies, the lease
/// gives the job to another.
pub fn enqueue_claimed(cx: &mut Cx<'_, '_>, work: &Work) -> Result<Claimed, DbError> {
    let id = JobId::mint(cx.draws);
    store::insert_claimed(cx.tx, id, work, cx.now)
}
