//! Taking a content of any size into the blob store, as it arrives.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use stores::{BlobStore, Digests, StoreError};
use tokio::sync::mpsc;

use super::flow::StoredFile;
use crate::problem::{Code, Problem};

/// Pieces that wait for the disk; a fast sender is held up by a slow disk, not kept in memory.
const PIECES_WAITING_MAX: usize = 8;

/// Stores a body. When it breaks off, nothing is stored.
pub async fn receive(store: Arc<dyn BlobStore>, name: &str, mut body: Body) -> Result<StoredFile, Problem> {
    let (sender, receiver) = mpsc::channel::<Bytes>(PIECES_WAITING_MAX);
    let (whole, ended) = tokio::sync::oneshot::channel::<()>();
    // The disk is slow: this waits for it off the async workers.
    let storing = tokio::task::spawn_blocking(move || write(&*store, receiver, ended));
    let mut broken = None;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let Ok(piece) = frame.into_data() else { continue };
                // A closed channel means that storing has failed; it says why below.
                if sender.send(piece).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        }
    }
    if broken.is_none() && whole.send(()).is_err() {
        tracing::debug!("the upload was over before its body was");
    }
    drop(sender);
    let stored = storing.await.map_err(|error| unexpected(&error.to_string()))?;
    match (broken, stored) {
        (Some(why), _) => Err(Problem::new(Code::Malformed, format!("the upload broke off: {why}"))),
        (None, Ok(Some(digests))) => Ok(stored_file(name, &digests)),
        (None, Ok(None)) => Err(Problem::new(Code::Malformed, "the upload broke off")),
        (None, Err(StoreError::Full)) => Err(Problem::new(Code::Unavailable, StoreError::Full.to_string())),
        (None, Err(error)) => Err(unexpected(&error.to_string())),
    }
}

/// Writes what arrives. `None` when the sender broke off: the upload is dropped, and with it
/// what was written.
fn write(
    store: &dyn BlobStore,
    mut pieces: mpsc::Receiver<Bytes>,
    mut ended: tokio::sync::oneshot::Receiver<()>,
) -> Result<Option<Digests>, StoreError> {
    let mut upload = store.begin()?;
    while let Some(piece) = pieces.blocking_recv() {
        upload.write(&piece)?;
    }
    if ended.try_recv().is_err() {
        return Ok(None);
    }
    upload.finish().map(Some)
}

fn stored_file(name: &str, digests: &Digests) -> StoredFile {
    StoredFile {
        name: name.to_owned(),
        sha256: digests.sha256.to_string(),
        size: digests.size,
        crc32: digests.crc32,
        md5: digests.md5_hex(),
    }
}

fn unexpected(error: &str) -> Problem {
    tracing::error!(error, "an upload could not be stored");
    Problem::new(Code::Internal, "the file could not be stored; it has been logged")
}
