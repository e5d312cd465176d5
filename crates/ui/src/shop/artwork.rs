//! The form of a drawing that the buyer fills in.

use serde::Serialize;

use crate::samples::{LONG, RIGHT_TO_LEFT, text};

/// What a buyer fills in of a drawing, with its preview. Part of [`super::ProductPage`].
///
/// Posts `sku`, `currency`, `quantity`, the fields and their pictures to `/artwork` as
/// `multipart/form-data`; `act` is `preview`, `add` or `buy`.
#[derive(Debug, Clone, Serialize)]
pub struct ArtworkForm {
    /// What it looks like now.
    pub preview_url: String,
    /// The same without a query: the script adds what is typed.
    pub live_url: String,
    /// Where the script sends a picture as soon as it is chosen.
    pub upload_url: String,
    /// The preview's width in pixels.
    pub width: u32,
    /// The preview's height in pixels.
    pub height: u32,
    /// What is delivered: `PDF`.
    pub format: String,
    /// The page's width in millimeters.
    pub width_mm: u32,
    /// The page's height in millimeters.
    pub height_mm: u32,
    /// The fields in the order of the drawing.
    pub fields: Vec<ArtworkField>,
}

/// A field of a drawing.
#[derive(Debug, Clone, Serialize)]
pub struct ArtworkField {
    /// The form field.
    pub name: String,
    /// The form field of a picture that is there already.
    pub kept_name: String,
    /// Its label.
    pub label: String,
    /// Whether it may stay empty.
    pub required: bool,
    /// Most letters.
    pub letters: u32,
    /// The drawing's sample.
    pub placeholder: String,
    /// What was typed before.
    pub value: String,
    /// How it is entered.
    pub input: ArtworkInput,
}

/// How a field is entered.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ArtworkInput {
    /// One line of text.
    Line,
    /// Several lines.
    Lines {
        /// How many at most.
        rows: u32,
    },
    /// Any color.
    Color,
    /// One of these colors.
    Choices {
        /// As `#rrggbb`.
        colors: Vec<String>,
    },
    /// A picture.
    Picture {
        /// The one that is there already.
        kept: Option<KeptPicture>,
    },
}

/// A picture that was uploaded before.
#[derive(Debug, Clone, Serialize)]
pub struct KeptPicture {
    /// What the form sends to keep it.
    pub token: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl ArtworkField {
    fn sample(name: &str, label: &str, value: &str, input: ArtworkInput) -> Self {
        Self {
            name: format!("art-{name}"),
            kept_name: format!("kept-{name}"),
            label: text(label),
            required: name == "name",
            letters: 40,
            placeholder: if name == "name" { text("Ada Lovelace") } else { String::new() },
            value: text(value),
            input,
        }
    }
}

impl ArtworkForm {
    /// Filled in, empty, and with everything as long as can be.
    pub(super) fn samples() -> [Self; 3] {
        let colors: Vec<String> = ["#b4472f", "#1f5c7a", "#3b6b3a"].map(text).into();
        let kept = Some(KeptPicture { token: text("ab12"), width: 1_200, height: 800 });
        let field = ArtworkField::sample;
        let filled = Self {
            preview_url: text("/artwork/preview?sku=CARD&art-name=Grace"),
            live_url: text("/artwork/preview"),
            upload_url: text("/artwork/pictures"),
            width: 720,
            height: 466,
            format: text("PDF"),
            width_mm: 85,
            height_mm: 55,
            fields: vec![
                field("name", "Your name", "Grace Hopper", ArtworkInput::Line),
                field("address", "Address", "Arlington\nVirginia", ArtworkInput::Lines { rows: 3 }),
                field("accent", "Color", "#1f5c7a", ArtworkInput::Choices { colors }),
                field("paper", "Paper", "#fdf6ec", ArtworkInput::Color),
                field("photo", "Photograph", "", ArtworkInput::Picture { kept }),
            ],
        };
        let empty = Self {
            fields: vec![
                field("name", "Your name", "", ArtworkInput::Line),
                field("photo", "Photograph", "", ArtworkInput::Picture { kept: None }),
            ],
            ..filled.clone()
        };
        let long = Self {
            width: 200,
            height: 720,
            fields: vec![
                field("name", LONG, LONG, ArtworkInput::Line),
                field("address", RIGHT_TO_LEFT, RIGHT_TO_LEFT, ArtworkInput::Lines { rows: 30 }),
                field("photo", LONG, "", ArtworkInput::Picture { kept: None }),
            ],
            ..filled.clone()
        };
        [filled, empty, long]
    }
}
