//! The shop's index and the page of one product.

use std::collections::BTreeMap;

use kernel::Money;
use serde::Serialize;

use super::artwork::ArtworkForm;
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, SHORT, eur, text, usd};

/// templates/shop/index.html - everything on sale.
#[derive(Debug, Clone, Serialize)]
pub struct ShopIndex {
    /// The merchant's words above the list: plain text, empty lines make paragraphs.
    pub intro: Option<String>,
    /// What is on sale, in the merchant's order.
    pub products: Vec<ProductCard>,
    /// The currencies to choose from; fewer than two shows no choice.
    pub currencies: Vec<CurrencyChoice>,
}

/// A product in a list.
#[derive(Debug, Clone, Serialize)]
pub struct ProductCard {
    /// Its page, without the merchant's base path.
    pub path: String,
    /// The item number.
    pub sku: String,
    /// The name.
    pub name: String,
    /// One or two sentences.
    pub summary: Option<String>,
    /// A picture; without one the initials are set in type.
    pub image_url: Option<String>,
    /// The price in the chosen currency; `None` when it is not on sale in it.
    pub price: Option<Money>,
    /// How many files it delivers.
    pub file_count: u32,
    /// Their size together.
    pub total_bytes: u64,
}

/// One currency to choose.
#[derive(Debug, Clone, Serialize)]
pub struct CurrencyChoice {
    /// The three letters.
    pub code: String,
    /// This page in that currency.
    pub url: String,
    /// Whether it is the chosen one.
    pub current: bool,
}

/// templates/shop/product.html - one product with its buy box.
///
/// Posts `sku`, `currency`, `quantity` and the inputs to `/cart/lines` (add) or `/buy` (buy now).
#[derive(Debug, Clone, Serialize)]
pub struct ProductPage {
    /// The item number.
    pub sku: String,
    /// The name.
    pub name: String,
    /// One or two sentences.
    pub summary: Option<String>,
    /// Plain text; empty lines make paragraphs.
    pub description: Option<String>,
    /// A picture.
    pub image_url: Option<String>,
    /// The price in the chosen currency; `None` when it is not on sale in it.
    pub price: Option<Money>,
    /// The currencies it has a price in.
    pub currencies: Vec<CurrencyChoice>,
    /// The files it delivers.
    pub files: Vec<FileSummary>,
    /// Their size together.
    pub total_bytes: u64,
    /// 1 hides the quantity.
    pub quantity_max: u32,
    /// What the form came back with.
    pub quantity: u32,
    /// How long a link works, in days; `None` for ever.
    pub link_days: Option<u32>,
    /// How often each file can be downloaded; `None` without limit.
    pub download_limit: Option<u32>,
    /// What the buyer has to tell, such as the name for a license.
    pub inputs: Vec<InputField>,
    /// The drawing that the buyer fills in.
    pub artwork: Option<ArtworkForm>,
    /// Field name to what is wrong with it.
    pub errors: BTreeMap<String, String>,
}

/// A file before it is bought.
#[derive(Debug, Clone, Serialize)]
pub struct FileSummary {
    /// The file's name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Something that the buyer has to tell.
#[derive(Debug, Clone, Serialize)]
pub struct InputField {
    /// The form field.
    pub name: String,
    /// Its label.
    pub label: String,
    /// What it is for.
    pub hint: Option<String>,
    /// What was typed before.
    pub value: String,
    /// Whether it may stay empty.
    pub required: bool,
    /// The values to choose from; without any it is typed.
    pub options: Vec<String>,
}

pub(super) fn currencies() -> Vec<CurrencyChoice> {
    ["EUR", "USD"]
        .map(|code| CurrencyChoice {
            code: text(code),
            url: format!("?currency={code}"),
            current: code == "EUR",
        })
        .into()
}

fn card(sku: &str, name: &str, summary: &str, cents: i64, file_count: u32, total_bytes: u64) -> ProductCard {
    ProductCard {
        path: format!("/p/{sku}"),
        sku: text(sku),
        name: text(name),
        summary: Some(text(summary)).filter(|summary| !summary.is_empty()),
        image_url: None,
        price: Some(eur(cents)),
        file_count,
        total_bytes,
    }
}

impl Template for ShopIndex {
    const NAME: &'static str = "shop/index.html";

    fn samples() -> Vec<Self> {
        let full = vec![
            card(
                "KNOTS",
                "Forty Knots",
                "A pocket course in rope work, with a film for every knot.",
                19_00,
                41,
                4_700_000_000,
            ),
            card(
                "CHARTS-N",
                "Harbor Charts, North",
                "Vector charts of 214 harbors, for print and for plotters.",
                49_00,
                3,
                734_003_200,
            ),
            card("CHARTS-S", "Harbor Charts, South", "", 49_00, 3, 689_000_000),
            card(
                "TIDES",
                "Tide Almanac",
                "Tables for the coming year. Updates are free until December.",
                8_50,
                1,
                2_340_000,
            ),
            ProductCard {
                price: None,
                ..card("LOG", "The Ship’s Log", "A log book as a fillable PDF.", 0, 1, 880_000)
            },
            card(
                "COURSE",
                "Celestial Navigation",
                "Twelve lessons, a workbook and a sight reduction sheet.",
                120_00,
                26,
                9_100_000_000,
            ),
        ];
        let intro = "Charts, courses and books for people who sail small boats.\n\nEverything here is a download: \
            pay, and it is yours a moment later.";
        let odd = vec![
            card(SHORT, SHORT, SHORT, 0, 0, 0),
            card("LONG", LONG, LONG, 999_999_99, 999, 99_999_999_999_999),
            card("RTL", RIGHT_TO_LEFT, RIGHT_TO_LEFT, 12_00, 1, 1_000),
        ];
        vec![
            Self { intro: Some(text(intro)), products: full, currencies: currencies() },
            Self { intro: None, products: odd, currencies: Vec::new() },
            Self { intro: None, products: Vec::new(), currencies: Vec::new() },
        ]
    }
}

impl Template for ProductPage {
    const NAME: &'static str = "shop/product.html";

    fn samples() -> Vec<Self> {
        let file = |name: &str, bytes| FileSummary { name: text(name), bytes };
        let plain = Self {
            sku: text("CHARTS-N"),
            name: text("Harbor Charts, North"),
            summary: Some(text("Vector charts of 214 harbors, for print and for plotters.")),
            description: Some(text(
                "Every harbor from Borkum to Haparanda, surveyed again last summer.\n\nThe set has three parts: a \
                 print-ready PDF with one harbor a page, the same charts as S-57 cells for plotters, and a list of \
                 all lights and buoys as a spreadsheet.\n\nCorrections are published every March. They are free for \
                 three years: you get a mail with a new link.",
            )),
            image_url: None,
            price: Some(eur(49_00)),
            currencies: currencies(),
            files: vec![
                file("harbor-charts-north-print.pdf", 412_500_000),
                file("harbor-charts-north-s57.zip", 318_000_000),
                file("lights-and-buoys.xlsx", 3_503_200),
            ],
            total_bytes: 734_003_200,
            quantity_max: 1_000,
            quantity: 1,
            link_days: Some(3),
            download_limit: Some(5),
            inputs: Vec::new(),
            artwork: None,
            errors: BTreeMap::new(),
        };
        let shortest = Self {
            name: text(SHORT),
            summary: None,
            description: None,
            files: Vec::new(),
            currencies: Vec::new(),
            quantity_max: 1,
            link_days: None,
            download_limit: None,
            price: Some(usd(0)),
            ..plain.clone()
        };
        let longest = Self {
            name: text(LONG),
            summary: Some(text(LONG)),
            description: Some(text(LONG)),
            files: vec![file(&LONG.replace(' ', "_"), 1), file(RIGHT_TO_LEFT, 99_999_999_999)],
            inputs: vec![InputField {
                name: text("license_name"),
                label: text("Name for the license"),
                hint: Some(text("It is printed on every page and cannot be changed later.")),
                value: text(RIGHT_TO_LEFT),
                required: true,
                options: Vec::new(),
            }],
            errors: [(text("license_name"), text("Write the name with at most 60 characters."))].into(),
            ..plain.clone()
        };
        let rtl = Self { name: text(RIGHT_TO_LEFT), price: None, ..plain.clone() };
        let chosen = Self {
            inputs: vec![InputField {
                name: text("attribute"),
                label: String::new(),
                hint: None,
                value: text("Medium"),
                required: true,
                options: ["Small", "Medium", RIGHT_TO_LEFT].map(text).into(),
            }],
            ..plain.clone()
        };
        let [drawn, empty, wrong] = ArtworkForm::samples();
        let drawn = Self { artwork: Some(drawn), files: Vec::new(), ..plain.clone() };
        let empty = Self { artwork: Some(empty), ..drawn.clone() };
        let errors = [
            (text("art-name"), text("Write at most 40 letters; these are 52.")),
            (text("art-photo"), text("This prints at 71 dpi only, and 200 are needed.")),
        ];
        let wrong = Self { artwork: Some(wrong), errors: errors.into(), ..drawn.clone() };
        vec![plain, shortest, longest, rtl, chosen, drawn, empty, wrong]
    }
}
