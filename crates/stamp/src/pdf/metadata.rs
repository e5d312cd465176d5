//! The mark outside of the pages: document information, XMP, file identifier, private data of each page.

use super::add;
use crate::{Mark, StampError};
use lopdf::{Dictionary, Document, Object, Stream, StringFormat, dictionary};

/// The name of the entry in the document information and in XMP.
const ENTRY: &str = "CopyID";
/// What existing XMP may unpack to; beyond that it is replaced.
const XMP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A date for entries that must have one: the result must not depend on when it was made.
const UNDATED: &str = "D:20000101000000Z";

/// Marks the document as a whole.
pub(crate) fn mark(document: &mut Document, mark: Mark, second_id: &[u8]) -> Result<(), StampError> {
    info(document, mark)?;
    xmp(document, mark)?;
    let id = |bytes: &[u8]| Object::String(bytes.to_vec(), StringFormat::Hexadecimal);
    document.trailer.set("ID", vec![id(&mark.block()), id(second_id)]);
    Ok(())
}

/// Marks one page in the private data that programs may keep there.
pub(crate) fn mark_page(page: &mut Dictionary, mark: Mark) {
    let mut pieces = page.get(b"PieceInfo").and_then(Object::as_dict).cloned().unwrap_or_default();
    pieces.set(
        "CopyID",
        dictionary! {
            "LastModified" => Object::string_literal(UNDATED),
            "Private" => Object::String(mark.block().to_vec(), StringFormat::Hexadecimal),
        },
    );
    page.set("PieceInfo", pieces);
    if !page.has(b"LastModified") {
        page.set("LastModified", Object::string_literal(UNDATED));
    }
}

fn info(document: &mut Document, mark: Mark) -> Result<(), StampError> {
    let mut info =
        document.trailer.get_deref(b"Info", document).and_then(Object::as_dict).cloned().unwrap_or_default();
    info.set(ENTRY, Object::string_literal(hex::encode(mark.block())));
    let info = add(document, info)?;
    document.trailer.set("Info", Object::Reference(info));
    Ok(())
}

fn xmp(document: &mut Document, mark: Mark) -> Result<(), StampError> {
    let existing = document
        .catalog()
        .and_then(|catalog| catalog.get_deref(b"Metadata", document))
        .and_then(Object::as_stream)
        .and_then(|stream| stream.get_plain_content_with_limit(XMP_BYTES_MAX))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let ours = format!(
        "<rdf:Description xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" rdf:about=\"\" \
         xmlns:pdfx=\"http://ns.adobe.com/pdfx/1.3/\"><pdfx:{ENTRY}>{}</pdfx:{ENTRY}></rdf:Description>",
        hex::encode(mark.block())
    );
    let text = match existing.as_deref().and_then(|text| Some((text, text.rfind("</rdf:RDF>")?))) {
        Some((text, end)) => {
            let (before, after) = text.split_at(end);
            format!("{before}{ours}\n{after}")
        }
        None => format!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
             <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n{ours}\n</rdf:RDF></x:xmpmeta>\n\
             <?xpacket end=\"w\"?>"
        ),
    };
    let stream = Stream::new(dictionary! { "Type" => "Metadata", "Subtype" => "XML" }, text.into_bytes());
    let stream = add(document, stream.with_compression(false))?;
    let catalog = document
        .catalog_mut()
        .map_err(|error| StampError::broken(format_args!("its catalog cannot be changed: {error}")))?;
    catalog.set("Metadata", Object::Reference(stream));
    Ok(())
}
