//! Statements: one text for both engines, arguments by number.

use std::borrow::Cow;
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
        let words: Vec<&str> = self.text.split_whitespace().collect();
        words.join(" ").chars().take(80).collect()
    }
}

/// A statement's text made ready for one engine, kept with the prepared statement.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The text with the other engine's words taken out.
    pub text: String,
    /// For each placeholder in the order of first appearance: the index of its argument.
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
    /// Reads placeholders and braces. Quoted text and comments are passed over.
    pub fn new(text: &str, braces: Braces) -> Result<Self, DbError> {
        let wrong =
            |problem: String| DbError::Statement { statement: text.chars().take(80).collect(), problem };
        let mut out = String::with_capacity(text.len());
        let mut order: Vec<usize> = Vec::new();
        let mut in_braces = false;
        let mut quote: Option<char> = None;
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let kept = !(in_braces && braces == Braces::Drop);
            match letter {
                _ if quote.is_some() => {
                    if quote == Some(letter) {
                        quote = None;
                    }
                    if kept {
                        out.push(letter);
                    }
                }
                '\'' | '"' => {
                    quote = Some(letter);
                    if kept {
                        out.push(letter);
                    }
                }
                '{' => in_braces = true,
                '}' => in_braces = false,
                '$' => {
                    let mut digits = String::new();
                    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                        digits.push(digit);
                    }
                    let number: usize =
                        digits.parse().map_err(|_| wrong("a $ without a number".to_owned()))?;
                    let index =
                        number.checked_sub(1).ok_or_else(|| wrong("$0 is no placeholder".to_owned()))?;
                    if !order.contains(&index) {
                        order.push(index);
                    }
                    if kept {
                        out.push('$');
                        out.push_str(&digits);
                    }
                }
                other if kept => out.push(other),
                _ => {}
            }
        }
        let arity = order.iter().max().map_or(0, |largest| largest + 1);
        if let Some(missing) = (0..arity).find(|index| !order.contains(index)) {
            return Err(wrong(format!("${} is never used", missing + 1)));
        }
        let name: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
        Ok(Self { text: out, order, arity, name: name.into() })
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
