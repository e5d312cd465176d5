//! The log is whole: every link of the chain follows from the one before.

use db::{DbError, Snapshot, sql};
use kernel::MerchantId;

use super::{Auditor, Check, Findings, PAGE_ROWS, Rule};
use crate::events::{self, Event};

/// I11.
pub const SEALED: Check = Check {
    id: "I11",
    title: "the log of events is whole, and every fact about money is in it",
    why: "somebody could have changed what happened",
    rules: &[Rule {
        says: "something about a payment's money is not in the log",
        find: "SELECT f.payment_id AS id, f.kind AS detail
                 FROM (SELECT payment_id, kind, count(*) AS told FROM facts GROUP BY payment_id, kind) f
                 LEFT JOIN (SELECT subject, kind, count(*) AS logged FROM events
                             WHERE kind LIKE 'payment.%' GROUP BY subject, kind) e
                   ON e.subject = f.payment_id AND e.kind = 'payment.' || f.kind
                WHERE COALESCE(e.logged, 0) <> f.told",
    }],
    code: Some(links),
    not_applicable: None,
};

fn links(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    let merchants: Vec<MerchantId> =
        auditor.read(|s| sql("SELECT id FROM merchants ORDER BY id").all(s, |row| row.get("id")))?;
    for merchant in merchants {
        let (mut seq, mut hash) = (0i64, Vec::new());
        loop {
            let page = auditor.read(|snapshot| page(snapshot, merchant, seq))?;
            for link in &page {
                let expected = link.event.link(&hash, seq + 1);
                if link.seq != seq + 1 {
                    let text = format!("the log jumps from {seq} to {}", link.seq);
                    findings.add(vec![link.event.id.to_string()], text);
                } else if link.hash != expected {
                    let text = format!("event {} of the log is not what was sealed", link.seq);
                    findings.add(vec![link.event.id.to_string()], text);
                }
                // Goes on from what is there, so that one change is one violation.
                (seq, hash) = (link.seq, link.hash.clone());
            }
            if page.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

struct Link {
    event: Event,
    seq: i64,
    hash: Vec<u8>,
}

fn page(snapshot: &mut Snapshot<'_>, merchant: MerchantId, after: i64) -> Result<Vec<Link>, DbError> {
    sql("SELECT id, merchant_id, order_id, subject, kind, actor, detail, happened_at, seq, hash
           FROM events WHERE merchant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3")
    .bind(merchant)
    .bind(after)
    .bind(PAGE_ROWS)
    .all(snapshot, |row| {
        Ok(Link {
            seq: row.get("seq")?,
            hash: row.get::<Option<Vec<u8>>>("hash")?.unwrap_or_default(),
            event: events::store::read(row)?,
        })
    })
}
