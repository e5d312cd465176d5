//! The accept loop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::session::{self, Visit};
use super::{Security, Shared, Visitor};

/// After a failed accept, doubled with each further one. Out of file descriptors the next accept
/// fails at once, and a loop that just tried again would spin while nothing can be closed.
const BACKOFF_FIRST: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// What is said to who comes while there are enough.
const CROWDED: &[u8] = b"421 there are too many connections at the moment; try again later\r\n";

/// Accepts until a stop, then lets transfers end.
pub(super) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    security: Security,
    stop: impl Future<Output = ()> + Send,
) -> usize {
    let mut stop = std::pin::pin!(stop);
    let (stopping, stopped) = watch::channel(false);
    let mut visits = JoinSet::new();
    let mut backoff = BACKOFF_FIRST;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = visits.join_next() => {
                report(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                backoff = BACKOFF_FIRST;
                let visitor = Visitor { address: peer.ip().to_canonical() };
                let Some(pass) = shared.gate.admit(visitor.address) else {
                    turn_away(stream, security.implicit);
                    continue;
                };
                let visit = Visit {
                    shared: Arc::clone(&shared),
                    security: security.clone(),
                    visitor,
                    stopped: stopped.clone(),
                };
                visits.spawn(async move {
                    session::run(visit, stream).await;
                    drop(pass);
                });
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept FTP connections; trying again");
                if timeout(backoff, &mut stop).await.is_ok() {
                    break;
                }
                backoff = (backoff * 2).min(BACKOFF_MAX);
            }
        }
    }
    drop(listener);
    // Nobody listens any more when the last visit has ended: that is as good.
    stopping.send_replace(true);
    drain(visits, shared.settings.drain).await
}

/// Never waits: who floods the door must not hold it.
fn turn_away(stream: TcpStream, implicit: bool) {
    if !implicit {
        let _ = stream.try_write(CROWDED);
    }
    tokio::spawn(async move {
        let mut stream = stream;
        let _ = timeout(Duration::from_secs(1), stream.shutdown()).await;
    });
}

/// The client has given up while it was waiting: nobody's trouble but its own.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

async fn drain(mut visits: JoinSet<()>, time: Duration) -> usize {
    let ended = async {
        while let Some(ended) = visits.join_next().await {
            report(ended);
        }
    };
    let _ = timeout(time, ended).await;
    let cut = visits.len();
    visits.shutdown().await;
    cut
}

/// A visit that panics takes its own connection down, and nothing else.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "an FTP visit panicked");
    }
}
