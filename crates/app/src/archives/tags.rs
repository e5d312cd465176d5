//! Tags of protected entries that were computed: each costs a pass over its content, so a range
//! that ends with one does not pay for it again. Lost with the process, and then computed anew.

use std::collections::HashMap;
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

    /// Remembers what a layout has learned.
    pub fn remember(&self, layout: &Layout) {
        let tags = layout.tags();
        if tags.tags.is_empty() {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(layout.etag().to_owned(), tags);
    }
}
