//! SQL of choices.

use db::{DbError, Source, Tx, sql};
use kernel::{ChoiceId, MerchantId, Timestamp};
use serde_json::{Map, Value};

use super::{Answers, Choice};

/// Keeps answers.
pub fn insert(tx: &mut Tx<'_>, choice: &Choice) -> Result<(), DbError> {
    let attributes = Value::Object(choice.answers.attributes.clone());
    let inputs = Value::Object(choice.answers.inputs.clone());
    sql("INSERT INTO choices (id, merchant_id, product_id, attributes, inputs, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(choice.id)
    .bind(choice.merchant)
    .bind(choice.product)
    .bind(&attributes)
    .bind(&inputs)
    .bind(choice.created_at)
    .execute(tx)
    .map(drop)
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: ChoiceId,
) -> Result<Option<Choice>, DbError> {
    sql("SELECT id, merchant_id, product_id, attributes, inputs, created_at FROM choices
          WHERE merchant_id = $1 AND id = $2")
    .bind(merchant)
    .bind(id)
    .optional(source, |row| {
        let map = |value: Value| match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Ok(Choice {
            id: row.get("id")?,
            merchant: row.get("merchant_id")?,
            product: row.get("product_id")?,
            answers: Answers { attributes: map(row.get("attributes")?), inputs: map(row.get("inputs")?) },
            created_at: row.get("created_at")?,
        })
    })
}

/// Whether any is older than this.
pub fn any_before(source: &mut impl Source, before: Timestamp) -> Result<bool, DbError> {
    let found = sql("SELECT id FROM choices WHERE created_at < $1 LIMIT 1")
        .bind(before)
        .optional(source, |_| Ok(()))?;
    Ok(found.is_some())
}

/// Forgets those that are older than this.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), DbError> {
    sql("DELETE FROM choices WHERE created_at < $1").bind(before).execute(tx).map(drop)
}
