//! What a protected layout learns while it is read: keys and tags of the entries touched.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::seal::{Keys, Sealing, Tagged};
use crate::{Layout, Protection, ReadError, Source, Stretch, Tag, TagsError};

/// Keys cost half a millisecond each and tags a pass over the content, so both are made when an entry is first
/// touched, and kept.
pub(crate) struct Protected {
    protection: Protection,
    keys: Vec<OnceLock<Box<Keys>>>,
    tags: Vec<OnceLock<Tag>>,
}

impl std::fmt::Debug for Protected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protected").finish_non_exhaustive()
    }
}

/// The tags of an archive that are known, to be kept beside its frozen layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tags {
    /// Of which archive: a tag under another key would make a good archive a broken one.
    pub etag: String,
    /// By the entry's place in the order, counted from zero.
    pub tags: BTreeMap<u32, Tag>,
}

impl Protected {
    pub fn new(protection: Protection, entries: usize) -> Self {
        Self {
            protection,
            keys: (0..entries).map(|_| OnceLock::new()).collect(),
            tags: (0..entries).map(|_| OnceLock::new()).collect(),
        }
    }
}

impl Layout {
    /// Encrypts a stretch of an entry, by itself: for callers that read contents in their own way.
    ///
    /// After a stretch that was the whole entry, hand the sealing to [`Layout::sealed`], and its tag is known.
    ///
    /// # Errors
    /// When there is no such encrypted entry.
    pub fn sealing(&self, stretch: &Stretch) -> Result<Sealing, ReadError> {
        let keys = self.keys(stretch.ordinal).ok_or(ReadError::NoEntry(stretch.ordinal))?;
        let whole = self.whole(stretch.ordinal).is_some_and(|whole| whole == *stretch);
        let tagged = if whole && self.tag(stretch.ordinal).is_none() { Tagged::Yes } else { Tagged::No };
        Ok(Sealing::new(keys, stretch.from, stretch.length, tagged))
    }

    /// Learns the tag of an entry that was encrypted from its first to its last byte; does nothing otherwise.
    pub fn sealed(&self, ordinal: u32, sealing: Sealing) {
        if let (Some(place), Some(tag)) = (self.tag_place(ordinal), sealing.tag()) {
            place.get_or_init(|| tag);
        }
    }

    /// The tag of an entry, if it is known.
    pub fn tag(&self, ordinal: u32) -> Option<Tag> {
        self.tag_place(ordinal)?.get().copied()
    }

    /// The tag of an entry; computed by one pass over its content unless it is known.
    ///
    /// # Errors
    /// When there is no such encrypted entry, or its content cannot be read.
    pub fn tag_from(&self, ordinal: u32, source: &impl Source) -> Result<Tag, ReadError> {
        if let Some(tag) = self.tag(ordinal) {
            return Ok(tag);
        }
        let whole = self.whole(ordinal).ok_or(ReadError::NoEntry(ordinal))?;
        let mut sealing = self.sealing(&whole)?;
        let mut buffer = vec![0u8; PASS];
        let mut done = 0;
        while done < whole.length {
            let read = whole.read(done, source, &mut buffer)?;
            sealing.seal(buffer.get_mut(..read).unwrap_or_default());
            done = done.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        self.sealed(ordinal, sealing);
        self.tag(ordinal).ok_or(ReadError::NoEntry(ordinal))
    }

    /// All tags that are known by now.
    pub fn tags(&self) -> Tags {
        let known = self.protected.iter().flat_map(|protected| (0..).zip(&protected.tags));
        let tags = known.filter_map(|(ordinal, tag)| Some((ordinal, *tag.get()?))).collect();
        Tags { etag: self.etag().to_owned(), tags }
    }

    /// Takes over tags that were computed earlier, of this archive.
    ///
    /// # Errors
    /// When they are of another.
    pub fn learn(&self, tags: &Tags) -> Result<(), TagsError> {
        if tags.etag != self.etag() {
            return Err(TagsError { given: tags.etag.clone(), wanted: self.etag().to_owned() });
        }
        for (ordinal, tag) in &tags.tags {
            if let Some(place) = self.tag_place(*ordinal) {
                place.get_or_init(|| *tag);
            }
        }
        Ok(())
    }

    pub(crate) fn keys(&self, ordinal: u32) -> Option<&Keys> {
        let protected = self.protected.as_ref()?;
        let place = protected.keys.get(usize::try_from(ordinal).ok()?)?;
        let entry = self.entry(ordinal)?;
        Some(place.get_or_init(|| Box::new(protected.protection.keys(ordinal, entry))))
    }

    fn tag_place(&self, ordinal: u32) -> Option<&OnceLock<Tag>> {
        self.protected.as_ref()?.tags.get(usize::try_from(ordinal).ok()?)
    }
}

/// How much of a content is read at once for its tag.
const PASS: usize = 64 * 1024;
