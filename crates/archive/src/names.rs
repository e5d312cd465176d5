//! Names that every reader can unpack, and only to where the buyer wanted.
//!
//! What a merchant calls a file is no path on a buyer's disk until it has been here. The result
//! depends on nothing but the wanted names and their order.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization as _;

/// Longest name of a file or folder in bytes; file systems end at 255, some encrypted ones earlier.
pub const PART_BYTES_MAX: usize = 200;
/// Longest name with its folders in bytes. Windows ends at 260 characters unless told otherwise.
pub const NAME_BYTES_MAX: usize = 1_024;
/// Deepest folder.
pub const DEPTH_MAX: usize = 32;

/// The names under which an archive holds files wanted under these, in the same order.
///
/// Each is relative, in NFC, made of `/` and parts that Windows, macOS and Linux take: no `.` or
/// `..`, no drive, no control character, no mark that turns the direction of text, nothing of
/// `<>:"|?*`, no blank or dot at the end, no name of a device. No two are the same where case
/// does not count, and none is a folder of another: what would be gets a number.
pub fn safe_names<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<String> = wanted.into_iter().map(safe).collect();
    let folders: HashSet<&str> = names.iter().flat_map(|name| folders_of(name)).collect();
    let folders = folders.into_iter().map(fold).collect();
    let mut taken = Taken { folders, names: HashSet::with_capacity(names.len()), next: HashMap::new() };
    names.into_iter().map(|name| taken.take(name)).collect()
}

/// Whether a name leads nowhere but into the folder an archive is unpacked to.
///
/// Weaker than what [`safe_names`] gives, so that an archive laid out by an earlier release
/// is still read when the rules of that function have grown.
pub(crate) fn is_confined(name: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..");
    name.len() <= NAME_BYTES_MAX
        && name.split('/').all(part)
        && !name.contains(|letter: char| letter == '\\' || letter == ':' || letter.is_control())
}

/// The name by itself, without regard to others.
fn safe(wanted: &str) -> String {
    let wanted = without_drive(wanted);
    let mut parts: Vec<String> = wanted.split(['/', '\\']).filter_map(safe_part).collect();
    let file = parts.pop().unwrap_or_else(|| "file".to_owned());

    let mut name = String::new();
    for folder in parts.into_iter().take(DEPTH_MAX) {
        // Folders that are too many are left away from the inside: the file's own name stays.
        if name.len() + folder.len() + file.len() + 2 > NAME_BYTES_MAX - NUMBER_BYTES_MAX {
            break;
        }
        name.push_str(&folder);
        name.push('/');
    }
    name.push_str(&file);
    name
}

/// `c:\x` and `c:x` alike are `x`.
fn without_drive(name: &str) -> &str {
    match name.as_bytes() {
        [drive, b':', ..] if drive.is_ascii_alphabetic() => name.get(2..).unwrap_or_default(),
        _ => name,
    }
}

/// One folder or file; nothing if nothing is left of it.
fn safe_part(part: &str) -> Option<String> {
    let part = composed(part);
    let part = trimmed(&part);
    if part.is_empty() {
        return None;
    }
    let part = if is_device(part) { format!("_{part}") } else { part.to_owned() };
    if part.len() <= PART_BYTES_MAX {
        return Some(part);
    }
    let (stem, ending) = split_ending(&part);
    Some(format!("{}{ending}", cut(stem, PART_BYTES_MAX.saturating_sub(ending.len()))))
}

/// In NFC, without what is forbidden or hidden.
fn composed(part: &str) -> Cow<'_, str> {
    if part.bytes().all(|byte| byte.is_ascii() && !is_forbidden(char::from(byte))) {
        return Cow::Borrowed(part);
    }
    // Marks go first and composing comes last, or a letter could find its accent again too late.
    let letters = part.chars().filter(|letter| !is_hidden(*letter)).nfc();
    letters.map(|letter| if is_forbidden(letter) { '_' } else { letter }).nfc().collect::<String>().into()
}

/// A dot at the end is lost on Windows, a blank at either end in the eyes of the buyer. With them go `.` and `..`.
fn trimmed(part: &str) -> &str {
    part.trim_end_matches(|letter| letter == '.' || is_blank(letter)).trim_start_matches(is_blank)
}

/// White space, and what joins or parts letters where there are none.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || is_joiner(letter)
}

/// Of use in Persian, in Hindi and between emoji, so they stay; but some file systems do not see them.
fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200C}' | '\u{200D}')
}

fn is_forbidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{2028}' | '\u{2029}')
        // No characters at all; some file systems refuse them.
        || u32::from(letter) & 0xfffe == 0xfffe
        || matches!(letter, '\u{FDD0}'..='\u{FDEF}')
}

/// Marks that make `exe.jpg` out of `gpj.exe` on a screen, and others that are not seen at all.
fn is_hidden(letter: char) -> bool {
    matches!(
        letter,
        '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
    )
}

/// The names that Windows keeps for devices, with any ending.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_uppercase();
    let numbered = ["COM", "LPT"].iter().filter_map(|kind| stem.strip_prefix(kind)).any(|number| {
        matches!(number, "¹" | "²" | "³") || matches!(number.as_bytes(), [digit] if digit.is_ascii_digit())
    });
    numbered || matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$")
}

/// The last part's stem and its ending with the dot. `a.tar.gz` ends in `.gz`; `.profile` has no ending.
fn split_ending(name: &str) -> (&str, &str) {
    let file_at = name.rfind('/').map_or(0, |slash| slash + 1);
    match name.rfind('.') {
        Some(dot) if dot > file_at && name.len() - dot <= ENDING_BYTES_MAX => name.split_at(dot),
        _ => (name, ""),
    }
}

/// What is longer is not an ending but a sentence with a dot in it.
const ENDING_BYTES_MAX: usize = 16;

/// The text, or the beginning of it that is at most this long and ends like a name.
fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let kept = trimmed(text.get(..end).unwrap_or_default());
    if kept.is_empty() { "_" } else { kept }
}

/// As names are compared where case does not count: by way of upper case, which joins what lower
/// case keeps apart (the Greek final sigma). It joins more than a file system does, never less.
fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let seen = name.chars().filter(|letter| !is_joiner(*letter));
    seen.nfd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// `a/b/c`: `a`, `a/b`.
fn folders_of(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').filter_map(|(slash, _)| name.get(..slash))
}

/// Room for ` (4294967295)`.
const NUMBER_BYTES_MAX: usize = 13;

struct Taken {
    /// The folders of all names; a file of the same name could not stand beside one.
    folders: HashSet<String>,
    names: HashSet<String>,
    /// Which number to try next for a name, so that 10,000 files of one name are not quadratic.
    next: HashMap<String, u32>,
}

impl Taken {
    fn take(&mut self, name: String) -> String {
        let key = fold(&name);
        if !self.folders.contains(&key) && self.names.insert(key.clone()) {
            return name;
        }
        let mut number = self.next.get(&key).copied().unwrap_or(2);
        loop {
            let candidate = numbered(&name, number);
            let candidate_key = fold(&candidate);
            number = number.saturating_add(1);
            if !self.folders.contains(&candidate_key) && self.names.insert(candidate_key) {
                self.next.insert(key, number);
                return candidate;
            }
        }
    }
}

/// `a/b.txt`: `a/b (2).txt`.
fn numbered(name: &str, number: u32) -> String {
    let (stem, ending) = split_ending(name);
    let file_at = stem.rfind('/').map_or(0, |slash| slash + 1);
    let (folders, stem) = stem.split_at(file_at);
    let number = format!(" ({number})");
    let room = PART_BYTES_MAX.saturating_sub(number.len() + ending.len());
    format!("{folders}{}{number}{ending}", cut(stem, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(wanted: &[&str], names: &[&str]) {
        assert_eq!(safe_names(wanted.iter().copied()), names);
    }

    #[test]
    fn a_good_name_stays() {
        let names =
            ["setup.exe", "Manual/Über uns.pdf", ".profile", "a.tar.gz", "日本語/☕.txt", "می‌خواهم.txt"];
        becomes(&names, &names);
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        becomes(
            &["..\\evil.exe", "/abs/x", "C:y", "c:\\Windows\\z"],
            &["evil.exe", "abs/x", "y", "Windows/z"],
        );
        becomes(
            &["a/../../b", "./././c", "d//e", "\\\\server\\share\\f"],
            &["a/b", "c", "d/e", "server/share/f"],
        );
        becomes(&[". ./. . /x", "...", "", "/", "y/"], &["x", "file", "file (2)", "file (3)", "y"]);
    }

    #[test]
    fn what_a_screen_would_hide_is_gone() {
        becomes(
            &["gpj\u{202E}exe.txt", "a\nb\0c", "x\u{2028}y", "\u{FEFF}z"],
            &["gpjexe.txt", "a_b_c", "x_y", "z"],
        );
    }

    #[test]
    fn what_windows_refuses_is_replaced() {
        becomes(
            &["a<b>:\"|?*.txt", "end. . ", "stream.txt:$DATA"],
            &["a_b______.txt", "end", "stream.txt_$DATA"],
        );
        becomes(
            &["con", "Nul.tar.gz", "COM1", "com¹.x", "LPT9 .y", "COM10", "console", "aux/b"],
            &["_con", "_Nul.tar.gz", "_COM1", "_com¹.x", "_LPT9 .y", "COM10", "console", "_aux/b"],
        );
    }

    #[test]
    fn names_that_some_disk_takes_for_one_are_numbered() {
        becomes(
            &["a.txt", "A.TXT", "a.txt", "a (2).txt"],
            &["a.txt", "A (2).TXT", "a (3).txt", "a (2) (2).txt"],
        );
        becomes(&["Straße", "STRASSE", "strasse"], &["Straße", "STRASSE (2)", "strasse (3)"]);
        becomes(&["e\u{301}", "\u{e9}", "\u{c9}"], &["\u{e9}", "\u{e9} (2)", "\u{c9} (3)"]);
        becomes(&["....txt", "....txt"], &["....txt", "... (2).txt"]);
    }

    #[test]
    fn a_file_gives_way_to_a_folder() {
        becomes(&["Docs", "docs/a", "docs/A/b"], &["Docs (2)", "docs/a (2)", "docs/A/b"]);
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let long = format!("{}.pdf", "é".repeat(40_000));
        let names = safe_names([long.as_str(), long.as_str()]);
        assert_eq!(names[0], format!("{}.pdf", "é".repeat(98)));
        assert_eq!(names[1], format!("{} (2).pdf", "é".repeat(96)));
    }

    #[test]
    fn a_deep_name_keeps_its_file() {
        let deep = format!("{}x.txt", "folder/".repeat(500));
        assert_eq!(safe_names([deep.as_str()]), [format!("{}x.txt", "folder/".repeat(DEPTH_MAX))]);
        let wide = format!("{}x.txt", format!("{}/", "f".repeat(200)).repeat(10));
        assert_eq!(safe_names([wide.as_str()])[0].len(), 5 * 201 + 5);
    }

    #[test]
    fn ten_thousand_files_of_one_name_are_told_apart() {
        let names = safe_names(std::iter::repeat_n("x.bin", 10_000));
        assert_eq!(names[9_999], "x (10000).bin");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 10_000);
    }
}
