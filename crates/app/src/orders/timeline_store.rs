//! SQL of an order's timeline: the newest rows of each kind below an id.

use db::{DbError, Row, Source, sql};
use kernel::{
    DownloadId, EventId, FactId, GrantChangeId, LineId, MerchantId, MessageId, NoticeId, OrderId, ReviewId,
    Timestamp,
};

use crate::downloads::{self, Download};
use crate::events::{self, Event};
use crate::fulfillment::GrantChange;
use crate::messages::{self, Message};
use crate::notices::{self, Stored};
use crate::payments::Fact;

/// The newest events of an order that are older than this one.
pub fn events_before(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    before: EventId,
    most: u32,
) -> Result<Vec<Event>, DbError> {
    sql("SELECT id, merchant_id, order_id, subject, kind, actor, detail, happened_at
           FROM events WHERE order_id = $1 AND id < $2 AND merchant_id = $3 ORDER BY id DESC LIMIT $4")
    .bind(order)
    .bind(before)
    .bind(merchant)
    .bind(most)
    .all(source, events::store::read)
}

/// The newest messages of an order that are older than this one.
pub fn messages_before(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    before: MessageId,
    most: u32,
) -> Result<Vec<Message>, DbError> {
    sql("SELECT id, merchant_id, kind, dedupe_key, order_id, customer_id, to_address, subject, context, state, attempts,
                last_error, created_at, sent_at
           FROM messages WHERE order_id = $1 AND id < $2 AND merchant_id = $3 ORDER BY id DESC LIMIT $4")
    .bind(order)
    .bind(before)
    .bind(merchant)
    .bind(most)
    .all(source, messages::store::read)
}

/// The newest notices about an order that are older than this one.
pub fn notices_before(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    before: NoticeId,
    most: u32,
) -> Result<Vec<Stored>, DbError> {
    sql("SELECT id, merchant_id, connection_id, state, reason, summary, raw_sealed, address, order_id, copies,
                received_at, verified_at, decided_at
           FROM notices WHERE order_id = $1 AND id < $2 AND merchant_id = $3 ORDER BY id DESC LIMIT $4")
    .bind(order)
    .bind(before)
    .bind(merchant)
    .bind(most)
    .all(source, notices::store::read)
}

/// A fact with the gateway's id of its payment.
#[derive(Debug, Clone)]
pub struct Told {
    /// The fact.
    pub fact: Fact,
    /// The gateway's id of the payment.
    pub gateway_ref: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// The newest facts about an order's payments that are older than this one.
pub fn facts_before(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    before: FactId,
    most: u32,
) -> Result<Vec<Told>, DbError> {
    sql("SELECT f.id AS id, f.kind AS kind, f.movement_ref AS movement_ref, f.amount_minor AS amount_minor,
                f.currency AS currency, f.detail AS detail, f.notice_id AS notice_id, f.occurred_at AS occurred_at,
                f.recorded_at AS recorded_at, p.gateway_ref AS gateway_ref
           FROM payments p JOIN facts f ON f.payment_id = p.id
          WHERE p.order_id = $1 AND f.id < $2 AND p.merchant_id = $3 ORDER BY f.id DESC LIMIT $4")
    .bind(order)
    .bind(before)
    .bind(merchant)
    .bind(most)
    .all(source, |row| {
        Ok(Told { gateway_ref: row.get("gateway_ref")?, recorded_at: row.get("recorded_at")?, fact: read_fact(row)? })
    })
}

/// A change of a grant, as the timeline tells it.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Its id.
    pub id: GrantChangeId,
    /// From which line.
    pub line: LineId,
    /// Which of its units.
    pub unit_no: u32,
    /// What happened.
    pub change: GrantChange,
    /// What caused it.
    pub cause: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// The newest changes of an order's grants that are older than this one.
pub fn changes_before(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    before: GrantChangeId,
    most: u32,
) -> Result<Vec<Changed>, DbError> {
    sql("SELECT c.id AS id, g.line_id AS line_id, g.unit_no AS unit_no, c.change AS change, c.cause AS cause,
                c.actor AS actor, c.changed_at AS changed_at
           FROM grants g JOIN grant_changes c ON c.grant_id = g.id
          WHERE g.order_id = $1 AND c.id < $2 AND g.merchant_id = $3 ORDER BY c.id DESC LIMIT $4")
    .bind(order)
    .bind(before)
    .bind(merchant)
    .bind(most)
    .all(source, |row| {
        Ok(Changed {
            id: row.get("id")?,
            line: row.get("line_id")?,
            unit_no: row.get("unit_no")?,
            change: row.get("change")?,
            cause: row.get("cause")?,
            actor: row.get("actor")?,
            at: row.get("changed_at")?,
        })
    })
}

/// A session with the name of its file.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The session.
    pub download: Download,
    /// The name that the content is saved under.
    pub name: String,
}

/// The newest sessions of an order that are older than this one.
pub fn downloads_before(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
    before: DownloadId,
    most: u32,
) -> Result<Vec<Fetched>, DbError> {
    sql("SELECT d.id AS d_id, d.merchant_id AS d_merchant, d.grant_id AS d_grant, d.file_version_id AS d_file,
                d.generation AS d_generation, d.nonce AS d_nonce, d.ring_key AS d_ring_key, d.state AS d_state,
                d.bytes AS d_bytes, d.size AS d_size, d.address AS d_address, d.user_agent AS d_user_agent,
                d.started_at AS d_started_at, d.last_byte_at AS d_last_byte_at, d.archive_etag AS d_archive_etag, v.name AS file_name,
                l.name AS line_name
           FROM grants g JOIN downloads d ON d.grant_id = g.id JOIN order_lines l ON l.id = g.line_id
           LEFT JOIN file_versions v ON v.id = d.file_version_id
          WHERE g.order_id = $1 AND d.id < $2 AND g.merchant_id = $3 ORDER BY d.id DESC LIMIT $4")
    .bind(order)
    .bind(before)
    .bind(merchant)
    .bind(most)
    .all(source, |row| {
        let name = match row.get::<Option<String>>("file_name")? {
            Some(name) => name,
            None => downloads::packing::name(&row.get::<String>("line_name")?),
        };
        Ok(Fetched { name, download: downloads::store::read(row)? })
    })
}

/// Who answered which question about an order.
pub fn answered(
    source: &mut impl Source,
    merchant: MerchantId,
    order: OrderId,
) -> Result<Vec<(ReviewId, String)>, DbError> {
    sql("SELECT id, resolved_by FROM reviews
          WHERE merchant_id = $1 AND order_id = $2 AND resolved_by IS NOT NULL ORDER BY id")
    .bind(merchant)
    .bind(order)
    .all(source, |row| Ok((row.get("id")?, row.get("resolved_by")?)))
}

fn read_fact(row: &mut Row) -> Result<Fact, DbError> {
    Ok(Fact {
        id: row.get("id")?,
        kind: row.get("kind")?,
        movement_ref: row.get("movement_ref")?,
        amount_minor: row.get("amount_minor")?,
        currency: row.get("currency")?,
        detail: row.get("detail")?,
        notice: row.get("notice_id")?,
        occurred_at: row.get("occurred_at")?,
    })
}
