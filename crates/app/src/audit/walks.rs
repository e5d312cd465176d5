//! Invariants that need the rules themselves: money replayed, the chain, the contents.

use db::{DbError, Snapshot, sql};
use kernel::{MerchantId, OrderId, PaymentId};
use stores::{BlobStore, Sha256};

use super::{Depth, FOUND_MAX, Report, Violation};
use crate::events::{self, Event};
use crate::orders::{self, Turn, follow};
use crate::payments;

/// Rows read at a time: memory stays flat on any database.
const PAGE: u32 = 500;

/// I13: the facts, replayed, give the payments and orders that are stored.
pub fn money_replayed(snapshot: &mut Snapshot<'_>, report: &mut Report) -> Result<(), DbError> {
    report.checks.push("I13");
    let mut last = PaymentId::from_bits(0);
    loop {
        let page: Vec<(PaymentId, MerchantId, String, i64, i64)> = sql(
            "SELECT id, merchant_id, status, settled_minor, returned_minor FROM payments WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(last)
        .bind(PAGE)
        .all(snapshot, |row| {
            Ok((row.get("id")?, row.get("merchant_id")?, row.get("status")?, row.get("settled_minor")?,
                row.get("returned_minor")?))
        })?;
        let Some((end, ..)) = page.last() else { break };
        last = *end;
        for (id, merchant, status, settled, returned) in &page {
            let sum = payments::sum(&payments::store::facts(snapshot, *merchant, *id)?);
            let same = sum.status.as_str() == status
                && sum.settled_minor == *settled
                && sum.returned_minor() == *returned;
            if !same {
                let found =
                    format!("{id} is {status}, its facts say {} of {}", sum.status, sum.settled_minor);
                add(report, "I13", "facts, replayed, give the same payments", found);
            }
        }
    }
    orders_replayed(snapshot, report)
}

fn orders_replayed(snapshot: &mut Snapshot<'_>, report: &mut Report) -> Result<(), DbError> {
    let mut last = OrderId::from_bits(0);
    loop {
        let page: Vec<(OrderId, MerchantId)> =
            sql("SELECT id, merchant_id FROM orders WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(last)
                .bind(PAGE)
                .all(snapshot, |row| Ok((row.get("id")?, row.get("merchant_id")?)))?;
        let Some((end, _)) = page.last() else { return Ok(()) };
        last = *end;
        for (id, merchant) in page {
            let Some(order) = orders::store::by_id(snapshot, merchant, id)? else { continue };
            let paid = payments::store::of_order(snapshot, merchant, id)?;
            if paid.is_empty() {
                continue;
            }
            let standing = payments::standing(order.due(), &paid);
            let sums = order.settled_minor == standing.settled_minor
                && order.returned_minor == standing.returned_minor;
            if follow(&order, standing).1 != Turn::Same || !sums {
                let found = format!("{id} is {} with {} settled", order.status, order.settled_minor);
                add(report, "I13", "payments, replayed, give the same orders", found);
            }
        }
    }
}

/// I11: the audit log's chain verifies from its first link.
pub fn chain(snapshot: &mut Snapshot<'_>, report: &mut Report) -> Result<(), DbError> {
    report.checks.push("I11");
    let merchants: Vec<MerchantId> =
        sql("SELECT id FROM merchants ORDER BY id").all(snapshot, |row| row.get("id"))?;
    for merchant in merchants {
        let (mut seq, mut link) = (0i64, Vec::new());
        loop {
            let page: Vec<(Event, i64, Vec<u8>)> = sql(
                "SELECT id, merchant_id, order_id, subject, kind, actor, detail, happened_at, seq, hash FROM events
                  WHERE merchant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(merchant)
            .bind(seq)
            .bind(PAGE)
            .all(snapshot, |row| Ok((events::store::read(row)?, row.get("seq")?, row.get("hash")?)))?;
            if page.is_empty() {
                break;
            }
            for (event, number, hash) in page {
                let expected = event.link(&link, seq + 1);
                if number != seq + 1 || hash != expected {
                    add(
                        report,
                        "I11",
                        "the audit log's chain verifies",
                        format!("{} breaks the chain", event.id),
                    );
                    return Ok(());
                }
                (seq, link) = (number, hash);
            }
        }
    }
    Ok(())
}

/// I12: what is sold is there, as it was stored.
pub fn contents(
    snapshot: &mut Snapshot<'_>,
    blobs: &dyn BlobStore,
    depth: Depth,
    report: &mut Report,
) -> Result<(), DbError> {
    report.checks.push("I12");
    let mut last = String::new();
    loop {
        let page: Vec<(String, u64)> = sql("SELECT b.sha256 AS sha256, b.size AS size FROM blobs b
              WHERE b.sha256 > $1 AND EXISTS (SELECT 1 FROM file_versions v WHERE v.sha256 = b.sha256)
              ORDER BY b.sha256 LIMIT $2")
        .bind(&last)
        .bind(PAGE)
        .all(snapshot, |row| Ok((row.get("sha256")?, row.get("size")?)))?;
        let Some((end, _)) = page.last() else { return Ok(()) };
        last.clone_from(end);
        for (hex, size) in page {
            if let Some(found) = missing(blobs, &hex, size, depth) {
                add(report, "I12", "every content that is referred to is there, unchanged", found);
            }
        }
    }
}

fn missing(blobs: &dyn BlobStore, hex: &str, size: u64, depth: Depth) -> Option<String> {
    let Ok(sha256) = hex.parse::<Sha256>() else { return Some(format!("{hex} is not a SHA-256")) };
    match blobs.size(&sha256) {
        Ok(Some(stored)) if stored == size => {}
        Ok(Some(stored)) => return Some(format!("{hex} has {stored} bytes instead of {size}")),
        Ok(None) => return Some(format!("{hex} is not in the store")),
        Err(error) => return Some(format!("{hex}: {error}")),
    }
    match depth {
        Depth::Presence => None,
        Depth::Contents => blobs.check(&sha256).err().map(|error| format!("{hex}: {error}")),
    }
}

fn add(report: &mut Report, check: &'static str, rule: &'static str, found: String) {
    let most = usize::try_from(FOUND_MAX).unwrap_or(usize::MAX);
    if report.violations.iter().filter(|violation| violation.check == check).count() < most {
        report.violations.push(Violation { check, rule, found });
    }
}
