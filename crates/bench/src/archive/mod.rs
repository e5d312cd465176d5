//! Archives that are computed: what the arithmetic costs by itself, and what a buyer waits for.

mod layers;

use crate::report::{Failure, Pace, Report};
use crate::slow::{self, Crowd};

/// How large the archives are.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Bytes of the contents that are encrypted.
    pub content: usize,
    /// Files of the archive whose layout is timed.
    pub entries: u32,
}

/// Measures all of it.
///
/// # Errors
/// When something cannot be laid out, read or served.
pub fn run(scale: Scale, crowd: Crowd<'_>, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    layers::run(scale, pace, report)?;
    if crowd.readers > 0 {
        slow::run(crowd, report)?;
    }
    Ok(())
}
