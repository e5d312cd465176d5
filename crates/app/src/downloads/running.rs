//! Transfers that run in this process: how they learn that they have been revoked, and where
//! their bytes are counted until the count is saved.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{DownloadId, Span, Timestamp};

use super::Authorized;
use crate::links::Presented;

/// All transfers of this process.
#[derive(Debug, Clone, Default)]
pub struct Transfers {
    sessions: Arc<Mutex<HashMap<DownloadId, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    running: Arc<Running>,
    known: Known,
}

/// What the database said of a session not long ago. A download manager asks for the same bytes
/// in many ranges within a second, and nothing in this process has changed since.
#[derive(Debug)]
struct Known {
    authorized: Arc<Authorized>,
    asked: Asked,
}

/// When an authorization was read, and until when it may be remembered.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// What [`App::commits`](crate::app::App::commits) was before.
    pub commits: u64,
    /// The time.
    pub at: Timestamp,
}

/// As long as other processes may take to be heard, which is what the watch allows them too.
const REMEMBERED: Span = Span::seconds(1);

impl Known {
    fn holds(&self, presented: &Presented, asked: Asked) -> bool {
        presented.proves(Some(self.authorized.code))
            && self.asked.commits == asked.commits
            && asked.at >= self.asked.at
            && asked.at < self.asked.at + REMEMBERED
            && asked.at < self.authorized.until
    }
}

/// One session with at least one transfer running, or bytes that wait to be saved.
#[derive(Debug)]
pub struct Running {
    /// What it was given to hand out.
    pub authorized: Arc<Authorized>,
    revoked: AtomicBool,
    /// For each of the contents.
    unsaved: Box<[AtomicU64]>,
    users: AtomicU64,
}

impl Running {
    /// Whether the transfer must end now. Looked at before every frame.
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// Ends the transfers of this session at their next frame.
    pub fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// Whether a transfer of it runs.
    pub fn is_used(&self) -> bool {
        self.users.load(Ordering::Acquire) > 0
    }

    /// Counts bytes of a content that were handed to the network.
    pub fn add(&self, ordinal: usize, bytes: u64) {
        if let Some(unsaved) = self.unsaved.get(ordinal) {
            unsaved.fetch_add(bytes, Ordering::AcqRel);
        }
    }

    /// Bytes of a content that were handed out and are not saved yet.
    pub fn unsaved(&self, ordinal: usize) -> u64 {
        self.unsaved.get(ordinal).map_or(0, |unsaved| unsaved.load(Ordering::Acquire))
    }

    /// Takes the bytes of each content that were not saved yet, if there are any.
    pub fn take_unsaved(&self) -> Option<Vec<u64>> {
        let take = |unsaved: &AtomicU64| unsaved.swap(0, Ordering::AcqRel);
        self.has_unsaved().then(|| self.unsaved.iter().map(take).collect())
    }

    /// Puts bytes back that could not be saved.
    pub fn put_back(&self, bytes: &[u64]) {
        for (unsaved, bytes) in self.unsaved.iter().zip(bytes) {
            unsaved.fetch_add(*bytes, Ordering::AcqRel);
        }
    }

    fn has_unsaved(&self) -> bool {
        self.unsaved.iter().any(|unsaved| unsaved.load(Ordering::Acquire) > 0)
    }
}

/// Holds a session in the list while a transfer runs.
#[derive(Debug)]
pub struct Use(Arc<Running>);

impl Use {
    fn of(running: &Arc<Running>) -> Self {
        running.users.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(running))
    }

    /// The session.
    pub fn running(&self) -> &Running {
        &self.0
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Transfers {
    fn sessions(&self) -> MutexGuard<'_, HashMap<DownloadId, Entry>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this token was authorized for within the last second, if nothing has happened since; with a use of
    /// its session, so that a request looks for it once.
    pub fn known(&self, token: &str, asked: Asked) -> Option<(Arc<Authorized>, Use)> {
        let presented = Presented::read(token)?;
        let sessions = self.sessions();
        let entry = sessions.get(&DownloadId::from_bits(presented.id))?;
        let holds = !entry.running.is_revoked() && entry.known.holds(&presented, asked);
        holds.then(|| (Arc::clone(&entry.known.authorized), Use::of(&entry.running)))
    }

    /// Begins to use a session, and remembers for others of the same session what it was authorized for.
    pub fn begin(&self, authorized: &Arc<Authorized>, asked: Asked) -> Use {
        let mut sessions = self.sessions();
        let entry = sessions.entry(authorized.download()).or_insert_with(|| Entry {
            running: Arc::new(Running {
                authorized: Arc::clone(authorized),
                revoked: AtomicBool::new(false),
                unsaved: authorized.goods.contents().iter().map(|_| AtomicU64::new(0)).collect(),
                users: AtomicU64::new(0),
            }),
            known: Known { authorized: Arc::clone(authorized), asked },
        });
        // What was remembered keeps its own time, or a busy session would never be asked about again.
        if !Arc::ptr_eq(&entry.known.authorized, authorized) {
            entry.known = Known { authorized: Arc::clone(authorized), asked };
        }
        Use::of(&entry.running)
    }

    /// The sessions that run or have bytes to save, and forgets those that have neither.
    pub fn sweep(&self) -> Vec<Arc<Running>> {
        let mut sessions = self.sessions();
        sessions.retain(|_, Entry { running, .. }| running.is_used() || running.has_unsaved());
        sessions.values().map(|entry| Arc::clone(&entry.running)).collect()
    }
}
