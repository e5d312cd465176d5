//! Reading a list that somebody imports: a line for each entry, or a table with a head.

use std::collections::HashMap;

use crate::problem::Problem;

/// Most entries of one import. More go in several.
pub const ENTRIES_MAX: usize = 10_000;
/// Longest entry.
pub const ENTRY_LENGTH_MAX: usize = 2_000;

db::words! {
    /// How a list is written.
    pub enum Form {
        /// Every line that is not empty is an entry.
        Lines = "lines",
        /// A table: the first row names the columns, every other is an entry.
        Csv = "csv",
    }
}

/// An entry with the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1.
    pub line: u64,
    /// What its buyer is told.
    pub text: String,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Entries that differ from each other, in their order.
    pub entries: Vec<Entry>,
    /// Lines that repeat an earlier one.
    pub repeated: Vec<u64>,
}

/// Reads a list. One wrong entry, and none is taken: a login that was cut is worse than none.
///
/// # Errors
/// The first line that is wrong, with what is wrong and what to do.
pub fn read(form: Form, bytes: &[u8]) -> Result<Read, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes.get(..error.valid_up_to()).unwrap_or_default().split(|byte| *byte == b'\n').count();
        wrong(format!("line {line} is not UTF-8; save the list as UTF-8 and import it again"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let entries = match form {
        Form::Lines => lines(text),
        Form::Csv => table(text)?,
    };
    if entries.is_empty() {
        return Err(wrong("there is no entry in this list".to_owned()));
    }
    if entries.len() > ENTRIES_MAX {
        let count = entries.len();
        return Err(wrong(format!(
            "{count} entries are more than {ENTRIES_MAX}; import them in several parts"
        )));
    }
    entries.iter().try_for_each(check)?;
    Ok(apart(entries))
}

fn wrong(text: String) -> Problem {
    Problem::invalid("entries", text)
}

fn lines(text: &str) -> Vec<Entry> {
    let numbered = (1u64..).zip(text.lines());
    let entry = |(line, text): (u64, &str)| Entry { line, text: text.trim().to_owned() };
    numbered.map(entry).filter(|entry| !entry.text.is_empty()).collect()
}

/// Each row as "column: value" lines, without the empty ones.
fn table(text: &str) -> Result<Vec<Entry>, Problem> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text.as_bytes());
    let said = |error: csv::Error| wrong(format!("the table cannot be read: {error}"));
    let head = reader.headers().map_err(said)?.clone();
    let mut entries = Vec::new();
    for row in reader.records() {
        let row = row.map_err(said)?;
        let cells = head.iter().zip(&row).map(|(name, cell)| (name.trim(), cell.trim()));
        let cells = cells.filter(|(_, cell)| !cell.is_empty());
        let told = cells
            .map(|(name, cell)| if name.is_empty() { cell.to_owned() } else { format!("{name}: {cell}") });
        let text = told.collect::<Vec<_>>().join("\n");
        if !text.is_empty() {
            entries.push(Entry { line: row.position().map_or(0, csv::Position::line), text });
        }
    }
    Ok(entries)
}

/// Spreadsheets of half the world write semicolons.
fn delimiter(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |letter: char| head.matches(letter).count();
    let (comma, semicolon, tab) = (count(','), count(';'), count('\t'));
    if semicolon > comma.max(tab) {
        b';'
    } else if tab > comma {
        b'\t'
    } else {
        b','
    }
}

fn check(entry: &Entry) -> Result<(), Problem> {
    let line = entry.line;
    if entry.text.chars().count() > ENTRY_LENGTH_MAX {
        return Err(wrong(format!("line {line} is longer than {ENTRY_LENGTH_MAX} characters")));
    }
    let odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if entry.text.chars().any(odd) {
        return Err(wrong(format!("line {line} holds a control character; is this a text file?")));
    }
    Ok(())
}

fn apart(entries: Vec<Entry>) -> Read {
    let mut seen: HashMap<String, ()> = HashMap::new();
    let mut read = Read::default();
    for entry in entries {
        match seen.insert(entry.text.clone(), ()) {
            None => read.entries.push(entry),
            Some(()) => read.repeated.push(entry.line),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(form: Form, text: &str) -> Vec<String> {
        read(form, text.as_bytes()).unwrap().entries.into_iter().map(|entry| entry.text).collect()
    }

    #[test]
    fn every_line_that_is_not_empty_is_an_entry() {
        assert_eq!(texts(Form::Lines, "\u{feff}ada/1815\r\n\r\n  grace/1906 \n"), ["ada/1815", "grace/1906"]);
    }

    #[test]
    fn a_table_tells_its_columns() {
        let comma = "User,Password,Note\nada,\"a,b\",\ngrace,\"x\ny\",front row\n";
        assert_eq!(
            texts(Form::Csv, comma),
            ["User: ada\nPassword: a,b", "User: grace\nPassword: x\ny\nNote: front row"]
        );
        assert_eq!(texts(Form::Csv, "User;Password\nada;a,b\n"), ["User: ada\nPassword: a,b"]);
        assert_eq!(texts(Form::Csv, "User\tPassword\nada\tx\n"), ["User: ada\nPassword: x"]);
    }

    #[test]
    fn what_repeats_is_told_by_its_line_and_taken_once() {
        let read = read(Form::Lines, b"a\nb\n\na\n b\nc").unwrap();
        assert_eq!(read.entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [1, 2, 6]);
        assert_eq!(read.repeated, [4, 5]);
    }

    #[test]
    fn one_wrong_line_refuses_the_list_and_is_named() {
        let said = |form, bytes: &[u8]| read(form, bytes).unwrap_err().detail;
        assert!(said(Form::Lines, b"a\nb\xff\nc").starts_with("line 2 is not UTF-8"));
        assert!(said(Form::Lines, b"a\n\x07b").starts_with("line 2 holds a control character"));
        assert!(said(Form::Lines, "x".repeat(2_001).as_bytes()).starts_with("line 1 is longer"));
        assert!(said(Form::Csv, b"User,Password\nada\n").contains("record 1 (line: 2"));
        assert!(said(Form::Lines, b" \n\n").starts_with("there is no entry"));
        assert!(said(Form::Csv, b"User,Password\n").starts_with("there is no entry"));
        let many = "x\n".to_owned() + &(0..ENTRIES_MAX).map(|n| format!("{n}\n")).collect::<String>();
        assert!(said(Form::Lines, many.as_bytes()).contains("import them in several parts"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0u8.., 0..300)) {
            let _ = read(Form::Lines, &bytes);
            let _ = read(Form::Csv, &bytes);
        }
    }
}
