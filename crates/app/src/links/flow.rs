//! Sending links once more, on the buyer's own request.
//!
//! Whoever asks, the mail goes to the address that is stored with the order, so asking is of no
//! use to anybody else. Links that still open are mailed as they are; those whose time or
//! downloads are over are replaced first, which is bounded per day.

use kernel::{CustomerId, OrderId, Span};
use ui::shop::LinkState;

use crate::customers;
use crate::cx::Cx;
use crate::downloads;
use crate::events;
use crate::fulfillment::{self, GrantStatus};
use crate::messages::flow::Recipient;
use crate::messages::{self, MessageKind};
use crate::orders::{self, Order, OrderStatus, view};
use crate::problem::{Code, Flow, Problem};
use crate::products;

/// So often a day the buyer of an order can have its links replaced.
pub const RENEWALS_A_DAY_MAX: i64 = 3;
/// So many of a customer's orders are mailed on one request, the newest first.
pub const ORDERS_AT_ONCE_MAX: usize = 20;

const RENEWED: &str = "order.links_renewed";
const ASKED: &str = "order.links_asked";

/// What became of a wish for links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The same links are on their way.
    Same,
    /// New ones are on their way.
    New,
    /// Nothing is: there is nothing to open, or it was asked for too often.
    Nothing,
}

/// Mails the links of an order to its buyer.
pub fn send_again(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<Sent> {
    let Some(order) = orders::store::lock(cx.tx, cx.merchant, id)? else { return Ok(Sent::Nothing) };
    let Some(to) = recipient(cx, &order)? else { return Ok(Sent::Nothing) };
    if !matches!(order.status, OrderStatus::Paid | OrderStatus::Pending) {
        return Ok(Sent::Nothing);
    }
    let mut any = false;
    let mut over = Vec::new();
    for grant in fulfillment::store::of_order(cx.tx, cx.merchant, order.id)? {
        let files = downloads::store::files(cx.tx, &grant)?;
        let scarce = files.iter().any(|file| file.taken >= grant.download_limit);
        match view::link_state(&grant, &files, cx.now) {
            LinkState::Revoked => {}
            LinkState::Open if !scarce => any = true,
            LinkState::Open | LinkState::Expired | LinkState::UsedUp => {
                any = true;
                // Provisional access ends with the payment's outcome and is not prolonged before.
                if grant.status == GrantStatus::Active {
                    over.push(grant);
                }
            }
        }
    }
    if !any {
        return Ok(Sent::Nothing);
    }
    let renew = !over.is_empty() && renewals_left(cx, &order)?;
    let kind = if renew { RENEWED } else { ASKED };
    let event = events::flow::record(cx, Some(order.id), order.id, kind, serde_json::json!({}))?.to_string();
    if renew {
        let lines = orders::store::lines(cx.tx, cx.merchant, order.id)?;
        for mut grant in over {
            let line = lines.iter().find(|line| line.id == grant.line);
            let life = line.map_or(products::LINK_LIFE_DEFAULT, |line| line.link_life);
            fulfillment::flow::reissue(cx, &mut grant, life, &event)?;
        }
    }
    let (message, sent) =
        if renew { (MessageKind::LinksReissued, Sent::New) } else { (MessageKind::LinksResent, Sent::Same) };
    messages::flow::about_order(cx, message, &order, &to, &event, serde_json::json!({}))?;
    Ok(sent)
}

/// Mails the links of a customer's orders.
pub fn send_all_again(cx: &mut Cx<'_, '_>, customer: CustomerId) -> Flow<()> {
    let orders = orders::store::of_customer(cx.tx, cx.merchant, customer)?;
    // Rows are locked in the order of their ids, so that two requests do not wait for each other.
    let mut ids: Vec<OrderId> = orders.iter().take(ORDERS_AT_ONCE_MAX).map(|order| order.id).collect();
    ids.sort_unstable_by_key(|id| id.bits());
    for id in ids {
        send_again(cx, id)?;
    }
    Ok(())
}

/// Replaces all links of an order, because its signed-in buyer wants fresh ones.
pub fn renew(cx: &mut Cx<'_, '_>, id: OrderId) -> Flow<()> {
    let order = orders::store::lock(cx.tx, cx.merchant, id)?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    if !renewals_left(cx, &order)? {
        let text =
            "the links of an order can be replaced three times a day; use the ones from the latest mail";
        return Err(Problem { retry_after: Some(24 * 3600), ..Problem::new(Code::RateLimited, text) }.into());
    }
    events::flow::record(cx, Some(order.id), order.id, RENEWED, serde_json::json!({}))?;
    orders::flow::reissue(cx, id)
}

fn renewals_left(cx: &mut Cx<'_, '_>, order: &Order) -> Flow<bool> {
    let since = cx.now - Span::days(1);
    let renewed = events::store::count_since(cx.tx, cx.merchant, order.id, RENEWED, since)?;
    Ok(renewed < RENEWALS_A_DAY_MAX)
}

/// The order's own customer at the address stored for them; never one that a request brought.
fn recipient(cx: &mut Cx<'_, '_>, order: &Order) -> Flow<Option<Recipient>> {
    let Some(customer) = order.customer else { return Ok(None) };
    let known = customers::store::by_id(cx.tx, cx.merchant, customer)?;
    Ok(known.map(|known| Recipient { customer, email: known.email }))
}
