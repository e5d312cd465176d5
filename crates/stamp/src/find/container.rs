//! What is inside of PDF files and zip archives.

use super::Place;
use super::scan::Scan;
use crate::zipped::Zipped;
use crate::{Kind, pdf};
use lopdf::{Dictionary, Document, Object, Stream};

/// What one stream or entry may unpack to.
const PART_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What all streams or entries together may unpack to.
const WHOLE_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// How deep archives are looked into: a book in an archive in an archive.
const DEPTH_MAX: usize = 2;
/// How deep objects may stand in each other; the reader stops before that.
const NESTED_MAX: usize = 128;

/// Whether a file could be read as what it seems to be. If not, its bytes are looked through as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readable {
    Yes,
    No,
}

/// Looks through a PDF's objects. One with an empty password is read like any other.
pub(super) fn pdf(file: &[u8], scan: &mut Scan) -> Readable {
    let Ok(document) = pdf::load(file) else { return Readable::No };
    if let Ok(Object::Array(identifier)) = document.trailer.get(b"ID") {
        for half in identifier.iter().filter_map(|half| half.as_str().ok()) {
            scan.string(half, Place::Identifier);
        }
    }
    let mut left = WHOLE_BYTES_MAX;
    for object in document.objects.values().filter(|object| !is_cross_reference(object)) {
        values(object, scan, Place::Metadata, 0);
        if let Object::Stream(stream) = object {
            content(stream, scan, &mut left);
        }
    }
    trailer_info(&document, scan);
    Readable::Yes
}

/// A stream of cross-references repeats the trailer.
fn is_cross_reference(object: &Object) -> bool {
    object.as_stream().is_ok_and(|stream| stream.dict.has_type(b"XRef"))
}

/// Document information may stand in the trailer itself.
fn trailer_info(document: &Document, scan: &mut Scan) {
    if let Ok(info) = document.trailer.get(b"Info") {
        values(info, scan, Place::Metadata, 0);
    }
}

fn values(object: &Object, scan: &mut Scan, place: Place, depth: usize) {
    if depth > NESTED_MAX {
        return;
    }
    match object {
        Object::String(bytes, _) => scan.string(bytes, place),
        Object::Array(items) => items.iter().for_each(|item| values(item, scan, place, depth + 1)),
        Object::Dictionary(dict) => entries(dict, scan, place, depth),
        Object::Stream(stream) => entries(&stream.dict, scan, place, depth),
        _ => {}
    }
}

fn entries(dict: &Dictionary, scan: &mut Scan, place: Place, depth: usize) {
    for (key, value) in dict.iter() {
        let place = if key == b"PieceInfo" { Place::PageData } else { place };
        values(value, scan, place, depth + 1);
    }
}

fn content(stream: &Stream, scan: &mut Scan, left: &mut usize) {
    if stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Image") {
        return;
    }
    let limit = PART_BYTES_MAX.min(*left);
    if let Ok(bytes) = stream.get_plain_content_with_limit(limit) {
        *left = left.saturating_sub(bytes.len());
        scan.pdf_content(&bytes);
    }
}

/// Looks through the entries of an archive.
pub(super) fn zip(file: &[u8], scan: &mut Scan, depth: usize) -> Readable {
    let Ok(mut zipped) = Zipped::open(file, WHOLE_BYTES_MAX / (depth + 1)) else { return Readable::No };
    scan.anything(zipped.comment());
    for at in 0..zipped.names().len() {
        let Ok(content) = zipped.read_at(at, PART_BYTES_MAX) else { continue };
        scan.anything(&content);
        if Kind::of(&content) == Some(Kind::Pdf) {
            pdf(&content, scan);
        } else if content.starts_with(b"PK\x03\x04") && depth < DEPTH_MAX {
            zip(&content, scan, depth + 1);
        }
    }
    Readable::Yes
}
