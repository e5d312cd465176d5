//! What may be in a command.

/// A text that cannot be said to an FTP server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} {why}")]
pub struct Invalid {
    /// Which text.
    pub what: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// No text is longer.
const TEXT_BYTES_MAX: usize = 512;

/// Whether a text can be said: a line break in it would be a command of its own.
///
/// # Errors
/// What is wrong with it.
pub fn check(what: &'static str, text: &str) -> Result<(), Invalid> {
    let why = if text.is_empty() {
        "is empty"
    } else if text.len() > TEXT_BYTES_MAX {
        "is longer than 512 bytes"
    } else if text.contains(char::is_control) {
        "has a line break or another control character in it"
    } else if what.starts_with("name") && (text.contains(['/', '\\']) || matches!(text, "." | "..")) {
        "is a path and no name"
    } else {
        return Ok(());
    };
    Err(Invalid { what, why })
}

/// The steps to a directory, from the one that the login begins in. A slash in front does not lead out
/// of that.
///
/// # Errors
/// When it leads upward, or cannot be said.
pub fn steps(directory: &str) -> Result<Vec<&str>, Invalid> {
    let what = "directory";
    let steps: Vec<&str> =
        directory.split('/').map(str::trim).filter(|step| !matches!(*step, "" | ".")).collect();
    for step in &steps {
        check(what, step)?;
        if *step == ".." {
            return Err(Invalid { what, why: "leads upward: begin at the folder of the login" });
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_is_never_said() {
        for text in ["a\r\nDELE b", "a\nb", "a\0", ""] {
            assert!(check("user name", text).is_err(), "{text:?}");
        }
        assert!(check("user name", "müller@shop").is_ok());
        assert!(check("name of the file", "a/b").is_err());
        assert!(steps("in\r\nDELE x").is_err());
    }

    #[test]
    fn a_directory_is_below_the_folder_of_the_login() {
        assert_eq!(steps("/"), Ok(vec![]));
        assert_eq!(steps("/jobs//a4/"), Ok(vec!["jobs", "a4"]));
        assert!(steps("jobs/../..").is_err());
    }
}
