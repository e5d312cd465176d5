//! The accept loop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tower::Service;

use super::body::RequestBody;
use super::connection::Accepted;
use super::gate::{Gate, Place, Standing};
use super::{Drained, Shared, Stop};
use crate::tls::Tls;

/// After a failed accept, doubled with each further one. Out of file descriptors the next accept
/// fails at once, and a loop that just tried again would spin while nothing can be closed.
const BACKOFF_FIRST: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(super) trait Accept: Send {
    /// The next connection. Dropping the future loses none.
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }
}

/// Accepts until a stop, then lets requests in flight end.
pub(super) async fn run<A, S, B>(
    listener: A,
    shared: Arc<Shared>,
    tls: Option<Tls>,
    service: S,
    mut stop: Stop,
) -> Drained
where
    A: Accept,
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connections = JoinSet::new();
    let mut backoff = BACKOFF_FIRST;
    loop {
        let (place, accepted) = tokio::select! {
            biased;
            () = stop.requested() => break,
            Some(ended) = connections.join_next() => {
                report(ended);
                continue;
            }
            accepted = next(&listener, &shared.gate) => accepted,
        };
        match accepted {
            Ok((stream, socket)) => {
                backoff = BACKOFF_FIRST;
                let standing = match shared.proxies.contains(socket.ip()) {
                    true => Standing::TrustedProxy,
                    false => Standing::Client,
                };
                let Some(pass) = shared.gate.admit(place, socket.ip(), standing) else {
                    tracing::debug!(peer = %socket, "connection refused: this address has too many");
                    continue;
                };
                let (service, shared, tls, stop) =
                    (service.clone(), Arc::clone(&shared), tls.clone(), stop.clone());
                let accepted = Accepted { service, shared, tls, socket, stop };
                connections.spawn(async move {
                    accepted.run(stream).await;
                    drop(pass);
                });
            }
            // The client has given up while it was waiting: nobody's trouble but its own.
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again");
                if timeout(backoff, stop.requested()).await.is_ok() {
                    break;
                }
                backoff = (backoff * 2).min(BACKOFF_MAX);
            }
        }
    }
    drop(listener);
    drain(connections, shared.limits.drain, stop).await
}

async fn next<A: Accept>(listener: &A, gate: &Gate) -> (Place, io::Result<(TcpStream, SocketAddr)>) {
    let place = gate.place().await;
    (place, listener.accept().await)
}

fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

async fn drain(mut connections: JoinSet<()>, time: Duration, mut stop: Stop) -> Drained {
    let ended = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    tokio::select! {
        biased;
        () = stop.immediate() => {}
        _ = timeout(time, ended) => {}
    }
    let cut = connections.len();
    connections.shutdown().await;
    Drained { cut }
}

/// A handler that panics takes its own connection down, and nothing else.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a request handler panicked");
    }
}
