//! What staff do about a part that is stuck: have it tried again, or deliver without it.

use axum::extract::State;
use axum::response::Response;
use kernel::{LineId, OrderId};

use super::{Part, PartKey, flow};
use crate::app::App;
use crate::problem::Problem;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.post("/admin/orders/{order}/parts/again", Right::Orders, try_again).post(
        "/admin/orders/{order}/parts/leave-out",
        Right::Orders,
        leave_out,
    )
}

/// Names a part, as the buttons post it.
#[derive(Debug, serde::Deserialize)]
struct Named {
    line: LineId,
    unit: u32,
    part: String,
    subject: String,
}

impl Named {
    fn key(self) -> Result<PartKey, Problem> {
        let part: Part = self.part.parse().map_err(|_| Problem::not_found("part of this order"))?;
        Ok(PartKey { line: self.line, unit_no: self.unit, part, subject: self.subject })
    }
}

fn path(id: OrderId) -> String {
    format!("/admin/orders/{id}")
}

/// `POST /admin/orders/{order}/parts/again`
async fn try_again(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<OrderId>,
    Posted(named): Posted<Named>,
) -> Response {
    let done = async {
        let key = named.key()?;
        staff.write(&app, move |cx| flow::try_again(cx, id, &key)).await
    };
    staff.after(&app, done.await, &path(id), "part_again")
}

/// `POST /admin/orders/{order}/parts/leave-out`
async fn leave_out(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<OrderId>,
    Posted(named): Posted<Named>,
) -> Response {
    let done = async {
        let key = named.key()?;
        staff.write(&app, move |cx| flow::leave_out(cx, id, &key)).await
    };
    staff.after(&app, done.await, &path(id), "part_left_out")
}
