//! Statements: one text for both engines, arguments by number.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::{DbError, IntoParam, Param, Row, Source, Tx};

/// Begins a statement. `$1` is the first bound value, wherever and however often it stands.
pub fn sql<'a>(text: impl Into<Cow<'static, str>>) -> Sql<'a> {
    Sql { text: text.into(), params: Vec::new() }
}

/// A statement with its arguments.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct Sql<'a> {
    pub(crate) text: Cow<'static, str>,
    pub(crate) params: Vec<Param<'a>>,
}

/// Whether an `INSERT … ON CONFLICT DO NOTHING` inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// The row is new.
    New,
    /// A row with this key was there already, and is unchanged.
    Existing,
}

impl<'a> Sql<'a> {
    /// Binds the next placeholder.
    pub fn bind<'p: 'a>(mut self, value: impl IntoParam<'p>) -> Self {
        self.params.push(value.into_param());
        self
    }

    /// Runs it and tells how many rows it changed.
    ///
    /// # Errors
    /// Whatever the engine refuses; the transaction is then poisoned.
    pub fn execute(self, tx: &mut Tx) -> Result<u64, DbError> {
        tx.execute(&self)
    }

    /// Runs a change that must hit exactly one row.
    ///
    /// # Errors
    /// [`DbError::Conflict`] when it hit none or several: the version check turns a lost update
    /// into this.
    pub fn change_one(self, tx: &mut Tx) -> Result<(), DbError> {
        match tx.execute(&self)? {
            1 => Ok(()),
            changed => {
                let error = DbError::Conflict(format!("{changed} rows changed by \"{}\"", self.beginning()));
                tx.poison(&error);
                Err(error)
            }
        }
    }

    /// Runs an `INSERT … ON CONFLICT DO NOTHING` and tells whether the row is new.
    ///
    /// # Errors
    /// Whatever the engine refuses; a conflict is an answer, not an error.
    pub fn insert_new(self, tx: &mut Tx) -> Result<Inserted, DbError> {
        Ok(if tx.execute(&self)? == 0 { Inserted::Existing } else { Inserted::New })
    }

    /// All rows, each through `read`.
    ///
    /// # Errors
    /// What the engine or `read` refuses.
    pub fn all<T>(
        self,
        source: &mut impl Source,
        mut read: impl FnMut(&mut Row) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        let rows = source.query(&self)?;
        rows.into_iter().map(|mut row| read(&mut row)).collect()
    }

    /// The row, if there is one.
    ///
    /// # Errors
    /// What the engine or `read` refuses.
    pub fn optional<T>(
        self,
        source: &mut impl Source,
        read: impl FnOnce(&mut Row) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        let row = source.query(&self)?.into_iter().next();
        row.map(|mut row| read(&mut row)).transpose()
    }

    /// The row, which must be there.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it is not.
    pub fn one<T>(
        self,
        source: &mut impl Source,
        read: impl FnOnce(&mut Row) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let beginning = self.beginning();
        self.optional(source, read)?.ok_or(DbError::NotFound(beginning))
    }

    pub(crate) fn beginning(&self) -> String {
        beginning(&self.text)
    }
}

/// How much of a statement an error message shows.
const SHOWN_MAX: usize = 160;

/// The first words of a statement, for messages.
pub(crate) fn beginning(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > SHOWN_MAX {
            break;
        }
    }
    out.chars().take(SHOWN_MAX).collect()
}

/// A statement's text made ready for one engine, kept with the prepared statement.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The text with the other engine's words taken out.
    pub text: String,
    /// For each placeholder of `text` in the order of first appearance: the index of its
    /// argument. SQLite numbers `$n` by first appearance, not by `n`.
    pub order: Vec<usize>,
    /// How many arguments it takes.
    pub arity: usize,
    /// For error messages.
    pub name: Arc<str>,
}

/// What stays of `{…}`: PostgreSQL's words, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Braces {
    Keep,
    Drop,
}

impl Prepared {
    /// Reads placeholders and braces. Quoted text is passed over, comments are dropped.
    pub fn new(text: &str, braces: Braces) -> Result<Self, DbError> {
        let wrong = |problem: String| DbError::Statement { statement: beginning(text), problem };
        let mut out = String::with_capacity(text.len());
        let mut order: Vec<usize> = Vec::new();
        let mut used: Vec<usize> = Vec::new();
        let mut in_braces = false;
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let token = Token::read(rest).map_err(wrong)?;
            rest = rest.get(token.length..).unwrap_or_default();
            let kept = !(in_braces && braces == Braces::Drop);
            match token.kind {
                TokenKind::Open if in_braces => return Err(wrong("{ inside { }".to_owned())),
                TokenKind::Open => in_braces = true,
                TokenKind::Close if !in_braces => return Err(wrong("} without {".to_owned())),
                TokenKind::Close => in_braces = false,
                TokenKind::Comment => out.push(' '),
                TokenKind::Placeholder(index) => {
                    used.push(index);
                    if kept {
                        out.push_str(&format!("${}", index + 1));
                        if !order.contains(&index) {
                            order.push(index);
                        }
                    }
                }
                TokenKind::Quoted(quoted) if kept => out.push_str(quoted),
                TokenKind::Letter if kept => out.push(letter),
                TokenKind::Quoted(_) | TokenKind::Letter => {}
            }
        }
        if in_braces {
            return Err(wrong("{ without }".to_owned()));
        }
        let arity = used.iter().max().map_or(0, |largest| largest + 1);
        if let Some(missing) = (0..arity).find(|index| !used.contains(index)) {
            return Err(wrong(format!("${} is never used", missing + 1)));
        }
        Ok(Self { text: out, order, arity, name: beginning(text).into() })
    }

    /// Refuses a call with too few or too many arguments.
    pub fn check(&self, given: usize) -> Result<(), DbError> {
        if given == self.arity {
            return Ok(());
        }
        let problem = format!("takes {} arguments, got {given}", self.arity);
        Err(DbError::Statement { statement: self.name.to_string(), problem })
    }
}

/// The next piece of a statement.
struct Token<'t> {
    kind: TokenKind<'t>,
    /// In bytes.
    length: usize,
}

enum TokenKind<'t> {
    Open,
    Close,
    Comment,
    /// `$n`, as an index from 0.
    Placeholder(usize),
    /// With its quotes.
    Quoted(&'t str),
    Letter,
}

impl<'t> Token<'t> {
    /// Reads the beginning of a text that is not empty.
    fn read(text: &'t str) -> Result<Self, String> {
        let letter = text.chars().next().unwrap_or(' ');
        let until = |end: &str, from: usize| {
            let after = text.get(from..).unwrap_or_default();
            after.find(end).map(|at| from + at + end.len())
        };
        let (kind, length) = match letter {
            '{' => (TokenKind::Open, 1),
            '}' => (TokenKind::Close, 1),
            '\'' | '"' => {
                let quote = if letter == '"' { "\"" } else { "'" };
                let length = until(quote, 1).ok_or_else(|| format!("a {quote} without its end"))?;
                (TokenKind::Quoted(text.get(..length).unwrap_or_default()), length)
            }
            '-' if text.starts_with("--") => (TokenKind::Comment, until("\n", 2).unwrap_or(text.len())),
            '/' if text.starts_with("/*") => {
                (TokenKind::Comment, until("*/", 2).ok_or("a /* without its end")?)
            }
            '$' => {
                let digits = text.bytes().skip(1).take_while(u8::is_ascii_digit).count();
                let number = text.get(1..=digits).and_then(|n| n.parse::<usize>().ok());
                let index = number.ok_or("a $ without a number")?.checked_sub(1);
                (TokenKind::Placeholder(index.ok_or("$0 is no placeholder")?), digits + 1)
            }
            other => (TokenKind::Letter, other.len_utf8()),
        };
        Ok(Self { kind, length })
    }
}

/// Statements kept by their text.
///
/// Texts that live as long as the program are found by address, which costs nothing to hash;
/// the few that are put together at run time are found by content and thrown away when they
/// grow too many.
pub(crate) struct Shelf<T> {
    fixed: HashMap<(usize, usize), T>,
    made: HashMap<String, T>,
}

/// How many statements put together at run time are kept.
const MADE_MAX: usize = 256;

impl<T> Shelf<T> {
    pub fn new() -> Self {
        Self { fixed: HashMap::new(), made: HashMap::new() }
    }

    /// The entry of a text, made when it is missing.
    #[expect(clippy::ptr_arg, reason = "which of the two it is decides how it is found")]
    pub fn find(
        &mut self,
        text: &Cow<'static, str>,
        make: impl FnOnce(&str) -> Result<T, DbError>,
    ) -> Result<&mut T, DbError> {
        match text {
            Cow::Borrowed(fixed) => match self.fixed.entry((fixed.as_ptr().addr(), fixed.len())) {
                Entry::Occupied(found) => Ok(found.into_mut()),
                Entry::Vacant(empty) => Ok(empty.insert(make(fixed)?)),
            },
            Cow::Owned(made) => {
                if self.made.len() >= MADE_MAX && !self.made.contains_key(made) {
                    self.made.clear();
                }
                match self.made.entry(made.clone()) {
                    Entry::Occupied(found) => Ok(found.into_mut()),
                    Entry::Vacant(empty) => Ok(empty.insert(make(made)?)),
                }
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.fixed.clear();
        self.made.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(text: &str) -> Prepared {
        Prepared::new(text, Braces::Drop).expect("a good statement")
    }

    #[test]
    fn placeholders_are_kept_in_the_order_they_stand() {
        assert_eq!(sqlite("SELECT $2, $1, $2").order, [1, 0]);
    }

    #[test]
    fn words_in_braces_are_for_postgres() {
        let text = "SELECT 1 {FOR UPDATE}";
        assert_eq!(sqlite(text).text, "SELECT 1 ");
        let kept = Prepared::new(text, Braces::Keep).expect("a good statement");
        assert_eq!(kept.text, "SELECT 1 FOR UPDATE");
    }

    #[test]
    fn an_argument_that_only_postgres_uses_still_counts() {
        let prepared = sqlite("SELECT $1 {OFFSET $2}");
        assert_eq!((prepared.arity, prepared.order.as_slice()), (2, [0].as_slice()));
    }

    #[test]
    fn quotes_and_comments_hide_what_they_hold() {
        let prepared = sqlite("SELECT '{$7' -- don't {\n, $1 /* $9 */");
        assert_eq!((prepared.arity, prepared.text.as_str()), (1, "SELECT '{$7'  , $1  "));
    }

    #[test]
    fn a_gap_in_the_numbers_is_refused() {
        let error = Prepared::new("SELECT $1, $3", Braces::Keep).expect_err("a gap");
        assert!(error.to_string().contains("$2 is never used"), "{error}");
    }

    #[test]
    fn braces_that_do_not_close_are_refused() {
        assert!(Prepared::new("SELECT 1 {FOR UPDATE", Braces::Drop).is_err());
        assert!(Prepared::new("SELECT 1 FOR UPDATE}", Braces::Drop).is_err());
    }
}
