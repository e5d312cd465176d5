//! Tables of items: CSV, with commas, semicolons or tabs.

use std::collections::BTreeMap;

use csv::StringRecord;
use kernel::{Currency, Money};

use super::columns::{Columns, Field};
use super::price::price;
use super::settings::{Settings, Source};
use super::{Line, Verdict};
use crate::attribute::Attributes;
use crate::path::Anchor;
use crate::spec::{Goods, Reach, Spec};

/// A table, row by row.
#[derive(Debug, Clone, Default)]
pub struct Items {
    /// What became of each row, and the item where it can be taken over.
    pub rows: Vec<(Line, Option<Item>)>,
}

/// An item that can be taken over.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its number.
    pub sku: String,
    /// Its name; the number, where the table has none.
    pub name: String,
    /// For its page.
    pub description: String,
    /// What it costs.
    pub price: Money,
    /// What it delivers. Logins in it are not sealed.
    pub spec: Spec,
    /// What a buyer can choose from, as the table has it.
    pub choices: Vec<String>,
    /// Whether each unit has a license key: `$DRM$`.
    pub license_key: bool,
}

/// Why a table cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A field without which there are no items.
    #[error("no column is called {0}; name it, as in --column {0}=HEADING")]
    Column(&'static str),
    /// Two columns for one field.
    #[error("the columns \"{0}\" and \"{1}\" could both be meant; name one, as in --column FIELD=HEADING")]
    Twice(String, String),
    /// The table breaks off.
    #[error("{0}")]
    Csv(String),
}

const PRODUCT_TYPE_DRM: &str = "$DRM$";

/// Whether the first line that is not blank has a column that only tables of items have.
pub(super) fn has_header(text: &str, columns: &Columns) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let telling = |heading: &str| {
        matches!(columns.field(heading), Some(Field::Sku | Field::Payload | Field::Attribute | Field::Kind))
    };
    first.split(char::from(delimiter(first))).any(|heading| telling(heading.trim().trim_matches('"')))
}

/// What parts the cells: what there is most of in the head.
fn delimiter(head: &str) -> u8 {
    let count = |delimiter: &u8| head.bytes().filter(|byte| byte == delimiter).count();
    // The last of equals, which is the comma.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

impl Items {
    /// Reads a table. Prices without a currency are in this one.
    ///
    /// # Errors
    /// When it is no such table. What is wrong with a row is told at the row.
    pub fn read(
        text: &str,
        columns: &Columns,
        settings: &Settings,
        currency: Currency,
    ) -> Result<Self, TableError> {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(first))
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let broken = |error: csv::Error| TableError::Csv(error.to_string());
        let head = Head::read(reader.headers().map_err(broken)?, columns)?;
        let table = Table { head, settings, currency };
        let (mut items, mut seen) = (Self::default(), BTreeMap::new());
        for record in reader.records() {
            let record = record.map_err(broken)?;
            if record.iter().all(str::is_empty) {
                continue;
            }
            let line = record.position().and_then(|at| usize::try_from(at.line()).ok()).unwrap_or_default();
            let mut row = table.row(line, &record);
            if let Some(first) = seen.get(&row.0.what).filter(|_| !row.0.what.is_empty()) {
                row.0.told.insert(0, format!("line {first} has this item number already"));
                row = (Line { verdict: Verdict::Wrong, ..row.0 }, None);
            }
            seen.entry(row.0.what.clone()).or_insert(line);
            items.rows.push(row);
        }
        Ok(items)
    }
}

/// Which column holds which field.
struct Head {
    fields: Vec<(Field, usize)>,
    length: usize,
}

impl Head {
    fn read(headings: &StringRecord, columns: &Columns) -> Result<Self, TableError> {
        let mut fields: Vec<(Field, usize)> = Vec::new();
        for (at, heading) in headings.iter().enumerate() {
            let Some(field) = columns.field(heading) else { continue };
            if let Some((_, other)) = fields.iter().find(|(known, _)| *known == field) {
                let other = headings.get(*other).unwrap_or_default();
                return Err(TableError::Twice(other.to_owned(), heading.to_owned()));
            }
            fields.push((field, at));
        }
        let head = Self { fields, length: headings.len() };
        for (field, name) in [(Field::Sku, "sku"), (Field::Price, "price")] {
            head.column(field).ok_or(TableError::Column(name))?;
        }
        Ok(head)
    }

    fn column(&self, field: Field) -> Option<usize> {
        self.fields.iter().find(|(known, _)| *known == field).map(|(_, at)| *at)
    }

    /// What stands in a row for a field; databases write NULL for nothing.
    fn cell<'r>(&self, record: &'r StringRecord, field: Field) -> &'r str {
        let cell = self.column(field).and_then(|at| record.get(at)).unwrap_or_default();
        if cell == "NULL" { "" } else { cell }
    }
}

struct Table<'a> {
    head: Head,
    settings: &'a Settings,
    currency: Currency,
}

impl Table<'_> {
    fn row(&self, line: usize, record: &StringRecord) -> (Line, Option<Item>) {
        let sku = self.head.cell(record, Field::Sku);
        match self.item(record) {
            Ok((item, told)) => {
                (Line { line, what: sku.to_owned(), verdict: Verdict::Taken, told }, Some(item))
            }
            Err(told) => (Line { line, what: sku.to_owned(), verdict: Verdict::Wrong, told }, None),
        }
    }

    /// The item and what is to be said of it, or everything that is wrong with it.
    fn item(&self, record: &StringRecord) -> Result<(Item, Vec<String>), Vec<String>> {
        let cell = |field| self.head.cell(record, field);
        let (mut wrong, mut told) = (Vec::new(), Vec::new());
        if record.len() > self.head.length {
            wrong.push(
                "there are more cells than columns; a cell that holds commas stands in quotation marks"
                    .to_owned(),
            );
        }
        if cell(Field::Sku).is_empty() {
            wrong.push("there is no item number".to_owned());
        }
        let price = self.price(record).map_err(|error| wrong.push(error)).ok();
        let spec = self.spec(cell(Field::Payload), &mut told).map_err(|errors| wrong.extend(errors)).ok();
        let choices = self.choices(cell(Field::Attribute)).map_err(|error| wrong.push(error)).ok();
        let license_key = cell(Field::Kind).eq_ignore_ascii_case(PRODUCT_TYPE_DRM);
        let (Some(price), Some(spec), Some(choices), true) = (price, spec, choices, wrong.is_empty()) else {
            return Err(wrong);
        };
        if license_key {
            told.push("each unit has a license key: set up where its keys come from".to_owned());
            if spec.is_empty() {
                told.push("it has a key and no payload, which SendSafe did not allow".to_owned());
            }
        }
        if !choices.is_empty() {
            told.push(format!("choices: {}", choices.join(", ")));
        }
        let own = |field| cell(field).to_owned();
        let name = if cell(Field::Name).is_empty() { own(Field::Sku) } else { own(Field::Name) };
        let (sku, description) = (own(Field::Sku), own(Field::Description));
        Ok((Item { sku, name, description, price, spec, choices, license_key }, told))
    }

    fn price(&self, record: &StringRecord) -> Result<Money, String> {
        let cell = |field| self.head.cell(record, field);
        let currency = match cell(Field::Currency) {
            "" => self.currency,
            code => Currency::parse(&code.to_uppercase()).map_err(|error| error.to_string())?,
        };
        if cell(Field::Price).is_empty() {
            return Err("there is no price".to_owned());
        }
        price(cell(Field::Price), currency).map_err(|error| error.to_string())
    }

    fn spec(&self, text: &str, told: &mut Vec<String>) -> Result<Spec, Vec<String>> {
        let spec = Spec::parse(text).map_err(|error| vec![format!("payload, {error}")])?;
        if spec.is_empty() {
            return Ok(spec);
        }
        if self.settings.enabled == Some(false) {
            told.push("payloads were switched off: it is taken over without its payload".to_owned());
            return Ok(Spec::default());
        }
        let wrong: Vec<String> = spec.items.iter().filter_map(|item| self.misplaced(&item.goods)).collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        told.push(format!("payload: {spec}"));
        Ok(spec)
    }

    /// Why a path does not go with where the store's paths begin.
    fn misplaced(&self, goods: &Goods) -> Option<String> {
        let Goods::Files { path, reach, .. } = goods else { return None };
        let whole = path.anchor != Anchor::Relative;
        match &self.settings.source {
            Some(Source::FullPaths) if !whole => {
                Some(format!("payload, {path}: PAYLOAD SOURCE BASE DIR is <none>, so the path must be whole"))
            }
            Some(Source::Below(base)) if whole && *reach == Reach::Store => Some(format!(
                "payload, {path}: the path is whole, and would be looked for below {base}; write % before it"
            )),
            _ => None,
        }
    }

    /// Only where choices are folders do they have to be names of folders.
    fn choices(&self, text: &str) -> Result<Vec<String>, String> {
        if matches!(self.settings.source, Some(Source::Below(_))) {
            let values = Attributes::list(text).map_err(|error| format!("attribute, {error}"))?;
            return Ok(values.values().to_vec());
        }
        let values = text.split(',').map(str::trim).filter(|value| !value.is_empty());
        Ok(values.map(str::to_owned).collect())
    }
}
