//! Opening a content from an async handler.

use std::sync::Arc;

use stores::{Blob, Sha256, StoreError};

use crate::app::App;

/// Opens a content: at once where it is at hand, and otherwise on a thread that may wait.
///
/// # Errors
/// When no store can give it.
pub async fn open(app: &App, sha256: &Sha256, size: u64) -> Result<Blob, StoreError> {
    if let Some(blob) = app.blobs().at_hand(sha256, size)? {
        return Ok(blob);
    }
    let (blobs, sha256) = (Arc::clone(app.blobs()), *sha256);
    let opened = tokio::task::spawn_blocking(move || blobs.open(&sha256, size)).await;
    opened.unwrap_or_else(|error| {
        Err(StoreError::Io { doing: "waiting for a content", source: std::io::Error::other(error) })
    })
}
