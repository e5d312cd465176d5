//! What a presigned URL is asked for.

use kernel::Span;

use crate::Sha256;

/// No presigned URL is good for longer: it cannot be taken back.
pub const PRESIGNED_MAX: Span = Span::seconds(300);

/// A URL that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Presign<'a> {
    /// The blob's name.
    pub sha256: Sha256,
    /// Its size by its row.
    pub size: u64,
    /// For how long; cut to [`PRESIGNED_MAX`], and at least a second.
    pub valid: Span,
    /// The `Content-Disposition` the store shall answer with: it knows no file names.
    pub disposition: &'a str,
    /// The `Content-Type` the store shall answer with.
    pub content_type: &'a str,
}

impl Presign<'_> {
    /// The time that is granted.
    pub(crate) fn granted(&self) -> Span {
        self.valid.clamp(Span::seconds(1), PRESIGNED_MAX)
    }
}
