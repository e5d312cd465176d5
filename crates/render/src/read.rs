//! From bytes to a document whose every part is known to be harmless.

use resvg::usvg::roxmltree::{Document, Error, ParsingOptions};

use crate::error::{TemplateError, Why};
use crate::limits::{NODES_MAX, TEMPLATE_BYTES_MAX};

/// The namespace of SVG.
pub const SVG: &str = "http://www.w3.org/2000/svg";

/// The text of an upload, without the document type that drawing programs like to write.
pub fn text(bytes: &[u8]) -> Result<String, TemplateError> {
    if bytes.len() > TEMPLATE_BYTES_MAX {
        return Err(Why::Bytes(bytes.len()).into());
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(Why::Compressed.into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Why::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    without_document_type(text)
}

/// Parses a text of ours or a checked one.
pub fn parse(text: &str) -> Result<Document<'_>, TemplateError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        Error::NodesLimitReached => Why::Nodes.into(),
        Error::DtdDetected => Why::Entities.into(),
        // Its message ends with the position, which is said once only.
        error => {
            let line = error.pos().row;
            let text = error.to_string();
            let what = text.rsplit_once(" at ").map_or(text.as_str(), |(what, _)| what);
            TemplateError::at(line, Why::Malformed(what.to_owned()))
        }
    })
}

/// Takes a plain document type off; its lines stay, so that places are told right. One that
/// defines entities is a way to write a gigabyte in a line, and to name files of this machine.
fn without_document_type(text: &str) -> Result<String, TemplateError> {
    let Some(start) = text.find("<!DOCTYPE") else { return Ok(text.to_owned()) };
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find('>').unwrap_or(rest.len());
    let declaration = rest.get(..end).unwrap_or_default();
    if declaration.get(1..).is_some_and(|inside| inside.contains(['[', '<'])) {
        return Err(Why::Entities.into());
    }
    let lines = "\n".repeat(declaration.matches('\n').count());
    let after = rest.get(end.saturating_add(1)..).unwrap_or_default();
    Ok(format!("{}{lines}{after}", text.get(..start).unwrap_or_default()))
}
