//! SQL of the API keys.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{ApiKeyId, MerchantId, Timestamp};

use super::{ApiKey, LAST_USED_STEP};

const COLUMNS: &str =
    "SELECT id, merchant_id, name, secret_hash, scopes, created_at, created_by, revoked_at, last_used_at
    FROM api_keys";

/// Writes a new key.
pub fn insert(tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), DbError> {
    sql("INSERT INTO api_keys (id, merchant_id, name, secret_hash, scopes, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(key.id)
    .bind(key.merchant)
    .bind(&key.name)
    .bind(key.secret_hash)
    .bind(key.scopes.to_string())
    .bind(key.created_at)
    .bind(&key.created_by)
    .execute(tx)
    .map(drop)
}

/// The key that a presented text names, whoever's it is: the text is how a program says for
/// which merchant it comes.
pub fn by_presented(source: &mut impl Source, id: ApiKeyId) -> Result<Option<ApiKey>, DbError> {
    sql(format!("{COLUMNS} WHERE id = $1")).bind(id).optional(source, read)
}

/// A merchant's key.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: ApiKeyId,
) -> Result<Option<ApiKey>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(id)
        .optional(source, read)
}

/// A merchant's keys, newest first; revoked ones too. At most 1,000.
pub fn list(source: &mut impl Source, merchant: MerchantId) -> Result<Vec<ApiKey>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 ORDER BY id DESC LIMIT 1000"))
        .bind(merchant)
        .all(source, read)
}

/// How many keys of a merchant are alive.
pub fn count_alive(source: &mut impl Source, merchant: MerchantId) -> Result<i64, DbError> {
    sql("SELECT count(*) AS alive FROM api_keys WHERE merchant_id = $1 AND revoked_at IS NULL")
        .bind(merchant)
        .one(source, |row| row.get("alive"))
}

/// Kills a key that is alive.
pub fn revoke(tx: &mut Tx<'_>, merchant: MerchantId, id: ApiKeyId, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE api_keys SET revoked_at = $1 WHERE merchant_id = $2 AND id = $3 AND revoked_at IS NULL")
        .bind(now)
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

/// Writes down the last use, unless that was done within the last minute.
pub fn mark_used(tx: &mut Tx<'_>, merchant: MerchantId, id: ApiKeyId, now: Timestamp) -> Result<(), DbError> {
    sql("UPDATE api_keys SET last_used_at = $1
          WHERE merchant_id = $2 AND id = $3 AND (last_used_at IS NULL OR last_used_at <= $4)")
    .bind(now)
    .bind(merchant)
    .bind(id)
    .bind(now - LAST_USED_STEP)
    .execute(tx)
    .map(drop)
}

fn read(row: &mut Row) -> Result<ApiKey, DbError> {
    let scopes: String = row.get("scopes")?;
    Ok(ApiKey {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        name: row.get("name")?,
        secret_hash: row.get("secret_hash")?,
        scopes: scopes.parse().map_err(|problem| DbError::Decode {
            column: "scopes".to_owned(),
            problem,
            statement: "api_keys".to_owned(),
        })?,
        created_at: row.get("created_at")?,
        created_by: row.get("created_by")?,
        revoked_at: row.get("revoked_at")?,
        last_used_at: row.get("last_used_at")?,
    })
}
