//! SQL of who comes to an event, as staff see it.

use db::{DbError, Row, Source, sql};
use kernel::{LineId, MerchantId, OrderId, ProductId, TicketEventId, Timestamp};

use super::check_in::{Known, standing};
use super::store::{CheckIn, read_hold};
use crate::fulfillment;

/// Somebody who comes.
#[derive(Debug, Clone)]
pub struct Attendee {
    /// The ticket.
    pub known: Known,
    /// The buyer's name.
    pub name: String,
    /// The buyer's address.
    pub email: String,
    /// What was bought.
    pub product: String,
}

/// The tickets of an event whose number is greater, by number.
///
/// `words`: only those whose buyer's name or address has these words in it.
pub fn attendees(
    source: &mut impl Source,
    (merchant, event): (MerchantId, TicketEventId),
    words: &str,
    after: u32,
    most: u32,
) -> Result<Vec<Attendee>, DbError> {
    sql("SELECT h.line_id AS line_id, h.merchant_id AS merchant_id, h.order_id AS order_id, h.event_id AS event_id,
                h.places AS places, h.state AS state, h.held_until AS held_until, h.first_number AS first_number,
                h.nonce AS nonce, h.ring_key AS ring_key, g.id AS g_id, g.unit_no AS unit_no, g.customer_id AS customer_id,
                g.status AS status, g.nonce AS g_nonce, g.ring_key AS g_ring_key, g.generation AS generation,
                g.download_limit AS download_limit, g.expires_at AS expires_at, g.created_at AS created_at,
                c.name AS buyer, c.email AS email, l.name AS product, i.checked_in_at AS checked_in_at,
                i.checked_in_by AS checked_in_by
           FROM ticket_holds h
           JOIN grants g ON g.line_id = h.line_id
           JOIN customers c ON c.id = g.customer_id
           JOIN order_lines l ON l.id = h.line_id
           LEFT JOIN ticket_check_ins i ON i.grant_id = g.id
          WHERE h.merchant_id = $1 AND h.event_id = $2 AND h.state IN ('kept', 'over')
            AND h.first_number + h.places - 1 > $3 AND h.first_number + g.unit_no - 1 > $3
            AND ($4 = '' OR lower(c.name) LIKE $4 OR lower(c.email) LIKE $4)
          ORDER BY h.first_number, g.unit_no LIMIT $5")
    .bind(merchant)
    .bind(event)
    .bind(after)
    .bind(pattern(words))
    .bind(most)
    .all(source, read)
}

fn pattern(words: &str) -> String {
    let words: String =
        words.trim().to_lowercase().chars().filter(|letter| !"%_\\".contains(*letter)).collect();
    if words.is_empty() { words } else { format!("%{words}%") }
}

fn read(row: &mut Row) -> Result<Attendee, DbError> {
    let hold = read_hold(row)?;
    let grant = fulfillment::Grant {
        id: row.get("g_id")?,
        merchant: hold.merchant,
        order: hold.order,
        line: hold.line,
        unit_no: row.get("unit_no")?,
        customer: row.get("customer_id")?,
        status: row.get("status")?,
        nonce: row.get("g_nonce")?,
        ring_key: row.get("g_ring_key")?,
        generation: row.get("generation")?,
        download_limit: row.get("download_limit")?,
        expires_at: row.get("expires_at")?,
        created_at: row.get("created_at")?,
    };
    let at: Option<Timestamp> = row.get("checked_in_at")?;
    let by: Option<String> = row.get("checked_in_by")?;
    let entered = at.zip(by).map(|(at, by)| CheckIn { at, by });
    let standing = standing(hold.state, grant.status);
    Ok(Attendee {
        known: Known { hold, grant, standing, entered },
        name: row.get("buyer")?,
        email: row.get("email")?,
        product: row.get("product")?,
    })
}

/// How many are in.
pub fn entered(source: &mut impl Source, merchant: MerchantId, event: TicketEventId) -> Result<u32, DbError> {
    sql("SELECT count(*) AS entered FROM ticket_check_ins WHERE merchant_id = $1 AND event_id = $2")
        .bind(merchant)
        .bind(event)
        .one(source, |row| row.get("entered"))
}

/// A line that was paid for after the last place was gone.
#[derive(Debug, Clone)]
pub struct Over {
    /// The line.
    pub line: LineId,
    /// Of which order.
    pub order: OrderId,
    /// Who.
    pub buyer: String,
    /// How many places.
    pub places: u32,
    /// When they bought.
    pub since: Timestamp,
}

/// Who paid after the last place was gone, those who came first at the top. Who was refunded since
/// is done with.
pub fn over(
    source: &mut impl Source,
    merchant: MerchantId,
    event: TicketEventId,
    most: u32,
) -> Result<Vec<Over>, DbError> {
    sql("SELECT h.line_id AS line_id, h.order_id AS order_id, h.places AS places, h.created_at AS created_at,
                COALESCE(o.buyer_email, o.buyer_name) AS buyer
           FROM ticket_holds h JOIN orders o ON o.id = h.order_id
          WHERE h.merchant_id = $1 AND h.event_id = $2 AND h.state = 'over'
            AND EXISTS (SELECT 1 FROM grants g WHERE g.line_id = h.line_id AND g.status <> 'revoked')
          ORDER BY h.created_at, h.line_id LIMIT $3")
    .bind(merchant)
    .bind(event)
    .bind(most)
    .all(source, |row| {
        Ok(Over {
            line: row.get("line_id")?,
            order: row.get("order_id")?,
            buyer: row.get("buyer")?,
            places: row.get("places")?,
            since: row.get("created_at")?,
        })
    })
}

/// The products that sell an event's tickets now: id and name.
pub fn products(
    source: &mut impl Source,
    merchant: MerchantId,
    event: TicketEventId,
) -> Result<Vec<(ProductId, String)>, DbError> {
    // Ids are not parts of other ids, and stand nowhere else in this column.
    sql("SELECT id, name FROM products WHERE merchant_id = $1 AND deliverables LIKE $2 ORDER BY lower(name), id")
        .bind(merchant)
        .bind(format!("%\"{event}\"%"))
        .all(source, |row| Ok((row.get("id")?, row.get("name")?)))
}
