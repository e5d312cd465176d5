//! The back office's side of uploads. The page's script sends a file in pieces, and goes on after
//! the line broke or the page was loaded anew; without script the plain form of the product does.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use kernel::{ProductFileId, ProductId, UploadId};

use super::flow::{self, Told, Wanted};
use super::{Upload, taking};
use crate::app::App;
use crate::problem::{Flow, Problem};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::files::PostedFiles;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.post("/admin/products/{product}/uploads", Right::Products, begin)
        .get("/admin/uploads/{upload}", Right::Products, look)
        .upload("/admin/uploads/{upload}/from/{offset}", Right::Products, take)
        .post("/admin/uploads/{upload}/finish", Right::Products, finish)
        .post("/admin/uploads/{upload}/give-up", Right::Products, give_up)
}

#[derive(Debug, serde::Deserialize)]
struct NewUpload {
    #[serde(default)]
    name: String,
    size: Option<u64>,
    file: Option<ProductFileId>,
}

#[derive(Debug, serde::Deserialize)]
struct End {
    tell: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

fn at(staff: &StaffVisit, id: UploadId) -> taking::At {
    taking::At { merchant: staff.visit.merchant.id, actor: staff.actor(), id }
}

/// How far an upload is, for the script.
fn answer(app: &App, staff: &StaffVisit, upload: Flow<Upload>) -> Response {
    match upload {
        Ok(upload) => {
            let json = serde_json::json!({
                "id": upload.id,
                "name": upload.name,
                "size": upload.size,
                "received": upload.received,
                "done": upload.version.is_some(),
            });
            ([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

/// `POST /admin/products/{product}/uploads`
async fn begin(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(product): Ids<ProductId>,
    Posted(NewUpload { name, size, file }): Posted<NewUpload>,
) -> Response {
    let wanted = Wanted { product, file, name, size };
    let begun = staff.write(&app, move |cx| flow::begin(cx, &wanted)).await;
    answer(&app, &staff, begun)
}

/// `GET /admin/uploads/{upload}`
async fn look(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<UploadId>) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let found = app.read(move |snapshot| flow::find(snapshot, merchant, id, now)).await;
    answer(&app, &staff, found)
}

/// `POST /admin/uploads/{upload}/from/{offset}`: a piece comes as the file of a form, so that it
/// is checked where it comes from before a byte of it is taken.
async fn take(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, offset)): Ids<(UploadId, u64)>,
    mut form: PostedFiles,
) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let taken = async {
        // Asked for before a piece is read: it may be of nobody's upload.
        app.read(move |snapshot| flow::find(snapshot, merchant, id, now)).await?;
        let piece = form.next().await?.ok_or_else(|| Problem::invalid("file", "a piece has bytes"))?;
        taking::take(&app, at(&staff, id), offset, piece).await
    };
    answer(&app, &staff, taken.await)
}

/// `POST /admin/uploads/{upload}/finish`
async fn finish(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<UploadId>,
    Posted(End { tell }): Posted<End>,
) -> Response {
    let told = if tell.as_deref() == Some("on") { Told::Entitled } else { Told::Nobody };
    match taking::finish(&app, at(&staff, id), None, told).await {
        Ok(done) => {
            let word = if done.file.is_some() { "file_replaced" } else { "files_added" };
            staff.done(&format!("/admin/products/{}", done.product), word)
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// `POST /admin/uploads/{upload}/give-up`
async fn give_up(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<UploadId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let given_up = staff.write(&app, move |cx| flow::give_up(cx, id)).await;
    answer(&app, &staff, given_up)
}
