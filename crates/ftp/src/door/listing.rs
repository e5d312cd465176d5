//! Listings, in the forms that clients ask for.

use kernel::Timestamp;

use super::Entry;

/// Which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Like `ls -l`, for people and old clients.
    Long,
    /// Names only.
    Names,
    /// Facts for programs (RFC 3659).
    Facts,
}

/// The lines of some files.
pub(super) fn lines(form: Form, entries: &[Entry]) -> String {
    entries.iter().map(|entry| line(form, entry) + "\r\n").collect()
}

fn line(form: Form, entry: &Entry) -> String {
    match form {
        Form::Names => entry.name.clone(),
        Form::Facts => facts(entry),
        Form::Long => {
            // Always with the year: the other form, with the hour, depends on what day it is.
            let day = entry.modified.to_jiff().strftime("%b %e  %Y");
            format!("-r--r--r--    1 ftp      ftp      {:>12} {day} {}", entry.size, entry.name)
        }
    }
}

/// The facts of a file, and its name.
pub(super) fn facts(entry: &Entry) -> String {
    let Entry { name, size, modified } = entry;
    format!("type=file;size={size};modify={};perm=r; {name}", stamp(*modified))
}

/// The facts of the directory that somebody stands in.
pub(super) fn directory_facts(name: &str) -> String {
    format!("type=cdir;perm=el; {name}")
}

/// A moment as `MDTM` writes it.
pub(super) fn stamp(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_in_each_form() {
        let entry = Entry {
            name: "Harbor Charts.zip".to_owned(),
            size: 1_234,
            modified: Timestamp::from_seconds(1_780_000_000),
        };
        let entries = [entry];
        assert_eq!(lines(Form::Names, &entries), "Harbor Charts.zip\r\n");
        assert_eq!(
            lines(Form::Facts, &entries),
            "type=file;size=1234;modify=20260528202640;perm=r; Harbor Charts.zip\r\n"
        );
        assert_eq!(
            lines(Form::Long, &entries),
            "-r--r--r--    1 ftp      ftp              1234 May 28  2026 Harbor Charts.zip\r\n"
        );
        assert_eq!(lines(Form::Long, &[]), "");
    }
}
