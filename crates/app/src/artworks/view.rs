//! Artwork on the shop's pages.

use std::collections::BTreeMap;

use render::{Kind, PictureError, Unfit};
use serde_json::{Map, Value};
use ui::shop::{ArtworkField, ArtworkForm, ArtworkInput, KeptPicture as KeptShown};

use super::form::{self, FIELD, KEPT};
use super::{FieldTerms, Filled, FilledIn, PREVIEW_EDGE, Preview, Terms};
use crate::app::App;
use crate::web::reply::say;
use crate::web::visit::Visit;

/// Field name, as the form has it, to what is wrong with it.
pub type Errors = BTreeMap<String, String>;

/// The form of a product, with what was filled in so far.
pub fn form(visit: &Visit, sku: &str, terms: &Terms, filled: &Filled, wrong: &Errors) -> ArtworkForm {
    // A field that is wrong would spoil the preview of the others.
    let mut shown = filled.clone();
    shown.fields.retain(|name, _| !wrong.contains_key(&format!("{FIELD}{name}")));
    let preview = visit.url("/artwork/preview");
    let (width, height) = preview_size(terms);
    let (wide, high) = terms.page;
    ArtworkForm {
        preview_url: format!("{preview}?{}", form::query(sku, &shown)),
        live_url: preview,
        upload_url: visit.url("/artwork/pictures"),
        width,
        height,
        format: terms.format.extension().to_uppercase(),
        width_mm: wide.div_ceil(1_000),
        height_mm: high.div_ceil(1_000),
        fields: terms.fields.iter().map(|field| shown_field(field, filled.fields.get(&field.name))).collect(),
    }
}

/// The pixels of a preview, so that the page does not jump when it comes.
fn preview_size(terms: &Terms) -> (u32, u32) {
    let (width, height) = (terms.page.0.max(1), terms.page.1.max(1));
    let longer = u64::from(width.max(height));
    let scaled = |side: u32| {
        let pixels = u64::from(side).saturating_mul(u64::from(PREVIEW_EDGE)).checked_div(longer);
        u32::try_from(pixels.unwrap_or(1)).unwrap_or(PREVIEW_EDGE).max(1)
    };
    (scaled(width), scaled(height))
}

fn shown_field(field: &FieldTerms, filled: Option<&FilledIn>) -> ArtworkField {
    let rules = &field.rules;
    let typed = match filled {
        Some(FilledIn::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let input = match field.kind {
        Kind::Text if rules.lines > 1 => ArtworkInput::Lines { rows: rules.lines },
        Kind::Text => ArtworkInput::Line,
        Kind::Color if rules.choices.is_empty() => ArtworkInput::Color,
        Kind::Color => {
            ArtworkInput::Choices { colors: rules.choices.iter().map(ToString::to_string).collect() }
        }
        Kind::Image => ArtworkInput::Picture {
            kept: match filled {
                Some(FilledIn::Picture(kept)) => {
                    Some(KeptShown { token: kept.picture.clone(), width: kept.width, height: kept.height })
                }
                _ => None,
            },
        },
    };
    let value = match field.kind {
        Kind::Color if typed.is_empty() => field.sample.clone(),
        _ => typed,
    };
    ArtworkField {
        name: format!("{FIELD}{}", field.name),
        kept_name: format!("{KEPT}{}", field.name),
        label: rules.label.clone(),
        required: rules.required && field.kind != Kind::Color,
        letters: rules.letters,
        placeholder: if field.kind == Kind::Text { field.sample.clone() } else { String::new() },
        value,
        input,
    }
}

/// The word across a preview, in the reader's language.
pub fn mark(app: &App, visit: &Visit, terms: &Terms) -> Option<String> {
    (terms.preview == Preview::Marked).then(|| say(app, visit, "artwork.mark", &[]))
}

/// What is wrong with what was filled in, beside each field.
pub fn errors(app: &App, visit: &Visit, wrong: &BTreeMap<String, Unfit>) -> Errors {
    wrong.iter().map(|(name, unfit)| (format!("{FIELD}{name}"), told(app, visit, unfit))).collect()
}

fn told(app: &App, visit: &Visit, unfit: &Unfit) -> String {
    let tell = |key: &str, values: &[(&str, &str)]| say(app, visit, &format!("artwork.wrong.{key}"), values);
    match unfit {
        Unfit::Missing => tell("missing", &[]),
        Unfit::Letters { has, most } => {
            tell("letters", &[("has", &has.to_string()), ("most", &most.to_string())])
        }
        Unfit::Lines { has, most } => {
            tell("lines", &[("has", &has.to_string()), ("most", &most.to_string())])
        }
        Unfit::Room => tell("room", &[]),
        Unfit::Glyph(letter) => tell("glyph", &[("letter", letter)]),
        Unfit::NotAColor | Unfit::NotAChoice | Unfit::Kind => tell("color", &[]),
        Unfit::Coarse { has, least } => {
            tell("coarse", &[("has", &has.to_string()), ("least", &least.to_string())])
        }
        Unfit::Unknown | Unfit::Page(_) => tell("page", &[]),
    }
}

/// Why a picture was not taken.
pub fn told_picture(app: &App, visit: &Visit, error: &PictureError) -> String {
    let tell = |key: &str, values: &[(&str, &str)]| say(app, visit, &format!("artwork.wrong.{key}"), values);
    match error {
        PictureError::Format => tell("format", &[]),
        PictureError::Bytes => tell("bytes", &[("most", &PICTURE_MEBIBYTES.to_string())]),
        PictureError::Pixels { .. } => tell("pixels", &[("most", &PICTURE_MEGAPIXELS.to_string())]),
        PictureError::Damaged(_) => tell("damaged", &[]),
    }
}

const PICTURE_MEBIBYTES: usize = render::limits::PICTURE_BYTES_MAX / 1024 / 1024;
const PICTURE_MEGAPIXELS: u64 = render::limits::PICTURE_PIXELS_MAX / 1_000_000;

/// The texts that were filled in, in one line each.
pub fn texts(inputs: &Map<String, Value>) -> impl Iterator<Item = String> {
    let filled = Filled::of(inputs).unwrap_or_default();
    let text = |value| match value {
        FilledIn::Text(text) if !text.starts_with('#') && !text.is_empty() => Some(text.replace('\n', " ")),
        FilledIn::Text(_) | FilledIn::Picture(_) => None,
    };
    filled.fields.into_values().filter_map(text)
}

/// What was filled in, as a list of labels and values.
pub fn pairs(terms: Option<&Terms>, inputs: &Value) -> Vec<(String, String)> {
    let filled = inputs.as_object().and_then(Filled::of).unwrap_or_default();
    let label = |name: &String| {
        let known = terms.and_then(|terms| terms.field(name));
        known.map_or_else(|| name.clone(), |field| field.rules.label.clone())
    };
    let value = |value: &FilledIn| match value {
        FilledIn::Text(text) => text.clone(),
        FilledIn::Picture(picture) => format!("{} × {}", picture.width, picture.height),
    };
    filled.fields.iter().map(|(name, filled)| (label(name), value(filled))).collect()
}
