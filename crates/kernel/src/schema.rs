//! How the words look in the API's document: each is a string of a certain form.

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

use crate::{Currency, EmailAddress, Timestamp};

/// A string's form.
pub(crate) struct Form {
    pub name: &'static str,
    pub description: &'static str,
    pub format: Option<&'static str>,
    /// Of an id.
    pub prefix: Option<&'static str>,
    pub example: &'static str,
}

pub(crate) trait Described {
    const FORM: Form;
}

impl Form {
    pub fn schema(&self) -> RefOr<Schema> {
        let pattern = self.prefix.map(|prefix| format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(self.description.trim()))
            .format(self.format.map(|format| SchemaFormat::Custom(format.to_owned())))
            .pattern(pattern)
            .examples([self.example])
            .into()
    }
}

macro_rules! described {
    ($($name:ident),*) => {$(
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as crate::schema::Described>::FORM.schema()
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                <Self as crate::schema::Described>::FORM.name.into()
            }
        }
    )*};
}
pub(crate) use described;

impl Described for Timestamp {
    const FORM: Form = Form {
        name: "Timestamp",
        description: "A point in time, RFC 3339.",
        format: Some("date-time"),
        prefix: None,
        example: "2027-01-15T08:00:00.123456Z",
    };
}

impl Described for Currency {
    const FORM: Form = Form {
        name: "Currency",
        description: "A currency of ISO 4217, in capital letters.",
        format: None,
        prefix: None,
        example: "EUR",
    };
}

impl Described for EmailAddress {
    const FORM: Form = Form {
        name: "EmailAddress",
        description: "A mail address, in lower case.",
        format: Some("email"),
        prefix: None,
        example: "ada@example.com",
    };
}

described!(Timestamp, Currency, EmailAddress);
