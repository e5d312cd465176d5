//! Lists in pages: seek paging both ways, without totals.
//!
//! A page begins behind a mark, which is the sort key and the id of a row, and never at a
//! number: a list of a million rows costs as much as one of fifty, and rows that come in
//! meanwhile move nothing. Every query reads a bounded range of an index. What an index does
//! not narrow (a second filter, a word in the middle of a name) is looked for among so many
//! rows of the range, and the page tells where to go on.

use std::borrow::Cow;
use std::fmt::Write as _;

use db::{DbError, IntoParam, Param, Row, Source, Sql, sql};
use kernel::{MerchantId, Timestamp};

/// Rows on a page.
pub const PAGE: u32 = 50;
/// How many rows one request looks through for what no index narrows.
pub const WINDOW: u32 = 5_000;

/// The bits of the smallest id that could have been minted at this time.
pub fn bits_at(at: Timestamp) -> u128 {
    u128::try_from(at.as_micros().max(0) / 1000).unwrap_or(0) << 80
}

/// The value that a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The id itself, which is the time.
    Id,
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

/// The place of a row in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// What it is sorted by.
    pub key: Key,
    /// Its id.
    pub id: String,
}

impl Mark {
    /// For an address: `1900~ord_…`, or the id alone.
    pub fn text(&self) -> String {
        match &self.key {
            Key::Id => self.id.clone(),
            Key::Int(number) => format!("{number}~{}", self.id),
            Key::Text(text) => format!("{text}~{}", self.id),
        }
    }

    /// Out of an address, for a list that is sorted by this kind of key.
    pub fn parse(text: &str, by: By) -> Option<Self> {
        let (key, id) = match by.kind {
            KeyKind::Id => (Key::Id, text),
            KeyKind::Int => {
                let (number, id) = text.rsplit_once('~')?;
                (Key::Int(number.parse().ok()?), id)
            }
            KeyKind::Text => {
                let (word, id) = text.rsplit_once('~')?;
                (Key::Text(word.to_owned()), id)
            }
        };
        let plain = !id.is_empty()
            && id.len() <= ID_LENGTH_MAX
            && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        plain.then(|| Self { key, id: id.to_owned() })
    }
}

const ID_LENGTH_MAX: usize = 64;

/// Which kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The id.
    Id,
    /// BIGINT.
    Int,
    /// TEXT.
    Text,
}

/// A column that a list can be sorted by. There is an index (merchant, column, id).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// As the address has it.
    pub name: &'static str,
    /// As SQL has it; for [`KeyKind::Id`] it is `id`.
    pub column: &'static str,
    /// What it holds.
    pub kind: KeyKind,
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Small to large.
    Up,
    /// Large to small: the newest first.
    Down,
}

impl Way {
    const fn turned(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
    const fn word(self) -> &'static str {
        match self {
            Self::Up => "ASC",
            Self::Down => "DESC",
        }
    }
    const fn beyond(self) -> &'static str {
        match self {
            Self::Up => ">",
            Self::Down => "<",
        }
    }
}

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// The first.
    #[default]
    Start,
    /// What comes behind this row.
    After(Mark),
    /// What comes before this row.
    Before(Mark),
}

/// How a list is asked for: sort and page. Filters are the store's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The column.
    pub by: By,
    /// Which way.
    pub way: Way,
    /// Which page.
    pub place: Place,
    /// How many rows.
    pub most: u32,
}

impl Ask {
    /// The newest first, from the start.
    pub const fn newest(most: u32) -> Self {
        Self { by: BY_ID, way: Way::Down, place: Place::Start, most }
    }
}

/// By age.
pub const BY_ID: By = By { name: "created", column: "id", kind: KeyKind::Id };

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Slice<T> {
    /// In the order of the list.
    pub rows: Vec<T>,
    /// Where the page before ends, if there is one.
    pub before: Option<Mark>,
    /// Where the page behind begins, if there is one.
    pub after: Option<Mark>,
}

/// One condition with its value.
struct Condition<'a> {
    /// `$` stands for the value.
    text: &'static str,
    value: Option<Param<'a>>,
}

/// A list's query, put together from what was asked for.
pub struct ListQuery<'a> {
    /// `SELECT …, id, … FROM table`, columns without prefixes.
    select: &'static str,
    merchant: MerchantId,
    narrowed: Vec<Condition<'a>>,
    among: Vec<Condition<'a>>,
    window: u32,
}

impl<'a> ListQuery<'a> {
    /// The merchant's rows of a table.
    pub const fn new(select: &'static str, merchant: MerchantId) -> Self {
        Self { select, merchant, narrowed: Vec::new(), among: Vec::new(), window: WINDOW }
    }

    /// A condition that an index answers together with the sort. `$` is the value.
    #[must_use]
    pub fn narrowed(mut self, text: &'static str, value: impl IntoParam<'a>) -> Self {
        self.narrowed.push(Condition { text, value: Some(value.into_param()) });
        self
    }

    /// A condition without a value that an index answers.
    #[must_use]
    pub fn narrowed_to(mut self, text: &'static str) -> Self {
        self.narrowed.push(Condition { text, value: None });
        self
    }

    /// A condition looked for among the rows of the window. `$` is the value.
    #[must_use]
    pub fn among(mut self, text: &'static str, value: impl IntoParam<'a>) -> Self {
        self.among.push(Condition { text, value: Some(value.into_param()) });
        self
    }

    /// [`Self::narrowed`] where the present sort goes well with it, [`Self::among`] where not.
    #[must_use]
    pub fn either(self, narrows: bool, text: &'static str, value: impl IntoParam<'a>) -> Self {
        if narrows { self.narrowed(text, value) } else { self.among(text, value) }
    }

    /// The page that was asked for.
    pub fn page<T>(
        &self,
        source: &mut impl Source,
        ask: &Ask,
        mut read: impl FnMut(&mut Row) -> Result<T, DbError>,
    ) -> Result<Slice<T>, DbError> {
        let (way, mark) = match &ask.place {
            Place::Start => (ask.way, None),
            Place::After(mark) => (ask.way, Some(mark)),
            Place::Before(mark) => (ask.way.turned(), Some(mark)),
        };
        let turned = matches!(ask.place, Place::Before(_));
        let statement = self.statement(ask.by, way, mark, ask.most.saturating_add(1));
        let mut rows = statement.all(source, |row| {
            let mark = Mark { key: key_of(row, ask.by)?, id: row.get("seek_id")? };
            Ok((mark, read(row)?))
        })?;
        let most = usize::try_from(ask.most).unwrap_or(usize::MAX);
        let mut beyond = rows.len() > most;
        rows.truncate(most);
        let mut end = rows.last().map(|(mark, _)| mark.clone());
        if !beyond && !self.among.is_empty() {
            // The window may have ended before the list did.
            if let Some(last) = self.window_end(source, ask.by, way, mark)? {
                (beyond, end) = (true, Some(last));
            }
        }
        let came_from =
            mark.is_some().then(|| rows.first().map(|(mark, _)| mark.clone()).or(mark.cloned())).flatten();
        let beyond = end.filter(|_| beyond);
        if turned {
            rows.reverse();
            // A first page that is not full would look as if there were nothing older.
            if beyond.is_none() && rows.len() < most {
                return self.page(source, &Ask { place: Place::Start, ..ask.clone() }, read);
            }
        }
        let (before, after) = if turned { (beyond, came_from) } else { (came_from, beyond) };
        Ok(Slice { rows: rows.into_iter().map(|(_, row)| row).collect(), before, after })
    }

    /// The last row of a full window.
    fn window_end(
        &self,
        source: &mut impl Source,
        by: By,
        way: Way,
        mark: Option<&Mark>,
    ) -> Result<Option<Mark>, DbError> {
        let mut text = String::from("SELECT seek_id, seek_key FROM (");
        let mut values = Values::default();
        self.range(&mut text, &mut values, by, way, mark);
        let _ = write!(text, " LIMIT 1 OFFSET {}) AS near", self.window.saturating_sub(1));
        values
            .bind_all(sql(Cow::Owned(text)))
            .optional(source, |row| Ok(Mark { key: key_of(row, by)?, id: row.get("seek_id")? }))
    }

    fn statement(&self, by: By, way: Way, mark: Option<&Mark>, most: u32) -> Sql<'_> {
        let mut values = Values::default();
        let mut text = String::from("SELECT * FROM (");
        self.range(&mut text, &mut values, by, way, mark);
        let limit = if self.among.is_empty() { most } else { self.window };
        let _ = write!(text, " LIMIT {limit}) AS near");
        for (place, condition) in self.among.iter().enumerate() {
            text.push_str(if place == 0 { " WHERE " } else { " AND " });
            values.write(&mut text, condition);
        }
        let _ = write!(text, " ORDER BY seek_key {0}, seek_id {0} LIMIT {most}", way.word());
        values.bind_all(sql(Cow::Owned(text)))
    }

    /// The rows of the index behind a mark, without a limit.
    fn range<'s>(&'s self, text: &mut String, values: &mut Values<'s>, by: By, way: Way, mark: Option<&Mark>)
    where
        'a: 's,
    {
        let (head, tail) = self.select.split_once(" FROM ").unwrap_or((self.select, ""));
        let _ =
            write!(text, "{head}, id AS seek_id, {} AS seek_key FROM {tail} WHERE merchant_id = ", by.column);
        values.push(text, self.merchant.into_param());
        for condition in &self.narrowed {
            text.push_str(" AND ");
            values.write(text, condition);
        }
        if let Some(mark) = mark {
            match &mark.key {
                Key::Id => {
                    let _ = write!(text, " AND id {} ", way.beyond());
                    values.push(text, Param::Text(Cow::Owned(mark.id.clone())));
                }
                key => {
                    let key = match key {
                        Key::Int(number) => Param::Int(*number),
                        Key::Text(word) => Param::Text(Cow::Owned(word.clone())),
                        Key::Id => Param::Null,
                    };
                    // The first condition says nothing new; by it SQLite finds its place in an index
                    // over an expression, which it does not by a comparison of pairs.
                    let _ = write!(text, " AND {} {}= ", by.column, way.beyond());
                    values.push(text, key.clone());
                    let _ = write!(text, " AND ({}, id) {} (", by.column, way.beyond());
                    values.push(text, key);
                    text.push_str(", ");
                    values.push(text, Param::Text(Cow::Owned(mark.id.clone())));
                    text.push(')');
                }
            }
        }
        let order = way.word();
        if by.kind == KeyKind::Id {
            let _ = write!(text, " ORDER BY id {order}");
        } else {
            let _ = write!(text, " ORDER BY {} {order}, id {order}", by.column);
        }
    }
}

fn key_of(row: &mut Row, by: By) -> Result<Key, DbError> {
    Ok(match by.kind {
        KeyKind::Id => Key::Id,
        KeyKind::Int => Key::Int(row.get("seek_key")?),
        KeyKind::Text => Key::Text(row.get("seek_key")?),
    })
}

/// Arguments in the order of their placeholders.
#[derive(Default)]
struct Values<'a>(Vec<Param<'a>>);

impl<'a> Values<'a> {
    fn push(&mut self, text: &mut String, value: Param<'a>) {
        self.0.push(value);
        let _ = write!(text, "${}", self.0.len());
    }

    fn write(&mut self, text: &mut String, condition: &Condition<'a>) {
        match &condition.value {
            None => text.push_str(condition.text),
            Some(value) => {
                let (before, after) = condition.text.split_once('$').unwrap_or((condition.text, ""));
                text.push_str(before);
                self.push(text, value.clone());
                text.push_str(after);
            }
        }
    }

    fn bind_all<'s>(self, mut statement: Sql<'s>) -> Sql<'s>
    where
        'a: 's,
    {
        for value in self.0 {
            statement = statement.bind(Bound(value));
        }
        statement
    }
}

/// The first text that is behind all texts that begin like this one.
pub fn prefix_end(beginning: &str) -> String {
    format!("{beginning}\u{10ffff}")
}

/// The pattern of `LIKE … ESCAPE '\'` for texts with these words anywhere.
pub fn anywhere(words: &str) -> String {
    let escaped = words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Some ids of a longer list, as many as one statement takes.
#[derive(Debug)]
pub struct Some50 {
    ids: Vec<String>,
}

/// Ids in one statement. Always as many, so that the statement is prepared once.
const IDS_AT_ONCE: usize = 50;

impl Some50 {
    /// `$2, $3, …`, beginning with this number.
    pub fn placeholders(&self, first: usize) -> String {
        (first..first + IDS_AT_ONCE).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
    }

    /// Binds them behind what is bound already.
    pub fn bind<'s>(&'s self, mut statement: Sql<'s>) -> Sql<'s> {
        let last = self.ids.last().map_or("", String::as_str);
        for place in 0..IDS_AT_ONCE {
            statement = statement.bind(self.ids.get(place).map_or(last, String::as_str));
        }
        statement
    }
}

/// Runs a statement for each fifty of the ids and joins the answers.
pub fn by_ids<I: std::fmt::Display, T>(
    ids: &[I],
    mut read: impl FnMut(&Some50) -> Result<Vec<T>, DbError>,
) -> Result<Vec<T>, DbError> {
    let mut all = Vec::new();
    for some in ids.chunks(IDS_AT_ONCE) {
        all.extend(read(&Some50 { ids: some.iter().map(ToString::to_string).collect() })?);
    }
    Ok(all)
}

/// A page of rows that are all in memory, such as what a search found.
pub fn page_of<T>(mut rows: Vec<T>, ask: &Ask, mark: impl Fn(&T) -> Mark) -> Slice<T> {
    rows.sort_by_key(&mark);
    rows.dedup_by(|a, b| mark(a) == mark(b));
    if ask.way == Way::Down {
        rows.reverse();
    }
    let beyond = |row: &T, place: &Mark| match ask.way {
        Way::Up => mark(row) > *place,
        Way::Down => mark(row) < *place,
    };
    let most = usize::try_from(ask.most).unwrap_or(usize::MAX);
    let start = match &ask.place {
        Place::Start => 0,
        Place::After(place) => rows.iter().position(|row| beyond(row, place)).unwrap_or(rows.len()),
        Place::Before(place) => {
            let end = rows.iter().position(|row| mark(row) == *place || beyond(row, place));
            end.unwrap_or(rows.len()).saturating_sub(most)
        }
    };
    let more = rows.len() > start.saturating_add(most);
    let rows: Vec<T> = rows.into_iter().skip(start).take(most).collect();
    let before = rows.first().filter(|_| start > 0).map(&mark);
    let after = rows.last().filter(|_| more).map(&mark);
    Slice { rows, before, after }
}

struct Bound<'a>(Param<'a>);

impl<'a> IntoParam<'a> for Bound<'a> {
    fn into_param(self) -> Param<'a> {
        self.0
    }
}
