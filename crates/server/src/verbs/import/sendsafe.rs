//! `handsel import sendsafe`: reads all files, tells what each line became, and makes drafts of the items.
//!
//! An import adds and changes nothing else: an item number that is there already is left as it is, so that
//! it can be repeated. Nothing is written while any line is wrong or asks for something.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use app::archives::{self, PasswordRule};
use app::cx::{Actor, Cx};
use app::deliverables;
use app::payloads::Terms;
use app::problem::Flow;
use app::products::change::{Change, change, valid_text};
use app::products::flow::{self, NewProduct, valid_name, valid_sku};
use app::products::{ProductStatus, store};
use kernel::{Currency, Span};
use payload::Spec;
use payload::sendsafe::{
    Columns, Encoding, Item, Items, Kind, Line, Settings, Source, Text, TtlUnit, Verdict,
};
use serde_json::{Value, json};

use super::super::{Desk, VerbError, printable};

/// What to import, and the answers to what the files leave open.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Configuration files and tables, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only tell what would become of each line.
    #[arg(long)]
    dry_run: bool,
    /// What PAYLOAD TTL counts: the file does not say.
    #[arg(long, value_enum)]
    ttl_unit: Option<Unit>,
    /// The currency of prices that have none, such as USD; the merchant's when absent.
    #[arg(long)]
    currency: Option<String>,
    /// A column with another heading: sku, name, description, price, currency, payload, attribute, type.
    #[arg(long = "column", value_name = "FIELD=HEADING")]
    columns: Vec<String>,
}

/// What a number without a unit counts.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Unit {
    /// Of 60 minutes.
    Hours,
    /// Of 24 hours.
    Days,
}

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Items that are made in one transaction.
const AT_ONCE: usize = 100;

/// A file that was read.
struct Old {
    path: String,
    kind: Kind,
    encoding: Encoding,
    text: String,
}

/// A file, line by line; items as long as they are to be taken over.
struct Read {
    path: String,
    kind: Kind,
    encoding: Encoding,
    rows: Vec<(Line, Option<Item>)>,
}

/// Runs the verb.
pub fn run(desk: &Desk, options: &Options) -> Result<bool, VerbError> {
    let columns = Columns::new(options.columns.iter().map(String::as_str))
        .map_err(|error| VerbError::Usage(format!("--column: {error}")))?;
    let files = options.files.iter().map(|path| read(path, &columns)).collect::<Result<Vec<_>, _>>()?;
    let settings = settings(&files, options.ttl_unit)?;
    let currency = currency(desk, options.currency.as_deref())?;
    let mut all = Vec::new();
    for file in files {
        all.push(lines(file, &settings, &columns, currency)?);
    }
    let mut rows: Vec<&mut (Line, Option<Item>)> = all.iter_mut().flat_map(|file| &mut file.rows).collect();
    rows.iter_mut().for_each(|row| check(row));
    let blocked = rows.iter().any(|(line, _)| matches!(line.verdict, Verdict::Asked | Verdict::Wrong));
    let how = if options.dry_run || blocked { How::Look } else { How::Write };
    let sold = Sold {
        link_life: settings.link_life,
        base: base(&settings),
        password: settings.password == Some(true),
    };
    let made = make(desk, &mut rows, &sold, how)?;
    report(desk, &all, &Outcome { made, how, blocked });
    Ok(!blocked)
}

fn read(path: &PathBuf, columns: &Columns) -> Result<Old, VerbError> {
    let shown = path.display().to_string();
    let failed = |why| VerbError::File { path: shown.clone(), why };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(VerbError::Usage(format!("{shown}: more than {FILE_BYTES_MAX} bytes; split the table")));
    }
    let Text { text, encoding } = Text::decode(&bytes);
    let kind = Kind::of(&text, columns).ok_or_else(|| {
        VerbError::Usage(format!(
            "{shown}: neither a configuration of SendSafe (no line like PAYLOAD ENABLED = YES) nor a table of items \
             (no column like PayloadLoc in its first line)"
        ))
    })?;
    Ok(Old { path: shown, kind, encoding, text })
}

/// The settings that the tables are read by. There may be none.
fn settings(files: &[Old], unit: Option<Unit>) -> Result<Settings, VerbError> {
    let mut found = files.iter().filter(|file| file.kind == Kind::Settings);
    let (first, second) = (found.next(), found.next());
    if let (Some(first), Some(second)) = (first, second) {
        let (one, other) = (&first.path, &second.path);
        return Err(VerbError::Usage(format!(
            "{one} and {other} are both configurations; import one storefront"
        )));
    }
    let unit = unit.map(|unit| match unit {
        Unit::Hours => TtlUnit::Hours,
        Unit::Days => TtlUnit::Days,
    });
    Ok(first.map(|file| Settings::read(&file.text, unit)).unwrap_or_default())
}

fn currency(desk: &Desk, wanted: Option<&str>) -> Result<Currency, VerbError> {
    match wanted {
        Some(code) => Currency::parse(code).map_err(|error| VerbError::Usage(error.to_string())),
        None => {
            let merchant = desk.merchant;
            let found =
                desk.app.read_now(move |snapshot| Ok(app::merchants::store::by_id(snapshot, merchant)?))?;
            Ok(found.currency)
        }
    }
}

fn lines(file: Old, settings: &Settings, columns: &Columns, currency: Currency) -> Result<Read, VerbError> {
    let Old { path, kind, encoding, text } = file;
    let rows = match kind {
        Kind::Settings => settings.lines.iter().map(|line| (line.clone(), None)).collect(),
        Kind::Items => {
            let items = Items::read(&text, columns, settings, currency);
            items.map_err(|error| VerbError::Usage(format!("{path}: {error}")))?.rows
        }
    };
    Ok(Read { path, kind, encoding, rows })
}

/// What the product asks of every product.
fn check((line, item): &mut (Line, Option<Item>)) {
    let Some(found) = item else { return };
    let checked = [
        valid_sku(&found.sku).err(),
        valid_name(&found.name).err(),
        valid_text("description", &found.description).err(),
    ];
    let wrong: Vec<String> = checked.into_iter().flatten().map(|problem| problem.to_string()).collect();
    if !found.spec.is_empty()
        && let Err(problem) = Terms::read(&found.spec.to_string(), "/", &found.choices.join(", "))
        && problem.pointer.as_deref() == Some("spec")
    {
        line.told.push(format!("its payload is not taken over: {}", problem.detail));
        found.spec = Spec::default();
    }
    if !wrong.is_empty() {
        line.verdict = Verdict::Wrong;
        line.told.extend(wrong);
        *item = None;
    }
}

/// Whether anything is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Look,
    Write,
}

/// How many items.
#[derive(Default)]
struct Made {
    new: usize,
    there: usize,
}

struct Outcome {
    made: Made,
    how: How,
    blocked: bool,
}

fn make(
    desk: &Desk,
    rows: &mut [&mut (Line, Option<Item>)],
    sold: &Sold,
    how: How,
) -> Result<Made, VerbError> {
    let mut items: Vec<(&mut Line, &Item)> =
        rows.iter_mut().filter_map(|(line, item)| item.as_ref().map(|item| (line, item))).collect();
    let mut made = Made::default();
    for part in items.chunks_mut(AT_ONCE) {
        let wanted: Vec<Item> = part.iter().map(|(_, item)| (*item).clone()).collect();
        let (merchant, sold) = (desk.merchant, sold.clone());
        let new: Vec<bool> = match how {
            How::Look => desk.app.read_now(move |snapshot| {
                let known = |item: &Item| Ok(store::by_sku(snapshot, merchant, item.sku.trim())?.is_none());
                wanted.iter().map(known).collect()
            })?,
            How::Write => desk.app.write_blocking(merchant, Actor::Shell, move |cx| {
                wanted.iter().map(|item| draft(cx, item, &sold)).collect()
            })?,
        };
        for ((line, _), new) in part.iter_mut().zip(new) {
            let count = if new { &mut made.new } else { &mut made.there };
            *count = count.saturating_add(1);
            line.told.insert(0, told(new, how).to_owned());
        }
    }
    Ok(made)
}

const fn told(new: bool, how: How) -> &'static str {
    match (new, how) {
        (false, _) => "there is a product with this item number already; it is left as it is",
        (true, How::Look) => "would become a draft",
        (true, How::Write) => "has become a draft",
    }
}

/// Makes a product that nobody can buy yet, unless there is one with its number.
fn draft(cx: &mut Cx<'_, '_>, item: &Item, sold: &Sold) -> Flow<bool> {
    if store::by_sku(cx.tx, cx.merchant, item.sku.trim())?.is_some() {
        return Ok(false);
    }
    let (sku, name) = (item.sku.clone(), item.name.clone());
    let new = NewProduct { sku, name, description: item.description.clone(), prices: vec![item.price] };
    let product = flow::create(cx, &new)?;
    // What it delivers is not there yet: its files, its keys.
    let wanted =
        Change { status: Some(ProductStatus::Draft), link_life: sold.link_life, ..Change::default() };
    let product = change(cx, product.id, &wanted)?;
    if item.spec.is_empty() {
        return Ok(true);
    }
    let terms = Terms::read(&item.spec.to_string(), &sold.base, &item.choices.join(", "))?;
    let packing = archives::Terms { password: sold.password.then_some(PasswordRule::Page) };
    deliverables::flow::change(cx, product.id, product.version, "payload", |all| {
        all.payload = Some(terms);
        all.archive = Some(packing);
    })?;
    Ok(true)
}

/// What the configuration says of every item.
#[derive(Debug, Clone)]
struct Sold {
    link_life: Option<Span>,
    /// The base directory; empty: every path is absolute.
    base: String,
    /// Whether archives have a password.
    password: bool,
}

fn base(settings: &Settings) -> String {
    match &settings.source {
        Some(Source::Below(base)) => base.clone(),
        Some(Source::FullPaths) | None => String::new(),
    }
}

fn report(desk: &Desk, all: &[Read], outcome: &Outcome) {
    let payloads =
        all.iter().flat_map(|file| &file.rows).filter(|(_, item)| has_payload(item.as_ref())).count();
    let value = json!({
        "written": outcome.how == How::Write,
        "blocked": outcome.blocked,
        "new": outcome.made.new,
        "there_already": outcome.made.there,
        "payloads": payloads,
        "files": all.iter().map(file_value).collect::<Vec<_>>(),
    });
    desk.output.text_or(|| print(all, outcome, payloads), &value);
}

fn has_payload(item: Option<&Item>) -> bool {
    item.is_some_and(|item| !item.spec.is_empty())
}

fn file_value(file: &Read) -> Value {
    let row = |(line, item): &(Line, Option<Item>)| {
        let mut value = json!(line);
        if let (Some(value), Some(item)) = (value.as_object_mut(), item) {
            let item = json!({
                "sku": item.sku, "name": item.name, "price": item.price.to_string(), "payload": item.spec.to_string(),
                "choices": item.choices, "license_key": item.license_key,
            });
            value.insert("item".to_owned(), item);
        }
        value
    };
    let rows: Vec<Value> = file.rows.iter().map(row).collect();
    json!({ "file": file.path, "kind": file.kind, "encoding": file.encoding, "lines": rows })
}

fn print(all: &[Read], outcome: &Outcome, payloads: usize) {
    for file in all {
        let encoding = json!(file.encoding);
        println!("{} ({})", file.path, encoding.as_str().unwrap_or_default());
        for (line, _) in &file.rows {
            let told = printable(&format!("{}: {}", line.what, line.told.join("; ")));
            println!("  {:>5}  {:<8}  {told}", line.line, line.verdict.as_str());
        }
    }
    let Made { new, there } = outcome.made;
    match outcome.how {
        How::Write => println!("{new} products made as drafts, {there} were there already"),
        How::Look => println!("{new} products to be made as drafts, {there} are there already"),
    }
    if payloads > 0 {
        println!(
            "items with a payload: {payloads}; declare their folders as file_roots in the configuration"
        );
    }
    if outcome.blocked {
        println!("nothing is written until what is asked is answered and what is wrong is put right");
    }
}
