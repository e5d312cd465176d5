//! SQL of the connections.

use db::{DbError, Row, Source, Tx, sql};
use gateways::Mode;
use kernel::{ConnectionId, MerchantId};

use super::{Connection, mode_word};

const COLUMNS: &str =
    "SELECT id, merchant_id, gateway, mode, name, settings, secrets_sealed, created_at, disabled_at
    FROM connections";

/// Writes a new connection.
pub fn insert(tx: &mut Tx<'_>, connection: &Connection) -> Result<(), DbError> {
    let settings = serde_json::to_string(&connection.settings).map_err(|e| DbError::Other(e.to_string()))?;
    sql("INSERT INTO connections (id, merchant_id, gateway, mode, name, settings, secrets_sealed, created_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)")
    .bind(connection.id)
    .bind(connection.merchant)
    .bind(&connection.gateway)
    .bind(mode_word(connection.mode))
    .bind(&connection.name)
    .bind(settings)
    .bind(&connection.secrets_sealed)
    .bind(connection.created_at)
    .execute(tx)
    .map(drop)
}

/// By the id in the hook path, whoever's it is: the path is how a gateway names it.
pub fn by_hook(source: &mut impl Source, id: ConnectionId) -> Result<Option<Connection>, DbError> {
    sql(format!("{COLUMNS} WHERE id = $1")).bind(id).optional(source, read)
}

/// A merchant's connection.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: ConnectionId,
) -> Result<Option<Connection>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(id)
        .optional(source, read)
}

/// A merchant's connections, oldest first.
pub fn list(source: &mut impl Source, merchant: MerchantId) -> Result<Vec<Connection>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 ORDER BY id")).bind(merchant).all(source, read)
}

/// Every connection that is on, for the checks at start.
pub fn all_enabled(source: &mut impl Source) -> Result<Vec<Connection>, DbError> {
    sql(format!("{COLUMNS} WHERE disabled_at IS NULL ORDER BY id")).all(source, read)
}

fn read(row: &mut Row) -> Result<Connection, DbError> {
    let mode: String = row.get("mode")?;
    let settings: String = row.get("settings")?;
    Ok(Connection {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        gateway: row.get("gateway")?,
        mode: if mode == "live" { Mode::Live } else { Mode::Test },
        name: row.get("name")?,
        settings: serde_json::from_str(&settings).map_err(|error| DbError::Decode {
            column: "settings".to_owned(),
            problem: error.to_string(),
            statement: "connections".to_owned(),
        })?,
        secrets_sealed: row.get("secrets_sealed")?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
    })
}

/// Switches a connection off.
pub fn disable(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: ConnectionId,
    now: kernel::Timestamp,
) -> Result<(), DbError> {
    sql("UPDATE connections SET disabled_at = COALESCE(disabled_at, $1), version = version + 1
          WHERE merchant_id = $2 AND id = $3")
    .bind(now)
    .bind(merchant)
    .bind(id)
    .change_one(tx)
}
