//! The studio: where pages are rendered, a few at a time, and never without end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use render::{Artwork, Entered, Picture, PictureError, Template, Unfit, Value};
use stores::{BlobStore, Digests, Sha256, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Filled, FilledIn, KeptPicture, PREVIEW_EDGE, Terms};
use crate::app::App;
use crate::problem::{Code, Problem};

/// Previews and pictures at once: each takes a processor for a moment.
const LOOKING: usize = 2;
/// Prints at once: each takes a processor for as long as it takes.
const PRINTING: usize = 1;
/// Pictures on their way in at once: each is in memory until it is read.
const UPLOADS: usize = 6;
/// Templates that stay read: reading one checks all of it.
const KNOWN_MAX: usize = 8;
/// How long somebody who looks at a page waits for a free place, and for the page.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// How long a print may take.
const PRINT_TIME: Duration = Duration::from_secs(10 * 60);

/// Who waits for a page. Nobody who looks stands behind a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Somebody in front of a browser.
    Looking,
    /// An order.
    Printing,
}

impl For {
    const fn time(self) -> Duration {
        match self {
            Self::Looking => PATIENCE,
            Self::Printing => PRINT_TIME,
        }
    }
}

/// Places and templates of this process.
#[derive(Debug)]
pub struct Studio {
    looking: Arc<Semaphore>,
    printing: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    known: Mutex<VecDeque<(String, Arc<Template>)>>,
}

impl Default for Studio {
    fn default() -> Self {
        Self {
            looking: Arc::new(Semaphore::new(LOOKING)),
            printing: Arc::new(Semaphore::new(PRINTING)),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            known: Mutex::default(),
        }
    }
}

/// Why a page cannot be rendered now.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// The template or a picture cannot be read from the blob store.
    #[error("the {what} {sha256} cannot be read from the blob store: {why}")]
    Store {
        /// Template or picture.
        what: &'static str,
        /// Its digest.
        sha256: String,
        /// Why.
        why: String,
    },
    /// What lies in the blob store is not what was put there.
    #[error("the {what} {sha256} is not what was taken once: {why}")]
    Changed {
        /// Template or picture.
        what: &'static str,
        /// Its digest.
        sha256: String,
        /// Why.
        why: String,
    },
    /// Too many pages are being rendered.
    #[error("many pages are being rendered at the moment; try again in a minute")]
    Busy,
    /// It took too long.
    #[error("rendering the page took too long")]
    TooLong,
    /// The thread that rendered ended early.
    #[error("rendering the page failed: {0}")]
    Failed(String),
}

impl From<StudioError> for Problem {
    fn from(error: StudioError) -> Self {
        match error {
            StudioError::Busy | StudioError::TooLong => Self::new(Code::Unavailable, error.to_string()),
            error => {
                tracing::error!(%error, "artwork cannot be rendered");
                Self::new(Code::Internal, "this page cannot be rendered at the moment; it has been logged")
            }
        }
    }
}

impl Studio {
    /// A place for an upload, if one is free; nobody waits in line with a picture in hand.
    pub fn upload(&self) -> Result<OwnedSemaphorePermit, StudioError> {
        Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| StudioError::Busy)
    }

    /// The template of these terms. Reads files: not for async workers.
    pub fn template(&self, blobs: &dyn BlobStore, terms: &Terms) -> Result<Arc<Template>, StudioError> {
        let known = |known: &VecDeque<(String, Arc<Template>)>| {
            known.iter().find(|(digest, _)| *digest == terms.template).map(|(_, known)| Arc::clone(known))
        };
        if let Some(found) = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        let bytes = read(blobs, "template", &terms.template, terms.size)?;
        let read = Template::read(&bytes).map_err(|error| StudioError::Changed {
            what: "template",
            sha256: terms.template.clone(),
            why: error.to_string(),
        })?;
        let read = Arc::new(read);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front((terms.template.clone(), Arc::clone(&read)));
        all.truncate(KNOWN_MAX);
        Ok(read)
    }
}

/// Reads a content whole. For what is small only.
pub fn read(
    blobs: &dyn BlobStore,
    what: &'static str,
    digest: &str,
    size: u64,
) -> Result<Vec<u8>, StudioError> {
    let failed = |why: String| StudioError::Store { what, sha256: digest.to_owned(), why };
    let sha256: Sha256 = digest.parse().map_err(|_| failed("this is no digest".to_owned()))?;
    let blob = blobs.open(&sha256, size).map_err(|error| failed(error.to_string()))?;
    Ok(blob.all().to_vec())
}

/// Does work that takes a processor, in a free place. `go_on` answers `false` once nobody waits
/// any longer: when the time is over, and when whoever asked has gone.
pub async fn work<T: Send + 'static>(
    app: &App,
    whom: For,
    job: impl FnOnce(&App, &dyn Fn() -> bool) -> T + Send + 'static,
) -> Result<T, StudioError> {
    let studio = app.studio();
    let places = match whom {
        For::Looking => &studio.looking,
        For::Printing => &studio.printing,
    };
    let place = tokio::time::timeout(whom.time(), Arc::clone(places).acquire_owned());
    let place = place.await.map_err(|_| StudioError::Busy)?;
    let place = place.map_err(|error| StudioError::Failed(error.to_string()))?;
    let over = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&over);
    let waiting = Waiting(over);
    let app = app.clone();
    let working = tokio::task::spawn_blocking(move || {
        let done = job(&app, &|| !watched.load(Ordering::Relaxed));
        drop(place);
        done
    });
    let done = tokio::time::timeout(whom.time(), working).await.map_err(|_| StudioError::TooLong);
    drop(waiting);
    done?.map_err(|error| StudioError::Failed(error.to_string()))
}

/// Somebody who waits for a page; dropped, the work is over.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a buyer filled in cannot be printed: which fields, and why.
pub type Wrong = std::collections::BTreeMap<String, Unfit>;

/// Whether everything that is needed has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The buyer is still filling in.
    Draft,
    /// It is to be printed.
    Final,
}

/// Fills a page in. Reads files: not for async workers.
pub fn fill(
    app: &App,
    terms: &Terms,
    filled: &Filled,
    stage: Stage,
) -> Result<Result<Artwork, Wrong>, StudioError> {
    let template = app.studio().template(&**app.blobs(), terms)?;
    let entered = match entered(&**app.blobs(), terms, filled)? {
        Ok(entered) => entered,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let rules = terms.rules();
    Ok(match stage {
        Stage::Draft => template.draft(&rules, &entered),
        Stage::Final => template.fill(&rules, &entered),
    })
}

/// A small picture of what is filled in so far. Reads files: not for async workers.
pub fn preview(
    app: &App,
    terms: &Terms,
    filled: &Filled,
    mark: Option<&str>,
) -> Result<Result<Vec<u8>, Wrong>, StudioError> {
    match fill(app, terms, filled, Stage::Draft)? {
        Ok(page) => {
            let png = page.preview(PREVIEW_EDGE, mark);
            png.map(Ok).map_err(|error| StudioError::Failed(error.to_string()))
        }
        Err(wrong) => Ok(Err(wrong)),
    }
}

/// What was filled in, as the renderer takes it.
fn entered(
    blobs: &dyn BlobStore,
    terms: &Terms,
    filled: &Filled,
) -> Result<Result<Entered, Wrong>, StudioError> {
    let (mut entered, mut wrong) = (Entered::new(), Wrong::new());
    for (name, value) in &filled.fields {
        let kind = terms.field(name).map(|field| field.kind);
        let value = match value {
            FilledIn::Text(text) if kind == Some(render::Kind::Color) => match text.parse() {
                Ok(color) => Value::Color(color),
                Err(_) => {
                    wrong.insert(name.clone(), Unfit::NotAColor);
                    continue;
                }
            },
            FilledIn::Text(text) => Value::Text(text.clone()),
            FilledIn::Picture(kept) => Value::Picture(Arc::new(picture(blobs, kept)?)),
        };
        entered.insert(name.clone(), value);
    }
    Ok(if wrong.is_empty() { Ok(entered) } else { Err(wrong) })
}

fn picture(blobs: &dyn BlobStore, kept: &KeptPicture) -> Result<Picture, StudioError> {
    let bytes = read(blobs, "picture", &kept.picture, kept.size)?;
    Picture::kept(bytes).map_err(|error| StudioError::Changed {
        what: "picture",
        sha256: kept.picture.clone(),
        why: error.to_string(),
    })
}

/// Reads a buyer's picture and lays what is kept of it into the blob store.
pub fn take_picture(app: &App, bytes: &[u8]) -> Result<(KeptPicture, Digests), TakeError> {
    let picture = Picture::read(bytes)?;
    let stored = stores::put(&**app.blobs(), picture.bytes())?;
    let (width, height) = picture.size();
    let kept = KeptPicture { picture: stored.sha256.to_string(), size: stored.size, width, height };
    Ok((kept, stored))
}

/// Why a picture was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It cannot be used.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
