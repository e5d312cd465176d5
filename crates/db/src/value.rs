//! Values on their way into and out of statements.

use std::borrow::Cow;
use std::sync::Arc;

use kernel::{Currency, EmailAddress, Secret, Span, Timestamp};

use crate::DbError;

/// A value bound to a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param<'a> {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(Cow<'a, str>),
    /// BLOB or BYTEA.
    Bytes(Cow<'a, [u8]>),
}

/// What can be bound to a placeholder.
pub trait IntoParam<'a> {
    /// The value as the engines know it.
    fn into_param(self) -> Param<'a>;
}

/// A value out of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BLOB or BYTEA.
    Bytes(Vec<u8>),
}

/// What can be read out of a column.
pub trait FromColumn: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// What is wrong with it, for [`DbError::Decode`].
    fn from_value(value: Value) -> Result<Self, String>;
}

impl Value {
    /// The value as an argument, for writing back what was read.
    pub fn as_param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(number) => Param::Int(*number),
            Self::Text(text) => Param::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Param::Bytes(Cow::Borrowed(bytes)),
        }
    }
}

impl<'a> IntoParam<'a> for &'a Value {
    fn into_param(self) -> Param<'a> {
        self.as_param()
    }
}

impl Param<'_> {
    /// The same value, owning its bytes.
    pub(crate) fn into_owned(self) -> Param<'static> {
        match self {
            Self::Null => Param::Null,
            Self::Int(number) => Param::Int(number),
            Self::Text(text) => Param::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Param::Bytes(Cow::Owned(bytes.into_owned())),
        }
    }
}

/// What all rows of an answer have in common.
#[derive(Debug)]
pub(crate) struct Shape {
    pub columns: Vec<String>,
    /// The beginning of the statement.
    pub statement: Arc<str>,
}

/// One row of an answer.
#[derive(Debug)]
pub struct Row {
    pub(crate) shape: Arc<Shape>,
    pub(crate) values: Vec<Value>,
    /// Which row of the answer it is, from 1.
    pub(crate) number: usize,
}

impl Row {
    /// The value of a column by name. A value can be taken once.
    ///
    /// # Errors
    /// When there is no such column or its value does not fit the type.
    pub fn get<T: FromColumn>(&mut self, column: &str) -> Result<T, DbError> {
        let place = self.shape.columns.iter().position(|name| name == column);
        let value = place.and_then(|place| self.take(place));
        let read = value.ok_or_else(|| "no such column".to_owned()).and_then(T::from_value);
        read.map_err(|problem| DbError::Decode {
            column: column.to_owned(),
            problem: format!("{problem} ({})", self.whereabouts()),
            statement: self.shape.statement.to_string(),
        })
    }

    /// The first column is mostly the key and stays, to tell which row could not be read.
    fn take(&mut self, place: usize) -> Option<Value> {
        let slot = self.values.get_mut(place)?;
        Some(if place == 0 { slot.clone() } else { std::mem::replace(slot, Value::Null) })
    }

    fn whereabouts(&self) -> String {
        let table = table_of(&self.shape.statement).unwrap_or("unknown");
        let first = self.shape.columns.first().zip(self.values.first());
        let key = match first {
            Some((name, Value::Text(text))) => {
                format!(", {name} = \"{}\"", text.chars().take(KEY_SHOWN_MAX).collect::<String>())
            }
            Some((name, Value::Int(number))) => format!(", {name} = {number}"),
            _ => String::new(),
        };
        format!("table {table}, row {} of the answer{key}", self.number)
    }
}

/// How much of a row's key an error message shows.
const KEY_SHOWN_MAX: usize = 60;

/// The table a statement reads first.
fn table_of(statement: &str) -> Option<&str> {
    let mut words = statement.split_whitespace();
    words.find(|word| ["FROM", "INTO", "UPDATE"].iter().any(|key| word.eq_ignore_ascii_case(key)))?;
    words.next().map(|name| name.trim_matches(|c: char| !c.is_alphanumeric() && c != '_'))
}

macro_rules! int_param {
    ($($type:ty),*) => {$(
        impl<'a> IntoParam<'a> for $type {
            fn into_param(self) -> Param<'a> {
                Param::Int(i64::from(self))
            }
        }
        impl FromColumn for $type {
            fn from_value(value: Value) -> Result<Self, String> {
                let Value::Int(number) = value else { return Err(unexpected(&value, "a whole number")) };
                Self::try_from(number).map_err(|_| format!("{number}, which is out of range"))
            }
        }
    )*};
}
int_param!(i64, i32, u32, u16, u8);

impl<'a> IntoParam<'a> for u64 {
    /// Sizes and counters: what does not fit 63 bits is stored as the largest number.
    fn into_param(self) -> Param<'a> {
        Param::Int(i64::try_from(self).unwrap_or(i64::MAX))
    }
}

impl FromColumn for u64 {
    fn from_value(value: Value) -> Result<Self, String> {
        i64::from_value(value).and_then(|n| Self::try_from(n).map_err(|_| format!("{n}, which is negative")))
    }
}

fn unexpected(value: &Value, wanted: &str) -> String {
    let got = match value {
        Value::Null => "NULL",
        Value::Int(_) => "a number",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
    };
    format!("{got}, not {wanted}")
}

impl<'a> IntoParam<'a> for &'a str {
    fn into_param(self) -> Param<'a> {
        Param::Text(Cow::Borrowed(self))
    }
}

impl<'a> IntoParam<'a> for String {
    fn into_param(self) -> Param<'a> {
        Param::Text(Cow::Owned(self))
    }
}

impl<'a> IntoParam<'a> for &'a String {
    fn into_param(self) -> Param<'a> {
        Param::Text(Cow::Borrowed(self))
    }
}

impl<'a> IntoParam<'a> for &'a [u8] {
    fn into_param(self) -> Param<'a> {
        Param::Bytes(Cow::Borrowed(self))
    }
}

impl<'a> IntoParam<'a> for Vec<u8> {
    fn into_param(self) -> Param<'a> {
        Param::Bytes(Cow::Owned(self))
    }
}

impl<'a> IntoParam<'a> for &'a Vec<u8> {
    fn into_param(self) -> Param<'a> {
        Param::Bytes(Cow::Borrowed(self))
    }
}

impl<'a, const N: usize> IntoParam<'a> for [u8; N] {
    fn into_param(self) -> Param<'a> {
        Param::Bytes(Cow::Owned(self.to_vec()))
    }
}

impl<'a, T: IntoParam<'a>> IntoParam<'a> for Option<T> {
    fn into_param(self) -> Param<'a> {
        self.map_or(Param::Null, T::into_param)
    }
}

impl FromColumn for String {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(unexpected(&other, "text")),
        }
    }
}

impl FromColumn for Vec<u8> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(unexpected(&other, "bytes")),
        }
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_value(value: Value) -> Result<Self, String> {
        let bytes = Vec::<u8>::from_value(value)?;
        Self::try_from(bytes).map_err(|bytes| format!("{} bytes, not {N}", bytes.len()))
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl<'a> IntoParam<'a> for Timestamp {
    fn into_param(self) -> Param<'a> {
        Param::Int(self.as_micros())
    }
}

impl FromColumn for Timestamp {
    fn from_value(value: Value) -> Result<Self, String> {
        i64::from_value(value).map(Self::from_micros)
    }
}

impl<'a> IntoParam<'a> for Span {
    fn into_param(self) -> Param<'a> {
        Param::Int(self.as_micros())
    }
}

impl FromColumn for Span {
    fn from_value(value: Value) -> Result<Self, String> {
        i64::from_value(value).map(Self::micros)
    }
}

impl<'a> IntoParam<'a> for &'a Secret<String> {
    fn into_param(self) -> Param<'a> {
        Param::Text(Cow::Borrowed(self.expose()))
    }
}

impl<'a> IntoParam<'a> for &'a serde_json::Value {
    fn into_param(self) -> Param<'a> {
        Param::Text(Cow::Owned(self.to_string()))
    }
}

impl FromColumn for serde_json::Value {
    fn from_value(value: Value) -> Result<Self, String> {
        let text = String::from_value(value)?;
        serde_json::from_str(&text).map_err(|error| format!("text that is not JSON: {error}"))
    }
}

macro_rules! text_values {
    ($($type:ty),* $(,)?) => {$(
        impl<'a> IntoParam<'a> for $type {
            fn into_param(self) -> Param<'a> {
                Param::Text(Cow::Owned(self.to_string()))
            }
        }
        impl<'a> IntoParam<'a> for &$type {
            fn into_param(self) -> Param<'a> {
                Param::Text(Cow::Owned(self.to_string()))
            }
        }
        impl FromColumn for $type {
            fn from_value(value: Value) -> Result<Self, String> {
                let text = String::from_value(value)?;
                text.parse().map_err(|error| format!("{error}"))
            }
        }
    )*};
}

text_values!(
    Currency,
    EmailAddress,
    kernel::ApiKeyId,
    kernel::ChoiceId,
    kernel::ConnectionId,
    kernel::CustomerId,
    kernel::DownloadId,
    kernel::EventId,
    kernel::FactId,
    kernel::FileVersionId,
    kernel::GrantChangeId,
    kernel::GrantId,
    kernel::InvoiceId,
    kernel::JobId,
    kernel::LineId,
    kernel::LoginTokenId,
    kernel::MerchantId,
    kernel::MessageId,
    kernel::NoticeId,
    kernel::OrderId,
    kernel::PaymentId,
    kernel::PluginId,
    kernel::PriceId,
    kernel::ProductFileId,
    kernel::ProductId,
    kernel::ReviewId,
    kernel::SessionId,
    kernel::StaffId,
    kernel::TransferId,
    kernel::UploadId,
);

/// An enum that is stored as text: one word per variant, both ways, in one list.
///
/// ```
/// db::words! {
///     /// Where a job is in its life.
///     pub enum JobState {
///         /// Waiting for its time.
///         Ready = "ready",
///         /// Leased to a worker.
///         Running = "running",
///     }
/// }
/// assert_eq!(JobState::Ready.as_str(), "ready");
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$outer:meta])* pub enum $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)* }

        impl $name {
            /// Every variant, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word that stands for it in the database and the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!(
                        "\"{}\", which is not one of: {}",
                        other.chars().take(40).collect::<String>(),
                        [$($word),*].join(", "),
                    )),
                }
            }
        }

        impl<'a> $crate::IntoParam<'a> for $name {
            fn into_param(self) -> $crate::Param<'a> {
                $crate::Param::Text(std::borrow::Cow::Borrowed(self.as_str()))
            }
        }

        impl $crate::FromColumn for $name {
            fn from_value(value: $crate::Value) -> Result<Self, String> {
                let text = <String as $crate::FromColumn>::from_value(value)?;
                text.parse()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
