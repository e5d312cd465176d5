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
use net::headers::{ContentSecurityPolicy, attachment, secure};
use net::range::{Decision, Piece, Representation, decide, multipart};
use net::serve::Scheme;
use stores::StoreError;

use super::body::{Transfer, open};
use super::flow;
use super::running::{Asked, Running, Use};
use super::{Authorized, Content, Goods, within_budget};
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
    hand_out(&app, &token, &request)
}

/// The answer to a request for a session's file, with all its headers and without a detour; `None` for all other
/// requests.
pub fn at_once<B>(app: &App, request: &Request<B>) -> Option<Response> {
    let (token, name) = request.uri().path().strip_prefix("/t/")?.split_once('/')?;
    let plain = !token.contains('%') && !name.is_empty() && !name.contains('/');
    let asks = plain && matches!(*request.method(), Method::GET | Method::HEAD);
    asks.then(|| hand_out(app, token, request))
}

fn hand_out<B>(app: &App, token: &str, request: &Request<B>) -> Response {
    let scheme = visit::peer(request).scheme;
    match prepare(app, token, scheme, request.method(), request.headers()) {
        Ok(response) => response,
        Err(failure) => {
            let mut refusal = Refusal::plain(&failure.into_problem());
            secure(refusal.headers_mut(), scheme, &ContentSecurityPolicy::strict());
            refusal
        }
    }
}

fn prepare(
    app: &App,
    token: &str,
    scheme: Scheme,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let (authorized, transfer) = authorized(app, token)?;
    let goods = authorized.goods();
    let opened = match goods {
        // Asked for before anything is promised.
        Goods::File(content) => {
            Some(open(&**app.blobs(), content).map_err(|error| unreadable(content, &error))?)
        }
        Goods::Archive(..) => None,
    };
    let of = representation(goods);
    let decision = decide(&of, method, headers);
    if !leaves_budget(goods, transfer.running(), &decision.parts) {
        return Err(flow::over().into());
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = decision.status;
    response.headers_mut().clone_from(head(&authorized, scheme));
    decision.measure(response.headers_mut());
    let pieces = pieces(&of, kind(goods), &decision, response.headers_mut());
    if *method == Method::GET && decision.status.is_success() {
        let blobs = Arc::clone(app.blobs());
        let body = Transfer::new(Arc::clone(&authorized), blobs, opened, pieces, transfer);
        *response.body_mut() = Body::new(body);
    }
    Ok(response)
}

/// What a token may have now, and a use of its session.
fn authorized(app: &App, token: &str) -> Result<(Arc<Authorized>, Use), Failure> {
    // Asked for first: what is committed while the database is read must not be taken for known.
    let asked = Asked { commits: app.commits(), at: app.now() };
    if let Some(known) = app.transfers().known(token, asked) {
        return Ok(known);
    }
    let authorized = Arc::new(authorize(app, token.to_owned(), asked)?);
    let transfer = app.transfers().begin(&authorized, asked);
    Ok((authorized, transfer))
}

fn representation(goods: &Goods) -> Representation<'_> {
    Representation { size: goods.length(), etag: goods.etag(), last_modified: None }
}

/// Whether each content in these parts may still be handed out by the session. For an archive each
/// has a budget of its own, so that a small file in a large one cannot be fetched for ever.
fn leaves_budget(goods: &Goods, running: &Running, parts: &[Range<u64>]) -> bool {
    let contents = goods.contents();
    let may = |ordinal: usize| {
        contents.get(ordinal).is_none_or(|content| {
            within_budget(content.handed_out.saturating_add(running.unsaved(ordinal)), content.size)
        })
    };
    match goods {
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
    app.read_now(move |snapshot| flow::authorize(snapshot, &ring, &token, asked.at))
}

fn unreadable(content: &Content, error: &StoreError) -> Problem {
    tracing::error!(%error, sha256 = content.sha256, "a file that was sold cannot be read");
    Problem::new(Code::Unavailable, "this file cannot be read at the moment; the seller has been told")
}

/// What every answer with this content says of it. Put together once: the security headers alone cost as much as
/// the rest of a small answer.
fn head(authorized: &Authorized, scheme: Scheme) -> &HeaderMap {
    let [plain, secured] = &authorized.heads;
    let place = match scheme {
        Scheme::Http => plain,
        Scheme::Https => secured,
    };
    place.get_or_init(|| {
        let mut headers = describe(authorized);
        secure(&mut headers, scheme, &ContentSecurityPolicy::strict());
        headers
    })
}

fn describe(authorized: &Authorized) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(32);
    representation(authorized.goods()).describe(&mut headers);
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
