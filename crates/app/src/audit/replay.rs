//! Played again from the facts, everything comes out as it stands, and by allowed moves only.

use std::collections::BTreeMap;

use db::{DbError, Snapshot, sql};
use kernel::{GrantId, Money, OrderId, PaymentId};

use super::{Auditor, Check, Findings, PAGE_ROWS, Rule};
use crate::fulfillment::{GrantChange, GrantStatus};
use crate::orders::{self, Order, OrderStatus};
use crate::payments::{self, Fact, Payment};

/// I13.
pub const REPLAYED: Check = Check {
    id: "I13",
    title: "the facts, played again, give the same payments, orders and access",
    why: "what the shop shows would not be what the gateways said",
    rules: &[Rule {
        says: "a paid order keeps from its buyer what nobody revoked",
        find: "SELECT g.id AS id, g.status AS detail FROM grants g JOIN orders o ON o.id = g.order_id
                WHERE o.status = 'paid' AND g.status IN ('provisional', 'suspended')",
    }],
    code: Some(replay),
    not_applicable: None,
};

fn replay(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    payments_again(auditor, findings)?;
    orders_again(auditor, findings)
}

fn payments_again(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    let mut after = String::new();
    loop {
        let page = auditor.read(|snapshot| {
            let payments = page_of_payments(snapshot, &after)?;
            let facts = facts_of(snapshot, &payments)?;
            Ok((payments, facts))
        })?;
        let (payments, facts) = page;
        for payment in &payments {
            let said = facts.get(&payment.id).map(Vec::as_slice).unwrap_or_default();
            let sum = payments::sum(said);
            let told = (sum.status, sum.settled_minor, sum.returned_minor());
            let stands = (payment.status, payment.settled_minor, payment.returned_minor);
            if told != stands {
                let text = format!("a payment stands at {stands:?}, and its facts give {told:?}");
                findings.add(vec![payment.id.to_string()], text);
            }
        }
        match payments.last() {
            Some(last) => after = last.id.to_string(),
            None => return Ok(()),
        }
    }
}

fn page_of_payments(snapshot: &mut Snapshot<'_>, after: &str) -> Result<Vec<Payment>, DbError> {
    sql("SELECT id, merchant_id, connection_id, gateway_ref, order_id, status, currency, settled_minor, returned_minor,
                fee_minor, created_at
           FROM payments WHERE id > $1 ORDER BY id LIMIT $2")
    .bind(after)
    .bind(PAGE_ROWS)
    .all(snapshot, payments::store::read)
}

fn facts_of(
    snapshot: &mut Snapshot<'_>,
    page: &[Payment],
) -> Result<BTreeMap<PaymentId, Vec<Fact>>, DbError> {
    let mut facts: BTreeMap<PaymentId, Vec<Fact>> = BTreeMap::new();
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(facts) };
    let rows = sql(
        "SELECT payment_id, id, kind, movement_ref, amount_minor, currency, detail, notice_id, occurred_at
           FROM facts WHERE payment_id >= $1 AND payment_id <= $2",
    )
    .bind(first.id)
    .bind(last.id)
    .all(snapshot, |row| Ok((row.get::<PaymentId>("payment_id")?, payments::store::read_fact(row)?)))?;
    for (payment, fact) in rows {
        facts.entry(payment).or_default().push(fact);
    }
    Ok(facts)
}

fn orders_again(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    let mut after = String::new();
    loop {
        let (orders, payments) = auditor.read(|snapshot| {
            let orders = page_of_orders(snapshot, &after)?;
            let payments = payments_of(snapshot, &orders)?;
            Ok((orders, payments))
        })?;
        for order in &orders {
            let paid = payments.get(&order.id).map(Vec::as_slice).unwrap_or_default();
            if let Err(text) = order_again(order, paid) {
                findings.add(vec![order.id.to_string()], text);
            }
        }
        match orders.last() {
            Some(last) => after = last.id.to_string(),
            None => return Ok(()),
        }
    }
}

fn order_again(order: &Order, payments: &[Payment]) -> Result<(), String> {
    let due = Money::new(order.due_minor, order.currency);
    let standing = payments::standing(due, payments);
    if (standing.settled_minor, standing.returned_minor) != (order.settled_minor, order.returned_minor) {
        return Err(format!(
            "an order has {} less {}, and its payments give {} less {}",
            order.settled_minor, order.returned_minor, standing.settled_minor, standing.returned_minor
        ));
    }
    // Who is owed nothing is not paid by money; I1 wants to know who gave that away.
    let given_away = due.minor == 0 && order.paid_at.is_some() && order.status == OrderStatus::Paid;
    let fits = given_away
        || match orders::status_by(due, standing) {
            Some(status) => status == order.status,
            None => matches!(order.status, OrderStatus::AwaitingPayment | OrderStatus::Void),
        };
    if fits { Ok(()) } else { Err(format!("an order is {}, and its payments do not say so", order.status)) }
}

fn page_of_orders(snapshot: &mut Snapshot<'_>, after: &str) -> Result<Vec<Order>, DbError> {
    sql(format!("SELECT {} FROM orders WHERE id > $1 ORDER BY id LIMIT $2", orders::store::COLUMNS))
        .bind(after)
        .bind(PAGE_ROWS)
        .all(snapshot, orders::store::read)
}

fn payments_of(
    snapshot: &mut Snapshot<'_>,
    page: &[Order],
) -> Result<BTreeMap<OrderId, Vec<Payment>>, DbError> {
    let mut payments: BTreeMap<OrderId, Vec<Payment>> = BTreeMap::new();
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(payments) };
    let rows =
        sql("SELECT id, merchant_id, connection_id, gateway_ref, order_id, status, currency, settled_minor,
                returned_minor, fee_minor, created_at
           FROM payments WHERE order_id >= $1 AND order_id <= $2")
        .bind(first.id)
        .bind(last.id)
        .all(snapshot, payments::store::read)?;
    for payment in rows {
        if let Some(order) = payment.order {
            payments.entry(order).or_default().push(payment);
        }
    }
    Ok(payments)
}

/// I16.
pub const ALLOWED: Check = Check {
    id: "I16",
    title: "orders and grants have only moved as they may",
    why: "a late word about an old state would have undone a newer one",
    rules: &[
        Rule {
            says: "an order was paid once and counts as unpaid",
            find: "SELECT id, status AS detail FROM orders
                    WHERE paid_at IS NOT NULL AND status NOT IN ('paid', 'refunded')",
        },
        Rule {
            says: "a payment that settled counts as if it had not",
            find: "SELECT p.id AS id, p.status AS detail FROM payments p
                    WHERE p.status IN ('initiated', 'pending', 'failed', 'expired')
                      AND EXISTS (SELECT 1 FROM facts f WHERE f.payment_id = p.id AND f.kind = 'settlement')",
        },
        Rule {
            says: "a grant has no history",
            find: "SELECT g.id AS id, g.status AS detail FROM grants g
                    WHERE NOT EXISTS (SELECT 1 FROM grant_changes c WHERE c.grant_id = g.id)",
        },
    ],
    code: Some(histories),
    not_applicable: None,
};

struct Step {
    grant: GrantId,
    seq: i64,
    change: GrantChange,
    stands: GrantStatus,
    generation: i64,
}

/// A grant's history as far as it was read.
struct History {
    grant: GrantId,
    seq: i64,
    status: Option<GrantStatus>,
    generation: i64,
    stands: (GrantStatus, i64),
    broken: bool,
}

fn histories(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    let mut after = (String::new(), 0i64);
    let mut current: Option<History> = None;
    loop {
        let page = auditor.read(|snapshot| page_of_changes(snapshot, &after))?;
        for step in &page {
            if current.as_ref().is_none_or(|history| history.grant != step.grant) {
                finish(current.take(), findings);
            }
            let history = current.get_or_insert_with(|| History::begun(step));
            history.take(step, findings);
        }
        match page.last() {
            Some(last) => after = (last.grant.to_string(), last.seq),
            None => break,
        }
    }
    finish(current, findings);
    Ok(())
}

fn page_of_changes(snapshot: &mut Snapshot<'_>, after: &(String, i64)) -> Result<Vec<Step>, DbError> {
    sql("SELECT c.grant_id AS grant_id, c.seq AS seq, c.change AS change, g.status AS status, g.generation AS generation
           FROM grant_changes c JOIN grants g ON g.id = c.grant_id
          WHERE (c.grant_id, c.seq) > ($1, $2) ORDER BY c.grant_id, c.seq LIMIT $3")
    .bind(after.0.as_str())
    .bind(after.1)
    .bind(PAGE_ROWS)
    .all(snapshot, |row| {
        Ok(Step {
            grant: row.get("grant_id")?,
            seq: row.get("seq")?,
            change: row.get("change")?,
            stands: row.get("status")?,
            generation: row.get("generation")?,
        })
    })
}

impl History {
    fn begun(step: &Step) -> Self {
        let stands = (step.stands, step.generation);
        Self { grant: step.grant, seq: 0, status: None, generation: 1, stands, broken: false }
    }

    fn take(&mut self, step: &Step, findings: &mut Findings) {
        let next = moved(self.status, step.change).filter(|_| step.seq == self.seq + 1);
        if next.is_none() && !self.broken {
            self.broken = true;
            let from = self.status.map_or("nothing", GrantStatus::as_str);
            let text = format!("step {} of a grant goes from {from} by {}", step.seq, step.change);
            findings.add(vec![self.grant.to_string()], text);
        }
        self.status = next.or(self.status);
        self.seq = step.seq;
        self.generation += i64::from(step.change == GrantChange::Reissued);
    }
}

fn finish(history: Option<History>, findings: &mut Findings) {
    let Some(history) = history.filter(|history| !history.broken) else { return };
    if (history.status, history.generation) != (Some(history.stands.0), history.stands.1) {
        let (status, generation) = history.stands;
        let text = format!("a grant is {status} in generation {generation}, and its history says otherwise");
        findings.add(vec![history.grant.to_string()], text);
    }
}

/// Where a change leads, if it may happen there. Written down a second time, on purpose.
const fn moved(from: Option<GrantStatus>, change: GrantChange) -> Option<GrantStatus> {
    use GrantChange as C;
    use GrantStatus as S;
    match (from, change) {
        (None, C::Granted) => Some(S::Active),
        (None | Some(S::Suspended), C::MadeProvisional) => Some(S::Provisional),
        (Some(S::Provisional), C::Confirmed) => Some(S::Active),
        (Some(S::Provisional), C::Withdrawn) => Some(S::Suspended),
        (Some(S::Provisional | S::Active | S::Revoked), C::Suspended) => Some(S::Suspended),
        (Some(S::Suspended | S::Revoked), C::Reinstated) => Some(S::Active),
        (Some(S::Provisional | S::Active | S::Suspended | S::Revoked), C::Revoked) => Some(S::Revoked),
        (Some(S::Active), C::Reissued | C::Extended) => Some(S::Active),
        _ => None,
    }
}
