//! Finding the marks of a file, whatever was done to it.

mod container;
mod scan;

use crate::{Kind, Mark};
use container::Readable;
use scan::Scan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a mark was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The identifier of the file.
    Identifier,
    /// Properties of the document: information, XMP, package metadata.
    Metadata,
    /// Private data of a page.
    PageData,
    /// Text that is not seen.
    Text,
    /// A path that is not painted.
    Drawing,
    /// The identifier of an element.
    Element,
}

/// A mark and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The copy's code.
    pub mark: Mark,
    /// Where it was, each place once.
    pub places: Vec<Place>,
}

/// Every mark in a file of any kind: PDF, EPUB, an archive of them, text that was copied out of one.
///
/// Reads leniently and never fails: what cannot be read has no marks. A file can hold marks of several copies; a mark
/// found in more places comes first.
pub fn find_marks(file: &[u8]) -> Vec<Found> {
    let mut scan = Scan::default();
    let read = match Kind::of(file) {
        Some(Kind::Pdf) => container::pdf(file, &mut scan),
        Some(Kind::Epub | Kind::Zip) => container::zip(file, &mut scan, 0),
        None => Readable::No,
    };
    if read == Readable::No {
        scan.anything(file);
    }
    ranked(scan.found)
}

fn ranked(found: BTreeMap<(Mark, Place), u32>) -> Vec<Found> {
    let mut by_mark: BTreeMap<Mark, Vec<Place>> = BTreeMap::new();
    for (mark, place) in found.into_keys() {
        by_mark.entry(mark).or_default().push(place);
    }
    let mut found: Vec<Found> = by_mark.into_iter().map(|(mark, places)| Found { mark, places }).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.places.len()));
    found
}
