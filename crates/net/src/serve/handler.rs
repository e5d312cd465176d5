//! Between hyper and the application: puts the peer on a request, and refuses what is unclear.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri};
use http_body::Body;
use hyper::body::Incoming;
use tower::Service;

use super::body::{RequestBody, ResponseBody};
use super::turn::{Ours, Turn};
use super::{Peer, Scheme, Shared};

/// One connection's way to the application.
pub(super) struct Handler<S> {
    pub(super) service: S,
    pub(super) shared: Arc<Shared>,
    pub(super) turn: Turn,
    pub(super) socket: SocketAddr,
    pub(super) scheme: Scheme,
}

// The service is cloned for a request and never pinned where it is.
impl<S> Unpin for Handler<S> {}

impl<S, B> hyper::service::Service<Request<Incoming>> for Handler<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
{
    type Response = Response<ResponseBody<B>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let ours = self.turn.take();
        match self.admit(request) {
            Err(status) => Box::pin(std::future::ready(Ok(refusal(status, ours)))),
            Ok(request) => {
                let mut service = self.service.clone();
                let (shared, turn) = (Arc::clone(&self.shared), self.turn.clone());
                Box::pin(async move {
                    std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
                    let mut response = service.call(request).await?;
                    if turn.is_last() || shared.gate.is_crowded() {
                        close(response.headers_mut());
                    }
                    Ok(response.map(|body| ResponseBody::new(body, ours)))
                })
            }
        }
    }
}

impl<S> Handler<S> {
    fn admit(&self, request: Request<Incoming>) -> Result<Request<RequestBody>, StatusCode> {
        let (mut head, incoming) = request.into_parts();
        let body = RequestBody::new(incoming, &self.shared.limits, self.turn.clone());
        if self.turn.is_unclear() {
            return Err(StatusCode::BAD_REQUEST);
        }
        // A tunnel is not ours to give, and an echo tells a page's scripts what they may not read.
        if matches!(head.method, Method::CONNECT | Method::TRACE) {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        if !is_target(&head.method, &head.uri) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let proxies = &self.shared.proxies;
        let peer = Peer::of(head.version, &head.uri, &head.headers, self.socket, self.scheme, proxies)
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        head.extensions.insert(peer);
        Ok(Request::from_parts(head, body))
    }
}

/// A path, or a full URL (RFC 9112, 3.2). A bare `host` reads as one too, but only CONNECT may say that.
fn is_target(method: &Method, uri: &Uri) -> bool {
    match uri.scheme() {
        Some(scheme) => *scheme == uri::Scheme::HTTP || *scheme == uri::Scheme::HTTPS,
        None => uri.path().starts_with('/') || (*method == Method::OPTIONS && uri.path() == "*"),
    }
}

/// What was not understood may have been followed by anything: the connection ends with it.
fn refusal<B>(status: StatusCode, ours: Ours) -> Response<ResponseBody<B>> {
    let mut response = Response::new(ResponseBody::empty(ours));
    *response.status_mut() = status;
    close(response.headers_mut());
    response
}

fn close(headers: &mut header::HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}
