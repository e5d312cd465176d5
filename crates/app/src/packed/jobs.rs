//! Deflating a content, on threads of its own.

use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use archive::{DeflateError, Deflater};
use kernel::MerchantId;
use sha2::{Digest as _, Sha256 as Hasher};
use stores::{BlobStore, Digests, Sha256, StoreError, Upload};

use super::{flow, store};
use crate::app::App;
use crate::cx::Actor;
use crate::failpoint;
use crate::jobs::runner::JobError;
use crate::jobs::{self, Claimed};

/// Threads that deflate one content, at most. Contents are deflated one after the other, and a
/// shop that is busy selling has a core left.
const THREADS_MAX: usize = 8;
/// How often a job says that its worker is alive; well within its lease.
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// How much is read from a content at a time.
const READ_PIECE: usize = 128 * 1024;

/// Deflates a content, unless that was done; ends the job with what came of it.
pub async fn deflate(app: &App, job: &Claimed, merchant: MerchantId, sha256: &str) -> Result<(), JobError> {
    let wanted = sha256.to_owned();
    let found = app.read(move |snapshot| {
        let known = store::known(snapshot, &wanted)?;
        Ok((known == super::Known::Nothing, store::size(snapshot, &wanted)?))
    });
    let (true, Some(size)) = found.await? else { return end(app, job, None).await };
    let blobs = Arc::clone(app.blobs());
    let name: Sha256 = sha256.parse().map_err(|error| JobError::GiveUp(format!("{sha256}: {error}")))?;
    let mut working = tokio::task::spawn_blocking(move || pack(&*blobs, &name, size));
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    ticks.tick().await;
    let stream = loop {
        tokio::select! {
            done = &mut working => break done.map_err(|error| JobError::Retry(error.to_string()))??,
            _ = ticks.tick() => {}
        }
        let held = job.clone();
        // Somebody else has the job if this fails: their stream is as good, and ours is dropped.
        app.write(merchant, Actor::System, move |cx| Ok(jobs::store::renew(cx.tx, &held, cx.now)?)).await?;
    };
    failpoint!(PackedStored);
    end(app, job, Some((sha256.to_owned(), stream))).await?;
    failpoint!(PackedRecorded);
    Ok(())
}

type Outcome = (String, Option<Digests>);

async fn end(app: &App, job: &Claimed, outcome: Option<Outcome>) -> Result<(), JobError> {
    let job = job.clone();
    let ended = app.write(job.work.merchant(), Actor::System, move |cx| {
        Ok(match &outcome {
            Some((sha256, stream)) => flow::record(cx, &job, sha256, stream.as_ref())?,
            None => jobs::store::finish(cx.tx, &job)?,
        })
    });
    Ok(ended.await?)
}

/// Stores the deflated stream of a content; nothing where it does not pay.
fn pack(blobs: &dyn BlobStore, sha256: &Sha256, size: u64) -> Result<Option<Digests>, JobError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = cores.saturating_sub(1).clamp(1, THREADS_MAX);
    let deflater = Deflater::new(NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN));
    let content = blobs.open(sha256, size).map_err(judge)?.all();
    let mut from = Hashed { rest: &content, hasher: Hasher::new() };
    let mut to = Stored { upload: blobs.begin().map_err(judge)?, failed: None };
    let deflated = match deflater.deflate(&mut from, &mut to) {
        Ok(deflated) => deflated,
        Err(error) => return Err(to.failed.map_or_else(|| told(sha256, &error), judge)),
    };
    let read = Sha256::from_bytes(from.hasher.finalize().into());
    if read != *sha256 || deflated.size != size {
        let found = format!("its content has the digest {read}");
        return Err(judge(StoreError::Corrupted { sha256: *sha256, found }));
    }
    if !deflated.pays() {
        return Ok(None);
    }
    to.upload.finish().map(Some).map_err(judge)
}

/// What cannot get better by itself is a person's.
fn judge(error: StoreError) -> JobError {
    match error {
        StoreError::Missing(_) | StoreError::Corrupted { .. } => JobError::GiveUp(error.to_string()),
        _ => JobError::Retry(error.to_string()),
    }
}

fn told(sha256: &Sha256, error: &DeflateError) -> JobError {
    JobError::Retry(format!("content {sha256}: {error}"))
}

/// A content that is hashed as it is read: a stream of something else must not stand for it.
struct Hashed<'a> {
    rest: &'a [u8],
    hasher: Hasher,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(READ_PIECE);
        let read = self.rest.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// A stream on its way into the store, which keeps what went wrong in the store's own words.
struct Stored {
    upload: Box<dyn Upload>,
    failed: Option<StoreError>,
}

impl Write for Stored {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.upload.write(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failed = Some(error);
                Err(std::io::Error::other("the blob store refused it"))
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
