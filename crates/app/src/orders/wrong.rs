//! What can be wrong with an order as it stands, and the SQL that finds such orders.

use db::{DbError, Source, sql};
use kernel::{MerchantId, OrderId, Span, Timestamp};

use super::OrderStatus;
use crate::fulfillment::UNITS_MAX;
use crate::paging;

/// What can be wrong with an order as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is paid, and a line of it has nothing to give: a unit without a grant, or no file at
    /// all, as when a package was sold before its files were added.
    PaidNotDelivered,
    /// It is paid and its goods are ready, but its buyer cannot know: half an hour after the money
    /// came no mail with the links has been taken by a mail server, whether it waits, was refused
    /// or was given up, and nothing was downloaded from the thank-you page either. Told for a
    /// month: after that a buyer who can be reached has asked. (An order without an address does
    /// not become paid; the notice of its money waits in quarantine.)
    PaidNotReached,
    /// All of its money went back, and something of it can still be had.
    RefundedStillOpen,
}

/// So many of the newest orders of a status are looked through for what is wrong. What is older
/// was looked at when it was new; `handsel audit` looks at every one.
pub const CHECKED_MAX: u32 = 1_000;
/// How long mail may take, greylisting included, before somebody has to look.
pub const REACHED_WITHIN: Span = Span::minutes(30);
/// How long it is told that a buyer was not reached.
const REACHED_SINCE: Span = Span::days(30);

/// Among which orders to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// The newest of the status in question.
    Newest,
    /// This one alone.
    One(OrderId),
}

const LACKS_GOODS: &str =
    "EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = near.id AND l.kind = 'product'
         AND (l.deliverables = '{}' AND NOT EXISTS (SELECT 1 FROM line_files f WHERE f.line_id = l.id)
              OR (SELECT count(*) FROM grants g WHERE g.line_id = l.id)
                 < CASE WHEN l.quantity > $6 THEN 1 ELSE l.quantity END))";

const NOT_REACHED: &str = "near.paid_at > $6 AND near.paid_at <= $7
     AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.order_id = near.id AND m.state = 'sent' AND m.kind IN
         ('receipt', 'links_resent', 'links_reissued', 'link_extended', 'regenerated', 'reinstated'))
     AND NOT EXISTS (SELECT 1 FROM grants g JOIN downloads d ON d.grant_id = g.id WHERE g.order_id = near.id)
     AND EXISTS (SELECT 1 FROM grants g WHERE g.order_id = near.id AND g.status = 'active')";

const STILL_OPEN: &str = "EXISTS (SELECT 1 FROM grants g WHERE g.order_id = near.id AND g.status = 'active')";

/// The statement that finds this: by index alone, or the front page would grow slow with the shop.
pub fn statement(what: Wrong, among: Among) -> String {
    let is_wrong = match what {
        Wrong::PaidNotDelivered => LACKS_GOODS,
        Wrong::PaidNotReached => NOT_REACHED,
        Wrong::RefundedStillOpen => STILL_OPEN,
    };
    // A lower bound beside the upper one, and SQLite would go through orders of every status.
    let is_near = match among {
        Among::Newest => "id <= $3",
        Among::One(_) => "id = $3",
    };
    format!(
        "SELECT id FROM (SELECT id, paid_at FROM orders
                          WHERE merchant_id = $1 AND status = $2 AND {is_near}
                          ORDER BY id DESC LIMIT $4) AS near
          WHERE {is_wrong} ORDER BY id DESC LIMIT $5"
    )
}

/// The orders with which this is wrong, the newest first.
pub fn find(
    source: &mut impl Source,
    merchant: MerchantId,
    what: Wrong,
    (among, now): (Among, Timestamp),
    most: u32,
) -> Result<Vec<OrderId>, DbError> {
    let status = match what {
        Wrong::PaidNotDelivered | Wrong::PaidNotReached => OrderStatus::Paid,
        Wrong::RefundedStillOpen => OrderStatus::Refunded,
    };
    // An order made less than half an hour ago cannot be late: after a rush the newest thousand
    // would hide those that are.
    let made_before = match what {
        Wrong::PaidNotReached => OrderId::from_bits(paging::bits_at(now - REACHED_WITHIN)),
        Wrong::PaidNotDelivered | Wrong::RefundedStillOpen => OrderId::from_bits(u128::MAX),
    };
    let bound = match among {
        Among::Newest => made_before,
        Among::One(order) => order,
    };
    let query =
        sql(statement(what, among)).bind(merchant).bind(status).bind(bound).bind(CHECKED_MAX).bind(most);
    let query = match what {
        Wrong::PaidNotDelivered => query.bind(UNITS_MAX),
        Wrong::PaidNotReached => query.bind(now - REACHED_SINCE).bind(now - REACHED_WITHIN),
        Wrong::RefundedStillOpen => query,
    };
    query.all(source, |row| row.get("id"))
}
