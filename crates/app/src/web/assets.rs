//! What pages load: our own files, the merchant's color and logo; and what robots and monitors ask.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use net::headers::ContentSecurityPolicy;
use stores::Sha256;

use super::reply::Refusal;
use crate::app::App;
use crate::merchants;
use crate::problem::{Code, Flow, Problem};
use crate::storage;

/// Larger logos are not sent to every visitor.
pub const LOGO_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// The address names the content, so it never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// To be asked for again each time; the tag saves the bytes.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("public, no-cache");

/// Pages with keys in their addresses, or of one person, are not for search engines.
const ROBOTS: &str = "User-agent: *
Disallow: /d/
Disallow: /o/
Disallow: /t/
Disallow: /cart
Disallow: /checkout
Disallow: /links/
Disallow: /portal
Disallow: /admin
Disallow: /hooks/
Disallow: /v1/
Disallow: /m/*/d/
Disallow: /m/*/o/
Disallow: /m/*/cart
Disallow: /m/*/checkout
Disallow: /m/*/links/
Disallow: /m/*/portal
Disallow: /m/*/admin
";

/// The routes that need no visit.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/assets/accent.css", get(accent))
        .route("/assets/{*name}", get(asset))
        .route("/logo/{sha256}", get(logo))
        .route("/favicon.svg", get(favicon))
        .route("/favicon.ico", get(favicon))
        .route("/robots.txt", get(async || text(StatusCode::OK, ROBOTS)))
        .route("/healthz", get(async || text(StatusCode::OK, "alive\n")))
        .route("/readyz", get(ready))
}

#[derive(Debug, Default, serde::Deserialize)]
struct Version {
    v: Option<String>,
}

/// `GET /assets/{name}?v={hash}`
async fn asset(Path(name): Path<String>, Query(version): Query<Version>, headers: HeaderMap) -> Response {
    send_asset(&name, version.v.as_deref(), &headers)
}

/// `GET /favicon.svg`, and where browsers look without being told.
async fn favicon(headers: HeaderMap) -> Response {
    send_asset("favicon.svg", None, &headers)
}

fn send_asset(name: &str, version: Option<&str>, asked: &HeaderMap) -> Response {
    let Some(asset) = ui::asset(name) else { return Refusal::plain(&Problem::not_found("file")) };
    let caching = if version == Some(asset.hash) { FOREVER } else { ASK_AGAIN };
    tagged(asset.hash, asset.content_type, caching, asked, || Body::from(asset.bytes))
}

#[derive(Debug, Default, serde::Deserialize)]
struct Color {
    #[serde(default)]
    c: String,
}

/// `GET /assets/accent.css?c={color}`: the color's stylesheet says the same for ever.
async fn accent(Query(color): Query<Color>) -> Response {
    match ui::accent_css(&color.c) {
        Ok(css) => {
            let kind = HeaderValue::from_static("text/css; charset=utf-8");
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOREVER)], css).into_response()
        }
        Err(error) => Refusal::plain(&Problem::new(Code::NotFound, error.to_string())),
    }
}

/// `GET /logo/{sha256}`: only contents that are some merchant's logo, and only pictures that can
/// do nothing. The same store holds what is sold.
async fn logo(State(app): State<App>, Path(sha256): Path<String>, headers: HeaderMap) -> Response {
    let missing = || Refusal::plain(&Problem::not_found("picture"));
    let Ok(digest) = sha256.parse::<Sha256>() else { return missing() };
    let wanted = sha256.clone();
    let size = match app.read_now(move |snapshot| Ok(merchants::store::logo_size(snapshot, &wanted)?)) {
        Ok(Some(size)) if size <= LOGO_BYTES_MAX => size,
        Ok(_) => return missing(),
        Err(failure) => return Refusal::plain(&failure.into_problem()),
    };
    let blob = match storage::reading::open(&app, &digest, size).await {
        Ok(blob) => blob,
        Err(error) => {
            tracing::error!(%error, sha256, "a logo cannot be read");
            return missing();
        }
    };
    let bytes = blob.bytes(0..size).unwrap_or_default();
    let Some(kind) = picture_kind(&bytes) else { return missing() };
    let mut response = tagged(&sha256, kind, FOREVER, &headers, || Body::from(bytes));
    let policy = ContentSecurityPolicy::download().to_value();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// What a picture is, by its first bytes and not by anybody's word. SVG is a program as much as
/// a picture, so it is not among them.
pub fn picture_kind(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    webp.then_some("image/webp")
}

fn tagged(
    hash: &str,
    kind: &'static str,
    caching: HeaderValue,
    asked: &HeaderMap,
    body: impl FnOnce() -> Body,
) -> Response {
    let tag = format!("\"{hash}\"");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same =
        known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let (status, body) =
        if same { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, body()) };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, caching);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// `GET /readyz`: whether orders can be taken: the database answers.
async fn ready(State(app): State<App>) -> Response {
    let asked: Flow<_> = app.read(|snapshot| Ok(merchants::store::first(snapshot)?.is_some())).await;
    match asked {
        Ok(_) => text(StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            text(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

fn text(status: StatusCode, body: &'static str) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_pictures_are_pictures() {
        assert_eq!(picture_kind(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(picture_kind(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(picture_kind(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(picture_kind(b"<svg xmlns='http://www.w3.org/2000/svg'>"), None);
        assert_eq!(picture_kind(b"<!doctype html>"), None);
        assert_eq!(picture_kind(b"RIFF"), None);
    }
}
