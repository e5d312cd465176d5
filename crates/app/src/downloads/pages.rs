//! Handing out bytes of files and archives: `GET /t/{transfer token}/{file name}`.

use std::ops::Range;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use net::headers::{ContentSecurityPolicy, attachment};
use net::range::{Decision, Piece, Representation, decide, multipart};

use super::body::Transfer;
use super::carriers::{self, Carrier};
use super::flow;
use super::opening::{self, Opened, Unreadable};
use super::running::Asked;
use super::{Authorized, Goods, within_budget};
use crate::app::App;
use crate::problem::{Code, Failure, Problem};
use crate::web::reply::Refusal;
use crate::web::visit;

static ZIP: HeaderValue = HeaderValue::from_static("application/zip");
static OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new().route("/t/{token}/{name}", get(transfer))
}

/// GET and HEAD of a session's file. Nothing here spends a place by itself: bytes do.
async fn transfer(
    State(app): State<App>,
    Path((token, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    let carried = match prepare(&app, &token, &request) {
        Ok(wanted) => carry(&app, &token, wanted).await,
        Err(failure) => Err(failure),
    };
    carried.unwrap_or_else(|failure| Refusal::plain(&failure.into_problem()))
}

/// Leaves a file to whoever is to deliver it, or hands it out.
async fn carry(app: &App, token: &str, wanted: Wanted) -> Result<Response, Failure> {
    let left = match wanted.looks {
        // What the proxy will say of the file, so that a look and the bytes agree. It costs nothing.
        true => carriers::describe(app, wanted.carrier, &wanted.authorized).await,
        false => carriers::leave_to(app, wanted.carrier, &wanted.authorized, token).await?,
    };
    let Some((status, headers)) = left else { return hand_out(app, wanted).await };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if wanted.carrier == Carrier::Proxy {
        // The name and kind are ours to tell; length, ranges and tags are the proxy's.
        let head = wanted.authorized.head.get_or_init(|| head(&wanted.authorized));
        response.headers_mut().clone_from(head);
    }
    response.headers_mut().extend(headers);
    Ok(response)
}

/// The answer to a request for a session's file, without a detour; `None` for all other requests,
/// and for what has to be waited for.
pub fn at_once<B>(app: &App, request: &Request<B>) -> Option<Response> {
    let (token, name) = request.uri().path().strip_prefix("/t/")?.split_once('/')?;
    let plain = !token.contains('%') && !name.is_empty() && !name.contains('/');
    let asks = plain && matches!(*request.method(), Method::GET | Method::HEAD);
    let answered = asks.then(|| {
        let wanted = prepare(app, token, request)?;
        if wanted.carrier != Carrier::Us {
            return Ok(None);
        }
        let opened = opening::at_hand(&**app.blobs(), wanted.authorized.goods(), &wanted.decision.parts);
        Ok(opened.map_err(|error| unreadable(&error))?.map(|opened| answer(app, wanted, opened)))
    });
    match answered? {
        Ok(response) => response,
        Err::<_, Failure>(failure) => Some(Refusal::plain(&failure.into_problem())),
    }
}

/// A request that is to be answered.
struct Wanted {
    authorized: Arc<Authorized>,
    asked: Asked,
    decision: Decision,
    /// Whether the bytes themselves are asked for.
    body: bool,
    /// Whether only their description is.
    looks: bool,
    /// Who is to deliver them.
    carrier: Carrier,
}

/// Whether a request may be answered, and with which parts.
fn prepare<B>(app: &App, token: &str, request: &Request<B>) -> Result<Wanted, Failure> {
    let (method, headers) = (request.method(), request.headers());
    // Asked for first: what is committed while the database is read must not be taken for known.
    let asked = Asked { commits: app.commits(), at: app.now() };
    let authorized = match app.transfers().known(token, asked) {
        Some(authorized) => authorized,
        None => Arc::new(authorize(app, token.to_owned(), asked)?),
    };
    let decision = decide(&representation(authorized.goods()), method, headers);
    if !leaves_budget(app, &authorized, &decision.parts) {
        return Err(flow::over().into());
    }
    let body = *method == Method::GET && decision.status.is_success();
    let looks = *method == Method::HEAD;
    // Whoever delivers judges ranges and conditions by tags of its own.
    let carrier = match carriers::carrier(app, &authorized, &visit::peer(request)) {
        // A bucket's addresses are signed for one method.
        Carrier::Bucket if looks => Carrier::Us,
        carrier => carrier,
    };
    Ok(Wanted { authorized, asked, decision, body, looks, carrier })
}

fn representation(goods: &Goods) -> Representation<'_> {
    Representation { size: goods.length(), etag: goods.etag(), last_modified: None }
}

/// Waits for what is wanted, where it is not at hand.
async fn hand_out(app: &App, wanted: Wanted) -> Result<Response, Failure> {
    let (blobs, authorized) = (Arc::clone(app.blobs()), Arc::clone(&wanted.authorized));
    let parts = wanted.decision.parts.clone();
    let opened = tokio::task::spawn_blocking(move || opening::wait_for(&*blobs, authorized.goods(), &parts));
    let opened = opened.await.map_err(|error| {
        tracing::error!(%error, "the thread that opened a file ended early");
        Problem::new(Code::Internal, "something went wrong on our side; it has been logged")
    })?;
    Ok(answer(app, wanted, opened.map_err(|error| unreadable(&error))?))
}

fn answer(app: &App, wanted: Wanted, opened: Opened) -> Response {
    let Wanted { authorized, asked, decision, body, .. } = wanted;
    let goods = authorized.goods();
    let of = representation(goods);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = decision.status;
    response.headers_mut().clone_from(authorized.head.get_or_init(|| head(&authorized)));
    decision.describe(&of, response.headers_mut());
    let pieces = pieces(&of, kind(goods), &decision, response.headers_mut());
    if body {
        let transfer = app.transfers().begin(&authorized, asked);
        let blobs = (Arc::clone(app.blobs()), opened);
        let tags = Arc::clone(app.archive_tags());
        *response.body_mut() =
            Body::new(Transfer::new(Arc::clone(&authorized), blobs, pieces, transfer, tags));
    }
    response
}

/// Whether each content in these parts may still be handed out by the session. For an archive each
/// has a budget of its own, so that a small file in a large one cannot be fetched for ever.
fn leaves_budget(app: &App, authorized: &Authorized, parts: &[Range<u64>]) -> bool {
    let running = app.transfers().running(authorized.download());
    let contents = authorized.goods().contents();
    let may = |ordinal: usize| {
        contents.get(ordinal).is_none_or(|content| {
            let unsaved = running.as_ref().map_or(0, |running| running.unsaved(ordinal));
            within_budget(content.handed_out.saturating_add(unsaved), content.size)
        })
    };
    match authorized.goods() {
        Goods::File(_) => may(0),
        Goods::Archive(layout, _) => parts.iter().all(|part| layout.entries_in(part).all(may)),
    }
}

fn kind(goods: &Goods) -> &'static HeaderValue {
    match goods {
        Goods::File(_) => &OCTETS,
        Goods::Archive(..) => &ZIP,
    }
}

fn authorize(app: &App, token: String, asked: Asked) -> Result<Authorized, Failure> {
    let ring = app.ring_arc();
    let authorized = app.read_now(move |snapshot| flow::authorize(snapshot, &ring, &token, asked.at))?;
    if let Goods::Archive(layout, _) = authorized.goods() {
        app.archive_tags().teach(layout);
    }
    Ok(authorized)
}

fn unreadable(error: &Unreadable) -> Problem {
    error.log();
    Problem::new(Code::Unavailable, "this file cannot be read at the moment; the seller has been told")
}

/// What every answer with this content says of it.
fn head(authorized: &Authorized) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(32);
    headers.insert(header::CONTENT_TYPE, kind(authorized.goods()).clone());
    headers.insert(header::CONTENT_DISPOSITION, attachment(authorized.name()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store, no-transform"));
    headers.insert(header::CONTENT_SECURITY_POLICY, ContentSecurityPolicy::download().to_value());
    // A proxy that buffers a gigabyte to disk first makes progress bars lie and time-outs fire.
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    // RFC 9530: lets a client check the whole file whatever ranges it fetched. The digest of an
    // archive is not known before its last byte; those of its files are in it.
    if let Goods::File(content) = authorized.goods() {
        let digest = hex::decode(&content.sha256).unwrap_or_default();
        if let Ok(value) = HeaderValue::try_from(format!("sha-256=:{}:", STANDARD.encode(digest))) {
            headers.insert(REPR_DIGEST, value);
        }
    }
    headers
}

fn pieces(
    of: &Representation<'_>,
    kind: &HeaderValue,
    decision: &Decision,
    headers: &mut HeaderMap,
) -> Vec<Piece> {
    if decision.parts.len() <= 1 {
        return decision.parts.iter().cloned().map(Piece::Bytes).collect();
    }
    let body = multipart(of, kind, &decision.parts);
    headers.insert(header::CONTENT_TYPE, body.content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.content_length));
    body.pieces
}

/// The path of a session's file.
pub fn transfer_path(token: &str, name: &str) -> String {
    let name: String =
        url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    format!("/t/{token}/{name}")
}

/// Where a started download goes on.
pub fn go_to(path: &str) -> Response {
    let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
