//! Stamping what is in a zip archive: each PDF and EPUB file in it, and nothing else.

use crate::zipped::Zipped;
use crate::{INPUT_BYTES_MAX, Kind, Mark, Stamp, StampError};
use std::collections::BTreeMap;

/// Stamps every file in an archive whose name says that it can be. One that cannot makes the whole archive refused.
pub(crate) fn stamp(file: &[u8], stamp: &Stamp, mark: Mark) -> Result<Vec<u8>, StampError> {
    let mut zipped = Zipped::open(file, INPUT_BYTES_MAX)?;
    let mut changed = BTreeMap::new();
    for (at, name) in zipped.names().into_iter().enumerate() {
        let made: fn(&[u8], &Stamp, Mark) -> Result<Vec<u8>, StampError> = match Kind::named(&name) {
            Some(Kind::Pdf) => crate::pdf::stamp,
            Some(Kind::Epub) => crate::epub::stamp,
            Some(Kind::Zip) | None => continue,
        };
        let content = zipped.read_at(at, INPUT_BYTES_MAX)?;
        let copy = made(&content, stamp, mark).map_err(|error| within(&name, error))?;
        if changed.insert(name.clone(), copy).is_some() {
            return Err(StampError::broken(format_args!(
                "two files in it are called \u{201c}{name}\u{201d}"
            )));
        }
    }
    if changed.is_empty() {
        return Err(StampError::Nothing);
    }
    zipped.with("", &changed, &hex::encode(mark.block()))
}

/// What is wrong with a file in the archive.
fn within(name: &str, error: StampError) -> StampError {
    match error {
        StampError::Broken(why) => StampError::Broken(format!("\u{201c}{name}\u{201d} in it: {why}")),
        other => other,
    }
}
