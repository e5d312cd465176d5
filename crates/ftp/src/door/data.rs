//! Data connections: opened, filled, ended or cut.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Chunks;
use super::control::Wire;
use super::passive::Passive;

/// So much must get through within the time that is allowed; also what is cut at once when goods
/// are withdrawn.
const WRITE_BYTES: usize = 64 * 1024;

/// What goes over a data connection.
pub(super) enum Source {
    /// A listing.
    Text(String),
    /// A file.
    Chunks(Chunks),
}

/// Why not all of it did.
#[derive(Debug)]
pub(super) enum Cut {
    /// The client did not open it.
    NotOpened,
    /// The handshake failed.
    Handshake,
    /// The client went away or stopped reading.
    Client,
    /// The goods ended early: they were withdrawn, or could not be read.
    Goods,
}

/// Takes the data connection, and hands everything over.
pub(super) async fn hand_over(
    passive: Passive,
    acceptor: Option<TlsAcceptor>,
    source: Source,
    within: Duration,
) -> Result<(), Cut> {
    let stream = passive.accept(within).await.map_err(|_| Cut::NotOpened)?;
    let mut wire = match acceptor {
        None => Wire::Plain(stream),
        Some(acceptor) => {
            let secured = timeout(within, Wire::secure(stream, &acceptor)).await;
            secured.map_err(|_| Cut::Handshake)?.map_err(|_| Cut::Handshake)?
        }
    };
    let sent = match source {
        Source::Text(text) => send(&mut wire, text.as_bytes(), within).await.map_err(|_| Cut::Client),
        Source::Chunks(chunks) => send_all(&mut wire, chunks, within).await,
    };
    let ended = match sent {
        Ok(()) => timeout(within, wire.shutdown()).await.is_ok_and(|ended| ended.is_ok()),
        Err(cut) => {
            wire.cut();
            return Err(cut);
        }
    };
    if ended { Ok(()) } else { Err(Cut::Client) }
}

async fn send_all(wire: &mut Wire, mut chunks: Chunks, within: Duration) -> Result<(), Cut> {
    while let Some(chunk) = std::future::poll_fn(|cx| chunks.as_mut().poll_next(cx)).await {
        let chunk = chunk.map_err(|_| Cut::Goods)?;
        send(wire, &chunk, within).await.map_err(|_| Cut::Client)?;
    }
    Ok(())
}

async fn send(wire: &mut Wire, bytes: &[u8], within: Duration) -> io::Result<()> {
    for part in bytes.chunks(WRITE_BYTES) {
        timeout(within, wire.write_all(part)).await??;
    }
    timeout(within, wire.flush()).await?
}
