//! What a person decides about work that was given up.

use kernel::JobId;

use super::desk_store::{self, Listed};
use super::flow;
use crate::cx::Cx;
use crate::events;
use crate::problem::{Flow, Problem};

/// Has work that was given up tried once more, from the first attempt on.
pub fn retry(cx: &mut Cx<'_, '_>, id: JobId) -> Flow<()> {
    let job = take(cx, id)?;
    flow::enqueue(cx, &job.work)?;
    record(cx, &job, "job.retried")
}

/// Forgets work that was given up: what it was to do will not happen.
pub fn forget(cx: &mut Cx<'_, '_>, id: JobId) -> Flow<()> {
    let job = take(cx, id)?;
    record(cx, &job, "job.dropped")
}

fn take(cx: &mut Cx<'_, '_>, id: JobId) -> Flow<Listed> {
    let job = desk_store::dead_by_id(cx.tx, cx.merchant, id)?;
    let job = job.ok_or_else(|| Problem::not_found("work that was given up"))?;
    desk_store::drop_dead(cx.tx, cx.merchant, id)?;
    Ok(job)
}

fn record(cx: &mut Cx<'_, '_>, job: &Listed, kind: &str) -> Flow<()> {
    let detail = serde_json::json!({
        "job": job.id, "work": job.work.kind(), "attempts": job.attempts, "error": job.last_error,
    });
    events::flow::record(cx, None, job.work.dedupe_key(), kind, detail)?;
    Ok(())
}
