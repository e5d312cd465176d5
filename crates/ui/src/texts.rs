//! Texts that sellers write themselves, with listed placeholders such as `{product}`.
//!
//! A seller's text is never a template: it has no conditions and no loops, and what it can name is
//! a closed list. It is checked when it is saved, with the place of the mistake; when it is used,
//! nothing can go wrong any more. `{{` and `}}` stand for braces.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::escape::{Escaped, linked, paragraphs};

/// What a text can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placeholder {
    /// The product's name.
    Product,
    /// The item number.
    Sku,
    /// The buyer's name, or their mail address when there is none.
    Name,
    /// The buyer's mail address.
    Email,
    /// The order's number.
    Order,
    /// What was paid.
    Total,
    /// The keyed links, one a line.
    Links,
    /// When the links stop working.
    Expires,
    /// Where the buyer gets help.
    Support,
    /// The merchant's name.
    Shop,
    /// The address of the portal.
    Portal,
    /// The day of the purchase.
    Date,
    /// The code of a stamped copy.
    Copy,
}

impl Placeholder {
    /// What mails can name, in the order that help texts list them in.
    pub const ALL: [Self; 11] = [
        Self::Product,
        Self::Sku,
        Self::Name,
        Self::Email,
        Self::Order,
        Self::Total,
        Self::Links,
        Self::Expires,
        Self::Support,
        Self::Shop,
        Self::Portal,
    ];

    /// What stamps can name.
    pub const STAMP: [Self; 7] =
        [Self::Name, Self::Email, Self::Order, Self::Date, Self::Product, Self::Shop, Self::Copy];

    /// What stands between the braces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Sku => "sku",
            Self::Name => "name",
            Self::Email => "email",
            Self::Order => "order",
            Self::Total => "total",
            Self::Links => "links",
            Self::Expires => "expires",
            Self::Support => "support",
            Self::Shop => "shop",
            Self::Portal => "portal",
            Self::Date => "date",
            Self::Copy => "copy",
        }
    }
}

/// What is wrong with a text, and where: line and column count from 1, in characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A name that is not on the list.
    #[error("line {line}, column {column}: {{{name}}} is not a placeholder here; there are {}", list(.allowed))]
    Unknown {
        /// What stood between the braces.
        name: String,
        /// The line.
        line: usize,
        /// The column of the opening brace.
        column: usize,
        /// What may stand there.
        allowed: Vec<Placeholder>,
    },
    /// A brace alone.
    #[error("line {line}, column {column}: a brace stands alone; write {{{{ or }}}} for a brace as such")]
    LoneBrace {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// Longer than a mail should be.
    #[error("the text has {length} characters; {TEXT_LENGTH_MAX} are the most")]
    TooLong {
        /// How long it is.
        length: usize,
    },
}

fn list(allowed: &[Placeholder]) -> String {
    let names: Vec<String> =
        allowed.iter().map(|placeholder| format!("{{{}}}", placeholder.name())).collect();
    names.join(", ")
}

/// The most characters in one text.
pub const TEXT_LENGTH_MAX: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Value(Placeholder),
}

/// A seller's text that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pieces: Vec<Piece>,
}

impl Text {
    /// Reads a text that may name these placeholders.
    ///
    /// # Errors
    /// [`TextError`] says what is wrong and where.
    pub fn parse(source: &str, allowed: &[Placeholder]) -> Result<Self, TextError> {
        let length = source.chars().count();
        if length > TEXT_LENGTH_MAX {
            return Err(TextError::TooLong { length });
        }
        let mut reader = Reader { rest: source, line: 1, column: 1 };
        let mut pieces = Vec::new();
        let mut plain = String::new();
        while let Some(c) = reader.next() {
            match c {
                '{' | '}' if reader.rest.starts_with(c) => {
                    reader.next();
                    plain.push(c);
                }
                '{' => {
                    pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                    pieces.push(Piece::Value(reader.placeholder(allowed)?));
                }
                '}' => return Err(reader.lone_brace()),
                c => plain.push(c),
            }
        }
        pieces.push(Piece::Plain(plain));
        Ok(Self { pieces })
    }

    /// Whether the text names this, so that a mail need not add it.
    pub fn mentions(&self, placeholder: Placeholder) -> bool {
        self.pieces.contains(&Piece::Value(placeholder))
    }

    /// Puts the values in their places. A value that is not there leaves nothing.
    pub fn fill(&self, values: &Values) -> Filled {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Value(placeholder) => text.push_str(&values.text(*placeholder)),
            }
        }
        Filled { html: self.fill_html(values), text }
    }

    /// Paragraph by paragraph, so that what a buyer's name contains can start none.
    fn fill_html(&self, values: &Values) -> String {
        let mut html = String::from("<p dir=\"auto\">");
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => {
                    let plain = plain.replace("\r\n", "\n");
                    let parts: Vec<String> = plain
                        .split("\n\n")
                        .map(|part| part.split('\n').map(linked).collect::<Vec<_>>().join("<br>"))
                        .collect();
                    html.push_str(&parts.join("</p>\n<p dir=\"auto\">"));
                }
                Piece::Value(placeholder) => html.push_str(&values.html(*placeholder)),
            }
        }
        html.push_str("</p>\n");
        html.replace("<p dir=\"auto\"></p>\n", "")
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// Of the character that is read next.
    line: usize,
    column: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    /// The brace just read has no partner.
    fn lone_brace(&self) -> TextError {
        TextError::LoneBrace { line: self.line, column: self.column.saturating_sub(1) }
    }

    fn placeholder(&mut self, allowed: &[Placeholder]) -> Result<Placeholder, TextError> {
        const NAME_LENGTH_MAX: usize = 40;
        let lone = self.lone_brace();
        let (line, column) = (self.line, self.column.saturating_sub(1));
        let name = self.rest.split_once('}').map(|(name, _)| name);
        let name = name.filter(|name| !name.contains(['{', '\n']) && name.chars().count() <= NAME_LENGTH_MAX);
        let name = name.ok_or(lone)?.to_owned();
        for _ in name.chars().chain(['}']) {
            self.next();
        }
        let found = allowed.iter().find(|placeholder| placeholder.name() == name.trim());
        found.copied().ok_or_else(|| TextError::Unknown { name, line, column, allowed: allowed.to_vec() })
    }
}

/// A keyed link for [`Placeholder::Links`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLine {
    /// What it leads to.
    pub label: String,
    /// Its address.
    pub url: String,
}

/// What stands in the places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    texts: BTreeMap<Placeholder, String>,
    links: Vec<LinkLine>,
}

impl Values {
    /// No values yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this value. Line breaks in it become spaces: a value is not a paragraph.
    #[must_use]
    pub fn with(mut self, placeholder: Placeholder, value: &str) -> Self {
        let one_line = value.split(char::is_control).collect::<Vec<_>>().join(" ");
        self.texts.insert(placeholder, one_line);
        self
    }

    /// With these links.
    #[must_use]
    pub fn with_links(mut self, links: Vec<LinkLine>) -> Self {
        self.links = links;
        self
    }

    fn text(&self, placeholder: Placeholder) -> String {
        if placeholder != Placeholder::Links {
            return self.texts.get(&placeholder).cloned().unwrap_or_default();
        }
        let lines: Vec<String> =
            self.links.iter().map(|link| format!("{}\n{}", link.label, link.url)).collect();
        lines.join("\n\n")
    }

    fn html(&self, placeholder: Placeholder) -> String {
        if placeholder != Placeholder::Links {
            return self.texts.get(&placeholder).map(|value| linked(value)).unwrap_or_default();
        }
        let line = |link: &LinkLine| {
            let (label, url) = (Escaped(&link.label), Escaped(&link.url));
            format!("{label}<br><a href=\"{url}\">{url}</a>")
        };
        self.links.iter().map(line).collect::<Vec<_>>().join("<br>")
    }
}

/// A seller's text with everything in its place, for both parts of a mail.
///
/// Only [`Text::fill`] and [`Filled::plain`] make one, so its HTML is known to be escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filled {
    text: String,
    html: String,
}

impl Filled {
    /// A text without placeholders.
    pub fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), html: paragraphs(text) }
    }

    /// The text for the plain part.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The escaped text for the HTML part.
    pub fn html(&self) -> &str {
        &self.html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str) -> Result<Text, TextError> {
        Text::parse(source, &Placeholder::ALL)
    }

    #[test]
    fn values_stand_in_their_places() {
        let values = Values::new().with(Placeholder::Name, "Ada").with(Placeholder::Product, "Forty Knots");
        let filled = parse("Dear {name},\n\nhere is { product }. {{braces}}").unwrap().fill(&values);
        assert_eq!(filled.text(), "Dear Ada,\n\nhere is Forty Knots. {braces}");
        assert_eq!(
            filled.html(),
            "<p dir=\"auto\">Dear Ada,</p>\n<p dir=\"auto\">here is Forty Knots. {braces}</p>\n"
        );
    }

    #[test]
    fn an_unknown_name_is_told_with_its_place_and_the_list() {
        let error = Text::parse("Dear\n you: {nmae}", &[Placeholder::Name, Placeholder::Order]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2, column 7: {nmae} is not a placeholder here; there are {name}, {order}"
        );
    }

    #[test]
    fn a_name_that_is_known_elsewhere_is_still_unknown_here() {
        assert!(Text::parse("{links}", &[Placeholder::Name]).is_err());
    }

    #[test]
    fn a_brace_alone_is_told_with_its_place() {
        for (source, line, column) in
            [("a { b", 1, 3), ("\n}", 2, 1), ("{name", 1, 1), ("{na\nme}", 1, 1), ("{ {name}", 1, 1)]
        {
            assert_eq!(parse(source).unwrap_err(), TextError::LoneBrace { line, column }, "{source:?}");
        }
    }

    #[test]
    fn a_buyers_name_is_only_a_name() {
        let text = parse("Dear {name}!").unwrap();
        let filled = text.fill(&Values::new().with(Placeholder::Name, "<b>{links}</b>\r\n\r\nBcc: x"));
        assert_eq!(filled.text(), "Dear <b>{links}</b>    Bcc: x!");
        assert_eq!(filled.html(), "<p dir=\"auto\">Dear &lt;b&gt;{links}&lt;/b&gt;    Bcc: x!</p>\n");
    }

    #[test]
    fn links_are_lines_in_text_and_addresses_in_html() {
        let link =
            LinkLine { label: "Knots & bends".to_owned(), url: "https://a.example/d/1?a=1&b=2".to_owned() };
        let text = parse("{links}").unwrap();
        let filled = text.fill(&Values::new().with_links(vec![link]));
        assert!(text.mentions(Placeholder::Links));
        assert_eq!(filled.text(), "Knots & bends\nhttps://a.example/d/1?a=1&b=2");
        assert!(
            filled.html().contains("<a href=\"https://a.example/d/1?a=1&amp;b=2\">"),
            "{}",
            filled.html()
        );
    }

    #[test]
    fn a_text_has_a_limit() {
        assert!(parse(&"ä".repeat(TEXT_LENGTH_MAX)).is_ok());
        assert!(matches!(parse(&"a".repeat(TEXT_LENGTH_MAX + 1)), Err(TextError::TooLong { .. })));
    }
}
