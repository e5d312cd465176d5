//! What of a transfer's own memory is on its way to the client.
//!
//! Views into maps cost nothing while they wait; what was encrypted does. The network gathers frames up to the size
//! of its buffer, and a thousand slow readers would hold half a gigabyte of them. So the next frame is made when the
//! one before it has left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// Lends one frame at a time.
#[derive(Debug, Default, Clone)]
pub struct Lending(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    /// Nothing is lent.
    #[default]
    Home,
    /// A frame is, and perhaps somebody waits for it.
    Lent(Option<Waker>),
}

/// A frame, which says when it is dropped.
struct Frame {
    bytes: Vec<u8>,
    lending: Lending,
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let state = std::mem::take(&mut *self.lending.state());
        if let State::Lent(Some(waiting)) = state {
            waiting.wake();
        }
    }
}

impl Lending {
    /// Lends a frame, after [`Lending::poll_home`] was ready.
    pub fn lend(&self, bytes: Vec<u8>) -> Bytes {
        *self.state() = State::Lent(None);
        Bytes::from_owner(Frame { bytes, lending: self.clone() })
    }

    /// Ready when nothing is lent.
    pub fn poll_home(&self, cx: &Context<'_>) -> Poll<()> {
        match &mut *self.state() {
            State::Home => Poll::Ready(()),
            State::Lent(waiting) => {
                *waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn the_next_frame_waits_until_all_of_the_one_before_has_left() {
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&woken));
        let cx = Context::from_waker(&waker);
        let lending = Lending::default();

        assert!(lending.poll_home(&cx).is_ready());
        let mut frame = lending.lend(b"frame".to_vec());
        let sent = frame.split_to(3);
        assert!(lending.poll_home(&cx).is_pending());
        drop(sent);
        assert_eq!((woken.0.load(Ordering::SeqCst), lending.poll_home(&cx)), (0, Poll::Pending));
        drop(frame);
        assert_eq!((woken.0.load(Ordering::SeqCst), lending.poll_home(&cx)), (1, Poll::Ready(())));
    }

    #[test]
    fn a_frame_that_outlives_its_transfer_harms_nobody() {
        let frame = Lending::default().lend(vec![7; 9]);
        assert_eq!(frame.len(), 9);
    }
}
