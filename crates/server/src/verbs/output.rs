//! How verbs answer: a table or fields for people, JSON for programs.

/// Where answers go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

/// The cells of one row, in the order of the heads.
pub type Cells = Vec<String>;

impl Output {
    /// For people, or for programs.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// A list: a table with these heads, or an array of objects.
    pub fn list(self, heads: &[&str], rows: &[Cells], values: &[serde_json::Value]) {
        if self.json {
            return print(&serde_json::Value::Array(values.to_vec()));
        }
        if rows.is_empty() {
            println!("none");
            return;
        }
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(heads.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let line = |cells: Vec<&str>| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            println!("{}", padded.collect::<Vec<_>>().join("  ").trim_end());
        };
        line(heads.to_vec());
        for row in rows {
            line(row.iter().map(String::as_str).collect());
        }
    }

    /// A table for people that is one object for programs.
    pub fn table_or(self, heads: &[&str], rows: &[Cells], value: &serde_json::Value) {
        if self.json { print(value) } else { self.list(heads, rows, &[]) }
    }

    /// One thing: its fields line by line, or an object.
    pub fn one(self, value: &serde_json::Value) {
        if self.json {
            return print(value);
        }
        show(value, 0);
    }

    /// What a verb prints in its own way for people, or an object.
    pub fn text_or(self, text: impl FnOnce(), value: &serde_json::Value) {
        if self.json { print(value) } else { text() }
    }

    /// As [`Output::done`], where standard output is taken.
    pub fn done_aside(self, text: &str, value: &serde_json::Value) {
        if self.json { eprintln!("{value}") } else { eprintln!("{text}") }
    }

    /// That it was done, in words, or an object.
    pub fn done(self, text: &str, value: &serde_json::Value) {
        if self.json { print(value) } else { println!("{text}") }
    }
}

/// A text from elsewhere, for a terminal: control characters, and marks that turn the direction of text, are
/// shown instead of obeyed.
pub fn printable(text: &str) -> String {
    let obeyed = |letter: char| letter.is_control() || payload::turns_direction(letter);
    let shown = text
        .chars()
        .map(|letter| if obeyed(letter) { letter.escape_unicode().to_string() } else { letter.to_string() });
    shown.collect()
}

fn print(value: &serde_json::Value) {
    println!("{}", serde_json::to_string_pretty(value).unwrap_or_default());
}

fn show(value: &serde_json::Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    serde_json::Value::Object(_) | serde_json::Value::Array(_) => {
                        println!("{indent}{name}:");
                        show(field, depth + 1);
                    }
                    serde_json::Value::Null => {}
                    plain => println!("{indent}{name}: {}", word(plain)),
                }
            }
        }
        serde_json::Value::Array(items) => {
            for item in items {
                if item.is_object() {
                    println!("{indent}-");
                    show(item, depth + 1);
                } else {
                    println!("{indent}- {}", word(item));
                }
            }
        }
        plain => println!("{indent}{}", word(plain)),
    }
}

fn word(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
