//! `Content-Disposition` for files whose names strangers chose.

use http::HeaderValue;

/// Longer names are cut before their extension: common file systems hold 255 bytes.
const NAME_BYTES_MAX: usize = 200;

/// What follows the last dot counts as an extension up to this length.
const EXTENSION_BYTES_MAX: usize = 16;

/// The name of a file that has none.
const NAMELESS: &str = "download";

/// `attachment` with a name that every system can store and that shows what it is.
///
/// Of a path only the last part is kept. Characters that some system forbids become `_`; those
/// that are invisible or turn the reading direction (`gpj.exe` shown as `exe.jpg`) are left out.
/// Names beyond ASCII are sent twice (RFC 6266): plainly with `_`, and encoded (RFC 8187).
pub fn attachment(file_name: &str) -> HeaderValue {
    let name = storable(file_name);
    let plain: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        encode(&name, &mut value);
    }
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

fn storable(file_name: &str) -> String {
    let last = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_hidden(*c)).map(storable_char).collect();
    // Windows drops dots and spaces at the end; a dot at the start hides a file elsewhere.
    let trimmed = visible.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let name = if trimmed.is_empty() { NAMELESS } else { trimmed };
    let cut = cut_before_extension(name);
    if is_device(&cut) { format!("_{cut}") } else { cut }
}

fn storable_char(c: char) -> char {
    match c {
        '"' | '<' | '>' | ':' | '|' | '?' | '*' => '_',
        other => other,
    }
}

/// Control characters, line separators, zero-width characters and direction marks.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Names that Windows takes for devices, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => match stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT")) {
            Some(number) => {
                matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
            }
            None => false,
        },
    }
}

fn cut_before_extension(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= EXTENSION_BYTES_MAX => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let mut end = NAME_BYTES_MAX.saturating_sub(extension.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", stem.get(..end).unwrap_or(NAMELESS))
}

/// RFC 8187: everything but `attr-char` as percent and two digits.
fn encode(name: &str, into: &mut String) {
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            for nibble in [byte >> 4, byte & 15] {
                into.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> String {
        attachment(name).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_plain_name_is_sent_plainly() {
        assert_eq!(of("handbook 2.pdf"), "attachment; filename=\"handbook 2.pdf\"");
    }

    #[test]
    fn a_name_beyond_ascii_is_sent_twice() {
        assert_eq!(
            of("Bücher €.zip"),
            "attachment; filename=\"B_cher _.zip\"; filename*=UTF-8''B%C3%BCcher%20%E2%82%AC.zip"
        );
    }

    #[test]
    fn a_percent_sign_is_not_left_for_browsers_to_decode() {
        assert_eq!(
            of("a%0d%0aX.txt"),
            "attachment; filename=\"a_0d_0aX.txt\"; filename*=UTF-8''a%250d%250aX.txt"
        );
    }

    #[test]
    fn quotes_and_line_breaks_cannot_leave_the_name() {
        assert_eq!(of("a\"; filename=x.html"), "attachment; filename=\"a_; filename=x.html\"");
        assert_eq!(of("a\r\nSet-Cookie: x=1"), "attachment; filename=\"aSet-Cookie_ x=1\"");
        assert_eq!(of("a\u{2028}b\0c.txt"), "attachment; filename=\"abc.txt\"");
    }

    #[test]
    fn of_a_path_only_the_last_part_is_kept() {
        assert_eq!(of("../../etc/passwd"), "attachment; filename=\"passwd\"");
        assert_eq!(of("C:\\Windows\\evil.dll"), "attachment; filename=\"evil.dll\"");
        assert_eq!(of(".htaccess"), "attachment; filename=\"htaccess\"");
    }

    #[test]
    fn the_reading_direction_cannot_be_turned() {
        assert_eq!(of("photo\u{202e}gpj.exe"), "attachment; filename=\"photogpj.exe\"");
    }

    #[test]
    fn a_name_of_nothing_becomes_a_name() {
        assert_eq!(of(""), "attachment; filename=\"download\"");
        assert_eq!(of(".. . "), "attachment; filename=\"download\"");
        assert_eq!(of("a/"), "attachment; filename=\"download\"");
    }

    #[test]
    fn device_names_of_windows_are_made_harmless() {
        assert_eq!(of("CON"), "attachment; filename=\"_CON\"");
        assert_eq!(of("nul.txt"), "attachment; filename=\"_nul.txt\"");
        assert_eq!(of("com1.tar.gz"), "attachment; filename=\"_com1.tar.gz\"");
        assert_eq!(of("console.txt"), "attachment; filename=\"console.txt\"");
        assert_eq!(of("com10.txt"), "attachment; filename=\"com10.txt\"");
    }

    #[test]
    fn a_long_name_is_cut_and_keeps_its_extension() {
        let name = storable(&format!("{}.zip", "ü".repeat(300)));
        assert_eq!(name.len(), NAME_BYTES_MAX);
        assert!(name.ends_with("ü.zip"));
        assert_eq!(storable(&"x".repeat(300)).len(), NAME_BYTES_MAX);
    }
}
