//! A product's artwork: the template, what its fields take, and what it is rendered to.

use kernel::ProductId;
use serde::Serialize;

use super::access::Errors;
use super::sample::bits;
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, text};

/// templates/admin/artwork.html - `/admin/products/{id}/artwork`.
///
/// Posts a file to `…/template` as `multipart/form-data`; the fields of [`ArtworkForm`] and
/// `version` to its own path, those of a drawing's field with its name behind a dash:
/// `letters-name`; `version` to `…/remove`. `…/preview` and `…/template` show and give the template.
#[derive(Debug, Clone, Serialize)]
pub struct ArtworkPage {
    /// The product.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The product's version that the form was opened on.
    pub version: i64,
    /// The template, if there is one.
    pub template: Option<ArtworkTemplate>,
    /// What was typed; `None` without a template.
    pub form: Option<ArtworkForm>,
    /// The fonts that a template may use.
    pub fonts: Vec<String>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// A template that was taken.
#[derive(Debug, Clone, Serialize)]
pub struct ArtworkTemplate {
    /// The file's name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The page's width in millimeters.
    pub width_mm: u32,
    /// The page's height in millimeters.
    pub height_mm: u32,
    /// The beginning of its digest: another template is another picture.
    pub digest: String,
}

/// The fields of the form.
#[derive(Debug, Clone, Serialize)]
pub struct ArtworkForm {
    /// `pdf`, `png` or `jpg`.
    pub format: String,
    /// Dots per inch.
    pub dpi: String,
    /// Whether previews have a word across them.
    pub marked: bool,
    /// What the drawing's fields take.
    pub fields: Vec<ArtworkFieldForm>,
}

/// What a field of the drawing takes. Of the numbers, those of its kind are shown.
#[derive(Debug, Clone, Serialize)]
pub struct ArtworkFieldForm {
    /// Its name in the template.
    pub name: String,
    /// `text`, `image` or `color`.
    pub kind: String,
    /// What the template shows in it.
    pub sample: String,
    /// What the buyer reads beside it.
    pub label: String,
    /// Whether something has to be entered.
    pub required: bool,
    /// Most letters.
    pub letters: String,
    /// Most lines.
    pub lines: String,
    /// The smallest letters, in percent.
    pub smallest: String,
    /// Whether letters become smaller at all.
    pub shrink: bool,
    /// The coarsest picture.
    pub dpi: String,
    /// The colors to choose from.
    pub choices: String,
}

impl ArtworkFieldForm {
    fn sample(name: &str, kind: &str, label: &str, sample: &str) -> Self {
        Self {
            name: text(name),
            kind: text(kind),
            sample: text(sample),
            label: text(label),
            required: kind != "image",
            letters: text("40"),
            lines: text("1"),
            smallest: text("60"),
            shrink: true,
            dpi: text("200"),
            choices: text("#b4472f #1f5c7a"),
        }
    }
}

impl Template for ArtworkPage {
    const NAME: &'static str = "admin/artwork.html";

    fn samples() -> Vec<Self> {
        let field = ArtworkFieldForm::sample;
        let fonts =
            ["Inter (regular, bold)", "EB Garamond (regular, italic)", "Dancing Script (regular, bold)"];
        let page = Self {
            product: ProductId::from_bits(bits(1)),
            product_name: text("Visiting cards"),
            version: 3,
            template: Some(ArtworkTemplate {
                name: text("card.svg"),
                bytes: 48_200,
                width_mm: 85,
                height_mm: 55,
                digest: text("0b3c5d7e9f01"),
            }),
            form: Some(ArtworkForm {
                format: text("pdf"),
                dpi: text("300"),
                marked: true,
                fields: vec![
                    field("name", "text", "Your name", "Ada Lovelace"),
                    field("photo", "image", "Photograph", ""),
                    field("accent", "color", "Color", "#b4472f"),
                ],
            }),
            fonts: fonts.map(text).into(),
            errors: Errors::new(),
        };
        let bare = Self { template: None, form: None, ..page.clone() };
        let refused = Self {
            product_name: text(RIGHT_TO_LEFT),
            errors: [(
                text("file"),
                text("Line 12: <script> is not allowed here; artwork has no scripts; remove it."),
            )]
            .into(),
            ..bare.clone()
        };
        let mut wrong = page.clone();
        wrong.product_name = text(LONG);
        if let Some(form) = &mut wrong.form {
            form.fields = vec![field("name", "text", LONG, LONG), field("rtl", "text", RIGHT_TO_LEFT, "")];
        }
        wrong.errors = [(text("dpi"), text("Write a whole number from 36 to 1200."))].into();
        wrong.errors.insert(text("letters-name"), text("A text may have 1 to 1000 letters."));
        vec![page, bare, refused, wrong]
    }
}
