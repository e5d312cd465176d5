//! Files for a package, taken from a folder on the server.

use kernel::{ProductId, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::sample::{bits, days_ago};
use crate::Template;
use crate::samples::{LONG, text};

/// templates/admin/pick_up.html - `/admin/products/{id}/pick-up`.
///
/// Posts `spec` to its own path, or to `…/look` to see what is there.
#[derive(Debug, Clone, Serialize)]
pub struct PickUpPage {
    /// The product.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// What was typed.
    pub spec: String,
    /// The folders that the operator declared.
    pub roots: Vec<String>,
    /// What is there, once it was looked for.
    pub files: Vec<PickUpFile>,
    /// How many more there are.
    pub more: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// What is being taken, or could not be.
    pub under_way: Vec<PickUpRow>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// A file that is there.
#[derive(Debug, Clone, Serialize)]
pub struct PickUpFile {
    /// Where.
    pub path: String,
}

/// A pick-up that is not done.
#[derive(Debug, Clone, Serialize)]
pub struct PickUpRow {
    /// What is to be taken.
    pub spec: String,
    /// It was given up.
    pub failed: bool,
    /// Why it failed the last time.
    pub last_error: String,
    /// Since when.
    pub since: Timestamp,
}

impl Template for PickUpPage {
    const NAME: &'static str = "admin/pick_up.html";

    fn samples() -> Vec<Self> {
        let bare = Self {
            product: ProductId::from_bits(bits(1)),
            product_name: text("Forty Knots"),
            spec: String::new(),
            roots: Vec::new(),
            files: Vec::new(),
            more: 0,
            bytes: 0,
            under_way: Vec::new(),
            errors: Errors::new(),
        };
        let row = |failed, why: &str| PickUpRow {
            spec: text("/srv/goods/film-*.mkv"),
            failed,
            last_error: text(why),
            since: days_ago(1),
        };
        let files = ["/srv/goods/film-1.mkv", LONG].map(|path| PickUpFile { path: text(path) }).into();
        vec![
            bare.clone(),
            Self {
                spec: text("/srv/goods/film-*.mkv"),
                roots: vec![text("/srv/goods"), text("\\\\ServerA\\goods")],
                files,
                more: 12,
                bytes: 412_500_000,
                under_way: vec![row(false, ""), row(true, "/srv/goods/film-3.mkv: no such file is there")],
                ..bare.clone()
            },
            Self {
                spec: text("/srv/good/film.mkv"),
                errors: errors(&[("spec", "/srv/good/film.mkv: no such file is there.")]),
                ..bare
            },
        ]
    }
}
