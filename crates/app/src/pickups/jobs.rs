//! Taking the files of a pick-up.

use std::sync::Arc;

use kernel::{MerchantId, ProductId};
use stores::StoreError;

use super::PickUpError;
use crate::app::App;
use crate::cx::Actor;
use crate::jobs::Claimed;
use crate::jobs::runner::{JobError, renewing};
use crate::payloads::source::SourceError;
use crate::products::flow::StoredFile;
use crate::products::{self, change};
use crate::{failpoint, jobs};

/// Takes what a spec names into the blob store, and then makes all of it files of the product.
pub async fn take(
    app: &App,
    job: &Claimed,
    merchant: MerchantId,
    product: ProductId,
    spec: &str,
) -> Result<(), JobError> {
    let (worker, text) = (app.clone(), spec.to_owned());
    let working = tokio::task::spawn_blocking(move || gather(&worker, &text).map_err(judge));
    let files = renewing(app, job, working).await??;
    failpoint!(PickedUpStored);
    let job = job.clone();
    app.write(merchant, Actor::System, move |cx| {
        // A product that is gone has nobody to be told.
        if let Some(product) = products::store::lock(cx.tx, cx.merchant, product)? {
            for stored in &files {
                change::put_file(cx, &product, stored)?;
            }
        }
        Ok(jobs::store::finish(cx.tx, &job)?)
    })
    .await?;
    failpoint!(PickedUpRecorded);
    Ok(())
}

fn gather(app: &App, spec: &str) -> Result<Vec<StoredFile>, PickUpError> {
    let found = super::look(&app.settings().file_roots, spec)?;
    let blobs = Arc::clone(app.blobs());
    let take = |at| Ok(found.opened.take(at, &*blobs, app.taken_files())?);
    found.files.iter().map(take).collect()
}

/// What may come back by itself is waited for: a mount, room on the disk, a file that somebody is
/// writing. What is not there any more is told at once.
fn judge(error: PickUpError) -> JobError {
    match error {
        PickUpError::Source(
            SourceError::Root { .. }
            | SourceError::Changed(_)
            | SourceError::Store(StoreError::Full | StoreError::Io { .. }),
        ) => JobError::Retry(error.to_string()),
        PickUpError::Spec(_) | PickUpError::Lacking(_) | PickUpError::Source(_) => {
            JobError::GiveUp(error.to_string())
        }
    }
}
