//! Pick-ups: files for a product, taken from the folders that the operator has declared.
//!
//! What is to be taken is written as in a payload (`/srv/goods/film-*.mkv`), and confined to the
//! same roots. The files are copied into the blob store, hashed on the way, and become files of the
//! product as if they had been uploaded: all of them or none. What happens in the folder later
//! changes nothing of them.

pub mod jobs;
pub mod staff_pages;
pub mod store;

use std::collections::BTreeSet;

use payload::{Goods, Placement, Spec};

use crate::payloads::Terms;
use crate::payloads::jobs::lacking;
use crate::payloads::source::{FileRoot, Opened, SourceError};
use crate::products::flow::valid_file_name;

/// Most files of one pick-up.
pub const FILES_MAX: usize = 500;

/// What a spec comes to now.
#[derive(Debug)]
pub struct Found {
    /// The roots.
    pub opened: Opened,
    /// The files, in the order of the spec.
    pub files: Vec<Placement>,
    /// Their bytes together.
    pub bytes: u64,
}

/// Why nothing can be picked up.
#[derive(Debug, thiserror::Error)]
pub enum PickUpError {
    /// What was written cannot be what is wanted.
    #[error("{0}")]
    Spec(String),
    /// A file or folder is not as it was written.
    #[error("{0}")]
    Lacking(String),
    /// A root or a file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Looks for what a spec names. Waits for disks.
///
/// # Errors
/// When it cannot be read, names something else than files, or one of them is not there.
pub fn look(roots: &[FileRoot], text: &str) -> Result<Found, PickUpError> {
    let terms = Terms::read(text, "", "").map_err(|problem| PickUpError::Spec(problem.detail))?;
    let spec = terms.parsed().map_err(PickUpError::Spec)?;
    only_files(&spec)?;
    let opened = Opened::open(roots)?;
    let found = opened.resolve(&spec, &terms, None)?;
    if let Some((span, problem)) = found.problems().next() {
        return Err(PickUpError::Lacking(format!("{}: {problem}", span.of(&terms.spec))));
    }
    if let Some(item) = lacking(&spec, &found.outcomes) {
        let text = format!("{}: no such file is there", item.span.of(&terms.spec));
        return Err(PickUpError::Lacking(text));
    }
    named_well(&found.files)?;
    Ok(Found { opened, bytes: found.bytes, files: found.files })
}

fn only_files(spec: &Spec) -> Result<(), PickUpError> {
    let is_file = |goods: &Goods| matches!(goods, Goods::Files { .. });
    if spec.items.iter().all(|item| is_file(&item.goods)) && !spec.items.is_empty() {
        return Ok(());
    }
    Err(PickUpError::Spec("write the paths of files, such as /srv/goods/film-*.mkv".to_owned()))
}

/// Files come under their own names, and a product has one of each.
fn named_well(files: &[Placement]) -> Result<(), PickUpError> {
    if files.len() > FILES_MAX {
        let text = format!("these are {} files, and a pick-up takes at most {FILES_MAX}", files.len());
        return Err(PickUpError::Spec(text));
    }
    let mut names = BTreeSet::new();
    for file in files {
        let name = file.path.name();
        valid_file_name(name)
            .map_err(|problem| PickUpError::Lacking(format!("{name}: {}", problem.detail)))?;
        if !names.insert(name) {
            let text = format!("two of these files are named {name}; take them one after the other");
            return Err(PickUpError::Spec(text));
        }
    }
    Ok(())
}
