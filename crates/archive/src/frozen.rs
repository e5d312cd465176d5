//! Layouts that are kept, so that another process on another day gives out the same bytes.

use serde::{Deserialize, Serialize};

use crate::names::is_confined;
use crate::{DosTime, Entry, Layout, Protection, ThawError};

/// Which form of a kept layout this release writes.
const VERSION: u16 = 1;

/// A layout without its secrets, to be kept where it is made. Seed and password are kept elsewhere, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    version: u16,
    modified: DosTime,
    protected: bool,
    /// What the bytes were promised as.
    etag: String,
    /// Under their final names.
    entries: Vec<Entry>,
}

impl Layout {
    /// What has to be kept for the same archive to be laid out again.
    pub fn freeze(&self) -> Frozen {
        Frozen {
            version: VERSION,
            modified: self.modified,
            protected: self.is_protected(),
            etag: self.etag().to_owned(),
            entries: self.entries().cloned().collect(),
        }
    }

    /// Lays out a kept archive again.
    ///
    /// # Errors
    /// When it would not be the same archive, byte for byte.
    pub fn thaw(frozen: Frozen, protection: Option<Protection>) -> Result<Self, ThawError> {
        if frozen.version != VERSION {
            return Err(ThawError::Version(frozen.version));
        }
        match (frozen.protected, &protection) {
            (true, None) => return Err(ThawError::Protected),
            (false, Some(_)) => return Err(ThawError::Unprotected),
            (true, Some(_)) | (false, None) => {}
        }
        for (ordinal, entry) in frozen.entries.iter().enumerate() {
            if !is_confined(&entry.name) {
                return Err(ThawError::Name { ordinal, name: entry.name.clone() });
            }
        }
        let layout = Self::place(frozen.entries, frozen.modified, protection)?;
        if layout.etag() != frozen.etag {
            let found = layout.etag().to_owned();
            return Err(ThawError::Changed { promised: frozen.etag, found });
        }
        Ok(layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContentId, Form};

    #[test]
    fn a_name_that_an_earlier_release_gave_is_kept() {
        // Today it would become "_aux.txt"; the archive was promised with this one.
        let entry = Entry {
            name: "aux.txt".to_owned(),
            content: ContentId::from_bytes([1; 32]),
            crc32: 0,
            size: 1,
            form: Form::Stored,
        };
        let earlier = Layout::place(vec![entry.clone()], DosTime::FIRST, None).expect("a layout");
        let thawed = Layout::thaw(earlier.freeze(), None).expect("thawed");
        assert_eq!(thawed.entry(0), Some(&entry));
    }
}
