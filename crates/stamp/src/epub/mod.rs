//! Stamping an EPUB: a zip archive of chapters in XHTML, described by a package document.

mod chapter;
mod package;

use crate::zipped::Zipped;
use crate::{Mark, Stamp, StampError};
use package::Package;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::collections::BTreeMap;

const MIMETYPE: &str = "mimetype";
const CONTAINER: &str = "META-INF/container.xml";
/// What chapters and package documents of one book may unpack to.
const UNPACKED_MAX: usize = 256 * 1024 * 1024;
/// The most package documents of one book; nearly all have one.
const PACKAGES_MAX: usize = 16;
/// Encryption that is none: fonts made unusable outside of the book, which the package's identifier unlocks.
const FONT_ALGORITHMS: [&[u8]; 2] =
    [b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC"];

/// Whether a zip archive is an EPUB, though its first entry does not say so.
pub(crate) fn has_container(file: &[u8]) -> bool {
    Zipped::open(file, 0).is_ok_and(|zipped| zipped.has(CONTAINER))
}

/// Stamps every chapter.
pub(crate) fn stamp(file: &[u8], stamp: &Stamp, mark: Mark) -> Result<Vec<u8>, StampError> {
    let mut zipped = Zipped::open(file, UNPACKED_MAX)?;
    refuse_unfit(&mut zipped)?;
    let mut changed = BTreeMap::new();
    let mut chapters = 0_usize;
    for path in packages(&text(zipped.read(CONTAINER)?)?)? {
        let package_text = text(zipped.read(&path)?)?;
        let package = Package::read(&path, &package_text)?;
        for chapter in &package.chapters {
            if !changed.contains_key(chapter) {
                let content = text(zipped.read(chapter)?)?;
                let stamped = chapter::stamp(&content, stamp, mark, package.layout)?;
                changed.insert(chapter.clone(), stamped.into_bytes());
            }
            chapters += 1;
        }
        changed.insert(path, package.marked(&package_text, mark).into_bytes());
    }
    if chapters == 0 {
        return Err(StampError::broken("it has no chapter that a stamp could be written in"));
    }
    zipped.with(MIMETYPE, &changed, &hex::encode(mark.block()))
}

fn refuse_unfit(zipped: &mut Zipped<'_>) -> Result<(), StampError> {
    if zipped.has("META-INF/rights.xml") {
        return Err(StampError::Encrypted);
    }
    if zipped.has("META-INF/signatures.xml") {
        return Err(StampError::Signed);
    }
    let encryption = "META-INF/encryption.xml";
    if zipped.has(encryption) && encrypts(&text(zipped.read(encryption)?)?)? {
        return Err(StampError::Encrypted);
    }
    Ok(())
}

/// Whether anything but fonts is encrypted.
fn encrypts(xml: &str) -> Result<bool, StampError> {
    let mut found = false;
    elements(xml, |element| {
        if element.local_name().as_ref() == b"EncryptionMethod" {
            let algorithm =
                element.attributes().flatten().find(|a| a.key.local_name().as_ref() == b"Algorithm");
            found |= !algorithm.is_some_and(|a| FONT_ALGORITHMS.contains(&a.value.as_ref()));
        }
    })?;
    Ok(found)
}

/// The paths of the package documents.
fn packages(container: &str) -> Result<Vec<String>, StampError> {
    let mut paths = Vec::new();
    elements(container, |element| {
        if element.local_name().as_ref() == b"rootfile" {
            let path = package::attribute(element, b"full-path");
            paths.extend(path.filter(|_| paths.len() < PACKAGES_MAX));
        }
    })?;
    if paths.is_empty() {
        return Err(StampError::broken("its container names no book"));
    }
    Ok(paths)
}

/// Calls back for every element's start.
fn elements(xml: &str, mut each: impl FnMut(&quick_xml::events::BytesStart<'_>)) -> Result<(), StampError> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(element) | Event::Empty(element) => each(&element),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// XML as text. EPUB allows UTF-16 too, which hardly any book is in: better refused than written wrongly.
fn text(bytes: Vec<u8>) -> Result<String, StampError> {
    String::from_utf8(bytes).map_err(|_| StampError::broken("a part of it is not text in UTF-8"))
}

fn malformed(error: quick_xml::Error) -> StampError {
    StampError::broken(format_args!("a part of it is not well-formed: {error}"))
}

/// A text with others put into it at byte offsets.
fn with_insertions(text: &str, mut insertions: Vec<(usize, String)>) -> String {
    insertions.sort_by_key(|(at, _)| *at);
    let mut out =
        String::with_capacity(text.len() + insertions.iter().map(|(_, more)| more.len()).sum::<usize>());
    let mut done = 0;
    for (at, more) in insertions {
        out.push_str(text.get(done..at).unwrap_or_default());
        out.push_str(&more);
        done = at;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// The prefix of a qualified name with its colon, or nothing: what is added stands in the same namespace.
fn prefix(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.rsplit_once(':').map(|(prefix, _)| format!("{prefix}:")).unwrap_or_default()
}

/// Where the event that was just read began and where it ended.
fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
