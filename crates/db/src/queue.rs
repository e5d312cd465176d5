//! A bounded queue with many ends, for handing closures to database threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A bounded queue. Closing it lets what is in it be taken, and nothing more be put in.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Signaled only on closing, for pauses that must end then.
    closing: Condvar,
    room: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

/// Why something was not put in.
pub(crate) enum Refused {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub fn new(room: usize) -> Self {
        let state = State { waiting: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), closing: Condvar::new(), room }
    }

    // Nothing that can panic runs under the lock, so what a poisoned lock guards is whole.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one in and wakes one taker.
    pub fn push(&self, item: T) -> Result<(), (Refused, T)> {
        let mut state = self.state();
        if state.closed {
            return Err((Refused::Closed, item));
        }
        if state.waiting.len() >= self.room {
            return Err((Refused::Full, item));
        }
        state.waiting.push_back(item);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for one. `None` when the queue is closed and empty.
    pub fn pop(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if let Some(item) = state.waiting.pop_front() {
                return Some(item);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for one and takes, without waiting, as many more as there are. Empty when closed.
    pub fn pop_some(&self, most: usize) -> Vec<T> {
        let Some(first) = self.pop() else { return Vec::new() };
        let mut state = self.state();
        let more = state.waiting.len().min(most.saturating_sub(1));
        let mut taken = Vec::with_capacity(more + 1);
        taken.push(first);
        taken.extend(state.waiting.drain(..more));
        taken
    }

    /// How many are waiting.
    pub fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Lets nothing more in and wakes all takers.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
        self.closing.notify_all();
    }

    /// Waits that long, or until the queue is closed.
    pub fn pause(&self, pause: Duration) {
        let state = self.state();
        let waited = self.closing.wait_timeout_while(state, pause, |state| !state.closed);
        drop(waited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_a_closed_one_is_emptied_first() {
        let queue = Queue::new(2);
        assert!(queue.push(1).is_ok());
        assert!(queue.push(2).is_ok());
        assert!(matches!(queue.push(3), Err((Refused::Full, 3))));
        queue.close();
        assert!(matches!(queue.push(4), Err((Refused::Closed, 4))));
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.pop(), Some(2));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn only_what_is_waiting_is_taken() {
        let queue = Queue::new(10);
        for item in 0..5 {
            assert!(queue.push(item).is_ok());
        }
        assert_eq!(queue.pop_some(3), [0, 1, 2]);
        assert_eq!(queue.pop_some(3), [3, 4]);
    }
}
