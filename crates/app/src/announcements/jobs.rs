//! Telling of a version, one step a job.

use super::flow::{self, LINES_AT_ONCE};
use crate::app::App;
use crate::cx::Actor;
use crate::jobs::Claimed;
use crate::jobs::runner::JobError;

/// Does one step and has the next one done.
pub async fn tell(app: &App, job: &Claimed) -> Result<(), JobError> {
    let (held, merchant) = (job.clone(), job.work.merchant());
    Ok(app.write(merchant, Actor::System, move |cx| flow::step(cx, &held, LINES_AT_ONCE)).await?)
}
