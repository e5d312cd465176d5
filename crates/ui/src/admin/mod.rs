//! The back office: contexts of its pages. Their templates are under `templates/admin`.

use crate::templates::{Source, embed};

/// The templates of the back office.
pub(crate) const TEMPLATES: &[Source] = embed![];

/// The samples of the back office's pages.
pub(crate) fn exhibits() -> Vec<crate::gallery::Exhibit> {
    Vec::new()
}
