//! What makes a PDF unfit for a stamp as a whole.

use crate::StampError;
use lopdf::{Dictionary, Document, Object};

/// Refuses what a stamp would break, or what readers show instead of the pages that are stamped.
pub(crate) fn unfit(document: &Document) -> Result<(), StampError> {
    if document.is_encrypted() || document.was_encrypted() || document.trailer.has(b"Encrypt") {
        return Err(StampError::Encrypted);
    }
    let catalog = document.catalog().map_err(|_| StampError::broken("it has no catalog of its pages"))?;
    if catalog.has(b"Collection") {
        return Err(StampError::broken("it is a portfolio: readers show the files in it, not its pages"));
    }
    let form = catalog.get_deref(b"AcroForm", document).and_then(Object::as_dict);
    if form.is_ok_and(|form| form.has(b"XFA")) {
        return Err(StampError::broken(
            "it is an XFA form: readers draw its pages from the form, not from the file",
        ));
    }
    if catalog.has(b"Perms") || document.objects.values().any(is_signature) {
        return Err(StampError::Signed);
    }
    Ok(())
}

fn is_signature(object: &Object) -> bool {
    let signs = |dict: &Dictionary| {
        dict.has(b"ByteRange") && dict.has(b"Contents") && (dict.has_type(b"Sig") || dict.has(b"SubFilter"))
    };
    match object {
        Object::Dictionary(dict) => signs(dict) || dict.get(b"V").and_then(Object::as_dict).is_ok_and(signs),
        _ => false,
    }
}
