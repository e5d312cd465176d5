//! HTML escaping that leaves addresses legible: a slash needs no escape.

use std::fmt::{self, Display, Write};

use minijinja::{AutoEscape, Error, Output, State, Value};

/// A text, escaped for HTML content and for attribute values in quotes.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            plain => f.write_char(plain),
        })
    }
}

/// A text, escaped, with its http and https addresses made links.
///
/// The addresses are a seller's or a mail's, so they get neither rank nor referrer from us.
pub(crate) fn linked(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c))
            .unwrap_or(from.len());
        // A full stop ends the sentence, not the address.
        let address = from.split_at(end).0.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
        html.push_str(&Escaped(before).to_string());
        if address.ends_with("://") {
            html.push_str(&Escaped(address).to_string());
        } else {
            let address = Escaped(address);
            html.push_str(&format!("<a href=\"{address}\" rel=\"nofollow noreferrer\">{address}</a>"));
        }
        rest = from.split_at(address.len()).1;
    }
    html.push_str(&Escaped(rest).to_string());
    html
}

/// A plain text as paragraphs: empty lines part them, line breaks stay, addresses are links.
pub(crate) fn paragraphs(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut html = String::new();
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        let lines: Vec<String> = paragraph.lines().map(linked).collect();
        html.push_str("<p dir=\"auto\">");
        html.push_str(&lines.join("<br>"));
        html.push_str("</p>\n");
    }
    html
}

/// How the engine writes a value: texts through [`Escaped`], everything else its own way.
pub(crate) fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let unsafe_text = value.as_str().filter(|_| !value.is_safe());
    match (state.auto_escape(), unsafe_text) {
        (AutoEscape::Html, Some(text)) => write!(out, "{}", Escaped(text)).map_err(Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_link_and_its_full_stop_does_not() {
        assert_eq!(
            linked("See https://a.example/?x=1&y=<2>."),
            "See <a href=\"https://a.example/?x=1&amp;y=\" rel=\"nofollow noreferrer\">https://a.example/?x=1&amp;y=</a>&lt;2&gt;."
        );
        assert_eq!(linked("http:// https://"), "http:// https://");
        assert_eq!(linked("javascript:alert(1)"), "javascript:alert(1)");
    }

    #[test]
    fn a_quote_cannot_leave_the_attribute() {
        let html = linked("https://a.example/\"onclick=alert(1) https://b.example/'x'y");
        assert!(!html.contains("\"onclick"), "{html}");
        assert!(html.contains("https://b.example/&#39;x&#39;y"), "{html}");
    }

    #[test]
    fn empty_lines_part_paragraphs() {
        assert_eq!(
            paragraphs("a\r\nb\r\n\r\n\r\n<c>"),
            "<p dir=\"auto\">a<br>b</p>\n<p dir=\"auto\">&lt;c&gt;</p>\n"
        );
    }
}
