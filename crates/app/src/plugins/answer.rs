//! What a plug-in answers, and what is made of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Largest answer.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most files of one answer.
const FILES_MAX: usize = 20;
/// Most texts of one answer.
const TEXTS_MAX: usize = 20;
/// Longest label and longest text, in characters.
const LABEL_LENGTH_MAX: usize = 100;
const TEXT_LENGTH_MAX: usize = 4_000;

/// The body of an answer with status 200. Everything may be missing: then it was handed over
/// elsewhere, and there is nothing to tell.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Small files, in base64.
    pub files: Vec<AnsweredFile>,
    /// What the buyer is told, such as a key.
    pub texts: Vec<AnsweredText>,
    /// A tracking number or address: short for a text with that label.
    pub tracking: Option<String>,
}

/// A file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnsweredFile {
    /// The name to save it under.
    pub name: String,
    /// Its bytes.
    pub base64: String,
}

/// Something to tell the buyer.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnsweredText {
    /// What it is.
    pub label: String,
    /// The text.
    pub text: String,
}

/// What an answer comes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    /// Names and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// Labels and texts.
    pub texts: Vec<(String, String)>,
}

/// Reads an answer.
///
/// # Errors
/// In words: what is wrong with it, for whoever runs the plug-in.
pub fn read(body: &[u8]) -> Result<Read, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Read { files: Vec::new(), texts: Vec::new() });
    }
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|error| format!("its answer is not what is expected: {error}"))?;
    if answer.files.len() > FILES_MAX || answer.texts.len() > TEXTS_MAX {
        return Err(format!("it answered more than {FILES_MAX} files or {TEXTS_MAX} texts"));
    }
    let file = |file: AnsweredFile| {
        let bytes = STANDARD.decode(file.base64.trim());
        let bytes = bytes.map_err(|error| format!("the file {} is not base64: {error}", file.name))?;
        Ok::<_, String>((file.name, bytes))
    };
    let tracking = answer.tracking.map(|text| AnsweredText { label: "Tracking".to_owned(), text });
    let texts = answer.texts.into_iter().chain(tracking).map(text);
    Ok(Read {
        files: answer.files.into_iter().map(file).collect::<Result<_, _>>()?,
        texts: texts.collect::<Result<_, _>>()?,
    })
}

fn text(told: AnsweredText) -> Result<(String, String), String> {
    let odd = |c: char| c.is_control() && c != '\n';
    let fits =
        |text: &str, most| !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(odd);
    if fits(&told.label, LABEL_LENGTH_MAX) && fits(&told.text, TEXT_LENGTH_MAX) {
        return Ok((told.label.trim().to_owned(), told.text.trim().to_owned()));
    }
    Err(format!(
        "a text of its answer is empty, has control characters, or is longer than {TEXT_LENGTH_MAX} characters"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_texts_and_a_tracking_number_are_read() {
        let body = br#"{"files":[{"name":"a.txt","base64":"aGk="}],"texts":[{"label":"Key","text":"K-1"}],"tracking":"1Z"}"#;
        let found = read(body).unwrap();
        assert_eq!(found.files, [("a.txt".to_owned(), b"hi".to_vec())]);
        let texts = [("Key", "K-1"), ("Tracking", "1Z")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(found.texts, texts);
    }

    #[test]
    fn an_empty_answer_says_that_it_was_handed_over_elsewhere() {
        assert_eq!(read(b" \n").unwrap(), Read { files: Vec::new(), texts: Vec::new() });
        assert_eq!(read(b"{}").unwrap().texts, []);
    }

    #[test]
    fn rubbish_is_told_and_not_guessed_at() {
        for wrong in [
            &b"<html>"[..],
            br#"{"file":1}"#,
            br#"{"tracking":""}"#,
            br#"{"files":[{"name":"a","base64":"%"}]}"#,
        ] {
            assert!(read(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }
}
