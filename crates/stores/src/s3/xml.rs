//! The little XML that a bucket speaks.
//!
//! Names are taken without their namespaces: Amazon, Google and others have different ones,
//! and some have none.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// An element with what is in it. Attributes are left out: S3 says nothing by them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Elements within elements; S3 goes to five.
const DEPTH_MAX: usize = 16;

impl Element {
    /// The root element of a document; `None` if this is no whole XML document.
    pub(super) fn parse(document: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_reader(document);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) if open.len() < DEPTH_MAX => {
                    open.push(Self::named(tag.local_name().as_ref())?)
                }
                Event::Start(_) => return None,
                Event::Empty(tag) => open.last_mut()?.children.push(Self::named(tag.local_name().as_ref())?),
                Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Event::Text(text) => open
                    .last_mut()?
                    .text
                    .push_str(&text.xml_content(quick_xml::XmlVersion::Implicit1_0).ok()?),
                Event::CData(text) => open.last_mut()?.text.push_str(std::str::from_utf8(&text).ok()?),
                Event::GeneralRef(name) => open.last_mut()?.text.push(character(&name)?),
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
            }
        }
        let document = open.pop().filter(|_| open.is_empty())?;
        let mut roots = document.children.into_iter();
        roots.next().filter(|_| roots.next().is_none())
    }

    fn named(name: &[u8]) -> Option<Self> {
        Some(Self { name: std::str::from_utf8(name).ok()?.to_owned(), ..Self::default() })
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.trim())
    }
}

fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref().ok()? {
        Some(character) => Some(character),
        None => match reference.decode().ok()?.as_ref() {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whatever_its_namespace() {
        let amazon = Element::parse(
            br#"<?xml version="1.0"?><Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Code>NoSuchKey</Code></Error>"#,
        );
        let bare = Element::parse(b"<Error><Code>NoSuchKey</Code></Error>\n");

        assert_eq!(amazon.as_ref().and_then(|error| error.text_of("Code")), Some("NoSuchKey"));
        assert_eq!(amazon, bare);
    }

    #[test]
    fn references_are_characters() {
        let etag = Element::parse(b"<E><ETag>&quot;ab&#x26;&amp;&quot;</ETag></E>");

        assert_eq!(etag.as_ref().and_then(|found| found.text_of("ETag")), Some("\"ab&&\""));
    }

    #[test]
    fn what_is_no_document_is_none() {
        assert_eq!(Element::parse(b""), None);
        assert_eq!(Element::parse(b"<a><b></a>"), None);
        assert_eq!(Element::parse(b"<a/><b/>"), None);
        assert_eq!(Element::parse(b"<a>&bomb;</a>"), None);
        assert_eq!(Element::parse("<a>".repeat(40).as_bytes()), None);
        assert_eq!(Element::parse(b"<!doctype html><p>Bad gateway<br>"), None);
    }
}
