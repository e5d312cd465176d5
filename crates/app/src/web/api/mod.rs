//! The JSON API under `/v1`: what is the same for every endpoint.
//!
//! A request is given an id, finds its endpoint, is let in by its key, is read strictly, runs
//! in one snapshot or one transaction of the key's merchant, and is answered as JSON that no
//! cache keeps. There are no cookies and no CORS: this is for programs, and a browser's page
//! must not hold an API key.

pub mod answer;
pub mod caller;
mod describe;
mod document;
pub mod endpoint;
mod in_flight;
pub mod input;
pub mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::response::Response;
use axum::routing::any;
use http::{HeaderValue, Method, StatusCode, header};

use answer::Fault;
use endpoint::{Call, Endpoint};
use in_flight::InFlight;

use super::visit;
use crate::app::App;
use crate::problem::Problem;
use crate::{
    announcements, api_keys, connections, customers, events, invoices, messages, notices, orders, products,
    reviews, uploads,
};

pub use document::document;

/// Every endpoint there is. Router and document are made from this list.
pub fn endpoints() -> Vec<Endpoint> {
    let nouns = [
        api_keys::api::endpoints(),
        products::api::endpoints(),
        uploads::api::endpoints(),
        announcements::api::endpoints(),
        orders::api::endpoints(),
        customers::api::endpoints(),
        invoices::api::endpoints(),
        messages::api::endpoints(),
        notices::json::endpoints(),
        reviews::api::endpoints(),
        connections::api::endpoints(),
        events::api::endpoints(),
    ];
    nouns.into_iter().flatten().collect()
}

/// What all endpoints share.
struct Shared {
    document: Arc<str>,
    in_flight: InFlight,
}

/// The routes of the API.
pub fn routes(app: &App) -> Router<App> {
    let endpoints = endpoints();
    let shared = Arc::new(Shared { document: document(&endpoints).into(), in_flight: InFlight::default() });
    let mut by_path: BTreeMap<&'static str, Vec<Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        by_path.entry(endpoint.at.path).or_default().push(endpoint);
    }
    let mut router = Router::new();
    for (path, endpoints) in by_path {
        let (app, shared, here) = (app.clone(), Arc::clone(&shared), Arc::new(endpoints));
        router = router.route(
            path,
            any(move |parts: RawPathParams, request: Request| {
                answer_request(app.clone(), Arc::clone(&shared), Arc::clone(&here), parts, request)
            }),
        );
    }
    let unknown = {
        let app = app.clone();
        move || async move { Fault::from(Problem::not_found("endpoint")).into_response(&request_id(&app)) }
    };
    router
        .route("/v1", any(unknown.clone()))
        .route("/v1/", any(unknown.clone()))
        .route("/v1/{*rest}", any(unknown))
}

fn request_id(app: &App) -> String {
    visit::random_token(app).chars().take(12).collect()
}

async fn answer_request(
    app: App,
    shared: Arc<Shared>,
    here: Arc<Vec<Endpoint>>,
    parts: RawPathParams,
    request: Request,
) -> Response {
    let id = request_id(&app);
    let head = request.method() == Method::HEAD;
    if request.method() == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(header::ALLOW, allowed(&here));
        return response;
    }
    let parts = parts.iter().map(|(_, value)| value.to_owned()).collect();
    let response = match dispatch(app, &shared, &here, parts, request).await {
        Ok(reply) => reply.into_response(&id),
        Err(fault) => fault.into_response(&id),
    };
    if head { without_body(response) } else { response }
}

async fn dispatch(
    app: App,
    shared: &Shared,
    here: &[Endpoint],
    parts: Vec<String>,
    request: Request,
) -> Result<answer::Reply, Fault> {
    let wanted = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let endpoint = here.iter().find(|endpoint| endpoint.method == *wanted);
    let endpoint = endpoint.ok_or_else(|| Fault::method(allowed(here)))?;
    let address = visit::peer(&request).addr;
    let (head, body) = request.into_parts();
    let caller = caller::admit(&app, &head.headers, address, endpoint.at.access).await?;
    let call = Call {
        app,
        document: Arc::clone(&shared.document),
        in_flight: shared.in_flight.clone(),
        caller,
        parts,
        method: head.method,
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body,
    };
    endpoint.run(call).await
}

fn allowed(here: &[Endpoint]) -> HeaderValue {
    let mut methods: Vec<&str> = here.iter().map(|endpoint| endpoint.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.sort_unstable();
    HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

/// What a GET would have answered, without saying it.
fn without_body(mut response: Response) -> Response {
    use http_body::Body as _;
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
    response
}
