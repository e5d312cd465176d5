//! One connection, from the accepted socket to its last byte.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::Service;

use super::body::RequestBody;
use super::guard::{Guard, Patience};
use super::handler::Handler;
use super::turn::Turn;
use super::{Limits, Scheme, Shared, Stop};
use crate::tls::Tls;

/// For telling a TLS client that no more follows.
const GOODBYE: Duration = Duration::from_secs(1);

/// After our last byte, a client that is still sending gets so long to read it: closing at once
/// would reset the connection, and the reset would overtake the answer ("413" never seen).
const LINGER: Duration = Duration::from_secs(5);

/// What is read and thrown away meanwhile.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a listener gives to each of its connections.
pub(super) struct Accepted<S> {
    pub(super) service: S,
    pub(super) shared: Arc<Shared>,
    pub(super) tls: Option<Tls>,
    pub(super) socket: SocketAddr,
    pub(super) stop: Stop,
}

/// How much hyper gathers before it writes, and the most it reads at once.
///
/// Measured with a memory-mapped gigabyte to one client on two cores, in processor seconds of the
/// server: 0.22 with this and frames of 64 KiB to 1 MiB; 0.25 to 0.27 with 1 to 4 MiB, where one
/// write no longer fits the processor's cache; 0.3 to 0.7 with 64 KiB, where every frame is a
/// write of its own. Bodies do well in frames of 256 KiB: two of them make one write.
const BUFFER_BYTES_MAX: usize = 400 * 1024;

/// hyper's settings for every connection.
///
/// Its own header timer stays off: see [`Guard`]. Vectored writes stay on, as they are for sockets
/// by default: copying frames together first took 0.34 seconds where this takes 0.22. The limit of
/// 100 header lines is hyper's own, kept on the stack; setting any would put it on the heap.
pub(super) fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_header_size(limits.header_bytes_max).max_buf_size(BUFFER_BYTES_MAX);
    http
}

impl<S, B> Accepted<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(super) async fn run(mut self, stream: TcpStream) {
        // Answers are written whole: waiting for more to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(peer = %self.socket, %error, "connection lost before it was used");
            return;
        }
        let Some(tls) = self.tls.take() else {
            return self.speak(stream, Scheme::Http).await;
        };
        let handshake = timeout(self.shared.limits.handshake_timeout, tls.accept(stream));
        let secured = tokio::select! {
            secured = handshake => secured,
            () = self.stop.requested() => return,
        };
        match secured {
            Ok(Ok(Some(stream))) => self.speak(stream, Scheme::Https).await,
            // An ACME authority came to look; it has seen what it wanted.
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::debug!(peer = %self.socket, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %self.socket, "TLS handshake took too long"),
        }
    }

    async fn speak<I: AsyncRead + AsyncWrite + Unpin>(mut self, stream: I, scheme: Scheme) {
        let turn = Turn::default();
        let limits = &self.shared.limits;
        let mut patience = Patience::new(turn.clone(), limits, Arc::clone(&self.shared.gate));
        let guard = Guard::new(stream, turn.clone(), limits);
        let (service, shared, socket) = (self.service, Arc::clone(&self.shared), self.socket);
        let handler = Handler { service, shared, turn: turn.clone(), socket, scheme };
        let mut connection = self.shared.http.serve_connection(TokioIo::new(guard), handler);
        let mut step = |cx: &mut Context<'_>, how: Going| {
            if how == Going::ToEnd {
                Pin::new(&mut connection).graceful_shutdown();
            }
            match connection.poll_without_shutdown(cx) {
                Poll::Ready(ended) => Poll::Ready(Ended::ByItself(ended)),
                Poll::Pending => patience.poll_overdue(cx).map(|()| Ended::TooSlow),
            }
        };
        let ended = tokio::select! {
            ended = poll_fn(|cx| step(cx, Going::On)) => ended,
            () = self.stop.requested() => poll_fn(|cx| step(cx, Going::ToEnd)).await,
        };
        let linger = match ended {
            Ended::TooSlow => {
                tracing::debug!(peer = %socket, "connection closed: the client is too slow");
                Duration::ZERO
            }
            Ended::ByItself(Err(error)) => {
                tracing::debug!(peer = %socket, %error, "connection broken");
                LINGER
            }
            Ended::ByItself(Ok(())) if turn.has_left_over() => LINGER,
            Ended::ByItself(Ok(())) => Duration::ZERO,
        };
        part(connection.into_parts().io.into_inner(), linger).await;
    }
}

/// Whether a connection may be kept for further requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    ToEnd,
}

enum Ended {
    ByItself(hyper::Result<()>),
    TooSlow,
}

/// Says goodbye, and gives the client the time to hear it.
async fn part<I: AsyncRead + AsyncWrite + Unpin>(mut guard: Guard<I>, linger: Duration) {
    if guard.is_stalled() || !matches!(timeout(GOODBYE, guard.shutdown()).await, Ok(Ok(()))) {
        return;
    }
    let listen = async {
        let mut rest = LINGER_BYTES_MAX;
        let mut sink = vec![0; 16 * 1024];
        while let Ok(count) = guard.read(&mut sink).await {
            rest = rest.saturating_sub(count);
            if count == 0 || rest == 0 {
                return;
            }
        }
    };
    if linger > Duration::ZERO && timeout(linger, listen).await.is_err() {
        tracing::trace!("the client did not hang up");
    }
}
