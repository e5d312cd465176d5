//! A product's payload: the spec, and what it would deliver now.

use kernel::ProductId;
use serde::Serialize;

use super::access::Errors;
use super::sample::bits;
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, text};

/// templates/admin/payload.html - `/admin/products/{id}/payload`.
///
/// Posts `version`, `spec`, `base` and `attributes` to its own path, or to `…/try` to see what
/// they would deliver; `version` to `…/remove`.
#[derive(Debug, Clone, Serialize)]
pub struct PayloadPage {
    /// The product.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The product's version that the form was opened on.
    pub version: i64,
    /// Whether the product has a payload now.
    pub on: bool,
    /// What was typed.
    pub form: PayloadForm,
    /// The folders that the operator declared, as specs call them.
    pub roots: Vec<String>,
    /// What would be delivered, for each choice of the buyer.
    pub previews: Vec<PayloadPreview>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// The fields of the form.
#[derive(Debug, Clone, Serialize)]
pub struct PayloadForm {
    /// The spec.
    pub spec: String,
    /// The base directory.
    pub base: String,
    /// What the buyer chooses from, with commas between.
    pub attributes: String,
}

/// What would be delivered for one choice.
#[derive(Debug, Clone, Serialize)]
pub struct PayloadPreview {
    /// The choice; `None` when there is nothing to choose.
    pub choice: Option<String>,
    /// How many files.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// Whether an order would be delivered as things stand.
    pub delivers: bool,
    /// Why nothing can be told at all.
    pub trouble: Option<String>,
    /// What each item came to.
    pub items: Vec<PayloadItem>,
}

/// One item of a spec.
#[derive(Debug, Clone, Serialize)]
pub struct PayloadItem {
    /// As it is written.
    pub item: String,
    /// The word under `admin.payload.came`.
    pub came: String,
    /// What is wrong with it, or which folder is not there.
    pub why: Option<String>,
    /// The files that were looked at.
    pub files: Vec<PayloadFile>,
    /// How many more there are.
    pub more: u64,
}

/// A file that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct PayloadFile {
    /// Where it is.
    pub path: String,
    /// How large.
    pub bytes: u64,
    /// Whether it is delivered.
    pub taken: bool,
    /// The word under `admin.payload.fate`.
    pub why: String,
}

/// templates/admin/archive.html - `/admin/products/{id}/packing`. Posts `version` and `archive`.
#[derive(Debug, Clone, Serialize)]
pub struct ArchivePage {
    /// The product.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The product's version that the form was opened on.
    pub version: i64,
    /// The word that is chosen.
    pub chosen: String,
    /// The words to choose from, under `admin.archive`.
    pub choices: Vec<String>,
}

impl Template for ArchivePage {
    const NAME: &'static str = "admin/archive.html";

    fn samples() -> Vec<Self> {
        let page = |name: &str, chosen: &str| Self {
            product: ProductId::from_bits(bits(1)),
            product_name: text(name),
            version: 3,
            chosen: text(chosen),
            choices: ["off", "none", "page", "mail", "chosen"].map(text).into(),
        };
        vec![page("Decals", "off"), page(LONG, "mail"), page(RIGHT_TO_LEFT, "chosen")]
    }
}

impl Template for PayloadPage {
    const NAME: &'static str = "admin/payload.html";

    fn samples() -> Vec<Self> {
        let file = |path: &str, why: &str| PayloadFile {
            path: text(path),
            bytes: 412_500_000,
            taken: why == "taken",
            why: text(why),
        };
        let item = |item: &str, came: &str, files: Vec<PayloadFile>| PayloadItem {
            item: text(item),
            came: text(came),
            why: None,
            files,
            more: 0,
        };
        let items = vec![
            item(
                "Large\\decal*.jpg",
                "files",
                vec![
                    file("/srv/goods/Large/decal-a.jpg", "taken"),
                    file("/srv/goods/Large/decal-b.jpg", "link"),
                ],
            ),
            PayloadItem {
                why: Some(text("/srv/goods/manuals")),
                ..item("manuals/*.pdf", "nothing", Vec::new())
            },
            item("^@printer", "elsewhere", Vec::new()),
        ];
        let preview = |choice: Option<&str>| PayloadPreview {
            choice: choice.map(text),
            files: 1,
            bytes: 412_500_000,
            delivers: choice != Some("Small"),
            trouble: None,
            items: items.clone(),
        };
        let page = Self {
            product: ProductId::from_bits(bits(1)),
            product_name: text("Decals"),
            version: 3,
            on: true,
            form: PayloadForm {
                spec: text("decal*.jpg,+%/srv/goods/readme.txt"),
                base: text("/srv/goods"),
                attributes: text("Large, Medium, Small"),
            },
            roots: vec![text("/srv/goods"), text("\\\\ServerA\\goods")],
            previews: vec![preview(Some("Large")), preview(Some("Small"))],
            errors: Errors::new(),
        };
        let bare = Self {
            on: false,
            product_name: text(LONG),
            form: PayloadForm { spec: String::new(), base: String::new(), attributes: String::new() },
            roots: Vec::new(),
            previews: Vec::new(),
            ..page.clone()
        };
        let wrong = Self {
            product_name: text(RIGHT_TO_LEFT),
            previews: vec![PayloadPreview {
                trouble: Some(text("the root /srv/goods cannot be opened: No such file or directory")),
                delivers: false,
                items: Vec::new(),
                ..preview(None)
            }],
            errors: [(text("spec"), text("character 8:\na.zip,+\n       ^ expected a path"))].into(),
            ..page.clone()
        };
        vec![page, bare, wrong]
    }
}
