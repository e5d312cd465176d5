//! Keeping the blob store clean: contents that no row knows, and uploads that were given up.
//!
//! A content is stored before its row is committed, so a crash between the two leaves a
//! content without a row. Nothing can reach it; it only takes up room.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Span, Timestamp};
use stores::{Removal, Sha256, StoreError};

use super::store;
use crate::app::App;
use crate::problem::Failure;
use crate::uploads;

const CLEAN_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long a content may wait for its row.
const UNUSED_FOR: Span = Span::hours(24);
/// How long an upload may stand still.
const UPLOAD_LEASE: Span = Span::hours(6);

/// Cleans until the process ends.
pub async fn keep_clean(app: App) {
    let mut ticks = tokio::time::interval(CLEAN_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut cleaner = Cleaner::default();
    loop {
        ticks.tick().await;
        match cleaner.turn(&app).await {
            Ok(Cleaned { contents: 0, uploads: 0 }) => {}
            Ok(cleaned) => tracing::info!(
                contents = cleaned.contents,
                uploads = cleaned.uploads,
                "removed from the blob store what nothing refers to"
            ),
            Err(error) => {
                tracing::error!(%error, "the blob store could not be cleaned; the next turn is in an hour")
            }
        }
    }
}

/// Why a turn could not go on.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// The rows could not be read.
    #[error(transparent)]
    Rows(#[from] Failure),
    /// The store could not be read or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread that worked on the disk ended early.
    #[error(transparent)]
    Thread(#[from] tokio::task::JoinError),
}

/// What a turn removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Contents without a row.
    pub contents: u64,
    /// Uploads that were given up.
    pub uploads: u64,
}

/// Removes what was found unused in two turns, so that a clock set forward takes no content
/// whose row is about to be written.
#[derive(Debug, Default)]
pub struct Cleaner {
    suspects: HashSet<Sha256>,
}

impl Cleaner {
    /// Goes over the whole store once. In a quarantine it leaves everything where it is: an older
    /// copy of the database does not know what was stored since.
    ///
    /// # Errors
    /// When the database or the store cannot be read; what was removed until then stays removed.
    pub async fn turn(&mut self, app: &App) -> Result<Cleaned, CleanError> {
        let mut cleaned = Cleaned::default();
        if app.quarantine()?.is_some() {
            return Ok(cleaned);
        }
        let now = app.now();
        cleaned.uploads = uploads::jobs::forget(app).await?;
        cleaned.uploads += on_disk(app, move |blobs| blobs.sweep(now, UPLOAD_LEASE)).await?;
        let unused_since = now - UNUSED_FOR;
        let mut suspects = HashSet::new();
        for shelf in 0..=u8::MAX {
            for unused in unused(app, shelf, unused_since).await? {
                if !self.suspects.contains(&unused) {
                    suspects.insert(unused);
                } else if on_disk(app, move |blobs| blobs.remove(&unused, unused_since)).await?
                    == Removal::Removed
                {
                    cleaned.contents += 1;
                }
            }
        }
        self.suspects = suspects;
        Ok(cleaned)
    }
}

/// The contents of a shelf that are old enough and that no row knows. The shelf is read before
/// the rows: a row that is committed in between is seen.
async fn unused(app: &App, shelf: u8, unused_since: Timestamp) -> Result<Vec<Sha256>, CleanError> {
    let mut old = on_disk(app, move |blobs| blobs.list(shelf)).await?;
    old.retain(|listed| listed.stored_at < unused_since);
    if old.is_empty() {
        return Ok(Vec::new());
    }
    let known = app.read(move |snapshot| Ok(store::blobs_of_shelf(snapshot, shelf)?)).await?;
    old.retain(|listed| !known.contains(&listed.sha256.to_string()));
    Ok(old.into_iter().map(|listed| listed.sha256).collect())
}

/// Disks are slow: this waits for them off the async workers.
async fn on_disk<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&dyn stores::BlobStore) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, CleanError> {
    let blobs = Arc::clone(app.blobs());
    let done = tokio::task::spawn_blocking(move || work(&*blobs)).await;
    Ok(done??)
}
