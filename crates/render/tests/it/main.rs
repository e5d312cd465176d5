//! What a template may be, what a buyer may enter, and what comes out.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up is to fail")]

mod filling;
mod hostile;
mod pictures;
mod printing;
mod properties;
mod samples;
