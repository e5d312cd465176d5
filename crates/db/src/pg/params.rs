//! Values on their way to and from PostgreSQL, in its binary formats.
//!
//! A number goes to whatever number type the server wants for the placeholder; the schema uses
//! BIGINT, but a server function may ask for INT.

use std::error::Error;

use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{Param, Value};

type Problem = Box<dyn Error + Sync + Send>;

/// A value bound to a placeholder of any type.
#[derive(Debug)]
pub(crate) struct Bound<'a>(pub &'a Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        match self.0 {
            Param::Null => return Ok(IsNull::Yes),
            Param::Int(number) => match *wanted {
                Type::INT8 => out.extend_from_slice(&number.to_be_bytes()),
                Type::INT4 => out.extend_from_slice(&i32::try_from(*number)?.to_be_bytes()),
                Type::INT2 => out.extend_from_slice(&i16::try_from(*number)?.to_be_bytes()),
                Type::OID => out.extend_from_slice(&u32::try_from(*number)?.to_be_bytes()),
                Type::BOOL => out.extend_from_slice(&[u8::from(*number != 0)]),
                _ if is_text(wanted) => out.extend_from_slice(number.to_string().as_bytes()),
                _ => return Err(format!("a number cannot become {wanted}; write CAST($n AS BIGINT)").into()),
            },
            Param::Text(text) => match *wanted {
                Type::JSONB => {
                    out.extend_from_slice(&[JSONB_VERSION]);
                    out.extend_from_slice(text.as_bytes());
                }
                _ if is_text(wanted) => out.extend_from_slice(text.as_bytes()),
                _ => return Err(format!("text cannot become {wanted}").into()),
            },
            Param::Bytes(bytes) => match *wanted {
                Type::BYTEA => out.extend_from_slice(bytes),
                _ => return Err(format!("bytes cannot become {wanted}").into()),
            },
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

const JSONB_VERSION: u8 = 1;

fn is_text(wanted: &Type) -> bool {
    matches!(*wanted, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::UNKNOWN)
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(given: &Type, raw: &'a [u8]) -> Result<Self, Problem> {
        Ok(match *given {
            Type::INT8 => Self::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Self::Int(i16::from_be_bytes(raw.try_into()?).into()),
            Type::OID => Self::Int(u32::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Self::Int(raw.iter().any(|byte| *byte != 0).into()),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            // As SQLite's are: numbers with a fraction are for looking at, not for reckoning.
            Type::FLOAT8 => Self::Text(f64::from_be_bytes(raw.try_into()?).to_string()),
            Type::JSONB => Self::Text(std::str::from_utf8(raw.get(1..).unwrap_or_default())?.to_owned()),
            _ if is_text(given) => Self::Text(std::str::from_utf8(raw)?.to_owned()),
            Type::NUMERIC => return Err("is NUMERIC; write CAST(… AS BIGINT)".into()),
            _ => return Err(format!("is {given}, which has no portable form").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Problem> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
