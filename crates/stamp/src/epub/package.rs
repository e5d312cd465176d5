//! The package document: which files are chapters, and a place for the mark.

use super::{malformed, offset, prefix, with_insertions};
use crate::{Mark, StampError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::collections::HashMap;

/// Whether pages flow or are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Reflowable,
    Fixed,
}

/// What stamping needs of a package document.
pub(super) struct Package {
    /// Paths of the chapters in the archive, in reading order.
    pub(super) chapters: Vec<String>,
    pub(super) layout: Layout,
    /// Where the metadata ends, and the prefix of its element's name.
    metadata_end: (usize, String),
}

impl Package {
    pub(super) fn read(path: &str, xml: &str) -> Result<Self, StampError> {
        let mut reading = Reading { path, items: HashMap::new(), spine: Vec::new() };
        let mut layout = Layout::Reflowable;
        let mut metadata_end = None;
        let mut reader = Reader::from_str(xml);
        let mut in_layout = false;
        loop {
            let begins = offset(reader.buffer_position());
            match reader.read_event().map_err(malformed)? {
                Event::Start(element) => {
                    in_layout = attribute(&element, b"property").is_some_and(|p| p == "rendition:layout");
                    reading.element(&element);
                }
                Event::Empty(element) => reading.element(&element),
                Event::Text(text) if in_layout && *text == *b"pre-paginated" => layout = Layout::Fixed,
                Event::End(element) if element.local_name().as_ref() == b"metadata" => {
                    metadata_end = Some((begins, prefix(element.name().as_ref())));
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let metadata_end =
            metadata_end.ok_or_else(|| StampError::broken("its package document has no metadata"))?;
        Ok(Self { chapters: reading.chapters()?, layout, metadata_end })
    }

    /// The document with the mark in its metadata.
    pub(super) fn marked(&self, xml: &str, mark: Mark) -> String {
        let (at, prefix) = &self.metadata_end;
        let meta = format!("<{prefix}meta name=\"copy-id\" content=\"{}\"/>", hex::encode(mark.block()));
        with_insertions(xml, vec![(*at, meta)])
    }
}

struct Reading<'a> {
    path: &'a str,
    /// Address and media type of each item, by id.
    items: HashMap<String, (String, String)>,
    spine: Vec<String>,
}

impl Reading<'_> {
    fn element(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            b"item" => {
                let read = |name: &[u8]| attribute(element, name);
                if let (Some(id), Some(href), Some(media)) = (read(b"id"), read(b"href"), read(b"media-type"))
                {
                    self.items.insert(id, (href, media));
                }
            }
            b"itemref" => self.spine.extend(attribute(element, b"idref")),
            _ => {}
        }
    }

    /// The chapters in XHTML. What else a spine may hold (drawings, images) has no place for lines.
    fn chapters(&self) -> Result<Vec<String>, StampError> {
        let mut chapters = Vec::new();
        for id in &self.spine {
            let (href, media) = self.items.get(id).ok_or_else(|| {
                StampError::broken("a chapter of its reading order is missing in its manifest")
            })?;
            if media == "application/xhtml+xml" || media == "text/html" {
                chapters.push(resolve(self.path, href));
            }
        }
        Ok(chapters)
    }
}

/// An attribute's value, with entities resolved.
pub(super) fn attribute(element: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let attribute = element.attributes().flatten().find(|attribute| attribute.key.as_ref() == name)?;
    let value = std::str::from_utf8(&attribute.value).ok()?;
    quick_xml::escape::unescape(value).ok().map(std::borrow::Cow::into_owned)
}

/// The path of an address relative to the package document.
fn resolve(package: &str, href: &str) -> String {
    let href = href.split(['#', '?']).next().unwrap_or_default();
    let href = percent_decoded(href);
    let mut parts: Vec<&str> =
        package.rsplit_once('/').map(|(dir, _)| dir.split('/').collect()).unwrap_or_default();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match code.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_relative_to_the_package_document() {
        assert_eq!(resolve("OEBPS/content.opf", "text/ch%201.xhtml#top"), "OEBPS/text/ch 1.xhtml");
        assert_eq!(resolve("OEBPS/content.opf", "../c.xhtml"), "c.xhtml");
        assert_eq!(resolve("content.opf", "./a/./b.xhtml"), "a/b.xhtml");
        assert_eq!(resolve("content.opf", "100%.xhtml"), "100%.xhtml");
    }
}
