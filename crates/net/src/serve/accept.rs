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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;
    use tower::service_fn;

    use super::*;
    use crate::serve::{Limits, Server, TrustedProxies, stop};

    /// `EMFILE`: this process has no file descriptor left.
    const TOO_MANY_FILES: i32 = 24;

    /// A listener that fails so many times first.
    struct Failing {
        errors: Vec<io::ErrorKind>,
        attempts: Arc<AtomicUsize>,
        then: TcpListener,
    }

    impl Accept for Failing {
        async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
            let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
            match self.errors.get(attempt) {
                Some(io::ErrorKind::Other) => Err(io::Error::from_raw_os_error(TOO_MANY_FILES)),
                Some(kind) => Err((*kind).into()),
                None => Accept::accept(&self.then).await,
            }
        }
    }

    /// How long a client has to wait behind these errors, and how often accepting was tried.
    async fn served_after(errors: Vec<io::ErrorKind>) -> (Duration, usize) {
        let then = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = then.local_addr().unwrap();
        let attempts = Arc::new(AtomicUsize::new(0));
        let listener = Failing { errors, attempts: Arc::clone(&attempts), then };
        let server = Server::new(Limits::default(), TrustedProxies::default());
        let service =
            service_fn(|_request| async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) });
        let (_handle, stop) = stop();
        tokio::spawn(run(listener, server.shared, None, service, stop));

        let since = Instant::now();
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        client.read_u8().await.unwrap();
        (since.elapsed(), attempts.load(Ordering::SeqCst))
    }

    #[tokio::test(start_paused = true)]
    async fn without_file_descriptors_the_loop_waits_instead_of_spinning() {
        let (waited, attempts) = served_after(vec![io::ErrorKind::Other; 12]).await;
        // 10 ms doubled to 1 s: 10 + 20 + … + 640 = 1,270 ms, then five times a second.
        assert_eq!(waited.as_millis() / 100, 62);
        assert!((13..=14).contains(&attempts), "{attempts}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_gave_up_keeps_nobody_waiting() {
        let (waited, _) = served_after(vec![io::ErrorKind::ConnectionAborted; 12]).await;
        assert_eq!(waited.as_millis(), 0);
    }
}
