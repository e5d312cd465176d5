//! Archives that are computed: what the arithmetic costs by itself, and what a buyer waits for.

mod bought;
mod corpus;
mod layers;
mod packer;

use crate::report::{Failure, Pace, Report};
use crate::slow::{self, Crowd};
use packer::Packer;

/// How large the archives are.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Bytes of the contents.
    pub content: usize,
    /// Files of the archive whose layout is timed.
    pub entries: u32,
}

/// Measures all of it.
///
/// # Errors
/// When something cannot be laid out, read or served.
pub fn run(scale: Scale, crowd: Crowd<'_>, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    if !Packer::is_installed() {
        return Err("7z is not installed: apt-get install p7zip-full, then run this again".into());
    }
    layers::run(scale, pace, report)?;
    bought::run(scale.content, pace, report)?;
    if crowd.readers > 0 {
        slow::run(crowd, report)?;
    }
    Ok(())
}
