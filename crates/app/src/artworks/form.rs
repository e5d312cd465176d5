//! A buyer's form: fields, pictures, and pictures that were uploaded before.

use std::collections::BTreeMap;

use db::Source;
use kernel::MerchantId;
use render::{Kind, PictureError};

use super::{Filled, FilledIn, KeptPicture, Terms, store};
use crate::problem::Flow;

/// Before the name of a field of the drawing; the form has fields of its own.
pub const FIELD: &str = "art-";
/// Before the name of a picture that was uploaded before.
pub const KEPT: &str = "kept-";

/// What was posted, by the form's names.
pub type Posted = BTreeMap<String, String>;

/// Pictures that came with the form, by field: read, or why not.
pub type Taken = BTreeMap<String, Result<KeptPicture, PictureError>>;

/// Reads what was filled in. What the drawing does not have is nobody's business.
pub fn read(
    source: &mut impl Source,
    merchant: MerchantId,
    terms: &Terms,
    posted: &Posted,
    taken: &Taken,
) -> Flow<Filled> {
    let mut filled = Filled { terms: terms.fingerprint(), fields: BTreeMap::new() };
    for field in &terms.fields {
        let value = match field.kind {
            Kind::Image => match taken.get(&field.name) {
                Some(Ok(picture)) => Some(FilledIn::Picture(picture.clone())),
                // The one before it stays: a broken file must not take it away.
                Some(Err(_)) | None => kept(source, merchant, posted, &field.name)?.map(FilledIn::Picture),
            },
            Kind::Text | Kind::Color => {
                let typed = posted.get(&format!("{FIELD}{}", field.name));
                let typed = typed.filter(|typed| {
                    // An optional text may be empty on purpose; nothing else can.
                    !typed.trim().is_empty() || (field.kind == Kind::Text && !field.rules.required)
                });
                typed.map(|typed| FilledIn::Text(typed.replace("\r\n", "\n")))
            }
        };
        if let Some(value) = value {
            filled.fields.insert(field.name.clone(), value);
        }
    }
    Ok(filled)
}

fn kept(
    source: &mut impl Source,
    merchant: MerchantId,
    posted: &Posted,
    name: &str,
) -> Flow<Option<KeptPicture>> {
    let Some(sha256) = posted.get(&format!("{KEPT}{name}")).filter(|digest| !digest.is_empty()) else {
        return Ok(None);
    };
    let found = store::picture(source, merchant, sha256)?;
    Ok(found.map(|row| KeptPicture {
        picture: row.stored.sha256,
        size: row.stored.size,
        width: row.width,
        height: row.height,
    }))
}

/// The query of a preview's address: what was filled in, as the form would send it.
pub fn query(sku: &str, filled: &Filled) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("sku", sku);
    for (name, value) in &filled.fields {
        match value {
            FilledIn::Text(text) => query.append_pair(&format!("{FIELD}{name}"), text),
            FilledIn::Picture(picture) => query.append_pair(&format!("{KEPT}{name}"), &picture.picture),
        };
    }
    query.finish()
}
