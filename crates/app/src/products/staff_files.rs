//! The files of a product in the back office: adding, replacing, removing.
//!
//! A file comes in as it is sent, straight to the blob store: its size does not matter. What a
//! form brings is entered when all of it is there; an upload that breaks off leaves no trace.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::{ProductFileId, ProductId};
use ui::admin::{Act, ConfirmPage, Errors, FileReplacePage, FileRow};

use super::flow::{StoredFile, valid_file_name};
use super::form::sentence;
use super::staff_view::{file_rows, find};
use super::{desk_flow, upload};
use crate::announcements;
use crate::app::App;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::files::PostedFiles;
use crate::web::form::Posted;
use crate::web::listing::word;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Most files of one form.
const FILES_MAX: usize = 500;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.upload("/admin/products/{product}/files", Right::Products, add)
        .get("/admin/products/{product}/files/{file}/replace", Right::Products, replace_form)
        .upload("/admin/products/{product}/files/{file}/replace", Right::Products, replace)
        .get("/admin/products/{product}/files/{file}/remove", Right::Products, confirm_remove)
        .post("/admin/products/{product}/files/{file}/remove", Right::Products, remove)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}")
}

/// `POST /admin/products/{product}/files`
async fn add(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    mut form: PostedFiles,
) -> Response {
    let merchant = staff.visit.merchant.id;
    let added = async {
        // Looked up before a long upload begins, and again when it is done.
        app.read(move |snapshot| find(snapshot, merchant, id)).await?;
        let files = receive(&app, &mut form, FILES_MAX).await?;
        staff.write(&app, move |cx| desk_flow::add_files(cx, id, &files)).await
    };
    staff.after(&app, added.await, &path(id), "files_added")
}

/// Takes in the files of a form.
async fn receive(app: &App, form: &mut PostedFiles, most: usize) -> Result<Vec<StoredFile>, Problem> {
    upload::make_sure_of_room(app.blobs().clone(), form.announced()).await?;
    let mut files = Vec::new();
    while let Some(file) = form.next().await? {
        if files.len() == most {
            return Err(
                Problem::new(Code::TooLarge, format!("a form brings at most {most} files here")).at("file")
            );
        }
        let name = valid_file_name(&file.name)?;
        files.push(upload::receive(app.blobs().clone(), &name, file).await?);
    }
    if files.is_empty() {
        return Err(Problem::invalid("file", "choose a file first"));
    }
    Ok(files)
}

async fn known(
    app: &App,
    staff: &StaffVisit,
    id: ProductId,
    file: ProductFileId,
) -> Flow<(super::Product, FileRow)> {
    let merchant = staff.visit.merchant.id;
    app.read(move |snapshot| {
        let product = find(snapshot, merchant, id)?;
        let row = file_rows(snapshot, &product)?.into_iter().find(|row| row.id == file);
        Ok((product, row.ok_or_else(|| Problem::not_found("file"))?))
    })
    .await
}

/// `GET /admin/products/{product}/files/{file}/replace`
async fn replace_form(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, file)): Ids<(ProductId, ProductFileId)>,
) -> Response {
    replace_page(&app, &staff, (id, file), StatusCode::OK, Errors::new()).await
}

async fn replace_page(
    app: &App,
    staff: &StaffVisit,
    (id, file): (ProductId, ProductFileId),
    status: StatusCode,
    errors: Errors,
) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let read = async {
        let known = known(app, staff, id, file).await?;
        let count =
            app.read(move |snapshot| Ok(announcements::store::count(snapshot, merchant, (id, file), now)?));
        Ok::<_, Failure>((known, count.await?))
    };
    match read.await {
        Ok(((product, file), entitled)) => {
            let page = FileReplacePage {
                entitled,
                product: id,
                product_name: product.name,
                file,
                file_policy: word(product.file_policy.as_str()),
                upload_bytes_max: None,
                errors,
            };
            staff.show_as(app, status, &page)
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

/// `POST /admin/products/{product}/files/{file}/replace`
async fn replace(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, file)): Ids<(ProductId, ProductFileId)>,
    mut form: PostedFiles,
) -> Response {
    let replaced = async {
        known(&app, &staff, id, file).await?;
        let files = receive(&app, &mut form, 1).await?;
        let tell = form.field("tell") == "on";
        staff
            .write(&app, move |cx| {
                for stored in &files {
                    desk_flow::replace_file(cx, id, file, stored)?;
                }
                if tell {
                    announcements::flow::announce(cx, id, file)?;
                }
                Ok(())
            })
            .await
    };
    match replaced.await {
        Err(Failure::Problem(problem)) if problem.pointer.is_some() && !staff.by_script() => {
            let errors = Errors::from([("file".to_owned(), sentence(&problem.detail))]);
            replace_page(&app, &staff, (id, file), StatusCode::UNPROCESSABLE_ENTITY, errors).await
        }
        replaced => staff.after(&app, replaced, &path(id), "file_replaced"),
    }
}

/// `GET /admin/products/{product}/files/{file}/remove`
async fn confirm_remove(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, file)): Ids<(ProductId, ProductFileId)>,
) -> Response {
    let page = known(&app, &staff, id, file).await.map(|(_, row)| {
        let action = format!("{}/files/{file}/remove", path(id));
        ConfirmPage::new(Act::RemoveFile, row.name, action, path(id))
    });
    staff.answer(&app, page)
}

/// `POST /admin/products/{product}/files/{file}/remove`
async fn remove(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, file)): Ids<(ProductId, ProductFileId)>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::remove_file(cx, id, file)).await;
    staff.after(&app, done, &path(id), "file_removed")
}
