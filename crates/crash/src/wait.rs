//! Waiting for another process, which nobody can be told about otherwise.

use std::time::{Duration, Instant};

/// How often a thing is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks until there is something, or until the time is over.
#[expect(clippy::disallowed_methods, reason = "other processes have clocks of their own")]
pub fn until<T>(most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if begun.elapsed() >= most {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Lets other processes go on for so long.
#[expect(clippy::disallowed_methods, reason = "a kill at random needs a random moment")]
pub fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// How long something took.
#[expect(clippy::disallowed_methods, reason = "other processes have clocks of their own")]
pub fn measured<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = act();
    (done, begun.elapsed())
}
