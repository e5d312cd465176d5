//! A product's payload in the back office: the spec, what it would deliver now, and why.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::ProductId;
use payload::{Came, Considered, Fate, Outcome, Resolution, Spec};
use ui::admin::{Errors, PayloadFile, PayloadForm, PayloadItem, PayloadPage, PayloadPreview};

use super::Terms;
use super::source::{FileRoot, Opened};
use crate::app::App;
use crate::deliverables;
use crate::problem::{Failure, Flow};
use crate::products::Product;
use crate::products::form::sentence;
use crate::products::staff_view::find;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

/// So many files of one item are listed; the page says how many more there are.
const LISTED_MAX: usize = 50;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/payload", Right::Products, show)
        .post("/admin/products/{product}/payload", Right::Products, save)
        .post("/admin/products/{product}/payload/try", Right::Products, try_out)
        .post("/admin/products/{product}/payload/remove", Right::Products, remove)
}

/// The form as it is typed.
#[derive(Debug, Clone, serde::Deserialize)]
struct Typed {
    version: i64,
    #[serde(default)]
    spec: String,
    #[serde(default)]
    base: String,
    #[serde(default)]
    attributes: String,
}

#[derive(Debug, serde::Deserialize)]
struct Versioned {
    version: i64,
}

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}")
}

async fn product(app: &App, staff: &StaffVisit, id: ProductId) -> Flow<Product> {
    let merchant = staff.visit.merchant.id;
    app.read(move |snapshot| find(snapshot, merchant, id)).await
}

/// `GET /admin/products/{product}/payload`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>) -> Response {
    let page = async {
        let product = product(&app, &staff, id).await?;
        let terms = product.deliverables.payload.clone();
        let typed = Typed {
            version: product.version,
            spec: terms.as_ref().map(|terms| terms.spec.clone()).unwrap_or_default(),
            base: terms.as_ref().map(|terms| terms.base.clone()).unwrap_or_default(),
            attributes: terms.as_ref().map(|terms| terms.attributes.join(", ")).unwrap_or_default(),
        };
        Ok(page(&app, &product, &typed, terms, Errors::new()).await)
    };
    staff.answer(&app, page.await)
}

/// `POST /admin/products/{product}/payload`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let terms = match Terms::read(&typed.spec, &typed.base, &typed.attributes) {
        Ok(terms) => terms,
        Err(problem) => return again(&app, &staff, id, &typed, problem.into()).await,
    };
    let version = typed.version;
    let saved = staff
        .write(&app, move |cx| {
            let terms = Some(terms.clone());
            deliverables::flow::change(cx, id, version, "payload", |all| all.payload.clone_from(&terms))
        })
        .await;
    match saved {
        Ok(_) => staff.done(&path(id), "delivery_saved"),
        Err(failure) => again(&app, &staff, id, &typed, failure).await,
    }
}

/// `POST /admin/products/{product}/payload/try`: what it would deliver, and nothing is saved.
async fn try_out(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    match Terms::read(&typed.spec, &typed.base, &typed.attributes) {
        Ok(terms) => {
            let page = async {
                let product = product(&app, &staff, id).await?;
                Ok(page(&app, &product, &typed, Some(terms), Errors::new()).await)
            };
            staff.answer(&app, page.await)
        }
        Err(problem) => again(&app, &staff, id, &typed, problem.into()).await,
    }
}

/// `POST /admin/products/{product}/payload/remove`
async fn remove(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(posted): Posted<Versioned>,
) -> Response {
    let removed = staff
        .write(&app, move |cx| {
            deliverables::flow::change(cx, id, posted.version, "payload", |all| all.payload = None)
        })
        .await;
    staff.after(&app, removed, &path(id), "delivery_off")
}

/// The form once more with what was typed, and what is wrong beside its field.
async fn again(app: &App, staff: &StaffVisit, id: ProductId, typed: &Typed, failure: Failure) -> Response {
    let Failure::Problem(problem) = failure else { return staff.refuse(app, failure) };
    let field = problem.pointer.clone().unwrap_or_else(|| "spec".to_owned());
    // A spec's error is drawn under the text, and keeps its lines.
    let told = if field == "spec" { problem.detail.clone() } else { sentence(&problem.detail) };
    match product(app, staff, id).await {
        Ok(product) => {
            let page = page(app, &product, typed, None, Errors::from([(field, told)])).await;
            staff.show_as(app, StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(failure) => staff.refuse(app, failure),
    }
}

async fn page(
    app: &App,
    product: &Product,
    typed: &Typed,
    terms: Option<Terms>,
    errors: Errors,
) -> PayloadPage {
    let roots = app.settings().file_roots.clone();
    let names = roots.iter().map(|root| root.name.clone()).collect();
    // Disks are slow: this waits for them off the async workers.
    let previews = match terms {
        Some(terms) => {
            tokio::task::spawn_blocking(move || previews(&roots, &terms)).await.unwrap_or_default()
        }
        None => Vec::new(),
    };
    PayloadPage {
        product: product.id,
        product_name: product.name.clone(),
        version: typed.version,
        on: product.deliverables.payload.is_some(),
        form: PayloadForm {
            spec: typed.spec.clone(),
            base: typed.base.clone(),
            attributes: typed.attributes.clone(),
        },
        roots: names,
        previews,
        errors,
    }
}

/// What is delivered now, for each choice.
fn previews(roots: &[FileRoot], terms: &Terms) -> Vec<PayloadPreview> {
    let choices: Vec<Option<&String>> =
        if terms.attributes.is_empty() { vec![None] } else { terms.attributes.iter().map(Some).collect() };
    choices.into_iter().map(|choice| preview(roots, terms, choice.map(String::as_str))).collect()
}

fn preview(roots: &[FileRoot], terms: &Terms, choice: Option<&str>) -> PayloadPreview {
    let resolved = terms.parsed().and_then(|spec| {
        let opened = Opened::open(roots).map_err(|error| error.to_string())?;
        let found = opened.resolve(&spec, terms, choice).map_err(|error| error.to_string())?;
        Ok((spec, opened, found))
    });
    let choice = choice.map(str::to_owned);
    match resolved {
        Ok((spec, opened, found)) => told(choice, &spec, &opened, &found),
        Err(trouble) => PayloadPreview {
            choice,
            files: 0,
            bytes: 0,
            delivers: false,
            trouble: Some(trouble),
            items: Vec::new(),
        },
    }
}

fn told(choice: Option<String>, spec: &Spec, opened: &Opened, found: &Resolution) -> PayloadPreview {
    let items = spec.items.iter().zip(&found.outcomes);
    PayloadPreview {
        choice,
        files: u64::try_from(found.files.len()).unwrap_or(u64::MAX),
        bytes: found.bytes,
        delivers: found.problems().next().is_none() && super::jobs::lacking(spec, &found.outcomes).is_none(),
        trouble: None,
        items: items.map(|(item, outcome)| told_item(item.to_string(), opened, outcome)).collect(),
    }
}

fn told_item(item: String, opened: &Opened, outcome: &Outcome) -> PayloadItem {
    let (came, why) = match &outcome.came {
        Came::Files(_) => ("files", None),
        Came::Elsewhere => ("elsewhere", None),
        Came::Nothing => ("nothing", outcome.missing.as_ref().map(|at| opened.path(at))),
        Came::Spared => ("spared", None),
        Came::Held => ("held", None),
        Came::Broken(problem) => ("broken", Some(problem.to_string())),
    };
    let file = |considered: &Considered| PayloadFile {
        path: opened.path(&considered.at),
        bytes: considered.bytes,
        taken: considered.fate == Fate::Taken,
        why: fate(considered.fate).to_owned(),
    };
    PayloadItem {
        item,
        came: came.to_owned(),
        why,
        files: outcome.considered.iter().take(LISTED_MAX).map(file).collect(),
        more: u64::try_from(outcome.considered.len().saturating_sub(LISTED_MAX)).unwrap_or(u64::MAX),
    }
}

/// The word under `admin.payload.fate`.
const fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Taken => "taken",
        Fate::Repeated => "repeated",
        Fate::NotFirst => "not_first",
        Fate::Folder => "folder",
        Fate::Link => "link",
        Fate::NotAFile => "not_a_file",
        Fate::Beyond => "beyond",
    }
}
