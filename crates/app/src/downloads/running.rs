//! Transfers that run in this process: how they learn that they have been revoked, and where
//! their bytes are counted until the count is saved.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::{DownloadId, GrantId};

use super::Authorized;

/// All transfers of this process.
#[derive(Debug, Clone, Default)]
pub struct Transfers {
    sessions: Arc<Mutex<HashMap<DownloadId, Arc<Running>>>>,
}

/// One session with at least one transfer running, or bytes that wait to be saved.
#[derive(Debug)]
pub struct Running {
    /// The session.
    pub download: DownloadId,
    /// The right that it runs by.
    pub grant: GrantId,
    /// The grant's generation when it began.
    pub generation: u32,
    revoked: AtomicBool,
    unsaved: AtomicU64,
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

    /// Counts bytes that were handed to the network.
    pub fn add(&self, bytes: u64) {
        self.unsaved.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Takes the bytes that were not saved yet.
    pub fn take_unsaved(&self) -> u64 {
        self.unsaved.swap(0, Ordering::AcqRel)
    }

    /// Puts bytes back that could not be saved.
    pub fn put_back(&self, bytes: u64) {
        self.unsaved.fetch_add(bytes, Ordering::AcqRel);
    }
}

/// Holds a session in the list while a transfer runs.
#[derive(Debug)]
pub struct Use(Arc<Running>);

impl Use {
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
    /// Begins a transfer.
    pub fn begin(&self, authorized: &Authorized) -> Use {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let running = sessions.entry(authorized.download()).or_insert_with(|| {
            Arc::new(Running {
                download: authorized.download(),
                grant: authorized.grant(),
                generation: authorized.generation(),
                revoked: AtomicBool::new(false),
                unsaved: AtomicU64::new(0),
                users: AtomicU64::new(0),
            })
        });
        running.users.fetch_add(1, Ordering::AcqRel);
        Use(Arc::clone(running))
    }

    /// Bytes of a session that were handed out and are not saved yet.
    pub fn unsaved(&self, download: DownloadId) -> u64 {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&download).map_or(0, |running| running.unsaved.load(Ordering::Acquire))
    }

    /// The sessions that run or have bytes to save, and forgets those that have neither.
    pub fn sweep(&self) -> Vec<Arc<Running>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, running| {
            running.users.load(Ordering::Acquire) > 0 || running.unsaved.load(Ordering::Acquire) > 0
        });
        sessions.values().cloned().collect()
    }
}
