//! What one order leaves behind in the database, as a mold for the rows of others.

use std::collections::BTreeSet;

use db::Value;
use db::dump::{self, Table};
use tokio::runtime::Runtime;

use super::product::{self, Verify};
use crate::report::Failure;
use crate::shop::Shop;

/// Numbers of the notices that molds are taken from; none is used twice in a database.
const NOTICE_OF_PLACED: u64 = 9_000_000_000_000_000;
const NOTICE_OF_ANNOUNCED: u64 = 0;
/// Numbers set apart for the ids of one order's rows.
const IDS_OF_ONE: u64 = 64;

/// Which rows are in a mold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// All rows of a fulfilled order.
    Placed,
    /// Those that its notice and its fulfillment wrote.
    Announced,
}

/// The rows of one order, with everything that is its own left open.
pub struct Mold {
    tables: Vec<Table>,
    rows: Vec<(usize, Vec<Cell>)>,
    prefixes: Vec<String>,
    line_prefix: String,
}

/// One order's rows: which table, and the values.
pub type Cast = Vec<(usize, Vec<Value>)>;

enum Cell {
    /// The same for every order.
    Fixed(Value),
    /// Text with names in it.
    Open(Vec<Piece>),
    /// Bytes that must differ.
    Distinct(Vec<u8>),
}

enum Piece {
    Text(String),
    Name(usize),
}

/// The names of an order that exists.
pub struct Known {
    /// The order's id.
    pub order: String,
    /// Its only line's id.
    pub line: String,
}

impl Mold {
    /// Fulfills one order and looks at what that wrote.
    pub fn of_one_order(shop: &Shop, runtime: &Runtime, since: Since) -> Result<Self, Failure> {
        let tables = shop.app.db().read_blocking(|snapshot| dump::tables(snapshot))?;
        let mut before = keys(shop, &tables)?;
        let order = shop.place(1)?.pop().ok_or("no order was placed")?;
        let number = match since {
            Since::Placed => NOTICE_OF_PLACED,
            Since::Announced => {
                before = keys(shop, &tables)?;
                NOTICE_OF_ANNOUNCED
            }
        };
        let post = product::notice(shop, &order, number);
        runtime.block_on(product::deliver(shop, vec![post], Verify::AtTheSeam))?;
        let mut rows = Vec::new();
        for (place, table) in tables.iter().enumerate() {
            let new = all(shop, table)?.into_iter().filter(|row| !before.contains(&key(place, table, row)));
            rows.extend(new.map(|row| (place, row)));
        }
        let line = line_of(shop, &order)?;
        let email = order.buyer_email.as_ref().map(ToString::to_string).unwrap_or_default();
        let line_prefix = prefix(&line);
        let own = [order.id.to_string(), line, email, format!("B{number:016}")];
        let ids: Vec<String> =
            rows.iter().filter_map(|(_, row)| id_of(row)).filter(|id| !own.contains(id)).collect();
        let prefixes = ids.iter().map(|id| prefix(id)).collect();
        let names: Vec<String> = own.into_iter().chain(ids).collect();
        let rows = rows.into_iter().map(|(place, row)| {
            let columns = tables.get(place).map(|table| table.columns.as_slice()).unwrap_or_default();
            let cells = row.into_iter().zip(columns).map(|(value, column)| cell(value, &column.name, &names));
            (place, cells.collect())
        });
        let rows = rows.collect();
        Ok(Self { tables, rows, prefixes, line_prefix })
    }

    /// An INSERT for each table.
    pub fn statements(&self) -> Vec<String> {
        let insert = |table: &Table| {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
            format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), places.join(", "))
        };
        self.tables.iter().map(insert).collect()
    }

    /// The rows of another order; without names, of one that does not exist yet.
    pub fn cast(&self, number: u64, known: Option<Known>) -> Cast {
        let first = number * IDS_OF_ONE;
        let known = known
            .unwrap_or_else(|| Known { order: id("ord", first), line: id(&self.line_prefix, first + 1) });
        let mut names =
            vec![known.order, known.line, format!("bare{number}@example.com"), format!("Z{number:016}")];
        names.extend(self.prefixes.iter().zip(first + 2..).map(|(prefix, number)| id(prefix, number)));
        let fill = |cell: &Cell| match cell {
            Cell::Fixed(value) => value.clone(),
            Cell::Open(pieces) => Value::Text(pieces.iter().map(|piece| piece.text(&names)).collect()),
            Cell::Distinct(bytes) => {
                Value::Bytes([&number.to_be_bytes()[..], bytes.get(8..).unwrap_or_default()].concat())
            }
        };
        self.rows.iter().map(|(place, row)| (*place, row.iter().map(fill).collect())).collect()
    }

    /// The rows of an order of long ago: its mail has left, its invoice is issued, its events are
    /// in the chain, and no job of it waits.
    pub fn cast_of_old(&self, number: u64) -> Cast {
        let mut cast = self.cast(number, None);
        cast.retain(|(place, _)| self.name(*place) != "jobs");
        for ((place, row), seq) in cast.iter_mut().zip(number * IDS_OF_ONE..) {
            let settled: &[(&str, Value)] = match self.name(*place) {
                "orders" => &[("invoiced_at", Value::Int(1))],
                "messages" => &[("state", Value::Text("sent".to_owned())), ("sent_at", Value::Int(1))],
                "events" => &[("seq", Value::Int(i64::try_from(seq).unwrap_or(i64::MAX)))],
                _ => &[],
            };
            let columns = self.tables.get(*place).map(|table| table.columns.as_slice()).unwrap_or_default();
            for (value, column) in row.iter_mut().zip(columns) {
                if let Some((_, new)) = settled.iter().find(|(name, _)| *name == column.name) {
                    *value = new.clone();
                }
            }
        }
        cast
    }

    fn name(&self, place: usize) -> &str {
        self.tables.get(place).map_or("", |table| table.name.as_str())
    }

    /// Says what is compared, for people who wonder.
    pub fn describe(&self) -> String {
        let mut tables: Vec<&str> = self.rows.iter().map(|(place, _)| self.name(*place)).collect();
        tables.dedup();
        format!("{} rows in {}", self.rows.len(), tables.join(", "))
    }
}

/// The id of an order's only line.
pub fn line_of(shop: &Shop, order: &app::orders::Order) -> Result<String, Failure> {
    let (merchant, id) = (shop.merchant.id, order.id);
    let lines = shop.app.read_now(move |snapshot| Ok(app::orders::store::lines(snapshot, merchant, id)?))?;
    lines.first().map(|line| line.id.to_string()).ok_or_else(|| "the order has no line".into())
}

fn prefix(id: &str) -> String {
    id.split('_').next().unwrap_or_default().to_owned()
}

fn id(prefix: &str, number: u64) -> String {
    format!("{prefix}_{number:026}")
}

impl Piece {
    fn text<'p>(&'p self, names: &'p [String]) -> &'p str {
        match self {
            Self::Text(text) => text,
            Self::Name(place) => names.get(*place).map_or("", String::as_str),
        }
    }
}

fn cell(value: Value, column: &str, names: &[String]) -> Cell {
    match value {
        Value::Text(text) => match open(&text, names) {
            pieces if pieces.iter().any(|piece| matches!(piece, Piece::Name(_))) => Cell::Open(pieces),
            _ => Cell::Fixed(Value::Text(text)),
        },
        Value::Bytes(bytes) if column == "transport_key" => Cell::Distinct(bytes),
        other => Cell::Fixed(other),
    }
}

/// Cuts a text where a name stands in it.
fn open(mut text: &str, names: &[String]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    loop {
        let found =
            names.iter().enumerate().filter_map(|(place, name)| Some((text.find(name.as_str())?, place)));
        let Some((at, place)) = found.min() else { break };
        let (before, from) = text.split_at(at);
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Name(place));
        text = names.get(place).and_then(|name| from.strip_prefix(name.as_str())).unwrap_or_default();
    }
    pieces.push(Piece::Text(text.to_owned()));
    pieces
}

fn all(shop: &Shop, table: &Table) -> Result<Vec<Vec<Value>>, Failure> {
    Ok(shop.app.db().read_blocking(|snapshot| dump::page(snapshot, table, None, dump::PAGE_ROWS_MAX))?)
}

fn keys(shop: &Shop, tables: &[Table]) -> Result<BTreeSet<String>, Failure> {
    let mut keys = BTreeSet::new();
    for (place, table) in tables.iter().enumerate() {
        keys.extend(all(shop, table)?.iter().map(|row| key(place, table, row)));
    }
    Ok(keys)
}

fn key(place: usize, table: &Table, row: &[Value]) -> String {
    format!("{place} {:?}", table.key_of(row))
}

/// A minted id in the first column.
fn id_of(row: &[Value]) -> Option<String> {
    match row.first() {
        Some(Value::Text(text)) if text.len() == 30 && text.get(3..4) == Some("_") => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_a_text_is_left_open() {
        let names = ["ord_1".to_owned(), "a@b".to_owned()];
        let pieces = open("receipt:ord_1 to a@b, ord_1", &names);
        let fresh = ["ord_2".to_owned(), "c@d".to_owned()];
        let text: String = pieces.iter().map(|piece| piece.text(&fresh)).collect();
        assert_eq!(text, "receipt:ord_2 to c@d, ord_2");
    }
}
