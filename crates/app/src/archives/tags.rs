//! Tags of protected entries that were computed: each costs a pass over its content, so a range
//! that ends with one does not pay for it again. Lost with the process, and then computed anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use archive::{Layout, Tags};

/// So many archives are remembered; beyond that all are forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// Tags by what their archive was promised as.
#[derive(Debug, Default)]
pub struct KnownTags(Mutex<HashMap<String, Tags>>);

impl KnownTags {
    /// Tells a layout the tags that are known of it.
    pub fn teach(&self, layout: &Layout) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(layout.etag()).cloned();
        if let Some(Err(error)) = known.map(|tags| layout.learn(&tags)) {
            tracing::error!(%error, "tags were remembered for another archive");
        }
    }

    /// Remembers a tag that a layout has learned. One at a time: an archive of ten thousand entries learns as many.
    pub fn remember(&self, layout: &Layout, ordinal: u32) {
        let Some(tag) = layout.tag(ordinal) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX && !known.contains_key(layout.etag()) {
            known.clear();
        }
        let fresh = || Tags { etag: layout.etag().to_owned(), tags: BTreeMap::new() };
        known.entry(layout.etag().to_owned()).or_insert_with(fresh).tags.insert(ordinal, tag);
    }
}
