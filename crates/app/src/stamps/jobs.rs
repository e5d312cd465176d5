//! Making a buyer's copy of a file.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use kernel::{FileVersionId, GrantId, ProductFileId};
use stores::{Sha256, StoreError, Upload};

use super::flow::{self, Reserved};
use super::work::{self, Done, Task, WorkError};
use super::{Stamping, Unfit};
use crate::app::App;
use crate::cx::Actor;
use crate::jobs::runner::JobError;
use crate::jobs::{self, Claimed, Work};
use crate::parts::{Made, MadeFile, Unit};
use crate::problem::Failure;
use crate::products::flow::StoredFile;

/// Stamps the file that the part is about, for its unit.
pub async fn make(app: &App, unit: &Unit) -> Result<Made, JobError> {
    let Some(stamping) = unit.line.deliverables.stamp.clone() else {
        return Err(JobError::GiveUp("the line was sold without stamping".to_owned()));
    };
    let subject = &unit.part.key.subject;
    let version: FileVersionId =
        subject.parse().map_err(|_| JobError::GiveUp(format!("{subject} names no file")))?;
    let wanted = unit.clone();
    let reserved =
        app.write(unit.part.merchant, Actor::System, move |cx| flow::reserve(cx, &wanted, version));
    let reserved = reserved.await.map_err(retry)?;
    match stamped(app, &stamping, &reserved).await? {
        Came::Copy(stored) => {
            Ok(Made::Done { files: vec![MadeFile { stored, replaces: Some(version) }], texts: Vec::new() })
        }
        Came::Nothing => {
            let why = format!("nothing in \u{201c}{}\u{201d} could be stamped", reserved.file.name);
            Ok(Made::AsItIs(version, why))
        }
        Came::Unfit(why) => {
            let why = format!("\u{201c}{}\u{201d} cannot be stamped: {why}", reserved.file.name);
            Ok(match stamping.unfit {
                Unfit::Unstamped => Made::AsItIs(version, why),
                Unfit::Hold => Made::Kept(why),
                Unfit::Ask => Made::Held(why),
            })
        }
    }
}

/// What came of stamping.
enum Came {
    /// A copy, in the blob store.
    Copy(StoredFile),
    /// There is nothing to stamp in the file.
    Nothing,
    /// It cannot be stamped.
    Unfit(String),
}

async fn stamped(app: &App, stamping: &Stamping, reserved: &Reserved) -> Result<Came, JobError> {
    let stamp = match stamping.stamp(&reserved.names, reserved.mark) {
        Ok(stamp) => stamp,
        Err(error) => return Ok(Came::Unfit(format!("the text of its lines cannot be read: {error}"))),
    };
    let largest = u64::try_from(stamp::INPUT_BYTES_MAX).unwrap_or(u64::MAX);
    if reserved.file.size > largest {
        return Ok(Came::Unfit(format!("it is larger than {}", ui::Locale::En.bytes(largest))));
    }
    let original = open(app, reserved).await?;
    let task = Task::Stamp { stamp, code: reserved.mark.bytes() };
    let upload = Storing { upload: app.blobs().begin().map_err(judge)?, failed: None };
    match work::run(app, task, original, upload).await.map_err(again)? {
        (Done::Stamped, upload) => finish(reserved.file.name.clone(), upload).await.map(Came::Copy),
        (Done::Nothing, _) => Ok(Came::Nothing),
        (Done::Unfit(why), _) => Ok(Came::Unfit(why)),
        (Done::Found(_), _) => Err(JobError::GiveUp("the helper answered something else".to_owned())),
    }
}

/// A copy on its way into the store.
struct Storing {
    upload: Box<dyn Upload>,
    failed: Option<StoreError>,
}

impl Write for Storing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.upload.write(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                let told = std::io::Error::other(error.to_string());
                self.failed = Some(error);
                Err(told)
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn open(app: &App, reserved: &Reserved) -> Result<Bytes, JobError> {
    let blobs = Arc::clone(app.blobs());
    let (digest, size) = (reserved.file.sha256.clone(), reserved.file.size);
    let sha256: Sha256 = digest.parse().map_err(|error| JobError::GiveUp(format!("{digest}: {error}")))?;
    // Disks are slow: this waits for them off the async workers.
    let opened = tokio::task::spawn_blocking(move || blobs.open(&sha256, size)).await;
    Ok(opened.map_err(|error| JobError::Retry(error.to_string()))?.map_err(judge)?.all())
}

async fn finish(name: String, copy: Storing) -> Result<StoredFile, JobError> {
    if let Some(error) = copy.failed {
        return Err(judge(error));
    }
    let stored = tokio::task::spawn_blocking(move || copy.upload.finish()).await;
    let digests = stored.map_err(|error| JobError::Retry(error.to_string()))?.map_err(judge)?;
    Ok(StoredFile {
        name,
        sha256: digests.sha256.to_string(),
        size: digests.size,
        crc32: digests.crc32,
        md5: digests.md5_hex(),
    })
}

/// What cannot get better by itself is a person's.
fn judge(error: StoreError) -> JobError {
    match error {
        StoreError::Missing(_) | StoreError::Corrupted { .. } => JobError::GiveUp(error.to_string()),
        _ => JobError::Retry(error.to_string()),
    }
}

fn again(error: WorkError) -> JobError {
    JobError::Retry(error.to_string())
}

fn retry(failure: Failure) -> JobError {
    JobError::Retry(failure.to_string())
}

/// Wants copies of a file's new version, for some of who is to get it, and goes on with the others.
pub async fn want_copies(
    app: &App,
    job: &Claimed,
    file: ProductFileId,
    after: Option<GrantId>,
) -> Result<(), JobError> {
    let merchant = job.work.merchant();
    let job = job.clone();
    let done = app.write(merchant, Actor::System, move |cx| {
        if let Some(after) = flow::want_some(cx, file, after)? {
            jobs::flow::enqueue(cx, &Work::WantCopies { merchant, file, after: Some(after) })?;
        }
        Ok(jobs::store::finish(cx.tx, &job)?)
    });
    Ok(done.await?)
}
