//! A template: a checked drawing with its fields.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resvg::usvg::roxmltree::Document;
use resvg::usvg::{ImageHrefResolver, ImageKind, Options, Tree};

use crate::check::{check, is, line};
use crate::error::{TemplateError, Why};
use crate::field::{self, Field};
use crate::limits::{EMBEDDED_PIXELS_MAX, PAGE_MM_MAX, PAGE_MM_MIN};
use crate::picture::Picture;
use crate::{expand, fonts, number, read, weigh};

/// The size of a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Millimeters {
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

/// A checked drawing with its fields.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) text: String,
    fields: Vec<Field>,
    size: Millimeters,
}

impl Template {
    /// Judges what a seller uploads.
    ///
    /// # Errors
    /// Why it is refused, where that is, and what to do about it.
    pub fn read(bytes: &[u8]) -> Result<Self, TemplateError> {
        let text = read::text(bytes)?;
        let fields = {
            let document = read::parse(&text)?;
            check(&document)?;
            expand::check(&document)?;
            pictures(&document)?;
            let root = document.root_element();
            let sized = |name| root.attribute(name).is_some_and(|value: &str| !value.contains('%'));
            if !(sized("width") && sized("height")) {
                return Err(TemplateError::at(line(&root), Why::NoSize));
            }
            field::find(&document, &text)?
        };
        let tree = parse(&text, &BTreeMap::new())?;
        let size = size(&tree)?;
        weigh::weigh(&tree)?;
        letters(&tree)?;
        let template = Self { text, fields, size };
        template.sample()?;
        Ok(template)
    }

    /// Its fields in the order of the drawing.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The size of its page.
    pub const fn size(&self) -> Millimeters {
        self.size
    }
}

/// What stands before the name of a field where its picture goes.
pub const PICTURE_OF: &str = "handsel:";

/// Parses a page. Pictures are those embedded and those given; nothing else is looked for.
pub fn parse(text: &str, pictures: &BTreeMap<String, ImageKind>) -> Result<Tree, TemplateError> {
    let document = read::parse(text)?;
    let given = |href: &str, _: &Options<'_>| pictures.get(href.strip_prefix(PICTURE_OF)?).cloned();
    let embedded = |mime: &str, data: std::sync::Arc<Vec<u8>>, _: &Options<'_>| match mime {
        "image/png" => Some(ImageKind::PNG(data)),
        "image/jpeg" | "image/jpg" => Some(ImageKind::JPEG(data)),
        _ => None,
    };
    let resolver = ImageHrefResolver { resolve_data: Box::new(embedded), resolve_string: Box::new(given) };
    let options = Options { image_href_resolver: resolver, ..fonts::options() };
    Tree::from_xmltree(&document, &options).map_err(|error| Why::Unrenderable(error.to_string()).into())
}

fn size(tree: &Tree) -> Result<Millimeters, TemplateError> {
    // Units of a parsed page are CSS pixels: 96 to the inch.
    let millimeters = |units: f32| units / 96.0 * 25.4;
    let size =
        Millimeters { width: millimeters(tree.size().width()), height: millimeters(tree.size().height()) };
    let possible = PAGE_MM_MIN..=PAGE_MM_MAX * 1.001;
    if possible.contains(&size.width) && possible.contains(&size.height) {
        return Ok(size);
    }
    let (width, height) = (number::pixels(size.width), number::pixels(size.height));
    Err(Why::Size { width, height }.into())
}

/// Reads every embedded picture once, so that none is found broken or huge when it is printed.
fn pictures(document: &Document<'_>) -> Result<(), TemplateError> {
    let mut pixels: u64 = 0;
    for image in document.descendants().filter(|node| is(node, "image")) {
        let hrefs = image.attributes().filter(|attribute| attribute.name() == "href");
        for href in hrefs.map(|attribute| attribute.value()) {
            let judged = picture(href).and_then(|(width, height)| {
                pixels = pixels.saturating_add(u64::from(width).saturating_mul(u64::from(height)));
                let many = "together they have too many pixels; scale them to the size of print";
                if pixels > EMBEDDED_PIXELS_MAX { Err(many.to_owned()) } else { Ok(()) }
            });
            judged.map_err(|what| TemplateError::at(line(&image), Why::Picture(what)))?;
        }
    }
    Ok(())
}

/// Reads one as the renderer will, blanks and line breaks in it included.
fn picture(href: &str) -> Result<(u32, u32), String> {
    let encoded = href.split_once(',').map(|(_, encoded)| encoded).unwrap_or_default();
    let encoded: String = encoded.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(encoded).map_err(|error| format!("it is not in base64: {error}"))?;
    Picture::embedded(&bytes).map_err(|error| error.to_string())
}

fn letters(tree: &Tree) -> Result<(), TemplateError> {
    match weigh::texts(tree).into_iter().find_map(weigh::missing_letters) {
        Some(letter) => Err(Why::Glyph(letter).into()),
        None => Ok(()),
    }
}
