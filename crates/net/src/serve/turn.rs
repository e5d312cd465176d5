//! Whose turn it is on a connection: the client's, to send a request, or ours, to answer one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::heads::Head;

/// Shared by a connection's socket, its requests and its timing.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Even while the client is to speak, odd while an answer is being made or sent. It only
    /// counts up, so every wait has its own number.
    number: AtomicU64,
    /// Whether bytes came in the client's turn.
    heard: AtomicBool,
    /// Whether a request's body was not read to its end.
    left_over: AtomicBool,
    /// Whether a head came that others may read otherwise.
    unclear: AtomicBool,
    /// Whether no request may follow the one that came.
    last: AtomicBool,
}

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
        self.0.heard.store(false, Ordering::Relaxed);
        self.0.number.fetch_add(1, Ordering::AcqRel);
        Ours(self.clone())
    }

    /// The wait that is on, if it is the client's turn.
    pub(super) fn wait(&self) -> Option<Wait> {
        let number = self.0.number.load(Ordering::Acquire);
        number.is_multiple_of(2).then_some(Wait(number))
    }

    /// Bytes came. In our turn they are a body's, or a request's that is sent ahead.
    pub(super) fn hear(&self) {
        if self.wait().is_some() {
            self.0.heard.store(true, Ordering::Relaxed);
        }
    }

    /// A head has come in whole.
    pub(super) fn judge(&self, head: Head) {
        match head {
            Head::Clear => {}
            Head::Last => self.0.last.store(true, Ordering::Relaxed),
            Head::Unclear => self.0.unclear.store(true, Ordering::Relaxed),
        }
    }

    /// Whether a head came that others may read otherwise: it and what follows is not served.
    pub(super) fn is_unclear(&self) -> bool {
        self.0.unclear.load(Ordering::Relaxed)
    }

    /// Whether no request may follow the one that came.
    pub(super) fn is_last(&self) -> bool {
        self.0.last.load(Ordering::Relaxed)
    }

    /// A body was dropped before its end: the client may still be sending it.
    pub(super) fn leave_over(&self) {
        self.0.left_over.store(true, Ordering::Relaxed);
    }

    /// Whether the client may still be sending what nobody will read.
    pub(super) fn has_left_over(&self) -> bool {
        self.0.left_over.load(Ordering::Relaxed)
    }

    /// Whether the client has begun its turn.
    pub(super) fn is_heard(&self) -> bool {
        self.0.heard.load(Ordering::Relaxed)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.0.0.number.fetch_add(1, Ordering::AcqRel);
    }
}
