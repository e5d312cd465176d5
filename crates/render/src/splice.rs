//! Changes to a template's text. The rest of it stays letter for letter.

use std::collections::BTreeMap;
use std::ops::Range;

use resvg::usvg::roxmltree::Node;

/// A start tag, by its places in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Just behind the name, where attributes may begin.
    behind_name: usize,
    style: Option<Range<usize>>,
    href: Option<Range<usize>>,
    id: Option<String>,
}

impl Tag {
    /// The start tag of an element in `text`.
    pub fn of(node: &Node<'_, '_>, text: &str) -> Self {
        let start = node.range().start.saturating_add(1);
        let rest = text.get(start..).unwrap_or_default();
        let ends = |letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/');
        let name = rest.find(ends).unwrap_or(rest.len());
        let value = |wanted: &str| {
            let found = node.attributes().find(|attribute| attribute.name() == wanted);
            found.map(|attribute| attribute.range_value())
        };
        Self {
            behind_name: start.saturating_add(name),
            style: value("style"),
            href: value("href"),
            id: node.attribute("id").map(str::to_owned),
        }
    }
}

/// What changes in one start tag.
#[derive(Debug, Default)]
struct Change {
    style: Option<(Option<Range<usize>>, String)>,
    href: Option<(Option<Range<usize>>, String)>,
    id: Option<String>,
}

/// Changes that are collected, and then made at once.
#[derive(Debug, Default)]
pub struct Splices {
    tags: BTreeMap<usize, Change>,
    contents: Vec<(Range<usize>, String)>,
}

impl Splices {
    /// The id by which the renderer will know the element: its own, or a new one.
    pub fn identify(&mut self, tag: &Tag) -> String {
        if let Some(own) = &tag.id {
            return own.clone();
        }
        let id = format!("handsel-{}", tag.behind_name);
        self.tags.entry(tag.behind_name).or_default().id = Some(id.clone());
        id
    }

    /// Adds a declaration that wins over those before it.
    pub fn style(&mut self, tag: &Tag, declaration: &str) {
        let change = self.tags.entry(tag.behind_name).or_default();
        let style = change.style.get_or_insert_with(|| (tag.style.clone(), String::new()));
        style.1.push(';');
        style.1.push_str(declaration);
    }

    /// Leads to another picture.
    pub fn href(&mut self, tag: &Tag, target: &str) {
        let change = self.tags.entry(tag.behind_name).or_default();
        change.href = Some((tag.href.clone(), target.to_owned()));
    }

    /// Puts something else between two tags.
    pub fn content(&mut self, range: Range<usize>, content: String) {
        self.contents.push((range, content));
    }

    /// Makes the changes.
    pub fn apply(self, text: &str) -> String {
        let mut edits = self.contents;
        for (behind_name, change) in self.tags {
            let mut added = String::new();
            if let Some(id) = change.id {
                added.push_str(&format!(" id=\"{id}\""));
            }
            match change.style {
                Some((Some(present), more)) => edits.push((present.end..present.end, more)),
                Some((None, more)) => added.push_str(&format!(" style=\"{}\"", more.trim_start_matches(';'))),
                None => {}
            }
            match change.href {
                Some((Some(present), target)) => edits.push((present, target)),
                Some((None, target)) => added.push_str(&format!(" href=\"{target}\"")),
                None => {}
            }
            edits.push((behind_name..behind_name, added));
        }
        edits.sort_by_key(|(range, _)| range.start);
        let mut done = String::with_capacity(text.len());
        let mut at = 0;
        for (range, replacement) in edits {
            done.push_str(text.get(at..range.start).unwrap_or_default());
            done.push_str(&replacement);
            at = range.end;
        }
        done.push_str(text.get(at..).unwrap_or_default());
        done
    }
}

/// A text as it stands between tags or in quotes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
