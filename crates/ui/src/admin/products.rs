//! Packages: the list, one with its files and sales, the form, and the ways its files change.

use kernel::{Currency, FileVersionId, Money, PriceId, ProductFileId, ProductId, Span, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::chart::SalesChart;
use super::home::month;
use super::list::{Choice, Direction, Listing, Sort};
use super::orders::OrderRow;
use super::sample::{bits, days_ago};
use super::words::{FilePolicy, PendingPolicy, ProductStatus, Word};
use crate::samples::{LONG, MD5, NOW, RIGHT_TO_LEFT, SHA256, SHORT, eur, text, usd};
use crate::{Template, texts};

/// templates/admin/products.html - `/admin/products`.
///
/// Columns to sort by: `sku`, `name`, `updated`.
#[derive(Debug, Clone, Serialize)]
pub struct ProductsPage {
    /// Search, status, sort, pages.
    pub list: Listing,
    /// One page of them.
    pub products: Vec<ProductRow>,
}

/// A product in the list.
#[derive(Debug, Clone, Serialize)]
pub struct ProductRow {
    /// Its id.
    pub id: ProductId,
    /// The external item number.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// The prices in force, the merchant's own currency first.
    pub prices: Vec<Money>,
    /// How many files it delivers.
    pub files: u32,
    /// Their sizes together.
    pub bytes: u64,
    /// Units sold so far.
    pub sold: u64,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// templates/admin/product.html - `/admin/products/{id}`.
///
/// Files are posted as `file`, several in one request, to `/admin/products/{id}/files`
/// (multipart; the token comes before the files). A price to come is taken back by a post to
/// `/admin/products/{id}/prices/{price}/withdraw`. Replacing has its page at
/// `/admin/products/{id}/files/{file}/replace`, removing is confirmed at `…/remove`; archiving and
/// putting on sale post to `/admin/products/{id}/archive` and `…/activate`.
#[derive(Debug, Clone, Serialize)]
pub struct ProductPage {
    /// Its id.
    pub id: ProductId,
    /// The external item number.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// For its page.
    pub description: String,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// In force and coming, by currency and then by time.
    pub prices: Vec<PriceRow>,
    /// What it delivers.
    pub files: Vec<FileRow>,
    /// The largest upload, in bytes; `None` without limit.
    pub upload_bytes_max: Option<u64>,
    /// How long its links live.
    pub link_life_days: u32,
    /// How often each file may be fetched.
    pub download_limit: u32,
    /// Which versions a buyer gets.
    pub file_policy: FilePolicy,
    /// For how many days from the purchase new ones.
    pub update_days: Option<u32>,
    /// What a buyer gets while the payment is pending.
    pub pending_policy: PendingPolicy,
    /// The text in the mail with the links; empty uses the general one.
    pub standard_text: String,
    /// The text of a second message; empty sends none.
    pub other_text: String,
    /// Support information under its mails; empty uses the merchant's.
    pub support_text: String,
    /// What it delivers beside its files.
    pub deliveries: Vec<DeliveryRow>,
    /// What it has sold.
    pub sales: ProductSales,
    /// The shop's page of it.
    pub shop_path: String,
    /// A form for another web site, ready to copy: one per connection and currency.
    pub buttons: Vec<ButtonCode>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A way to deliver beside files, and whether the product has it.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryRow {
    /// Its word under `admin.deliverable`, and the last part of its page's path.
    pub kind: String,
    /// Whether the product has it.
    pub on: bool,
}

/// A price from one moment on.
#[derive(Debug, Clone, Serialize)]
pub struct PriceRow {
    /// Its id.
    pub id: PriceId,
    /// The currency.
    pub currency: Currency,
    /// The amount; `None` ends the sale in this currency.
    pub amount: Option<Money>,
    /// From when.
    pub valid_from: Timestamp,
    /// Whether it is the one in force.
    pub in_force: bool,
}

/// A file with its versions.
#[derive(Debug, Clone, Serialize)]
pub struct FileRow {
    /// The slot.
    pub id: ProductFileId,
    /// The name that buyers save it under.
    pub name: String,
    /// Bytes of the newest version.
    pub bytes: u64,
    /// SHA-256 of the newest version, hexadecimal.
    pub sha256: String,
    /// MD5 of the newest version, hexadecimal.
    pub md5: String,
    /// When the newest version was added.
    pub added_at: Timestamp,
    /// All versions, the newest first; one version shows no list.
    pub versions: Vec<FileVersionRow>,
}

/// One content of a file.
#[derive(Debug, Clone, Serialize)]
pub struct FileVersionRow {
    /// Its id.
    pub id: FileVersionId,
    /// Its name then.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// How many order lines hold exactly this one.
    pub bought: u64,
}

/// What a product has sold.
#[derive(Debug, Clone, Serialize)]
pub struct ProductSales {
    /// Units so far.
    pub units: u64,
    /// What they brought, per currency.
    pub sums: Vec<Money>,
    /// The last 30 days, a chart per currency that sold.
    pub charts: Vec<SalesChart>,
    /// The newest orders with it.
    pub recent: Vec<OrderRow>,
}

/// HTML for a button on another site.
#[derive(Debug, Clone, Serialize)]
pub struct ButtonCode {
    /// Which connection and currency: "PayPal, EUR".
    pub label: String,
    /// The HTML.
    pub code: String,
}

/// templates/admin/product_form.html - a new product, or an old one changed.
///
/// Posts to `/admin/products` or `/admin/products/{id}`: `version`, `sku`, `name`, `description`, `status`,
/// `currency_N`, `amount_N` and `from_N` for N from 0, `link_life_days`, `download_limit`, `file_policy`,
/// `update_days`, `pending_policy`, `standard_text`, `other_text`, `support_text`. An amount left empty ends the
/// sale in that currency. Errors of prices are named by their field; `product-form` is the whole.
#[derive(Debug, Clone, Serialize)]
pub struct ProductFormPage {
    /// `None` for a new one.
    pub id: Option<ProductId>,
    /// The version that was read, so that nobody overwrites a colleague's change; 0 for a new one.
    pub version: i64,
    /// What the fields hold.
    pub form: ProductForm,
    /// Every status there is.
    pub statuses: Vec<Choice>,
    /// What may be written into texts.
    pub placeholders: Vec<PlaceholderHint>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// A product's fields as they were typed.
#[derive(Debug, Clone, Serialize)]
pub struct ProductForm {
    /// The external item number.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// For its page.
    pub description: String,
    /// Whether it can be bought.
    pub status: ProductStatus,
    /// One row each; with an empty one at the end for another currency.
    pub prices: Vec<PriceField>,
    /// Days.
    pub link_life_days: String,
    /// How often each file may be fetched.
    pub download_limit: String,
    /// Which versions a buyer gets.
    pub file_policy: FilePolicy,
    /// For how many days from the purchase new ones.
    pub update_days: String,
    /// What a buyer gets while the payment is pending.
    pub pending_policy: PendingPolicy,
    /// The text in the mail with the links.
    pub standard_text: String,
    /// The text of a second message.
    pub other_text: String,
    /// Support information under its mails.
    pub support_text: String,
}

/// A price as it was typed.
#[derive(Debug, Clone, Serialize)]
pub struct PriceField {
    /// ISO 4217.
    pub currency: String,
    /// Decimal.
    pub amount: String,
    /// From which day on, as `2026-03-01`; empty is at once.
    pub from: String,
}

/// What may be written into a text; what it becomes is `admin.placeholder.NAME` in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceholderHint {
    /// Without its braces: `product`.
    pub name: &'static str,
}

impl From<texts::Placeholder> for PlaceholderHint {
    fn from(placeholder: texts::Placeholder) -> Self {
        Self { name: placeholder.name() }
    }
}

/// templates/admin/file_replace.html - a new version of a file.
///
/// Posts `file` (multipart) to `/admin/products/{product}/files/{file}/replace`.
#[derive(Debug, Clone, Serialize)]
pub struct FileReplacePage {
    /// The product.
    pub product: ProductId,
    /// Its name.
    pub product_name: String,
    /// The file as it is.
    pub file: FileRow,
    /// Which versions buyers get: says who will see the new one.
    pub file_policy: FilePolicy,
    /// The largest upload, in bytes; `None` without limit.
    pub upload_bytes_max: Option<u64>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

impl ProductRow {
    fn sample(number: u128, name: &str, status: ProductStatus) -> Self {
        Self {
            id: ProductId::from_bits(bits(number)),
            sku: format!("SP-{number:04}"),
            name: text(name),
            status,
            prices: vec![eur(19_00), usd(21_00)],
            files: 2,
            bytes: 730_500_000,
            sold: 1_248,
            updated_at: days_ago(3),
        }
    }
}

impl FileRow {
    /// A file with two versions for samples.
    pub(super) fn sample(number: u128, name: &str) -> Self {
        let version = |number: u128, age| FileVersionRow {
            id: FileVersionId::from_bits(bits(number)),
            name: text(name),
            bytes: 412_500_000,
            sha256: text(SHA256),
            added_at: days_ago(age),
            bought: 310,
        };
        Self {
            id: ProductFileId::from_bits(bits(number)),
            name: text(name),
            bytes: 412_500_000,
            sha256: text(SHA256),
            md5: text(MD5),
            added_at: days_ago(3),
            versions: vec![version(number + 100, 3), version(number + 200, 200)],
        }
    }
}

impl Template for ProductsPage {
    const NAME: &'static str = "admin/products.html";

    fn samples() -> Vec<Self> {
        const SORTABLE: &[(&str, Direction)] = &[
            ("sku", Direction::Ascending),
            ("name", Direction::Ascending),
            ("updated", Direction::Descending),
        ];
        let list = |search: &str, status: Option<ProductStatus>| {
            Listing::of("/admin/products")
                .search(search)
                .tabs("status", status)
                .sorted(Sort::by("name", Direction::Ascending), SORTABLE)
                .csv("/admin/products.csv")
        };
        let odd = ProductRow {
            prices: Vec::new(),
            files: 0,
            bytes: 0,
            sold: 0,
            ..ProductRow::sample(3, LONG, ProductStatus::Draft)
        };
        let products = vec![
            ProductRow::sample(1, "Forty Knots", ProductStatus::Active),
            ProductRow { files: 1, ..ProductRow::sample(2, RIGHT_TO_LEFT, ProductStatus::Active) },
            odd,
            ProductRow::sample(4, "Harbor Charts, North", ProductStatus::Archived),
        ];
        vec![
            Self { list: list("", None).pages(None, Some("x")).done(), products },
            Self { list: list("", None).done(), products: Vec::new() },
            Self { list: list("no such thing", Some(ProductStatus::Draft)).done(), products: Vec::new() },
        ]
    }
}

impl Template for ProductPage {
    const NAME: &'static str = "admin/product.html";

    fn samples() -> Vec<Self> {
        let price = |amount: Option<Money>, currency, valid_from, in_force| PriceRow {
            id: PriceId::from_bits(bits(1)),
            currency,
            amount,
            valid_from,
            in_force,
        };
        let code = "<form action=\"https://www.paypal.com/cgi-bin/webscr\" method=\"post\">\n  <input type=\"hidden\" \
                    name=\"cmd\" value=\"_xclick\">\n  <button>Buy</button>\n</form>";
        let page = Self {
            id: ProductId::from_bits(bits(1)),
            sku: text("SP-0001"),
            name: text("Forty Knots"),
            description: text("A novel of the North Sea.\n\nWith a map."),
            status: ProductStatus::Active,
            prices: vec![
                price(Some(eur(19_00)), Currency::EUR, days_ago(400), true),
                price(Some(eur(24_00)), Currency::EUR, NOW + Span::days(9), false),
                price(Some(usd(21_00)), Currency::USD, days_ago(30), true),
            ],
            files: vec![
                FileRow::sample(1, "forty-knots.epub"),
                FileRow { versions: Vec::new(), ..FileRow::sample(2, "forty-knots-print.pdf") },
            ],
            upload_bytes_max: None,
            link_life_days: 3,
            download_limit: 5,
            file_policy: FilePolicy::UpdatesUntil,
            update_days: Some(365),
            pending_policy: PendingPolicy::Nothing,
            standard_text: text("Dear {buyer_name},\n\nyour book is ready."),
            other_text: String::new(),
            support_text: String::new(),
            deliveries: vec![DeliveryRow { kind: text("payload"), on: true }],
            sales: ProductSales {
                units: 1_248,
                sums: vec![eur(23_712_00), usd(1_050_00)],
                charts: vec![month(Currency::EUR)],
                recent: OrderRow::samples(),
            },
            shop_path: text("/p/SP-0001"),
            buttons: vec![ButtonCode { label: text("PayPal, EUR"), code: text(code) }],
            created_at: days_ago(400),
            updated_at: days_ago(3),
        };
        let bare = Self {
            name: text(LONG),
            sku: text(SHORT),
            description: String::new(),
            status: ProductStatus::Draft,
            prices: Vec::new(),
            files: Vec::new(),
            deliveries: vec![DeliveryRow { kind: text("payload"), on: false }],
            upload_bytes_max: Some(2_000_000_000),
            standard_text: String::new(),
            sales: ProductSales { units: 0, sums: Vec::new(), charts: Vec::new(), recent: Vec::new() },
            buttons: Vec::new(),
            ..page.clone()
        };
        let odd = Self {
            name: text(RIGHT_TO_LEFT),
            status: ProductStatus::Archived,
            prices: vec![price(None, Currency::EUR, days_ago(1), true)],
            files: vec![FileRow::sample(3, &LONG.replace(' ', "-"))],
            standard_text: text(LONG),
            ..bare.clone()
        };
        vec![page, bare, odd]
    }
}

impl Template for ProductFormPage {
    const NAME: &'static str = "admin/product_form.html";

    fn samples() -> Vec<Self> {
        let price = |currency: &str, amount: &str| PriceField {
            currency: text(currency),
            amount: text(amount),
            from: String::new(),
        };
        let form = ProductForm {
            sku: String::new(),
            name: String::new(),
            description: String::new(),
            status: ProductStatus::Draft,
            prices: vec![price("EUR", ""), price("", "")],
            link_life_days: text("3"),
            download_limit: text("5"),
            file_policy: FilePolicy::AsBought,
            update_days: String::new(),
            pending_policy: PendingPolicy::Nothing,
            standard_text: String::new(),
            other_text: String::new(),
            support_text: String::new(),
        };
        let new = Self {
            id: None,
            version: 0,
            form: form.clone(),
            statuses: ProductStatus::choices(),
            placeholders: texts::Placeholder::ALL.map(PlaceholderHint::from).into(),
            errors: Errors::new(),
        };
        let wrong = errors(&[
            ("sku", "SP-0001 is the item number of another package."),
            ("amount_0", "Write an amount such as 19.00."),
            ("link_life_days", "Write a whole number of days from 1 to 3650."),
            ("update_days", "Write a whole number of days from 1 to 36500."),
            ("standard_text", "{buyer} is no placeholder."),
        ]);
        let filled = ProductForm {
            sku: text("SP-0001"),
            name: text(LONG),
            description: text(LONG),
            prices: vec![price("EUR", "nineteen"), price("USD", "21.00"), price("", "")],
            link_life_days: text("forever"),
            file_policy: FilePolicy::UpdatesUntil,
            update_days: text("a year"),
            standard_text: text("Dear {buyer},"),
            ..form
        };
        vec![
            new.clone(),
            Self { id: Some(ProductId::from_bits(bits(1))), version: 4, form: filled, errors: wrong, ..new },
        ]
    }
}

impl Template for FileReplacePage {
    const NAME: &'static str = "admin/file_replace.html";

    fn samples() -> Vec<Self> {
        let page = Self {
            product: ProductId::from_bits(bits(1)),
            product_name: text("Forty Knots"),
            file: FileRow::sample(1, "forty-knots.epub"),
            file_policy: FilePolicy::Latest,
            upload_bytes_max: None,
            errors: Errors::new(),
        };
        let wrong = errors(&[("file", "Choose the file that takes its place.")]);
        vec![
            page.clone(),
            Self {
                file_policy: FilePolicy::AsBought,
                upload_bytes_max: Some(2_000_000_000),
                errors: wrong,
                ..page
            },
        ]
    }
}
