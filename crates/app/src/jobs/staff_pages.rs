//! Work that was given up: try it once more, or forget it.

use axum::extract::State;
use axum::response::Response;
use kernel::JobId;
use ui::admin::{Act, ConfirmPage, Direction, JobRow, JobsPage, Listing, Sort};

use super::desk_flow;
use super::desk_store::{self, Listed};
use crate::app::App;
use crate::events::names;
use crate::paging::PAGE;
use crate::problem::Problem;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::Asked;
use crate::web::staff_visit::{Ids, StaffVisit};

const JOBS: &str = "/admin/jobs";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(JOBS, Right::Read, list)
        .post("/admin/jobs/{job}/retry", Right::Settings, retry)
        .get("/admin/jobs/{job}/drop", Right::Settings, confirm_drop)
        .post("/admin/jobs/{job}/drop", Right::Settings, forget)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

/// `GET /admin/jobs`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let after = asked.get("after").parse::<JobId>().ok();
            let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
            let mut jobs = desk_store::dead(snapshot, merchant, after, PAGE + 1)?;
            let more = jobs.len() > most;
            jobs.truncate(most);
            let last = jobs.last().filter(|_| more).map(|job| job.id.to_string());
            let list = Listing::of(JOBS)
                .sorted(Sort::by("created", Direction::Ascending), &[])
                .pages(None, last.as_deref())
                .done();
            Ok(JobsPage { list, jobs: jobs.into_iter().map(row).collect() })
        })
        .await;
    staff.answer(&app, page)
}

fn row(job: Listed) -> JobRow {
    let subject = job.work.dedupe_key();
    JobRow {
        id: job.id,
        kind: job.work.kind().to_string(),
        subject_path: names::path_of(&subject),
        subject,
        attempts: job.attempts,
        last_error: job.last_error,
        created_at: job.created_at,
    }
}

/// `POST /admin/jobs/{job}/retry`
async fn retry(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<JobId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::retry(cx, id)).await;
    staff.after(&app, done, JOBS, "job_retried")
}

/// `GET /admin/jobs/{job}/drop`
async fn confirm_drop(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<JobId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let job = desk_store::dead_by_id(snapshot, merchant, id)?;
            let job = job.ok_or_else(|| Problem::not_found("work that was given up"))?;
            let subject = format!("{} {}", job.work.kind(), job.work.dedupe_key());
            Ok(ConfirmPage::new(Act::DropJob, subject, format!("{JOBS}/{id}/drop"), JOBS))
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/jobs/{job}/drop`
async fn forget(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<JobId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::forget(cx, id)).await;
    staff.after(&app, done, JOBS, "job_dropped")
}
