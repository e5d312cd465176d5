//! One chapter: the lines at its beginning or end, the mark in it.

use super::package::Layout;
use super::{malformed, offset, prefix, with_insertions};
use crate::{Mark, Position, Stamp, StampError};
use quick_xml::escape::escape;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// Where things are in a chapter, as byte offsets.
#[derive(Default)]
struct Places {
    /// Behind the start tag of the body.
    body_begins: Option<usize>,
    /// Before the end tag of the body.
    body_ends: Option<usize>,
    /// A body without content: where its tag begins and ends.
    empty_body: Option<(usize, usize)>,
    prefix: String,
    /// Before the end tags of the first and of the last paragraph.
    paragraphs: Option<(usize, usize)>,
}

/// The chapter with the stamp.
pub(super) fn stamp(xhtml: &str, stamp: &Stamp, mark: Mark, layout: Layout) -> Result<String, StampError> {
    let places = Places::find(xhtml)?;
    let block = block(stamp, mark, layout, &places.prefix);
    if let Some((begins, ends)) = places.empty_body {
        let tag = xhtml.get(begins..ends).unwrap_or_default();
        let open = tag.trim_end_matches('>').trim_end_matches('/').trim_end();
        let (before, after) =
            (xhtml.get(..begins).unwrap_or_default(), xhtml.get(ends..).unwrap_or_default());
        return Ok(format!("{before}{open}>{block}</{}body>{after}", places.prefix));
    }
    let (Some(begins), Some(ends)) = (places.body_begins, places.body_ends) else {
        return Err(StampError::broken("a chapter of it has no body"));
    };
    let at = if stamp.position == Position::Top { begins } else { ends };
    let mut insertions = vec![(at, block)];
    if let Some((first, last)) = places.paragraphs {
        insertions.push((first, mark.zero_width()));
        if last != first {
            insertions.push((last, mark.zero_width()));
        }
    }
    Ok(with_insertions(xhtml, insertions))
}

impl Places {
    fn find(xhtml: &str) -> Result<Self, StampError> {
        let mut places = Self::default();
        let mut reader = Reader::from_str(xhtml);
        loop {
            let begins = offset(reader.buffer_position());
            let event = reader.read_event().map_err(malformed)?;
            let ends = offset(reader.buffer_position());
            match event {
                Event::Decl(declaration) => utf8_only(declaration.encoding())?,
                Event::Start(tag) if tag.local_name().as_ref() == b"body" => {
                    places.prefix = prefix(tag.name().as_ref());
                    places.body_begins.get_or_insert(ends);
                }
                Event::Empty(tag) if tag.local_name().as_ref() == b"body" => {
                    places.prefix = prefix(tag.name().as_ref());
                    places.empty_body = Some((begins, ends));
                }
                Event::End(tag) if tag.local_name().as_ref() == b"body" => places.body_ends = Some(begins),
                Event::End(tag) if tag.local_name().as_ref() == b"p" => {
                    let first = places.paragraphs.map_or(begins, |(first, _)| first);
                    places.paragraphs = Some((first, begins));
                }
                Event::Eof => return Ok(places),
                _ => {}
            }
        }
    }
}

fn utf8_only(
    encoding: Option<Result<std::borrow::Cow<'_, [u8]>, quick_xml::events::attributes::AttrError>>,
) -> Result<(), StampError> {
    match encoding {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"us-ascii") => {
            Ok(())
        }
        Some(_) => Err(StampError::broken("a chapter of it is not in UTF-8")),
    }
}

fn block(stamp: &Stamp, mark: Mark, layout: Layout, prefix: &str) -> String {
    let place = match (layout, stamp.position) {
        (Layout::Reflowable, _) => "margin:1em 0",
        (Layout::Fixed, Position::Top) => "position:absolute;top:0;left:0;right:0;margin:0.5em",
        (Layout::Fixed, _) => "position:absolute;bottom:0;left:0;right:0;margin:0.5em",
    };
    let opacity = f32::from(stamp.opacity) / 100.0;
    let lines: String = stamp
        .lines
        .iter()
        .enumerate()
        .map(|(n, line)| {
            let hidden = if n == 0 { mark.zero_width() } else { String::new() };
            format!(
                "<{prefix}p style=\"margin:0;text-indent:0\">{}{hidden}</{prefix}p>",
                escape(line.as_str())
            )
        })
        .collect();
    format!(
        "<{prefix}div id=\"c{}\" style=\"{place};text-align:center;font-size:{}pt;opacity:{opacity}\">{lines}</{prefix}div>",
        hex::encode(mark.block()),
        stamp.size,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bottom(line: &str) -> Stamp {
        Stamp { lines: vec![line.to_owned()], position: Position::Bottom, size: 9, opacity: 60 }
    }

    fn stamped(xhtml: &str, line: &str) -> Result<String, StampError> {
        stamp(xhtml, &bottom(line), Mark::new(*b"0123456789"), Layout::Reflowable)
    }

    #[test]
    fn a_name_cannot_become_markup() {
        let out = stamped("<html><body><p>a</p></body></html>", "<script>&\"").unwrap();

        assert!(out.contains("&lt;script&gt;&amp;"), "{out}");
    }

    #[test]
    fn the_end_of_the_body_is_that_of_the_element_and_not_of_a_comment() {
        let out = stamped("<html><body>a<!-- </body> --></body></html>", "x").unwrap();

        assert!(out.starts_with("<html><body>a<!-- </body> --><div "), "{out}");
    }

    #[test]
    fn an_empty_body_gets_the_stamp_too() {
        let out = stamped("<h:html xmlns:h=\"u\"><h:body class=\"x\" /></h:html>", "x").unwrap();

        assert!(out.contains("<h:body class=\"x\"><h:div ") && out.contains("</h:div></h:body>"), "{out}");
    }

    #[test]
    fn a_chapter_without_a_body_or_in_another_encoding_is_refused() {
        assert!(stamped("<html/>", "x").is_err());
        assert!(stamped("<?xml version=\"1.0\" encoding=\"latin1\"?><html><body/></html>", "x").is_err());
    }
}
