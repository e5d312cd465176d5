//! Whose turn it is on a connection: the client's, to send a request, or ours, to answer one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shared by a connection's socket and its requests. Even while the client is to speak, odd
/// while an answer is being made or sent; it only counts up, so every wait has its own number.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<AtomicU64>);

/// Our turn, until it is dropped: at the end of the answer's body.
#[derive(Debug)]
pub(super) struct Ours(Turn);

/// The number of a wait for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait(u64);

impl Wait {
    /// The wait for a connection's first request.
    pub(super) const FIRST: Self = Self(0);
}

impl Turn {
    /// A request has come.
    pub(super) fn take(&self) -> Ours {
        self.0.fetch_add(1, Ordering::AcqRel);
        Ours(self.clone())
    }

    /// The wait that is on, if it is the client's turn.
    pub(super) fn wait(&self) -> Option<Wait> {
        let number = self.0.load(Ordering::Acquire);
        number.is_multiple_of(2).then_some(Wait(number))
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}
