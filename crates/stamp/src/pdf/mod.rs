//! Stamping a PDF.
//!
//! The file is written anew, not appended to: an appended update is undone by cutting it off. Every page gets two
//! streams around its own content, which is not touched, and one resource more.

mod balance;
mod draw;
mod metadata;
mod pages;
mod refuse;

pub(crate) use draw::HIDDEN_LETTERS;

use crate::{Mark, Stamp, StampError};
use lopdf::xref::{XrefEntry, XrefType};
use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, SaveOptions, Stream};
use pages::Page;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::rc::Rc;

/// What one compressed stream may unpack to while a file is read: object and cross-reference streams.
const UNPACKED_STREAM_MAX: usize = 32 * 1024 * 1024;
/// The most objects of a file.
const OBJECTS_MAX: usize = 2_000_000;

/// Stamps every page.
pub(crate) fn stamp(file: &[u8], stamp: &Stamp, mark: Mark) -> Result<Vec<u8>, StampError> {
    let mut document = load(file)?;
    refuse::unfit(&document)?;
    let pages = pages::all(&document)?;
    let mut work = Work {
        stamp,
        mark,
        budget: balance::Budget::default(),
        forms: HashMap::new(),
        streams: HashMap::new(),
        last: None,
    };
    for page in &pages {
        work.put_on(&mut document, page)?;
    }
    metadata::mark(&mut document, mark, &original_id(file))?;
    save(document, file.len())
}

/// Reads a file; damaged cross-references are rebuilt, as readers do.
pub(crate) fn load(file: &[u8]) -> Result<Document, StampError> {
    let options = LoadOptions { max_decompressed_size: Some(UNPACKED_STREAM_MAX), ..LoadOptions::default() };
    let document = Document::load_mem_with_options(file, options).map_err(|error| match error {
        lopdf::Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { limit }) => {
            StampError::TooLarge { what: "a compressed part of the file, unpacked,", limit }
        }
        lopdf::Error::InvalidPassword
        | lopdf::Error::Decryption(_)
        | lopdf::Error::UnsupportedSecurityHandler(_) => StampError::Encrypted,
        other => StampError::broken(format_args!("it cannot be read as a PDF: {other}")),
    })?;
    if document.objects.len() > OBJECTS_MAX {
        return Err(StampError::TooLarge { what: "the number of objects in the file", limit: OBJECTS_MAX });
    }
    Ok(document)
}

/// What the second half of the identifier is made from: the file as it was, so that the result is reproducible.
fn original_id(file: &[u8]) -> Vec<u8> {
    Sha256::digest(file).get(..16).unwrap_or_default().to_vec()
}

/// What is shared between pages that look alike.
struct Work<'a> {
    stamp: &'a Stamp,
    mark: Mark,
    budget: balance::Budget,
    /// The drawing, by the size of the page as it is seen.
    forms: HashMap<String, ObjectId>,
    /// The streams around a page's own content, by their bytes.
    streams: HashMap<Vec<u8>, ObjectId>,
    /// The resources made last: pages in a row mostly share theirs.
    last: Option<Resources>,
}

/// Resources with the drawing among them.
#[derive(Clone)]
struct Resources {
    of: Rc<Dictionary>,
    form: ObjectId,
    id: ObjectId,
    name: String,
}

impl Work<'_> {
    fn put_on(&mut self, document: &mut Document, page: &Page) -> Result<(), StampError> {
        let form = self.form(document, page)?;
        let resources = self.resources(document, page, form)?;
        let contents = contents(document, page);
        let balance = balance::of(document, &contents, &mut self.budget);
        let before = self.stream(document, draw::before(balance))?;
        let after = self.stream(document, draw::after(page, &resources.name, balance, self.mark))?;

        let mut around = vec![Object::Reference(before)];
        around.extend(contents);
        around.push(Object::Reference(after));
        let dict = document
            .get_object_mut(page.id)
            .and_then(Object::as_dict_mut)
            .map_err(|error| StampError::broken(format_args!("a page cannot be read: {error}")))?;
        dict.set("Contents", Object::Array(around));
        dict.set("Resources", Object::Reference(resources.id));
        metadata::mark_page(dict, self.mark);
        Ok(())
    }

    fn form(&mut self, document: &mut Document, page: &Page) -> Result<ObjectId, StampError> {
        let key = page.seen_as();
        if let Some(form) = self.forms.get(&key) {
            return Ok(*form);
        }
        let form = draw::form(document, page.size(), self.stamp, self.mark)?;
        self.forms.insert(key, form);
        Ok(form)
    }

    fn resources(
        &mut self,
        document: &mut Document,
        page: &Page,
        form: ObjectId,
    ) -> Result<Resources, StampError> {
        if let Some(last) = &self.last
            && last.form == form
            && Rc::ptr_eq(&last.of, &page.resources)
        {
            return Ok(last.clone());
        }
        let (dict, name) = draw::resources(document, &page.resources, form);
        let made = Resources { of: Rc::clone(&page.resources), form, id: add(document, dict)?, name };
        self.last = Some(made.clone());
        Ok(made)
    }

    fn stream(&mut self, document: &mut Document, content: Vec<u8>) -> Result<ObjectId, StampError> {
        if let Some(stream) = self.streams.get(&content) {
            return Ok(*stream);
        }
        let stream = add(document, Stream::new(Dictionary::new(), content.clone()))?;
        self.streams.insert(content, stream);
        Ok(stream)
    }
}

/// A page's own content streams, as references: none, one, or an array of them.
fn contents(document: &Document, page: &Page) -> Vec<Object> {
    let Some(contents) = document.get_dictionary(page.id).ok().and_then(|dict| dict.get(b"Contents").ok())
    else {
        return Vec::new();
    };
    let array = match contents {
        Object::Array(array) => Some(array),
        Object::Reference(id) => match document.get_object(*id) {
            Ok(Object::Array(array)) => Some(array),
            Ok(Object::Stream(_)) => return vec![contents.clone()],
            _ => None,
        },
        _ => None,
    };
    let is_stream = |object: &&Object| {
        document.dereference(object).is_ok_and(|(id, object)| id.is_some() && object.as_stream().is_ok())
    };
    array.map(|array| array.iter().filter(is_stream).cloned().collect()).unwrap_or_default()
}

/// Adds an object; numbers are 32 bits, which a crafted file can use up.
pub(crate) fn add(document: &mut Document, object: impl Into<Object>) -> Result<ObjectId, StampError> {
    if document.max_id >= u32::MAX - 1_000_000 {
        return Err(StampError::broken("its objects are numbered too high to add to"));
    }
    Ok(document.add_object(object))
}

/// Writes the document anew, in the form it had: object streams, if it had them.
fn save(mut document: Document, about: usize) -> Result<Vec<u8>, StampError> {
    document.prune_objects();
    let mut entries = document.reference_table.entries.values();
    let packed = entries.any(|entry| matches!(entry, XrefEntry::Compressed { .. }));
    document.reference_table.cross_reference_type =
        if packed { XrefType::CrossReferenceStream } else { XrefType::CrossReferenceTable };
    let options = SaveOptions::builder()
        .use_object_streams(packed)
        .use_xref_streams(packed)
        .compression_level(6)
        .build();
    // In one piece: growing would take twice the memory of a large file.
    let mut out = Vec::with_capacity(about.saturating_add(about / 8));
    document
        .save_with_options(&mut out, options)
        .map_err(|error| StampError::broken(format_args!("it cannot be written: {error}")))?;
    out.push(b'\n');
    Ok(out)
}
