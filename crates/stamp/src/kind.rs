use serde::{Deserialize, Serialize};

/// The kinds of files that can be stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Portable Document Format.
    Pdf,
    /// Electronic publication: a zip archive of XHTML.
    Epub,
    /// A zip archive, in which the files of the other kinds are stamped.
    Zip,
}

/// How far into a file its header may stand: readers accept a PDF header within the first KiB.
const HEADER_WITHIN: usize = 1024;

impl Kind {
    /// Every kind, in the order they are listed on pages.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Epub, Self::Zip];

    /// The kind that a file's bytes show.
    pub fn of(file: &[u8]) -> Option<Self> {
        let head = file.get(..HEADER_WITHIN.min(file.len())).unwrap_or_default();
        // A zip archive first: what it begins with may be a PDF that was not compressed.
        if head.starts_with(b"PK\x03\x04") {
            let book = contains(head, b"mimetypeapplication/epub+zip") || crate::epub::has_container(file);
            return Some(if book { Self::Epub } else { Self::Zip });
        }
        contains(head, b"%PDF-").then_some(Self::Pdf)
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
            Self::Zip => "zip",
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
