//! What access a product gives, in the back office: a text for everybody, or a list.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::{AccessEntryId, ProductId};
use ui::admin::{AccessEntryRow, AccessForm, AccessPage, AccessReport, Errors, PlaceholderHint};

use super::list::Form;
use super::{LOW_WATER_DEFAULT, PLACEHOLDERS, Source, Terms, desk_store, flow, store};
use crate::app::App;
use crate::problem::{Failure, Flow, Problem};
use crate::products::form::sentence;
use crate::products::staff_view::find;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::{Asked, word};
use crate::web::staff_visit::{Ids, StaffVisit};

/// Entries of one page.
const ENTRIES: u32 = 50;
/// Beyond so many, free entries are "many".
const FREE_MAX: u32 = 100_000;
/// Lines of a report that are named.
const LINES_NAMED: usize = 20;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/products/{product}/access", Right::Products, show)
        .post("/admin/products/{product}/access", Right::Products, save)
        .post("/admin/products/{product}/access/import", Right::Products, import)
        .post("/admin/products/{product}/access/entries/{entry}/show", Right::Products, reveal)
        .post("/admin/products/{product}/access/entries/{entry}/remove", Right::Products, remove)
}

fn path(id: ProductId) -> String {
    format!("/admin/products/{id}/access")
}

/// What the page shows beside what is kept.
#[derive(Debug, Clone, Default)]
struct Beside {
    form: Option<AccessForm>,
    entries: String,
    table: bool,
    errors: Errors,
    report: Option<AccessReport>,
    shown: Option<(AccessEntryId, String)>,
    before: Option<AccessEntryId>,
}

async fn page(app: &App, staff: &StaffVisit, id: ProductId, beside: Beside) -> Flow<AccessPage> {
    let merchant = staff.visit.merchant.id;
    app.read(move |snapshot| {
        let product = find(snapshot, merchant, id)?;
        let low_water = store::low_water(snapshot, merchant, id)?;
        let kept = kept(product.deliverables.access.as_ref(), low_water.unwrap_or(LOW_WATER_DEFAULT));
        let entries = desk_store::page(snapshot, (merchant, id), beside.before, ENTRIES)?;
        let full = entries.len() >= usize::try_from(ENTRIES).unwrap_or(usize::MAX);
        let last = entries.last().filter(|_| full).map(|last| last.id);
        let shown = beside.shown.clone();
        Ok(AccessPage {
            product: id,
            product_name: product.name,
            version: product.version,
            form: beside.form.clone().unwrap_or(kept),
            placeholders: PLACEHOLDERS.map(PlaceholderHint::from).into(),
            has_list: low_water.is_some(),
            free: store::free(snapshot, merchant, id, FREE_MAX)?,
            taken: desk_store::taken(snapshot, merchant, id)?,
            waiting: u32::try_from(store::waiting(snapshot, merchant, id, 1_000)?.len()).unwrap_or(u32::MAX),
            rows: entries.iter().map(|entry| row(entry, shown.as_ref())).collect(),
            older: last.map(|last| format!("{}?before={last}", path(id))),
            typed: beside.entries.clone(),
            table: beside.table,
            report: beside.report.clone(),
            errors: beside.errors.clone(),
        })
    })
    .await
}

fn kept(terms: Option<&Terms>, low_water: u32) -> AccessForm {
    let (source, template) = match terms.map(|terms| &terms.source) {
        None => ("none", String::new()),
        Some(Source::List) => ("list", String::new()),
        Some(Source::Template(text)) => ("template", text.clone()),
    };
    AccessForm {
        source: source.to_owned(),
        label: terms.map(|terms| terms.label.clone()).unwrap_or_default(),
        template,
        low_water: low_water.to_string(),
    }
}

fn row(entry: &desk_store::Entry, shown: Option<&(AccessEntryId, String)>) -> AccessEntryRow {
    let state = match (entry.taken_at, entry.removed_at) {
        (Some(_), _) if entry.burned => "burned",
        (Some(_), _) => "taken",
        (None, Some(_)) => "removed",
        (None, None) => "free",
    };
    AccessEntryRow {
        id: entry.id,
        state: word(state),
        order: entry.order,
        imported_at: entry.imported_at,
        taken_at: entry.taken_at,
        text: shown.filter(|(id, _)| *id == entry.id).map(|(_, text)| text.clone()),
    }
}

/// `GET /admin/products/{product}/access`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ProductId>, asked: Asked) -> Response {
    let beside = Beside { before: asked.get("before").parse().ok(), ..Beside::default() };
    let page = page(&app, &staff, id, beside).await;
    staff.answer(&app, page)
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    version: i64,
    #[serde(default)]
    source: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    template: String,
    #[serde(default)]
    low_water: String,
}

impl Typed {
    fn read(&self) -> Result<(Option<Terms>, u32), Problem> {
        let source = match self.source.as_str() {
            "list" => Source::List,
            "template" => Source::Template(self.template.clone()),
            "none" => return Ok((None, LOW_WATER_DEFAULT)),
            _ => return Err(Problem::invalid("source", "choose one")),
        };
        let low_water = self.low_water.trim();
        let low_water = if low_water.is_empty() { Ok(LOW_WATER_DEFAULT) } else { low_water.parse() };
        let low_water =
            low_water.map_err(|_| Problem::invalid("low_water", "write a whole number from 0 to 100000"))?;
        Ok((Some(Terms::read(&self.label, source)?), low_water))
    }

    fn form(&self) -> AccessForm {
        AccessForm {
            source: self.source.clone(),
            label: self.label.clone(),
            template: self.template.clone(),
            low_water: self.low_water.clone(),
        }
    }
}

/// `POST /admin/products/{product}/access`
async fn save(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let (terms, version) = (typed.read(), typed.version);
    let off = matches!(terms, Ok((None, _)));
    let saved = match terms {
        Err(problem) => Err(problem.into()),
        Ok((terms, low_water)) => {
            staff.write(&app, move |cx| flow::change(cx, id, version, terms.as_ref(), low_water)).await
        }
    };
    match saved {
        Ok(()) => staff.done(&path(id), if off { "delivery_off" } else { "delivery_saved" }),
        Err(failure) => {
            again(&app, &staff, id, failure, Beside { form: Some(typed.form()), ..Beside::default() }).await
        }
    }
}

/// The page once more with what was typed, where a field is wrong.
async fn again(app: &App, staff: &StaffVisit, id: ProductId, failure: Failure, beside: Beside) -> Response {
    let Failure::Problem(Problem { pointer: Some(field), detail, .. }) = &failure else {
        return staff.refuse(app, failure);
    };
    let errors = Errors::from([(field.clone(), sentence(detail))]);
    match page(app, staff, id, Beside { errors, ..beside }).await {
        Ok(page) => staff.show_as(app, StatusCode::UNPROCESSABLE_ENTITY, &page),
        Err(failure) => staff.refuse(app, failure),
    }
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Pasted {
    #[serde(default)]
    entries: String,
    #[serde(default)]
    form: String,
}

/// `POST /admin/products/{product}/access/import`
async fn import(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ProductId>,
    Posted(pasted): Posted<Pasted>,
) -> Response {
    let form: Form = pasted.form.parse().unwrap_or(Form::Lines);
    let bytes = pasted.entries.clone().into_bytes();
    let imported = staff.write(&app, move |cx| flow::import(cx, id, form, &bytes)).await;
    match imported {
        Ok(imported) => {
            let named = |lines: &[u64]| lines.iter().take(LINES_NAMED).copied().collect::<Vec<_>>();
            let report = AccessReport {
                added: imported.added,
                repeated: u32::try_from(imported.repeated.len()).unwrap_or(u32::MAX),
                repeated_lines: named(&imported.repeated),
                known: u32::try_from(imported.known.len()).unwrap_or(u32::MAX),
                known_lines: named(&imported.known),
            };
            let page = page(&app, &staff, id, Beside { report: Some(report), ..Beside::default() }).await;
            staff.answer(&app, page)
        }
        Err(failure) => {
            let beside = Beside { entries: pasted.entries, table: form == Form::Csv, ..Beside::default() };
            again(&app, &staff, id, failure, beside).await
        }
    }
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

/// `POST /admin/products/{product}/access/entries/{entry}/show`
async fn reveal(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, entry)): Ids<(ProductId, AccessEntryId)>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let text = match staff.write(&app, move |cx| flow::reveal(cx, id, entry)).await {
        Ok(text) => text,
        Err(failure) => return staff.refuse(&app, failure),
    };
    // The page that begins with the entry.
    let before = Some(AccessEntryId::from_bits(entry.bits().saturating_add(1)));
    let beside = Beside { shown: Some((entry, text)), before, ..Beside::default() };
    let page = page(&app, &staff, id, beside).await;
    staff.answer(&app, page)
}

/// `POST /admin/products/{product}/access/entries/{entry}/remove`
async fn remove(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, entry)): Ids<(ProductId, AccessEntryId)>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| flow::remove(cx, id, entry)).await;
    staff.after(&app, done, &path(id), "access_removed")
}
