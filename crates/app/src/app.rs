//! The program's one handle: database, clock, keys, and the doors to the outside world.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use db::{Db, Snapshot};
use kernel::{Clock, Draws, Entropy, MerchantId, Timestamp};
use mail::Mailer;
use stores::{BlobStore, Mirrors};
use tokio::sync::{Notify, Semaphore};

use crate::archives::tags::KnownTags;
use crate::artworks::studio::Studio;
use crate::cx::{Actor, Cx};
use crate::downloads::running::Transfers;
use crate::installation::{self, Quarantine};
use crate::jobs::places::Places;
use crate::payloads::source::{FileRoot, Remembered};
use crate::problem::{Failure, Flow};
use crate::ring::Ring;
use crate::storage::HandOff;
use crate::uploads::Paused;

/// What the operator decides, as far as the product needs it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Scheme and host by which the world reaches us, without a slash at the end.
    pub base_url: String,
    /// Says on every page that no real money moves.
    pub demo: bool,
    /// How many days raw notices are kept.
    pub raw_notice_days: i64,
    /// The program that reads files of others with limits of its own: this one. Without it they are read here.
    pub helper: Option<std::path::PathBuf>,
    /// Folders that payloads may be taken from.
    pub file_roots: Vec<FileRoot>,
    /// Whether files are left to the proxy in front of us, and how.
    pub hand_off: Option<HandOff>,
}

impl Settings {
    /// The settings of a shop under this address.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            demo: false,
            raw_notice_days: 90,
            helper: None,
            file_roots: Vec::new(),
            hand_off: None,
        }
    }
}

/// What the program is wired from.
pub struct Parts {
    /// The database, migrated.
    pub db: Db,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The key ring.
    pub ring: Arc<Ring>,
    /// Where contents lie.
    pub blobs: Arc<Mirrors>,
    /// Where mail leaves.
    pub mailer: Arc<dyn Mailer>,
    /// Where calls to gateways leave.
    pub outbound: net::outbound::Client,
    /// Pages and mails.
    pub renderer: Arc<ui::Renderer>,
    /// What the operator decides.
    pub settings: Settings,
}

/// The product, wired. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    blobs: Arc<dyn BlobStore>,
    transfers: Transfers,
    paused: Paused,
    limiter: net::limit::RateLimiter,
    job_waiting: Notify,
    commits: AtomicU64,
    job_places: Places,
    file_work: Semaphore,
    taken_files: Remembered,
    studio: Studio,
    archive_tags: Arc<KnownTags>,
    /// `None` until it is looked at for the first time.
    quarantine: Mutex<Option<Option<Arc<Quarantine>>>>,
}

impl App {
    /// Wires the parts.
    pub fn new(parts: Parts) -> Self {
        let limiter = net::limit::RateLimiter::new(&*parts.entropy);
        let job_places = Places::new();
        let taken_files = Remembered::default();
        let (transfers, paused) = (Transfers::default(), Paused::default());
        let blobs: Arc<dyn BlobStore> = parts.blobs.clone();
        let (job_waiting, quarantine, commits) = (Notify::new(), Mutex::default(), AtomicU64::new(0));
        let file_work = Semaphore::new(1);
        Self(Arc::new(Inner {
            parts,
            blobs,
            transfers,
            paused,
            limiter,
            job_waiting,
            commits,
            job_places,
            file_work,
            taken_files,
            studio: Studio::default(),
            archive_tags: Arc::default(),
            quarantine,
        }))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.parts.db
    }

    /// The key ring.
    pub fn ring(&self) -> &Ring {
        &self.0.parts.ring
    }

    /// The key ring, for closures that outlive the borrow.
    pub fn ring_arc(&self) -> Arc<Ring> {
        Arc::clone(&self.0.parts.ring)
    }

    /// Randomness, for what is not drawn inside a transaction.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.0.parts.entropy
    }

    /// Where contents lie: all stores as one.
    pub fn blobs(&self) -> &Arc<dyn BlobStore> {
        &self.0.blobs
    }

    /// The stores that contents lie in, one by one.
    pub fn stores(&self) -> &Arc<Mirrors> {
        &self.0.parts.blobs
    }

    /// Where mail leaves.
    pub fn mailer(&self) -> &dyn Mailer {
        &*self.0.parts.mailer
    }

    /// Where calls to gateways leave.
    pub fn outbound(&self) -> &net::outbound::Client {
        &self.0.parts.outbound
    }

    /// Pages and mails.
    pub fn renderer(&self) -> &ui::Renderer {
        &self.0.parts.renderer
    }

    /// What the operator decides.
    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    /// The transfers that run in this process.
    pub fn transfers(&self) -> &Transfers {
        &self.0.transfers
    }

    /// How far the uploads have come that went through this process.
    pub fn paused(&self) -> &Paused {
        &self.0.paused
    }

    /// Limits on what one address may ask for.
    pub fn limiter(&self) -> &net::limit::RateLimiter {
        &self.0.limiter
    }

    /// How many transactions this process has ended: as long as it stays the same, what was read
    /// before has only been changed by other processes.
    pub fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Acquire)
    }

    /// A transaction that failed brought no job. It wakes nobody: the job runner, whose own writes
    /// fail while the disk is full, would never rest, and fill the log.
    fn ended<T>(&self, result: &Flow<T>) {
        self.0.commits.fetch_add(1, Ordering::AcqRel);
        if result.is_ok() {
            self.job_waiting().notify_one();
        }
    }

    /// Told when a job may be waiting.
    pub fn job_waiting(&self) -> &Notify {
        &self.0.job_waiting
    }

    /// Places for jobs that run at once.
    pub fn job_places(&self) -> &Places {
        &self.0.job_places
    }

    /// A turn at work that takes a multiple of a file's size of memory: one at a time.
    pub fn file_work(&self) -> &Semaphore {
        &self.0.file_work
    }

    /// Tags of protected archives that were computed.
    pub fn archive_tags(&self) -> &Arc<KnownTags> {
        &self.0.archive_tags
    }

    /// Files below the roots that were taken into the blob store.
    pub fn taken_files(&self) -> &Remembered {
        &self.0.taken_files
    }

    /// Where artwork is rendered.
    pub fn studio(&self) -> &Studio {
        &self.0.studio
    }

    /// Why nothing leaves the house, if so: no mail, no call to a gateway. As last looked at by
    /// the job runner, which looks every second.
    pub fn quarantine(&self) -> Flow<Option<Arc<Quarantine>>> {
        let known = self.0.quarantine.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(quarantine) => Ok(quarantine),
            None => Ok(self
                .note_quarantine(self.read_now(|snapshot| Ok(installation::store::quarantine(snapshot)?))?)),
        }
    }

    /// Keeps what was read of the quarantine for [`App::quarantine`].
    pub fn note_quarantine(&self, found: Option<Quarantine>) -> Option<Arc<Quarantine>> {
        let found = found.map(Arc::new);
        *self.0.quarantine.lock().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        found
    }

    /// Runs a flow in one transaction and answers after the durable commit.
    ///
    /// The closure may run again: time, ids and nonces are fixed before the first run.
    pub async fn write<T, F>(&self, merchant: MerchantId, actor: Actor, work: F) -> Flow<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Cx<'_, '_>) -> Flow<T> + Send + 'static,
    {
        let result = self.db().write(self.in_cx(merchant, actor, work)).await;
        self.ended(&result);
        result
    }

    /// [`App::write`] for plain threads: the shell, the simulator, tests.
    pub fn write_blocking<T, F>(&self, merchant: MerchantId, actor: Actor, work: F) -> Flow<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Cx<'_, '_>) -> Flow<T> + Send + 'static,
    {
        let result = self.db().write_blocking(self.in_cx(merchant, actor, work));
        self.ended(&result);
        result
    }

    fn in_cx<T, F>(
        &self,
        merchant: MerchantId,
        actor: Actor,
        mut work: F,
    ) -> impl FnMut(&mut db::Tx<'_>) -> Result<T, Failure> + Send + 'static
    where
        T: Send + 'static,
        F: FnMut(&mut Cx<'_, '_>) -> Flow<T> + Send + 'static,
    {
        let now = self.now();
        let draws = Draws::new(now, self.entropy());
        let ring = Arc::clone(&self.0.parts.ring);
        move |tx| {
            let mut draws = draws.clone();
            work(&mut Cx { tx, now, draws: &mut draws, ring: &ring, actor, merchant })
        }
    }

    /// Runs a closure on one moment of the database.
    pub async fn read<T, F>(&self, work: F) -> Flow<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Snapshot<'_>) -> Flow<T> + Send + 'static,
    {
        self.db().read(work).await
    }

    /// [`App::read`] on this thread: microseconds on SQLite, a hop to a database thread on
    /// PostgreSQL.
    pub fn read_now<T: Send + 'static, F>(&self, work: F) -> Flow<T>
    where
        F: FnMut(&mut Snapshot<'_>) -> Flow<T> + Send + 'static,
    {
        self.db().read_blocking(work)
    }
}
