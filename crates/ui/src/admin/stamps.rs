//! Stamping: what is written on a buyer's copy, and whose copy a file is.

use kernel::{CustomerId, OrderId, ProductId, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::products::PlaceholderHint;
use super::sample::{bits, days_ago};
use crate::samples::{LONG, RIGHT_TO_LEFT, text};
use crate::{Template, texts};

/// templates/admin/stamping.html - `/admin/products/{id}/stamping`.
///
/// Posts to itself: `version` and every field of [`StampingForm`] by its name. The same form posted to
/// `…/stamping/sample` gives a file to look at, with what was typed and not yet saved.
#[derive(Debug, Clone, Serialize)]
pub struct StampingPage {
    /// The product.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The version that was read, so that nobody overwrites a colleague's change.
    pub version: i64,
    /// What the fields hold.
    pub form: StampingForm,
    /// What the text can name.
    pub placeholders: Vec<PlaceholderHint>,
    /// The product's files, and whether each is stamped as it stands in the form.
    pub files: Vec<StampingFile>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// The fields of stamping as they were typed.
#[derive(Debug, Clone, Serialize)]
pub struct StampingForm {
    /// Whether copies are stamped at all.
    pub on: bool,
    /// What is written, several lines.
    pub text: String,
    /// `top`, `bottom`, `side` or `diagonal`.
    pub position: String,
    /// The height of letters in points.
    pub size: String,
    /// In percent.
    pub opacity: String,
    /// Whether PDF files are stamped.
    pub pdf: bool,
    /// Whether EPUB files are stamped.
    pub epub: bool,
    /// Whether such files are stamped in ZIP archives too.
    pub zip: bool,
    /// `hold`, `unstamped` or `ask`: what becomes of a file that cannot be stamped.
    pub unfit: String,
}

/// A file of the product.
#[derive(Debug, Clone, Serialize)]
pub struct StampingFile {
    /// Its name.
    pub name: String,
    /// Whether it is of a kind that is stamped.
    pub stamped: bool,
}

/// templates/admin/stamp_lookup.html - `/admin/stamps`.
///
/// A file is posted as `file` (multipart; the token comes before it), or a code from paper as `code`.
/// Nothing of it is kept.
#[derive(Debug, Clone, Serialize)]
pub struct StampLookupPage {
    /// The code that was typed.
    pub code: String,
    /// The largest file, in bytes.
    pub upload_bytes_max: u64,
    /// What was found, if something was looked at.
    pub looked: Option<StampLookup>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// What a file or a code says.
#[derive(Debug, Clone, Serialize)]
pub struct StampLookup {
    /// The file's name, or the code.
    pub of: String,
    /// The marks in it; what was found in more places comes first.
    pub copies: Vec<FoundCopy>,
}

/// A mark, and the copy that it belongs to.
#[derive(Debug, Clone, Serialize)]
pub struct FoundCopy {
    /// Its code.
    pub code: String,
    /// Where in the file it was: `identifier`, `metadata`, `page_data`, `text`, `drawing`, `element`.
    pub places: Vec<String>,
    /// Whose copy; nobody's if the code is of another shop, or made up.
    pub copy: Option<CopyOf>,
}

/// A copy that was made out to a buyer.
#[derive(Debug, Clone, Serialize)]
pub struct CopyOf {
    /// The order.
    pub order: OrderId,
    /// The buyer's account.
    pub customer: Option<CustomerId>,
    /// The buyer's name as on the copy.
    pub name: String,
    /// The buyer's address as on the copy.
    pub email: String,
    /// The product.
    pub product: String,
    /// The file.
    pub file: String,
    /// Which unit of its line.
    pub unit_no: u32,
    /// When the copy was made.
    pub made_at: Timestamp,
}

impl Template for StampingPage {
    const NAME: &'static str = "admin/stamping.html";

    fn samples() -> Vec<Self> {
        let form = StampingForm {
            on: true,
            text: text("Licensed to {name} <{email}>\nOrder {order}"),
            position: text("bottom"),
            size: text("8"),
            opacity: text("60"),
            pdf: true,
            epub: true,
            zip: false,
            unfit: text("ask"),
        };
        let file = |name: &str, stamped| StampingFile { name: text(name), stamped };
        let page = Self {
            product: ProductId::from_bits(bits(1)),
            product_name: text("Forty Knots"),
            version: 3,
            form: form.clone(),
            placeholders: texts::Placeholder::STAMP.map(PlaceholderHint::from).into(),
            files: vec![file("forty-knots.pdf", true), file("knots.zip", false), file(RIGHT_TO_LEFT, false)],
            errors: Errors::new(),
        };
        let off = StampingForm { on: false, unfit: text("hold"), position: text("diagonal"), ..form.clone() };
        let wrong =
            StampingForm { text: text("For {buyer}"), size: text("900"), opacity: String::new(), ..form };
        let told = errors(&[
            ("text", "line 1, column 5: {buyer} is not a placeholder here."),
            ("size", "Write a whole number from 4 to 72."),
            ("opacity", "Write a whole number from 5 to 100."),
        ]);
        vec![
            page.clone(),
            Self { form: off, files: Vec::new(), ..page.clone() },
            Self { form: wrong, errors: told, product_name: text(LONG), ..page },
        ]
    }
}

impl Template for StampLookupPage {
    const NAME: &'static str = "admin/stamp_lookup.html";

    fn samples() -> Vec<Self> {
        let empty =
            Self { code: String::new(), upload_bytes_max: 268_435_456, looked: None, errors: Errors::new() };
        let copy = CopyOf {
            order: OrderId::from_bits(bits(7)),
            customer: Some(CustomerId::from_bits(bits(3))),
            name: text("Zoë Łuczak"),
            email: text("zoe@example.org"),
            product: text("Forty Knots"),
            file: text("forty-knots.pdf"),
            unit_no: 1,
            made_at: days_ago(40),
        };
        let found = |code: &str, places: &[&str], copy| FoundCopy {
            code: text(code),
            places: places.iter().map(|place| text(place)).collect(),
            copy,
        };
        let all = ["identifier", "metadata", "page_data", "text", "drawing", "element"];
        let two = StampLookup {
            of: text("leaked (1).pdf"),
            copies: vec![
                found("7K3M-0QTA-9XWD-52CV", &all, Some(copy.clone())),
                found("02FH-5ZM0-C5H6-60FZ", &["text"], None),
            ],
        };
        let long =
            CopyOf { customer: None, name: text(RIGHT_TO_LEFT), product: text(LONG), unit_no: 2, ..copy };
        let one = StampLookup { of: text(LONG), copies: vec![found("7K3M-0QTA-9XWD-52CV", &[], Some(long))] };
        let none = StampLookup { of: text("clean.epub"), copies: Vec::new() };
        let wrong = errors(&[("code", "A copy's code is 16 letters and digits, like 7K3M-0QTA-9XWD-52CV.")]);
        vec![
            empty.clone(),
            Self { looked: Some(two), ..empty.clone() },
            Self { looked: Some(one), ..empty.clone() },
            Self { looked: Some(none), ..empty.clone() },
            Self { code: text("7K3M"), errors: wrong, ..empty },
        ]
    }
}
