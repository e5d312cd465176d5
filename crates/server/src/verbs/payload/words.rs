//! What a resolution tells, in words.

use payload::{Came, Considered, Fate};

/// `12,345 bytes`
pub fn bytes(count: u64) -> String {
    format!("{} {}", grouped(count), if count == 1 { "byte" } else { "bytes" })
}

pub fn files(count: usize) -> String {
    format!("{count} {}", if count == 1 { "file" } else { "files" })
}

/// With a comma before each three digits.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a file is in or out, and why.
pub fn fate(considered: &Considered) -> String {
    let why = match considered.fate {
        Fate::Taken => return format!("in   {}", bytes(considered.bytes)),
        Fate::Repeated => "delivered already, for an item before",
        Fate::NotFirst => "not the first of the matches",
        Fate::Folder => "a folder; only files are delivered",
        Fate::Link => "a link, which is not followed",
        Fate::NotAFile => "a device, a pipe, or a name that is not Unicode",
        Fate::Beyond => "more than a payload may have",
    };
    format!("out  {why}")
}

pub fn came(came: &Came) -> String {
    match came {
        Came::Files(count) => files(*count),
        Came::Elsewhere => "not a file: rendered, or handed over by somebody else".to_owned(),
        Came::Nothing => "nothing is there".to_owned(),
        Came::Spared => "not needed: the item before is there".to_owned(),
        Came::Held => "not tried: the item before cannot be told".to_owned(),
        Came::Broken(problem) => format!("wrong: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_000), "1,000 bytes");
        assert_eq!(bytes(1_234_567), "1,234,567 bytes");
    }
}
