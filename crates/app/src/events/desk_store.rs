//! SQL of the audit log as a person reads it: the newest first.

use db::{DbError, Source, sql};
use kernel::{EventId, MerchantId, OrderId};

use super::{Event, store};
use crate::paging::{self, Ask, ListQuery, Slice, bits_at};
use crate::web::listing::Days;

/// What the log is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    /// Who: the beginning of an actor, such as `stf_`.
    pub actor: Option<&'static str>,
    /// The noun of the kind: `order`.
    pub noun: String,
    /// The id of what it is about.
    pub subject: String,
    /// When.
    pub days: Days,
}

/// A line of the log with its place in the chain, once it has one.
#[derive(Debug, Clone)]
pub struct Line {
    /// What happened.
    pub event: Event,
    /// Its place.
    pub seq: Option<i64>,
}

const LISTED: &str =
    "SELECT id, merchant_id, order_id, subject, kind, actor, detail, happened_at, seq FROM events";

/// One page of the log.
pub fn list(
    source: &mut impl Source,
    merchant: MerchantId,
    narrow: &Narrow,
    ask: &Ask,
) -> Result<Slice<Line>, DbError> {
    let mut query = ListQuery::new(LISTED, merchant);
    if let Some(from) = narrow.days.from {
        query = query.narrowed("id >= $", EventId::from_bits(bits_at(from)));
    }
    if let Some(until) = narrow.days.until {
        query = query.narrowed("id < $", EventId::from_bits(bits_at(until)));
    }
    match narrow.actor {
        // As the index has it.
        Some("stf_") => query = query.narrowed_to("actor >= 'stf_' AND actor < 'stg'"),
        Some(start) => query = query.among("actor LIKE $", format!("{start}%")),
        None => {}
    }
    if !narrow.noun.is_empty() {
        query = query.among("kind LIKE $", format!("{}.%", narrow.noun));
    }
    if let Ok(order) = narrow.subject.parse::<OrderId>() {
        query = query.narrowed("order_id = $", order);
    } else if !narrow.subject.is_empty() {
        query = query.among("subject = $", narrow.subject.clone());
    }
    query.page(source, ask, |row| Ok(Line { event: store::read(row)?, seq: row.get("seq")? }))
}

/// What happened to something that is no order, the newest first.
pub fn about(
    source: &mut impl Source,
    merchant: MerchantId,
    subject: &str,
    most: u32,
) -> Result<Vec<Line>, DbError> {
    sql(format!(
        "{LISTED} WHERE merchant_id = $1 AND subject = $2 AND order_id IS NULL ORDER BY id DESC LIMIT $3"
    ))
    .bind(merchant)
    .bind(subject)
    .bind(most)
    .all(source, |row| Ok(Line { event: store::read(row)?, seq: row.get("seq")? }))
}

/// What staff did to these orders, the newest of each fifty.
pub fn of_staff(
    source: &mut impl Source,
    merchant: MerchantId,
    orders: &[OrderId],
    most: u32,
) -> Result<Vec<Line>, DbError> {
    paging::by_ids(orders, |some| {
        // The inner limit keeps engines from walking all that staff ever did instead.
        let text = format!(
            "SELECT * FROM ({LISTED} WHERE order_id IN ({}) LIMIT $3) AS near
              WHERE merchant_id = $1 AND actor >= 'stf_' AND actor < 'stg' ORDER BY id DESC LIMIT $2",
            some.placeholders(4)
        );
        some.bind(sql(text).bind(merchant).bind(most).bind(paging::WINDOW))
            .all(source, |row| Ok(Line { event: store::read(row)?, seq: row.get("seq")? }))
    })
}
