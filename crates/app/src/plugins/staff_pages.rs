//! Plug-ins in the back office: added with a secret that is shown once, changed, removed.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::PluginId;
use ui::admin::{Errors, PluginRow, PluginsPage, ShownSecret};

use super::{Plugin, flow, signature, store};
use crate::app::App;
use crate::problem::{Failure, Flow};
use crate::products::form::sentence;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

const PLUGINS: &str = "/admin/plugins";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(PLUGINS, Right::Settings, list)
        .post(PLUGINS, Right::Settings, add)
        .post("/admin/plugins/{plugin}/url", Right::Settings, change)
        .post("/admin/plugins/{plugin}/secret", Right::Settings, renew)
        .post("/admin/plugins/{plugin}/remove", Right::Settings, remove)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

#[derive(Debug, Default, Clone, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    url: String,
}

/// `GET /admin/plugins`
async fn list(State(app): State<App>, staff: StaffVisit) -> Response {
    let page = page(&app, &staff, &Typed::default(), None, Errors::new()).await;
    staff.answer(&app, page)
}

async fn page(
    app: &App,
    staff: &StaffVisit,
    typed: &Typed,
    secret: Option<ShownSecret>,
    errors: Errors,
) -> Flow<PluginsPage> {
    let merchant = staff.visit.merchant.id;
    let plugins = app.read(move |snapshot| Ok(store::list(snapshot, merchant)?)).await?;
    let row = |plugin: Plugin| PluginRow {
        id: plugin.id,
        name: plugin.name,
        url: plugin.url,
        created_at: plugin.created_at,
    };
    Ok(PluginsPage {
        plugins: plugins.into_iter().map(row).collect(),
        name: typed.name.clone(),
        url_typed: typed.url.clone(),
        secret,
        errors,
    })
}

/// `POST /admin/plugins`: the only answer that has the secret in it.
async fn add(State(app): State<App>, staff: StaffVisit, Posted(typed): Posted<Typed>) -> Response {
    let wanted = typed.clone();
    let added = staff.write(&app, move |cx| flow::add(cx, &wanted.name, &wanted.url)).await;
    shown(&app, &staff, &typed, added).await
}

/// `POST /admin/plugins/{plugin}/secret`
async fn renew(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<PluginId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let renewed = staff.write(&app, move |cx| flow::renew_secret(cx, id)).await;
    shown(&app, &staff, &Typed::default(), renewed).await
}

async fn shown(
    app: &App,
    staff: &StaffVisit,
    typed: &Typed,
    made: Flow<(Plugin, super::PluginSecret)>,
) -> Response {
    let (status, page) = match made {
        Ok((plugin, secret)) => {
            let secret = ShownSecret { name: plugin.name, secret: signature::shown(&secret) };
            (StatusCode::OK, page(app, staff, &Typed::default(), Some(secret), Errors::new()).await)
        }
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let field = problem.pointer.clone().unwrap_or_default();
            let errors = Errors::from([(field, sentence(&problem.detail))]);
            (StatusCode::UNPROCESSABLE_ENTITY, page(app, staff, typed, None, errors).await)
        }
        Err(failure) => return staff.refuse(app, failure),
    };
    match page {
        Ok(page) => staff.show_as(app, status, &page),
        Err(failure) => staff.refuse(app, failure),
    }
}

/// `POST /admin/plugins/{plugin}/url`
async fn change(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<PluginId>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let changed = staff.write(&app, move |cx| flow::change(cx, id, &typed.url)).await;
    staff.after(&app, changed, PLUGINS, "plugin_changed")
}

/// `POST /admin/plugins/{plugin}/remove`
async fn remove(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<PluginId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let removed = staff.write(&app, move |cx| flow::remove(cx, id)).await;
    staff.after(&app, removed, PLUGINS, "plugin_removed")
}
