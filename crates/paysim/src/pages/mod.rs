//! The pages that people see: the buyer's, and the one that controls everything. No script.

mod buyer;
mod control;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use kernel::Timestamp;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::handle::Shared;

pub(crate) use buyer::open;

const SOURCES: [(&str, &str); 5] = [
    ("layout.html", include_str!("../../pages/layout.html")),
    ("pay.html", include_str!("../../pages/pay.html")),
    ("done.html", include_str!("../../pages/done.html")),
    ("refused.html", include_str!("../../pages/refused.html")),
    ("control.html", include_str!("../../pages/control.html")),
];
const STYLE: &str = include_str!("../../pages/paysim.css");

/// Pages that post only to this server.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The page that posts the buyer back to a shop.
const POLICY_RETURNING: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// All templates; they are part of the program, so a broken one is found by the first test.
pub(crate) fn templates() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in SOURCES {
        templates.add_template(name, source).expect("the templates that are built in are correct");
    }
    templates
}

pub(crate) fn routes() -> Router<Arc<Shared>> {
    let style = || async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) };
    Router::new()
        .route("/paysim.css", get(style))
        .merge(buyer::routes())
        .merge(control::routes())
        .layer(middleware::from_fn(refuse_other_sites))
}

/// No page elsewhere may press the buttons here. Arriving with a payment form is not one of them.
async fn refuse_other_sites(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    let from_elsewhere = site.is_some_and(|site| site == "cross-site" || site == "same-site");
    if request.method() == Method::POST && from_elsewhere {
        return (StatusCode::FORBIDDEN, "this form was sent from another site").into_response();
    }
    next.run(request).await
}

fn page(shared: &Shared, name: &str, context: impl Serialize) -> Response {
    page_with(shared, name, context, POLICY)
}

fn page_with(shared: &Shared, name: &str, context: impl Serialize, policy: &'static str) -> Response {
    let rendered =
        shared.templates.get_template(name).and_then(|template| template.render(Value::from(Serde(context))));
    let mut response = match rendered {
        Ok(html) => Html(html).into_response(),
        Err(wrong) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{wrong:#}")).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

#[derive(Serialize)]
struct RefusedPage {
    problem: String,
}

fn refused(shared: &Shared, status: StatusCode, problem: &impl ToString) -> Response {
    let mut response = page(shared, "refused.html", RefusedPage { problem: problem.to_string() });
    *response.status_mut() = status;
    response
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
}

fn shown(at: Timestamp) -> String {
    at.to_jiff().strftime("%a %d %b %Y, %H:%M:%S UTC").to_string()
}
