//! Taking a content of any size into the blob store, as it arrives.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use stores::{BlobStore, Digests, StoreError};
use tokio::sync::mpsc;

use super::flow::StoredFile;
use crate::failpoint;
use crate::problem::{Code, Problem};

/// Pieces that wait for the disk; a fast sender is held up by a slow disk, not kept in memory.
const PIECES_WAITING_MAX: usize = 8;

/// A content that arrives piece by piece: a request's body, or a file of a posted form.
pub trait Pieces: Send {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// Why there is neither: the sender is gone.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, String>> + Send;
}

impl Pieces for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, String> {
        while let Some(frame) = self.frame().await {
            // Trailers are no content.
            if let Ok(piece) = frame.map_err(|error| error.to_string())?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

/// Stores a content. When it breaks off, nothing is stored.
pub async fn receive(
    store: Arc<dyn BlobStore>,
    name: &str,
    mut content: impl Pieces,
) -> Result<StoredFile, Problem> {
    let (sender, receiver) = mpsc::channel::<Bytes>(PIECES_WAITING_MAX);
    let (whole, ended) = tokio::sync::oneshot::channel::<()>();
    // The disk is slow: this waits for it off the async workers.
    let storing = tokio::task::spawn_blocking(move || write(&*store, receiver, ended));
    let mut broken = None;
    loop {
        match content.next().await {
            Ok(Some(piece)) => {
                // A closed channel means that storing has failed; it says why below.
                if sender.send(piece).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(why) => {
                broken = Some(why);
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

/// Refuses what cannot fit before hours are spent on sending it. `announced` is the length that
/// the sender promises, where it does.
pub async fn make_sure_of_room(store: Arc<dyn BlobStore>, announced: Option<u64>) -> Result<(), Problem> {
    let Some(announced) = announced else { return Ok(()) };
    let asked = tokio::task::spawn_blocking(move || store.free_space()).await;
    let free = asked.map_err(|error| unexpected(&error.to_string()))?;
    match free {
        Ok(Some(free)) if free < announced => {
            let (needs, has) = (ui::Locale::En.bytes(announced), ui::Locale::En.bytes(free));
            let text = format!("the upload has {needs}, and the disk of the blob store has room for {has}");
            Err(Problem::new(Code::Unavailable, format!("{text}; free space or enlarge it, then try again")))
        }
        Ok(_) => Ok(()),
        Err(error) => {
            // What cannot be asked in advance shows itself while it is written.
            tracing::warn!(%error, "the free space of the blob store is not known");
            Ok(())
        }
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
    failpoint!(UploadReceived);
    let stored = upload.finish()?;
    failpoint!(UploadStored);
    Ok(Some(stored))
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

#[cfg(test)]
mod tests {
    use kernel::{Span, Timestamp, UploadId};
    use stores::{Blob, Listed, Progress, Removal, Resumable, Sha256, Upload};

    use super::*;

    /// A store on a disk that takes so many bytes, and has no more room for them.
    struct Cramped(u64);

    struct Cramming(u64);

    impl BlobStore for Cramped {
        fn begin(&self) -> Result<Box<dyn Upload>, StoreError> {
            Ok(Box::new(Cramming(self.0)))
        }
        fn resume(&self, _: UploadId, _: u64, _: Option<Progress>) -> Result<Box<dyn Resumable>, StoreError> {
            Err(StoreError::Full)
        }
        fn discard(&self, _: UploadId) -> Result<(), StoreError> {
            Ok(())
        }
        fn open(&self, sha256: &Sha256, _: u64) -> Result<Blob, StoreError> {
            Err(StoreError::Missing(*sha256))
        }
        fn size(&self, _: &Sha256) -> Result<Option<u64>, StoreError> {
            Ok(None)
        }
        fn check(&self, sha256: &Sha256) -> Result<Digests, StoreError> {
            Err(StoreError::Missing(*sha256))
        }
        fn remove(&self, _: &Sha256, _: Timestamp) -> Result<Removal, StoreError> {
            Ok(Removal::Absent)
        }
        fn list(&self, _: u8) -> Result<Vec<Listed>, StoreError> {
            Ok(Vec::new())
        }
        fn sweep(&self, _: Timestamp, _: Span) -> Result<u64, StoreError> {
            Ok(0)
        }
        fn free_space(&self) -> Result<Option<u64>, StoreError> {
            Ok(Some(self.0))
        }
    }

    impl Upload for Cramming {
        fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
            let length = u64::try_from(bytes.len()).unwrap();
            self.0 = self.0.checked_sub(length).ok_or(StoreError::Full)?;
            Ok(())
        }
        fn written(&self) -> u64 {
            0
        }
        fn finish(self: Box<Self>) -> Result<Digests, StoreError> {
            Err(StoreError::Full)
        }
    }

    /// Sends a piece again and again, far beyond what any store here takes.
    struct Endless(u32);

    impl Pieces for Endless {
        async fn next(&mut self) -> Result<Option<Bytes>, String> {
            self.0 += 1;
            assert!(self.0 < 1_000, "the sender was not stopped");
            Ok(Some(Bytes::from_static(&[7; 100])))
        }
    }

    #[tokio::test]
    async fn a_full_disk_stops_the_sender_and_says_what_to_do() {
        let refused = receive(Arc::new(Cramped(250)), "a.zip", Endless(0)).await.unwrap_err();
        assert_eq!(refused.code, Code::Unavailable);
        assert!(refused.detail.contains("free space or enlarge it"), "{}", refused.detail);
    }

    #[tokio::test]
    async fn what_cannot_fit_is_refused_before_it_is_sent() {
        let refused = make_sure_of_room(Arc::new(Cramped(2_000_000)), Some(5_000_000_000)).await.unwrap_err();
        assert_eq!(refused.code, Code::Unavailable);
        assert!(
            refused.detail.contains("5\u{a0}GB") && refused.detail.contains("2\u{a0}MB"),
            "{}",
            refused.detail
        );
        assert!(make_sure_of_room(Arc::new(Cramped(2_000_000)), Some(1_000)).await.is_ok());
        assert!(make_sure_of_room(Arc::new(Cramped(0)), None).await.is_ok());
    }
}
