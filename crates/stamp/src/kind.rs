use serde::{Deserialize, Serialize};

/// The kinds of files that can be stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Portable Document Format.
    Pdf,
    /// Electronic publication: a zip archive of XHTML.
    Epub,
}

/// How far into a file its header may stand: readers accept a PDF header within the first KiB.
const HEADER_WITHIN: usize = 1024;

impl Kind {
    /// Every kind, in the order they are listed on pages.
    pub const ALL: [Self; 2] = [Self::Pdf, Self::Epub];

    /// The kind that a file's bytes show.
    pub fn of(file: &[u8]) -> Option<Self> {
        let head = file.get(..HEADER_WITHIN.min(file.len())).unwrap_or_default();
        if head.windows(5).any(|window| window == b"%PDF-") {
            Some(Self::Pdf)
        } else if head.starts_with(b"PK\x03\x04")
            && (contains(head, b"mimetypeapplication/epub+zip") || crate::epub::has_container(file))
        {
            Some(Self::Epub)
        } else {
            None
        }
    }

    /// The kind that a file's name says.
    pub fn named(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|kind| extension.eq_ignore_ascii_case(kind.extension()))
    }

    /// The ending of such files' names, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Epub => "epub",
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
