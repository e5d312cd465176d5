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

/// How the engine writes a value: texts through [`Escaped`], everything else its own way.
pub(crate) fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let unsafe_text = value.as_str().filter(|_| !value.is_safe());
    match (state.auto_escape(), unsafe_text) {
        (AutoEscape::Html, Some(text)) => write!(out, "{}", Escaped(text)).map_err(Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    }
}
