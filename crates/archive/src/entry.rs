//! What goes into an archive.

use serde::{Deserialize, Serialize};

use crate::hexed::hexed;

/// The SHA-256 of some bytes, by which a [`Source`](crate::Source) finds them.
///
/// Written as 64 lower-case hexadecimal digits, one spelling for one digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId([u8; 32]);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a content is named by its SHA-256: 64 lower-case hexadecimal digits")]
pub struct ContentIdError;

hexed!(ContentId, 32, ContentIdError);

/// One file that shall be in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The wanted name, with folders; the archive holds a safe and unique form of it.
    pub name: String,
    /// The SHA-256 of the file.
    pub content: ContentId,
    /// The CRC-32 of the file.
    pub crc32: u32,
    /// The length of the file in bytes.
    pub size: u64,
    /// How the file is held.
    pub form: Form,
}

/// How the bytes of a file stand in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Form {
    /// As they are.
    Stored,
    /// As a raw deflate stream that was made earlier.
    Deflated {
        /// The SHA-256 of that stream. Two deflaters make two streams of one file, so the
        /// file's own digest does not say which bytes an archive has.
        blob: ContentId,
        /// The length of that stream in bytes.
        length: u64,
    },
}

impl Entry {
    /// What a source is asked for.
    pub const fn blob(&self) -> ContentId {
        match self.form {
            Form::Stored => self.content,
            Form::Deflated { blob, .. } => blob,
        }
    }

    /// How many bytes of it stand in the archive, encryption aside.
    pub const fn held(&self) -> u64 {
        match self.form {
            Form::Stored => self.size,
            Form::Deflated { length, .. } => length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_has_one_name() {
        let text = "00ff".repeat(16);
        assert_eq!(text.parse::<ContentId>().map(|id| id.to_string()), Ok(text.clone()));
        assert_eq!(text.to_uppercase().parse::<ContentId>(), Err(ContentIdError));
        assert_eq!(text[2..].parse::<ContentId>(), Err(ContentIdError));
    }
}
