//! Taking connections in.

mod body;
mod peer;
mod stop;

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use tokio::net::TcpListener;
use tower::Service;

use crate::tls::Tls;

pub use body::{BodyError, RequestBody};
pub use peer::{ForwardedBy, Peer, Scheme, TrustedProxies};
pub use stop::{Stop, StopHandle, on_signals, stop};

/// What a connection may cost us.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the first byte of a request's head to its last, and from the connection's start to the first head's end.
    pub header_timeout: Duration,
    /// Between requests of a kept connection.
    pub idle_timeout: Duration,
    /// Of a request's head: beyond it the answer is 431.
    pub header_bytes_max: usize,
    /// How many header lines: beyond it the answer is 431.
    pub headers_max: usize,
    /// On all listeners together.
    pub connections_max: usize,
    /// Of one IPv4 address or IPv6 /64; trusted proxies are exempt.
    pub connections_per_address_max: usize,
    /// Of a request's body, in bytes per second, counted only while we wait for it.
    pub body_rate_min: u32,
    /// How long a body may be waited for before its rate counts.
    pub body_grace: Duration,
    /// A client that takes none of our bytes for so long is dropped.
    pub write_stall: Duration,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// How long requests in flight may take after a stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            header_bytes_max: 32 * 1024,
            headers_max: 100,
            connections_max: 10_000,
            connections_per_address_max: 200,
            body_rate_min: 500,
            body_grace: Duration::from_secs(10),
            write_stall: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(10),
        }
    }
}

/// How a listener ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that had to be cut at the end of the drain.
    pub cut: usize,
}

/// Limits, caps and trust that several listeners share.
#[derive(Clone)]
pub struct Server {}

impl Server {
    /// A server that trusts these proxies and nobody else.
    pub fn new(_limits: Limits, _proxies: TrustedProxies) -> Self {
        todo!()
    }

    /// Serves connections until a stop, then drains.
    ///
    /// Every request carries a [`Peer`] extension. An axum `Router` is a fitting service.
    pub async fn serve<S, B>(
        &self,
        _listener: TcpListener,
        _tls: Option<Tls>,
        _service: S,
        _stop: Stop,
    ) -> Drained
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        todo!()
    }

    /// Serves nothing but redirects to the same host and path on `https` (for port 80).
    pub async fn redirect_to_https(
        &self,
        _listener: TcpListener,
        _https_port: u16,
        _hosts: crate::headers::AllowedHosts,
        _stop: Stop,
    ) -> Drained {
        todo!()
    }
}
