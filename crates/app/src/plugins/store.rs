//! SQL of plug-ins, and of the drop-ship list.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{LineId, MerchantId, OrderId, PluginId, Timestamp};

use super::Plugin;

const COLUMNS: &str = "SELECT id, merchant_id, name, url, secret_sealed, created_at FROM plugins";

/// Writes a plug-in.
pub fn insert(tx: &mut Tx<'_>, plugin: &Plugin) -> Result<(), DbError> {
    sql("INSERT INTO plugins (id, merchant_id, name, url, secret_sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(plugin.id)
    .bind(plugin.merchant)
    .bind(&plugin.name)
    .bind(&plugin.url)
    .bind(&plugin.secret_sealed)
    .bind(plugin.created_at)
    .execute(tx)
    .map(drop)
}

/// Changes where a plug-in listens, or its secret.
pub fn save(tx: &mut Tx<'_>, plugin: &Plugin) -> Result<(), DbError> {
    sql("UPDATE plugins SET url = $1, secret_sealed = $2 WHERE merchant_id = $3 AND id = $4")
        .bind(&plugin.url)
        .bind(&plugin.secret_sealed)
        .bind(plugin.merchant)
        .bind(plugin.id)
        .change_one(tx)
}

/// Removes a plug-in.
pub fn remove(tx: &mut Tx<'_>, merchant: MerchantId, id: PluginId) -> Result<bool, DbError> {
    let removed =
        sql("DELETE FROM plugins WHERE merchant_id = $1 AND id = $2").bind(merchant).bind(id).execute(tx)?;
    Ok(removed == 1)
}

/// A merchant's plug-ins, by name.
pub fn list(source: &mut impl Source, merchant: MerchantId) -> Result<Vec<Plugin>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 ORDER BY name")).bind(merchant).all(source, read)
}

/// By id.
pub fn by_id(
    source: &mut impl Source,
    merchant: MerchantId,
    id: PluginId,
) -> Result<Option<Plugin>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(id)
        .optional(source, read)
}

fn read(row: &mut Row) -> Result<Plugin, DbError> {
    Ok(Plugin {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        name: row.get("name")?,
        url: row.get("url")?,
        secret_sealed: row.get("secret_sealed")?,
        created_at: row.get("created_at")?,
    })
}

/// Something that staff send.
#[derive(Debug, Clone)]
pub struct Shipment {
    /// For which order.
    pub order: OrderId,
    /// For which line.
    pub line: LineId,
    /// For which of its units.
    pub unit_no: u32,
    /// What the spec says of it.
    pub parameter: String,
    /// Whether it was sent.
    pub sent: bool,
    /// The item number.
    pub sku: String,
    /// The item.
    pub item: String,
    /// How many the unit stands for.
    pub capacity: u32,
    /// To whom.
    pub buyer_name: String,
    /// Their mail address.
    pub email: String,
    /// Their postal address, as far as it is known.
    pub address: String,
    /// Their country.
    pub country: String,
    /// Since when it is owed.
    pub wanted_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// The drop-ship list: what waits, oldest first, or what was sent, newest first. What was taken
/// back meanwhile is not on it.
pub fn shipments(
    source: &mut impl Source,
    merchant: MerchantId,
    sent: bool,
    most: u32,
) -> Result<Vec<Shipment>, DbError> {
    let (state, order) = if sent { ("'done'", "p.changed_at DESC") } else { ("'waiting'", "p.created_at") };
    sql(format!(
        "SELECT p.order_id AS order_id, p.line_id AS line_id, p.unit_no AS unit_no, p.subject AS subject,
                p.state AS state, l.sku AS sku, l.name AS name, u.capacity AS capacity, o.buyer_name AS buyer_name,
                c.email AS email, c.address AS address, COALESCE(o.buyer_country, '') AS country,
                p.created_at AS created_at, p.changed_at AS changed_at
           FROM unit_parts p
           JOIN grants g ON g.line_id = p.line_id AND g.unit_no = p.unit_no
           JOIN units u ON u.line_id = p.line_id AND u.unit_no = p.unit_no
           JOIN order_lines l ON l.id = p.line_id
           JOIN orders o ON o.id = p.order_id
           JOIN customers c ON c.id = g.customer_id
          WHERE p.merchant_id = $1 AND p.part = 'drop_ship' AND p.state = {state} AND g.status = 'active'
          ORDER BY {order}, p.line_id, p.unit_no LIMIT $2"
    ))
    .bind(merchant)
    .bind(most)
    .all(source, |row| {
        let state: String = row.get("state")?;
        Ok(Shipment {
            order: row.get("order_id")?,
            line: row.get("line_id")?,
            unit_no: row.get("unit_no")?,
            parameter: row.get("subject")?,
            sent: state == "done",
            sku: row.get("sku")?,
            item: row.get("name")?,
            capacity: row.get("capacity")?,
            buyer_name: row.get("buyer_name")?,
            email: row.get("email")?,
            address: row.get("address")?,
            country: row.get("country")?,
            wanted_at: row.get("created_at")?,
            changed_at: row.get("changed_at")?,
        })
    })
}
