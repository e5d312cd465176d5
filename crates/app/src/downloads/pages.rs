//! Handing out bytes: `GET /t/{transfer token}/{file name}`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body::{Frame, SizeHint};
use net::headers::{ContentSecurityPolicy, attachment};
use net::range::{Decision, Piece, Representation, decide, multipart};
use stores::{Blob, Sha256, StoreError};

use super::flow;
use super::running::{Asked, Use};
use super::{Authorized, within_budget};
use crate::app::App;
use crate::problem::{Code, Failure, Problem};
use crate::web::reply::Refusal;

/// How much is handed to the network at once; before each frame the revocation flag is looked
/// at. Large enough that one stream is not held up by wake-ups, small enough that a revocation
/// is felt within a second on a slow line.
const FRAME_BYTES: u64 = 1024 * 1024;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
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
    hand_out(&app, &token, request.method(), request.headers())
}

/// The answer to a request for a session's file, without a detour; `None` for all other requests.
pub fn at_once<B>(app: &App, request: &Request<B>) -> Option<Response> {
    let (token, name) = request.uri().path().strip_prefix("/t/")?.split_once('/')?;
    let plain = !token.contains('%') && !name.is_empty() && !name.contains('/');
    let asks = plain && matches!(*request.method(), Method::GET | Method::HEAD);
    asks.then(|| hand_out(app, token, request.method(), request.headers()))
}

fn hand_out(app: &App, token: &str, method: &Method, asked: &HeaderMap) -> Response {
    match prepare(app, token, method, asked) {
        Ok(response) => response,
        Err(failure) => Refusal::plain(&failure.into_problem()),
    }
}

fn prepare(app: &App, token: &str, method: &Method, headers: &HeaderMap) -> Result<Response, Failure> {
    // Asked for first: what is committed while the database is read must not be taken for known.
    let asked = Asked { commits: app.commits(), at: app.now() };
    let authorized = match app.transfers().known(token, asked) {
        Some(authorized) => authorized,
        None => Arc::new(authorize(app, token.to_owned(), asked)?),
    };
    let unsaved = app.transfers().unsaved(authorized.download());
    if !within_budget(authorized.handed_out().saturating_add(unsaved), authorized.size()) {
        let text = "this transfer is over; start it again from your link";
        return Err(Problem::new(Code::Expired, text).into());
    }
    let blob = open(app, &authorized)?;
    let of = Representation { size: authorized.size(), etag: authorized.sha256(), last_modified: None };
    let decision = decide(&of, method, headers);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = decision.status;
    response.headers_mut().clone_from(authorized.head.get_or_init(|| head(&authorized)));
    decision.describe(&of, response.headers_mut());
    let pieces = pieces(&of, &decision, response.headers_mut());
    if *method == Method::GET && decision.status.is_success() {
        let transfer = app.transfers().begin(&authorized, asked);
        *response.body_mut() = Body::new(Transfer::new(blob, pieces, transfer));
    }
    Ok(response)
}

fn authorize(app: &App, token: String, asked: Asked) -> Result<Authorized, Failure> {
    let ring = app.ring_arc();
    app.read_now(move |snapshot| flow::authorize(snapshot, &ring, &token, asked.at))
}

fn open(app: &App, authorized: &Authorized) -> Result<Blob, Problem> {
    let broken = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, sha256 = authorized.sha256(), "a file that was sold cannot be read");
        Problem::new(Code::Unavailable, "this file cannot be read at the moment; the seller has been told")
    };
    let sha256: Sha256 = authorized.sha256().parse().map_err(|error| broken(&error))?;
    app.blobs().open(&sha256, authorized.size()).map_err(|error: StoreError| broken(&error))
}

/// What every answer with this content says of it.
fn head(authorized: &Authorized) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(32);
    headers.insert(header::CONTENT_TYPE, OCTETS);
    headers.insert(header::CONTENT_DISPOSITION, attachment(authorized.name()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store, no-transform"));
    headers.insert(header::CONTENT_SECURITY_POLICY, ContentSecurityPolicy::download().to_value());
    // A proxy that buffers a gigabyte to disk first makes progress bars lie and time-outs fire.
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    // RFC 9530: lets a client check the whole file whatever ranges it fetched.
    let digest = hex::decode(authorized.sha256()).unwrap_or_default();
    if let Ok(value) = HeaderValue::try_from(format!("sha-256=:{}:", STANDARD.encode(digest))) {
        headers.insert(REPR_DIGEST, value);
    }
    headers
}

fn pieces(of: &Representation<'_>, decision: &Decision, headers: &mut HeaderMap) -> Vec<Piece> {
    if decision.parts.len() <= 1 {
        return decision.parts.iter().cloned().map(Piece::Bytes).collect();
    }
    let body = multipart(of, &OCTETS, &decision.parts);
    headers.insert(header::CONTENT_TYPE, body.content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.content_length));
    body.pieces
}

/// A body that is cut off when its grant is revoked, and counts what it hands over.
struct Transfer {
    blob: Blob,
    pieces: std::vec::IntoIter<Piece>,
    current: Option<std::ops::Range<u64>>,
    left: u64,
    transfer: Use,
}

impl Transfer {
    fn new(blob: Blob, pieces: Vec<Piece>, transfer: Use) -> Self {
        let left = pieces.iter().map(Piece::length).sum();
        Self { blob, pieces: pieces.into_iter(), current: None, left, transfer }
    }

    fn next_frame(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        loop {
            if let Some(range) = self.current.take_if(|range| range.start < range.end) {
                let end = range.end.min(range.start.saturating_add(FRAME_BYTES));
                self.current = Some(end..range.end);
                let bytes = self.blob.bytes(range.start..end);
                return Some(
                    bytes.ok_or_else(|| std::io::Error::other("the file is shorter than its row says")),
                );
            }
            match self.pieces.next()? {
                Piece::Text(text) => return Some(Ok(Bytes::from(text))),
                Piece::Bytes(range) => self.current = Some(range),
            }
        }
    }
}

impl http_body::Body for Transfer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.transfer.running().is_revoked() {
            // An error and not an end: the client must not take half a file for a whole one.
            return Poll::Ready(Some(Err(std::io::Error::other("revoked"))));
        }
        let Some(next) = self.next_frame() else { return Poll::Ready(None) };
        if let Ok(bytes) = &next {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.left = self.left.saturating_sub(length);
            self.transfer.running().add(length);
        }
        Poll::Ready(Some(next.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
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
