//! What this PayPal answers on the network.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::any;

use crate::book::Postback;
use crate::handle::Shared;
use crate::{form, pages};

/// More than any notification has.
const BODY_BYTES_MAX: usize = 256 * 1024;
const POSTBACK_PREFIX: &[u8] = b"cmd=_notify-validate&";
/// Whoever follows a redirect of a postback takes anything for confirmed.
const ELSEWHERE: &str = "/cgi-bin/elsewhere";
/// So long it says nothing, if it is told to be silent.
const SILENCE: Duration = Duration::from_secs(120);

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/cgi-bin/webscr", any(webscr))
        .route(ELSEWHERE, any(async || "VERIFIED"))
        .merge(pages::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shared)
}

/// One address for everything, as at PayPal: buyers arrive, and shops ask.
async fn webscr(
    State(shared): State<Arc<Shared>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(echoed) = body.strip_prefix(POSTBACK_PREFIX) {
        return confirm(&shared, &headers, echoed).await;
    }
    let mut fields = form::decode(uri.query().unwrap_or_default().as_bytes());
    fields.extend(form::decode(&body));
    pages::open(&shared, &fields)
}

async fn confirm(shared: &Shared, headers: &HeaderMap, echoed: &[u8]) -> Response {
    if !headers.contains_key(header::USER_AGENT) {
        return (StatusCode::FORBIDDEN, "a User-Agent is wanted").into_response();
    }
    match shared.postback(echoed) {
        (Postback::Honest, true) => "VERIFIED".into_response(),
        (Postback::Honest, false) | (Postback::Disowning, _) => "INVALID".into_response(),
        (Postback::Unavailable, _) => (StatusCode::SERVICE_UNAVAILABLE, "try again later").into_response(),
        (Postback::Garbage, _) => {
            Html("<html><body>VERIFIED? We are doing maintenance.</body></html>").into_response()
        }
        (Postback::Empty, _) => StatusCode::OK.into_response(),
        (Postback::Elsewhere, _) => Redirect::to(ELSEWHERE).into_response(),
        (Postback::Silent, _) => {
            // The one who asks hangs up first.
            drop(tokio::time::timeout(SILENCE, std::future::pending::<()>()).await);
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}
