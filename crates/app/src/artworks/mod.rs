//! Artwork: a product's drawing with fields that its buyer fills in, rendered after the payment.
//!
//! The crate `render` judges drawings, values and pictures; this noun keeps them. A product's
//! terms name a template in the blob store and say what each field takes; a line is sold with the
//! terms and with what was filled in, so that what was shown is what is printed, whatever the
//! seller changes meanwhile.

pub mod flow;
pub mod form;
pub mod jobs;
pub mod pages;
pub mod staff_form;
pub mod staff_pages;
pub mod store;
pub mod studio;
pub mod view;

use std::collections::BTreeMap;

use payload::{Artwork, Delivery, Goods, Item};
use render::{Field, Format, Kind, Rules};
use serde_json::{Map, Value};
use stores::Sha256;

use crate::deliverables::Deliverables;

/// The resolution of a new product's artwork.
pub const DPI_USUAL: u32 = 300;
/// Longest side of a preview, in pixels.
pub const PREVIEW_EDGE: u32 = 720;
/// Under which name a line keeps what its buyer filled in.
pub const INPUT: &str = "artwork";

/// What a product's artwork is, and what a line was sold with.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The template, by its digest in the blob store.
    pub template: String,
    /// Its bytes.
    pub size: u64,
    /// What its file was called.
    pub name: String,
    /// The page's width and height in micrometers.
    pub page: (u32, u32),
    /// What it is rendered to.
    pub format: Format,
    /// How fine; a PDF page has no pixels.
    pub dpi: u32,
    /// What a preview looks like.
    pub preview: Preview,
    /// The fields in the order of the drawing.
    pub fields: Vec<FieldTerms>,
}

/// A field as the seller wants it filled in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldTerms {
    /// Its name in the template.
    pub name: String,
    /// What it takes.
    pub kind: Kind,
    /// What it takes in detail.
    pub rules: Rules,
    /// What the template shows in it.
    pub sample: String,
}

/// What a preview looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preview {
    /// With a word across it.
    Marked,
    /// As it will be, small.
    Plain,
}

impl Terms {
    /// The terms of a product that gets its first template, or another one: what was set for
    /// fields that are still there stays.
    pub fn of(
        template: &render::Template,
        (digest, size, name): (String, u64, String),
        before: Option<&Self>,
    ) -> Self {
        let before_of = |field: &Field| {
            let mut known = before.into_iter().flat_map(|terms| &terms.fields);
            known.find(|known| known.name == field.name && known.kind == field.kind)
        };
        let field = |field: &Field| FieldTerms {
            name: field.name.clone(),
            kind: field.kind,
            rules: before_of(field).map_or_else(|| field.rules.clone(), |known| known.rules.clone()),
            sample: field.sample.clone(),
        };
        let page = template.size();
        Self {
            template: digest,
            size,
            name,
            page: (micrometers(page.width), micrometers(page.height)),
            format: before.map_or(Format::Pdf, |terms| terms.format),
            dpi: before.map_or(DPI_USUAL, |terms| terms.dpi),
            preview: before.map_or(Preview::Marked, |terms| terms.preview),
            fields: template.fields().iter().map(field).collect(),
        }
    }

    /// The rules by field, as the renderer takes them.
    pub fn rules(&self) -> BTreeMap<String, Rules> {
        self.fields.iter().map(|field| (field.name.clone(), field.rules.clone())).collect()
    }

    /// Tells one drawing with its limits from another: what was filled in for one may not fit
    /// into the next.
    pub fn fingerprint(&self) -> String {
        let asked = serde_json::json!({ "template": self.template, "fields": self.fields });
        Sha256::of(asked.to_string().as_bytes()).to_string()
    }

    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&FieldTerms> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Deliverables {
    /// What artwork is rendered to: what the payload asks for with `FFPSOURCED`, else what the
    /// artwork's own terms say.
    pub fn artwork_formats(&self) -> Vec<Format> {
        let spec = self.payload.as_ref().and_then(|terms| terms.parsed().ok());
        let mut asked: Vec<Format> = spec.iter().flat_map(|spec| &spec.items).filter_map(asked_for).collect();
        asked.dedup();
        if asked.is_empty() { self.artwork.iter().map(|terms| terms.format).collect() } else { asked }
    }
}

/// The server that a payload sends its artwork to, if it does.
pub fn sent_to(deliverables: &Deliverables) -> Option<String> {
    let spec = deliverables.payload.as_ref()?.parsed().ok()?;
    spec.items.into_iter().find_map(|item| match item.goods {
        Goods::Artwork(Artwork { delivery: Delivery::Upload { host, .. }, .. }) => Some(host),
        _ => None,
    })
}

fn asked_for(item: &Item) -> Option<Format> {
    let Goods::Artwork(artwork) = &item.goods else { return None };
    Some(match artwork.format {
        payload::Format::Pdf => Format::Pdf,
        payload::Format::Png => Format::Png,
        payload::Format::Jpg => Format::Jpg,
    })
}

/// A length of a page in whole micrometers; pages are no longer than A0.
#[expect(clippy::as_conversions, reason = "there is no conversion of floats but this; it saturates")]
fn micrometers(millimeters: f32) -> u32 {
    (millimeters * 1_000.0).round() as u32
}

/// What a buyer filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Filled {
    /// For which drawing and limits.
    pub terms: String,
    /// By field. What nobody filled in is not there.
    pub fields: BTreeMap<String, FilledIn>,
}

/// What was filled in of one field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum FilledIn {
    /// A picture in the blob store.
    Picture(KeptPicture),
    /// A text, or a color as `#rrggbb`.
    Text(String),
}

/// A buyer's picture in the blob store.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptPicture {
    /// Its digest.
    pub picture: String,
    /// Its bytes.
    pub size: u64,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Filled {
    /// What is in a line's inputs.
    pub fn of(inputs: &Map<String, Value>) -> Option<Self> {
        serde_json::from_value(inputs.get(INPUT)?.clone()).ok()
    }

    /// As it goes into a line's inputs.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The pictures in it.
    pub fn pictures(&self) -> impl Iterator<Item = &KeptPicture> {
        self.fields.values().filter_map(|field| match field {
            FilledIn::Picture(picture) => Some(picture),
            FilledIn::Text(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWING: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='90mm' height='50mm' viewBox='0 0 900 500'>\
        <text data-field='name' x='9' y='99'>Ada</text><rect data-field='ink' width='9' height='9'/></svg>";

    fn terms(drawing: &str, before: Option<&Terms>) -> Terms {
        let template = render::Template::read(drawing.as_bytes()).unwrap();
        let size = u64::try_from(drawing.len()).unwrap();
        let digest = Sha256::of(drawing.as_bytes()).to_string();
        Terms::of(&template, (digest, size, "card.svg".to_owned()), before)
    }

    #[test]
    fn terms_come_back_from_the_database_as_they_were() {
        let terms = terms(DRAWING, None);
        let text = serde_json::to_string(&terms).unwrap();
        assert_eq!(serde_json::from_str::<Terms>(&text).unwrap(), terms);
        assert_eq!(terms.page, (90_000, 50_000));
    }

    #[test]
    fn another_template_keeps_what_was_set_for_fields_that_stay() {
        let mut first = terms(DRAWING, None);
        first.fields[0].rules.letters = 7;
        first.dpi = 600;
        let second = terms(&DRAWING.replace("data-field='ink'", "data-field='paint'"), Some(&first));
        assert_eq!((second.fields[0].rules.letters, second.dpi), (7, 600));
        assert_eq!(second.fields[1].name, "paint");
    }

    #[test]
    fn a_changed_limit_or_drawing_asks_the_buyer_again() {
        let first = terms(DRAWING, None);
        let mut stricter = first.clone();
        stricter.fields[0].rules.letters = 7;
        let mut finer = first.clone();
        finer.dpi = 600;
        assert_ne!(first.fingerprint(), stricter.fingerprint());
        assert_eq!(first.fingerprint(), finer.fingerprint());
        let other = terms(&DRAWING.replace("Ada", "Eva"), None);
        assert_ne!(first.fingerprint(), other.fingerprint());
    }

    #[test]
    fn what_was_filled_in_comes_back_from_a_line() {
        let picture = KeptPicture { picture: "ab".to_owned(), size: 9, width: 3, height: 2 };
        let fields = BTreeMap::from([
            ("name".to_owned(), FilledIn::Text("Ada".to_owned())),
            ("photo".to_owned(), FilledIn::Picture(picture)),
        ]);
        let filled = Filled { terms: "x".to_owned(), fields };
        let inputs = Map::from_iter([(INPUT.to_owned(), filled.to_value())]);
        assert_eq!(Filled::of(&inputs), Some(filled));
        assert_eq!(Filled::of(&Map::new()), None);
    }
}
