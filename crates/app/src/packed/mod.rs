//! Packed contents: what is sold is deflated once, and archives have the stream in its place.
//!
//! The stream is a content like any other: a blob with a row, so that backups have it, the
//! cleaner leaves it and the audit looks after it. A content that deflating does not make smaller
//! is noted as such, and not tried again. Until a content was looked at, archives have it as it is.
//!
//! An archive that has begun keeps the forms that it began with (`download_files.packed_sha256`):
//! a stream that is ready in the middle of a download changes nothing of it.

pub mod flow;
pub mod jobs;
pub mod store;

db::words! {
    /// How archives have a content.
    pub enum PackedForm {
        /// As a deflated stream.
        Deflated = "deflated",
        /// As it is: deflating did not pay.
        Stored = "stored",
    }
}

/// Smaller contents are left as they are: what could be saved of them is no more than the room
/// that a file of its own takes on a disk.
pub const DEFLATED_MIN: u64 = 4 * 1024;

/// A deflated stream that stands for a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Hex, of the stream.
    pub sha256: String,
    /// Bytes of the stream.
    pub size: u64,
}

/// What is known of a content's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It was not looked at yet.
    Nothing,
    /// Deflating it does not pay.
    Stored,
    /// There is a stream.
    Deflated(Packed),
}

impl Known {
    /// The stream, if there is one.
    pub fn stream(self) -> Option<Packed> {
        match self {
            Self::Deflated(packed) => Some(packed),
            Self::Nothing | Self::Stored => None,
        }
    }
}
