//! Which column of a table holds what.

/// What is looked for in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Sku,
    Name,
    Description,
    Price,
    Currency,
    Payload,
    Attribute,
    Kind,
}

/// By which headings each field is found, in small letters and digits only. The manual names `PayloadLoc`,
/// `ATTRIBUTE` and `productType`; the others are what shops of the time called them.
const HEADINGS: [(Field, &str, &[&str]); 8] = [
    (
        Field::Sku,
        "sku",
        &["sku", "itemid", "itemnumber", "itemno", "itemcode", "item", "productid", "partnumber"],
    ),
    (Field::Name, "name", &["name", "itemname", "productname", "title"]),
    (Field::Description, "description", &["description", "itemdescription", "productdescription"]),
    (Field::Price, "price", &["price", "unitprice", "itemprice", "saleprice"]),
    (Field::Currency, "currency", &["currency", "currencycode"]),
    (Field::Payload, "payload", &["payloadloc", "payloadlocation", "payload"]),
    (Field::Attribute, "attribute", &["attribute", "attributes"]),
    (Field::Kind, "type", &["producttype"]),
];

/// By which headings columns are found.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    own: Vec<(Field, String)>,
}

/// Why a column cannot be named so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// No equals sign, or nothing beside it.
    #[error("\"{0}\" is not FIELD=HEADING, as in price=ItemCost")]
    Form(String),
    /// Another field.
    #[error(
        "there is no field \"{0}\"; expected sku, name, description, price, currency, payload, attribute or type"
    )]
    Field(String),
}

impl Columns {
    /// The usual headings, but for these fields: `price=ItemCost`.
    ///
    /// # Errors
    /// [`ColumnsError`].
    pub fn new<'a>(own: impl IntoIterator<Item = &'a str>) -> Result<Self, ColumnsError> {
        let one = |text: &str| {
            let (field, heading) = text.split_once('=').ok_or_else(|| ColumnsError::Form(text.to_owned()))?;
            if plain(heading).is_empty() {
                return Err(ColumnsError::Form(text.to_owned()));
            }
            let known = HEADINGS.iter().find(|(_, name, _)| *name == field.trim());
            let (field, _, _) = known.ok_or_else(|| ColumnsError::Field(field.trim().to_owned()))?;
            Ok((*field, plain(heading)))
        };
        Ok(Self { own: own.into_iter().map(one).collect::<Result<_, _>>()? })
    }

    /// What the column with this heading holds.
    pub(super) fn field(&self, heading: &str) -> Option<Field> {
        let heading = plain(heading);
        if let Some((field, _)) = self.own.iter().find(|(_, own)| *own == heading) {
            return Some(*field);
        }
        let known = HEADINGS.iter().find(|(_, _, known)| known.contains(&heading.as_str()))?;
        // A field that has a heading of its own is not found by another.
        self.own.iter().all(|(own, _)| *own != known.0).then_some(known.0)
    }
}

fn plain(heading: &str) -> String {
    heading.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_known_in_any_spelling() {
        let columns = Columns::default();
        assert_eq!(columns.field("PayloadLoc"), Some(Field::Payload));
        assert_eq!(columns.field(" Item_Number "), Some(Field::Sku));
        assert_eq!(columns.field("Weight"), None);
    }

    #[test]
    fn a_heading_of_one_s_own_replaces_the_usual_ones() {
        let columns = Columns::new(["price=Item Cost"]).expect("a column");
        assert_eq!(columns.field("ITEMCOST"), Some(Field::Price));
        assert_eq!(columns.field("Price"), None);
        assert!(matches!(Columns::new(["price"]), Err(ColumnsError::Form(_))));
        assert!(matches!(Columns::new(["weight=W"]), Err(ColumnsError::Field(_))));
    }
}
