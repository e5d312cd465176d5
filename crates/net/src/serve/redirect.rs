//! The redirect from plain HTTP.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Empty;
use tower::Service;

use super::{Peer, RequestBody};
use crate::headers::AllowedHosts;

/// Answers everything with the same place on `https`.
#[derive(Clone)]
pub(super) struct ToHttps {
    pub(super) port: u16,
    pub(super) hosts: Arc<AllowedHosts>,
}

impl Service<Request<RequestBody>> for ToHttps {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let mut response = Response::new(Empty::new());
        match self.location(&request) {
            Some(location) => {
                *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
                response.headers_mut().insert(header::LOCATION, location);
            }
            // A redirect to whatever host was named would lend our name to anyone.
            None => *response.status_mut() = StatusCode::MISDIRECTED_REQUEST,
        }
        std::future::ready(Ok(response))
    }
}

impl ToHttps {
    fn location(&self, request: &Request<RequestBody>) -> Option<HeaderValue> {
        let host = request.extensions().get::<Peer>()?.host.as_ref()?;
        if !self.hosts.admit(host) {
            return None;
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = match self.port {
            443 => format!("https://{}{path}", host.host()),
            port => format!("https://{}:{port}{path}", host.host()),
        };
        HeaderValue::try_from(location).ok()
    }
}
