//! API keys in the back office: made with scopes, shown once, revoked.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::ApiKeyId;
use ui::admin::{
    Act, ApiKeyCreatedPage, ApiKeyRow, ApiKeysPage, ConfirmPage, Errors, NewApiKeyPage, ScopeChoice,
};

use super::{ApiKey, Scope, Scopes, flow, store};
use crate::app::App;
use crate::events::names::Names;
use crate::merchants;
use crate::problem::{Failure, Problem};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::{Ids, StaffVisit};

const KEYS: &str = "/admin/api-keys";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(KEYS, Right::Staff, list)
        .get("/admin/api-keys/new", Right::Staff, new)
        .post(KEYS, Right::Staff, create)
        .get("/admin/api-keys/{key}/revoke", Right::Staff, confirm_revoke)
        .post("/admin/api-keys/{key}/revoke", Right::Staff, revoke)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

#[derive(Debug, Default, serde::Deserialize)]
struct Wanted {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scope: Vec<Scope>,
}

/// `GET /admin/api-keys`
async fn list(State(app): State<App>, staff: StaffVisit) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let names = Names::read(snapshot, merchant)?;
            let mut keys = store::list(snapshot, merchant)?;
            keys.sort_by_key(|key| key.revoked_at.is_some());
            Ok(ApiKeysPage { keys: keys.into_iter().map(|key| row(key, &names)).collect() })
        })
        .await;
    staff.answer(&app, page)
}

fn row(key: ApiKey, names: &Names) -> ApiKeyRow {
    ApiKeyRow {
        id: key.id,
        name: key.name,
        scopes: words(&key.scopes),
        created_at: key.created_at,
        created_by: names.name(&key.created_by),
        last_used_at: key.last_used_at,
        revoked_at: key.revoked_at,
    }
}

fn words(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.to_string()).collect()
}

/// `GET /admin/api-keys/new`
async fn new(State(app): State<App>, staff: StaffVisit) -> Response {
    staff.show(&app, &new_page(&app, &staff, &Wanted::default(), Errors::new()))
}

fn new_page(app: &App, staff: &StaffVisit, wanted: &Wanted, errors: Errors) -> NewApiKeyPage {
    let merchant = &staff.visit.merchant;
    let locale = merchants::view::language(merchant, &merchant.locale);
    let choice = |scope: &Scope| {
        let key = format!("admin.scope.{}", scope.as_str().replace(':', "_"));
        ScopeChoice {
            scope: scope.to_string(),
            meaning: app.renderer().text(locale, &key, &[]).unwrap_or_default(),
            checked: wanted.scope.contains(scope),
        }
    };
    NewApiKeyPage { name: wanted.name.clone(), scopes: Scope::ALL.iter().map(choice).collect(), errors }
}

/// `POST /admin/api-keys`: the only answer that has the key in it.
async fn create(State(app): State<App>, staff: StaffVisit, Posted(wanted): Posted<Wanted>) -> Response {
    let (name, scopes) = (wanted.name.clone(), wanted.scope.iter().copied().collect::<Scopes>());
    match staff.write(&app, move |cx| flow::create(cx, &name, &scopes)).await {
        Ok((key, secret)) => {
            let page = ApiKeyCreatedPage {
                name: key.name.clone(),
                secret: secret.expose().clone(),
                scopes: words(&key.scopes),
                example_url: format!("{}{}", app.settings().base_url, example(&key.scopes)),
            };
            staff.show(&app, &page)
        }
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let field =
                problem.pointer.filter(|field| field != "scopes").unwrap_or_else(|| "scope".to_owned());
            let page = new_page(&app, &staff, &wanted, Errors::from([(field, problem.detail)]));
            staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// A path that the key may read.
fn example(scopes: &Scopes) -> &'static str {
    let readable = [
        (Scope::OrdersRead, "/v1/orders"),
        (Scope::ProductsRead, "/v1/products"),
        (Scope::CustomersRead, "/v1/customers"),
        (Scope::InvoicesRead, "/v1/invoices"),
        (Scope::MessagesRead, "/v1/messages"),
        (Scope::NoticesRead, "/v1/notices"),
        (Scope::ConnectionsRead, "/v1/connections"),
        (Scope::ReviewsRead, "/v1/reviews"),
        (Scope::EventsRead, "/v1/events"),
    ];
    readable.iter().find(|(scope, _)| scopes.contain(*scope)).map_or("/v1/orders", |(_, path)| path)
}

/// `GET /admin/api-keys/{key}/revoke`
async fn confirm_revoke(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ApiKeyId>) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let key = store::by_id(snapshot, merchant, id)?.ok_or_else(|| Problem::not_found("API key"))?;
            Ok(ConfirmPage::new(Act::RevokeKey, key.name, format!("{KEYS}/{id}/revoke"), KEYS))
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/api-keys/{key}/revoke`
async fn revoke(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ApiKeyId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| flow::revoke(cx, id)).await;
    staff.after(&app, done, KEYS, "key_revoked")
}
