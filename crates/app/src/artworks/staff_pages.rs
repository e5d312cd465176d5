//! A product's artwork in the back office: the template, its fields and what it is rendered to;
//! and on a transaction's page, what a buyer filled in.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::{LineId, OrderId, ProductId};
use net::headers::ContentSecurityPolicy;
use render::Template;
use render::limits::TEMPLATE_BYTES_MAX;
use ui::admin::{ArtworkPage, ArtworkTemplate, Errors};

use super::staff_form::{self, Typed};
use super::studio::{self, For};
use super::{Filled, Terms, flow, pages};
use crate::app::App;
use crate::orders;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::products::Product;
use crate::products::flow::valid_file_name;
use crate::products::form::sentence;
use crate::products::staff_view::find;
use crate::products::upload::Pieces as _;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::files::{Arriving, PostedFiles};
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/artwork", Right::Products, show)
        .post("/admin/products/{product}/artwork", Right::Products, save)
        .upload("/admin/products/{product}/artwork/template", Right::Products, upload)
        .get("/admin/products/{product}/artwork/template", Right::Products, download)
        .get("/admin/products/{product}/artwork/preview", Right::Products, preview)
        .post("/admin/products/{product}/artwork/remove", Right::Products, remove)
        .get("/admin/orders/{order}/lines/{line}/artwork", Right::Read, ordered)
}

#[derive(Debug, serde::Deserialize)]
struct Versioned {
    version: i64,
}

#[derive(Debug, serde::Deserialize)]
struct Settings {
    version: i64,
    #[serde(flatten)]
    typed: Typed,
}

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}")
}

fn own_path(id: ProductId) -> String {
    format!("{}/artwork", path(id))
}

async fn product(app: &App, staff: &StaffVisit, id: ProductId) -> Flow<Product> {
    let merchant = staff.visit.merchant.id;
    app.read(move |snapshot| find(snapshot, merchant, id)).await
}

async fn drawn(app: &App, staff: &StaffVisit, id: ProductId) -> Flow<(Product, Terms)> {
    let product = product(app, staff, id).await?;
    let terms = product.deliverables.artwork.clone().ok_or_else(|| Problem::not_found("template"))?;
    Ok((product, terms))
}

fn page(product: &Product, version: i64, errors: Errors) -> ArtworkPage {
    let terms = product.deliverables.artwork.as_ref();
    ArtworkPage {
        product: product.id,
        product_name: product.name.clone(),
        version,
        template: terms.map(|terms| ArtworkTemplate {
            name: terms.name.clone(),
            bytes: terms.size,
            width_mm: terms.page.0.div_ceil(1_000),
            height_mm: terms.page.1.div_ceil(1_000),
            digest: terms.template.chars().take(12).collect(),
        }),
        form: terms.map(staff_form::form),
        fonts: render::FAMILIES.iter().map(|family| format!("{} ({})", family.name, family.cuts)).collect(),
        errors,
    }
}

/// `GET /admin/products/{product}/artwork`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let page = product(&app, &staff, id).await;
    staff.answer(&app, page.map(|product| page_of(&product)))
}

fn page_of(product: &Product) -> ArtworkPage {
    page(product, product.version, Errors::new())
}

/// `POST /admin/products/{product}/artwork`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(settings): Posted<Settings>,
) -> Response {
    let (product, present) = match drawn(&app, &staff, id).await {
        Ok(drawn) => drawn,
        Err(failure) => return staff.refuse(&app, failure),
    };
    let version = settings.version;
    match staff_form::read(&present, &settings.typed) {
        Ok(terms) => {
            let saved = staff.write(&app, move |cx| flow::change(cx, id, version, Some(&terms))).await;
            staff.after(&app, saved, &path(id), "delivery_saved")
        }
        Err(errors) => {
            let form = Some(staff_form::again(&present, &settings.typed));
            let page = ArtworkPage { form, ..page(&product, version, errors) };
            staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `POST /admin/products/{product}/artwork/template`
async fn upload(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    mut files: PostedFiles,
) -> Response {
    let uploaded = async {
        let product = product(&app, &staff, id).await?;
        let (name, bytes) = receive(&mut files).await?;
        let version = files.field("version").parse().unwrap_or(product.version);
        take(&app, &staff, &product, version, (name, bytes)).await
    };
    match uploaded.await {
        Err(Failure::Problem(problem)) if problem.pointer.is_some() && !staff.by_script() => {
            let errors = Errors::from([("file".to_owned(), sentence(&problem.detail))]);
            match product(&app, &staff, id).await {
                Ok(product) => {
                    let page = page(&product, product.version, errors);
                    staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page)
                }
                Err(failure) => staff.refuse(&app, failure),
            }
        }
        uploaded => staff.after(&app, uploaded, &own_path(id), "artwork_saved"),
    }
}

async fn receive(files: &mut PostedFiles) -> Flow<(String, Vec<u8>)> {
    let missing = || Problem::invalid("file", "choose a file first");
    let mut file: Arriving = files.next().await?.ok_or_else(missing)?;
    let name = valid_file_name(&file.name)?;
    let mut bytes = Vec::new();
    while let Some(piece) = file.next().await.map_err(|why| Problem::new(Code::Malformed, why))? {
        if bytes.len().saturating_add(piece.len()) > TEMPLATE_BYTES_MAX {
            let most = TEMPLATE_BYTES_MAX / 1024 / 1024;
            let text = format!("a template may have at most {most} MiB; make the pictures in it smaller");
            return Err(Problem::invalid("file", text).into());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((name, bytes))
}

/// Judges a template, stores it, and gives it to the product.
async fn take(
    app: &App,
    staff: &StaffVisit,
    product: &Product,
    version: i64,
    (name, bytes): (String, Vec<u8>),
) -> Flow<()> {
    let before = product.deliverables.artwork.clone();
    let read = studio::work(app, For::Looking, move |app, _| {
        let template = Template::read(&bytes).map_err(|error| Problem::invalid("file", error))?;
        let stored = stores::put(&**app.blobs(), &bytes).map_err(|error| {
            tracing::error!(%error, "a template could not be stored");
            Problem::new(Code::Unavailable, "the template cannot be stored at the moment; try again")
        })?;
        let place = (stored.sha256.to_string(), stored.size, name);
        Ok::<_, Problem>((Terms::of(&template, place, before.as_ref()), stored))
    });
    let (terms, stored) = read.await.map_err(Problem::from)??;
    let id = product.id;
    staff.write(app, move |cx| flow::set_template(cx, id, version, &terms, &stored).map(drop)).await
}

/// `GET /admin/products/{product}/artwork/template`: as it was uploaded.
async fn download(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let file = async {
        let (_, terms) = drawn(&app, &staff, id).await?;
        let read = studio::work(&app, For::Looking, move |app, _| {
            let bytes = studio::read(&**app.blobs(), "template", &terms.template, terms.size)?;
            Ok::<_, studio::StudioError>((terms.name, bytes))
        });
        Ok::<_, Failure>(read.await.map_err(Problem::from)?.map_err(Problem::from)?)
    };
    match file.await {
        Ok((name, bytes)) => attached(&name, bytes),
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// A drawing can hold what a browser would run, so it is never shown as a page of ours.
fn attached(name: &str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    let disposition = net::headers::attachment(name);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CONTENT_SECURITY_POLICY, ContentSecurityPolicy::download().to_value());
    response
}

/// `GET /admin/products/{product}/artwork/preview`: with the samples in it.
async fn preview(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let drawn = async {
        let (_, terms) = drawn(&app, &staff, id).await?;
        rendered(&app, terms, Filled::default()).await
    };
    match drawn.await {
        Ok(png) => pages::picture(png),
        Err(failure) => staff.refuse(&app, failure),
    }
}

async fn rendered(app: &App, terms: Terms, filled: Filled) -> Flow<Vec<u8>> {
    let drawn = studio::work(app, For::Looking, move |app, _| studio::preview(app, &terms, &filled, None));
    let drawn = drawn.await.map_err(Problem::from)?.map_err(Problem::from)?;
    drawn.map_err(|_| Problem::conflict("what was filled in cannot be printed").into())
}

/// `GET /admin/orders/{order}/lines/{line}/artwork`: what the buyer filled in.
async fn ordered(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((order, line)): Ids<(OrderId, LineId)>,
) -> Response {
    let merchant = staff.visit.merchant.id;
    let drawn = async {
        let lines = app.read(move |snapshot| Ok(orders::store::lines(snapshot, merchant, order)?)).await?;
        let line = lines.into_iter().find(|known| known.id == line);
        let found = line.and_then(|line| {
            let filled = Filled::of(line.inputs.as_object()?)?;
            Some((line.deliverables.artwork?, filled))
        });
        let (terms, filled) = found.ok_or_else(|| Problem::not_found("artwork in this order"))?;
        rendered(&app, terms, filled).await
    };
    match drawn.await {
        Ok(png) => pages::picture(png),
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// `POST /admin/products/{product}/artwork/remove`
async fn remove(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(posted): Posted<Versioned>,
) -> Response {
    let removed = staff.write(&app, move |cx| flow::change(cx, id, posted.version, None)).await;
    staff.after(&app, removed, &path(id), "delivery_off")
}
