//! A product's stamping in the back office: what is written where, and a copy to look at.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use kernel::ProductId;
use stamp::{Kind, Mark};
use stores::Sha256;
use ui::admin::{Errors, PlaceholderHint, StampingFile, StampingForm, StampingPage};
use ui::texts::Placeholder;

use super::form::{self, Typed, Wrong};
use super::work::{self, Done, Task};
use super::{Names, Stamping};
use crate::app::App;
use crate::deliverables;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::products::form::sentence;
use crate::products::staff_view::find;
use crate::products::{self, Product, ProductFile};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/stamping", Right::Products, show)
        .post("/admin/products/{product}/stamping", Right::Products, save)
        .post("/admin/products/{product}/stamping/sample", Right::Products, sample)
}

/// An empty page of A4, for a product without a file that could be stamped.
const EMPTY_PAGE: &[u8] = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
    2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>\nendobj\n\
    3 0 obj\n<</Type/Page/Parent 2 0 R/Resources<<>>>>\nendobj\ntrailer\n<</Root 1 0 R/Size 4>>\n";

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}")
}

async fn known(app: &App, staff: &StaffVisit, id: ProductId) -> Flow<(Product, Vec<ProductFile>)> {
    let merchant = staff.visit.merchant.id;
    app.read(move |snapshot| {
        Ok((find(snapshot, merchant, id)?, products::store::files(snapshot, merchant, id)?))
    })
    .await
}

/// `GET /admin/products/{product}/stamping`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let page = known(&app, &staff, id).await.map(|(product, files)| {
        let typed = form::typed_of(product.deliverables.stamp.as_ref());
        page(&product, &files, product.version, &typed, Errors::new())
    });
    staff.answer(&app, page)
}

/// `POST /admin/products/{product}/stamping`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let stamping = match form::read(&typed) {
        Ok(stamping) => stamping,
        Err(wrong) => return again(&app, &staff, id, &typed, wrong).await,
    };
    let (version, word) =
        (version(&typed), if stamping.is_some() { "delivery_saved" } else { "delivery_off" });
    let saved = staff
        .write(&app, move |cx| {
            let stamping = stamping.clone();
            deliverables::flow::change(cx, id, version, "stamping", |all| all.stamp = stamping)
        })
        .await;
    match saved {
        Ok(_) => staff.done(&path(id), word),
        Err(Failure::Problem(problem)) if problem.code == Code::Conflict => {
            again(&app, &staff, id, &typed, Wrong::from([("on".to_owned(), sentence(&problem.detail))])).await
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

fn version(typed: &Typed) -> i64 {
    typed.get("version").and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// The form once more, with what was typed and what is wrong with it.
async fn again(app: &App, staff: &StaffVisit, id: ProductId, typed: &Typed, wrong: Wrong) -> Response {
    match known(app, staff, id).await {
        Ok((product, files)) => {
            let page = page(&product, &files, version(typed), typed, wrong);
            staff.show_as(app, StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

fn page(
    product: &Product,
    files: &[ProductFile],
    version: i64,
    typed: &Typed,
    errors: Errors,
) -> StampingPage {
    let field = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let yes = |name: &str| typed.get(name).is_some_and(|value| value == "yes");
    let stamped = |name: &str| yes("on") && Kind::named(name).is_some_and(|kind| yes(kind.extension()));
    StampingPage {
        product: product.id,
        product_name: product.name.clone(),
        version,
        form: StampingForm {
            on: yes("on"),
            text: field("text"),
            position: field("position"),
            size: field("size"),
            opacity: field("opacity"),
            pdf: yes("pdf"),
            epub: yes("epub"),
            zip: yes("zip"),
            unfit: field("unfit"),
        },
        placeholders: Placeholder::STAMP.map(PlaceholderHint::from).into(),
        files: files
            .iter()
            .map(|file| StampingFile { name: file.name.clone(), stamped: stamped(&file.name) })
            .collect(),
        errors,
    }
}

/// `POST /admin/products/{product}/stamping/sample`: a copy made out to nobody, with what was typed.
async fn sample(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let stamping = match form::settings(&typed) {
        Ok(stamping) => stamping,
        Err(wrong) => return again(&app, &staff, id, &typed, wrong).await,
    };
    let made = async {
        let (product, files) = known(&app, &staff, id).await?;
        let (name, original) = original(&app, &stamping, &files).await?;
        let copy = copy(&app, &staff, &stamping, &product, original).await?;
        Ok::<_, Failure>((name, copy))
    };
    match made.await {
        Ok((name, copy)) => download(&name, copy),
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// The product's first file that is stamped, or an empty page.
async fn original(app: &App, stamping: &Stamping, files: &[ProductFile]) -> Flow<(String, Bytes)> {
    let largest = u64::try_from(stamp::INPUT_BYTES_MAX).unwrap_or(u64::MAX);
    let fits = |file: &&ProductFile| stamping.covers(&file.name) && file.size <= largest;
    let Some(file) = files.iter().find(fits) else {
        return Ok(("sample.pdf".to_owned(), Bytes::from_static(EMPTY_PAGE)));
    };
    let failed = |why: String| {
        tracing::error!(why, "a file could not be opened for a sample of its stamp");
        Problem::new(Code::Unavailable, format!("\u{201c}{}\u{201d} cannot be opened: {why}", file.name))
    };
    let sha256: Sha256 = file.sha256.parse().map_err(|error| failed(format!("{error}")))?;
    let (blobs, size) = (app.blobs().clone(), file.size);
    // Disks are slow: this waits for them off the async workers.
    let opened = tokio::task::spawn_blocking(move || blobs.open(&sha256, size)).await;
    let blob =
        opened.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    Ok((file.name.clone(), blob.all()))
}

async fn copy(
    app: &App,
    staff: &StaffVisit,
    stamping: &Stamping,
    product: &Product,
    original: Bytes,
) -> Flow<Vec<u8>> {
    let merchant = &staff.visit.merchant;
    let zone = jiff::tz::TimeZone::get(&merchant.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let names = Names {
        name: staff.staff.label().to_owned(),
        email: staff.staff.email.to_string(),
        order: "1234-5678".to_owned(),
        date: ui::Locale::parse(&merchant.locale).unwrap_or(ui::Locale::En).date(app.now(), &zone),
        product: product.name.clone(),
        shop: merchant.name.clone(),
    };
    // No copy has this code: a sample that is passed on is nobody's.
    let mark = Mark::new([0; 10]);
    let stamp = stamping.stamp(&names, mark).map_err(|error| Problem::invalid("text", error))?;
    let done = work::run(app, Task::Stamp { stamp, code: mark.bytes() }, original, Vec::new()).await;
    match done.map_err(|error| Problem::new(Code::Unavailable, error.to_string()))? {
        (Done::Stamped, copy) => Ok(copy),
        (Done::Nothing, _) => Err(Problem::conflict("nothing in the file could be stamped").into()),
        (Done::Unfit(why), _) => Err(Problem::conflict(format!("the file cannot be stamped: {why}")).into()),
        (Done::Found(_), _) => {
            Err(Problem::new(Code::Internal, "the helper for files answered something else").into())
        }
    }
}

fn download(name: &str, copy: Vec<u8>) -> Response {
    let kind = match Kind::named(name) {
        Some(Kind::Epub) => "application/epub+zip",
        Some(Kind::Zip) => "application/zip",
        Some(Kind::Pdf) | None => "application/pdf",
    };
    let name = format!("sample.{}", Kind::named(name).unwrap_or(Kind::Pdf).extension());
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, copy).into_response()
}
