//! Orders as rows of the back office's lists, and finding them by whatever somebody has at hand.

use std::collections::HashMap;

use db::Source;
use kernel::{GrantId, InvoiceId, MerchantId, MessageId, Money, NoticeId, OrderId, PaymentId};
use ui::admin::OrderRow;

use super::desk_store::{self, Listed};
use crate::problem::Flow;
use crate::web::listing::word;
use crate::{connections, fulfillment, invoices, messages, notices, payments};

/// The rows with what stands beside the orders themselves: products, questions, test mode.
pub fn rows(source: &mut impl Source, merchant: MerchantId, listed: &[Listed]) -> Flow<Vec<OrderRow>> {
    let ids: Vec<OrderId> = listed.iter().map(|order| order.id).collect();
    let lines = desk_store::first_lines(source, merchant, &ids)?;
    let lines: HashMap<OrderId, (String, u32)> =
        lines.into_iter().map(|(order, name, count)| (order, (name, count))).collect();
    let waiting = desk_store::under_review(source, merchant, &ids)?;
    let connections = connections::store::list(source, merchant)?;
    let row = |order: &Listed| {
        let (product, count) = lines.get(&order.id).cloned().unwrap_or_default();
        let through = order.connection.and_then(|id| connections.iter().find(|known| known.id == id));
        OrderRow {
            id: order.id,
            created_at: order.created_at,
            status: word(order.status.as_str()),
            source: word(order.source.as_str()),
            email: order.email.clone(),
            buyer: order.name.clone(),
            product,
            more_lines: count.saturating_sub(1),
            total: Money::new(order.due_minor, order.currency),
            returned: (order.returned_minor > 0).then(|| Money::new(order.returned_minor, order.currency)),
            needs_review: waiting.contains(&order.id),
            is_test: through.is_some_and(connections::Connection::is_test),
        }
    };
    Ok(listed.iter().map(row).collect())
}

/// The orders that somebody means: by an id of theirs or of what belongs to them, a gateway's
/// transaction, an invoice's number, or the buyer's address or name.
pub fn find(source: &mut impl Source, merchant: MerchantId, words: &str) -> Flow<Vec<OrderId>> {
    if let Some(order) = by_some_id(source, merchant, words)? {
        return Ok(order.into_iter().collect());
    }
    let mut found = payments::desk_store::orders_of_gateway_ref(source, merchant, words)?;
    let digits = words.rsplit('-').next().unwrap_or(words);
    if let Ok(number) = digits.parse::<i64>() {
        found.extend(invoices::desk_store::orders_of_number(source, merchant, number)?);
    }
    found.extend(desk_store::search_buyer(source, merchant, words)?);
    Ok(found)
}

/// `None` when the words are no id at all; `Some(None)` when they are one that leads nowhere.
fn by_some_id(source: &mut impl Source, merchant: MerchantId, words: &str) -> Flow<Option<Option<OrderId>>> {
    if let Ok(id) = words.parse::<OrderId>() {
        return Ok(Some(Some(id)));
    }
    if let Ok(id) = words.parse::<PaymentId>() {
        return Ok(Some(payments::desk_store::order_of(source, merchant, id)?));
    }
    if let Ok(id) = words.parse::<NoticeId>() {
        let notice = notices::store::by_id(source, merchant, id)?;
        return Ok(Some(notice.and_then(|notice| notice.order)));
    }
    if let Ok(id) = words.parse::<MessageId>() {
        let message = messages::store::by_id(source, merchant, id)?;
        return Ok(Some(message.and_then(|message| message.order)));
    }
    if let Ok(id) = words.parse::<InvoiceId>() {
        let invoice = invoices::store::by_id(source, merchant, id)?;
        return Ok(Some(invoice.map(|invoice| invoice.order)));
    }
    if let Ok(id) = words.parse::<GrantId>() {
        let grant = fulfillment::store::by_id(source, merchant, id)?;
        return Ok(Some(grant.map(|grant| grant.order)));
    }
    Ok(None)
}
