//! Bytes of old Windows programs.

/// How the bytes were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Encoding {
    /// What files are written in today.
    #[serde(rename = "UTF-8")]
    Utf8,
    /// What Windows calls Unicode.
    #[serde(rename = "UTF-16")]
    Utf16,
    /// What Windows wrote in western Europe and America. Any bytes can be read so: look at the umlauts.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// A file's text.
#[derive(Debug, Clone)]
pub struct Text {
    /// Without the mark at its beginning.
    pub text: String,
    /// How it was read.
    pub encoding: Encoding,
}

impl Text {
    /// Reads by the mark at the beginning; without one as UTF-8, and if it is none, as windows-1252.
    pub fn decode(bytes: &[u8]) -> Self {
        if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
            let (text, _) = encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default());
            let utf8 = encoding == encoding_rs::UTF_8;
            let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
            return Self { text: text.into_owned(), encoding };
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: text.to_owned(), encoding: Encoding::Utf8 },
            Err(_) => {
                let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
                Self { text: text.into_owned(), encoding: Encoding::Windows1252 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_it_was_written() {
        let read = |bytes: &[u8]| {
            let text = Text::decode(bytes);
            (text.text, text.encoding)
        };
        assert_eq!(read("Größe".as_bytes()), ("Größe".to_owned(), Encoding::Utf8));
        assert_eq!(read(b"\xef\xbb\xbfa"), ("a".to_owned(), Encoding::Utf8));
        assert_eq!(read(b"Gr\xf6\xdfe \x80"), ("Größe €".to_owned(), Encoding::Windows1252));
        assert_eq!(read(b"\xff\xfeG\0\xf6\0"), ("Gö".to_owned(), Encoding::Utf16));
    }
}
