//! Taking connections in.
//!
//! An accept loop of our own over hyper's HTTP/1.1, because every wait needs an end: for a
//! connection's first byte, for a request's head, for each stretch of its body, for the client to
//! take the answer, for the next request. Connections are counted, in all and per subscriber;
//! near the cap, idle ones give way. Every request carries a [`Peer`].
//!
//! hyper itself refuses conflicting lengths, unknown transfer codings and malformed chunks. What it
//! forgives and others may read otherwise is refused before it (`heads`).

mod accept;
mod body;
mod connection;
mod gate;
mod guard;
mod handler;
mod heads;
mod peer;
mod redirect;
mod stop;
mod turn;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::server::conn::http1;
use tokio::net::TcpListener;
use tower::Service;

use crate::headers::AllowedHosts;
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
    /// Of a request's head: beyond it, as beyond 100 header lines, the answer is 431.
    pub header_bytes_max: usize,
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
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    proxies: TrustedProxies,
    gate: Arc<gate::Gate>,
    http: http1::Builder,
}

impl Server {
    /// A server that trusts these proxies and nobody else.
    pub fn new(limits: Limits, proxies: TrustedProxies) -> Self {
        let gate = Arc::new(gate::Gate::new(limits.connections_max, limits.connections_per_address_max));
        let http = connection::http(&limits);
        Self { shared: Arc::new(Shared { limits, proxies, gate, http }) }
    }

    /// Serves connections until a stop, then drains. An axum `Router` is a fitting service.
    pub async fn serve<S, B>(
        &self,
        listener: TcpListener,
        tls: Option<Tls>,
        service: S,
        stop: Stop,
    ) -> Drained
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        accept::run(listener, Arc::clone(&self.shared), tls, service, stop).await
    }

    /// Serves nothing but redirects to the same host and path on `https` (for port 80).
    pub async fn redirect_to_https(
        &self,
        listener: TcpListener,
        https_port: u16,
        hosts: AllowedHosts,
        stop: Stop,
    ) -> Drained {
        let service = redirect::ToHttps { port: https_port, hosts: Arc::new(hosts) };
        self.serve(listener, None, service, stop).await
    }
}
