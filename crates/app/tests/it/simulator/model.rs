//! What must have come of a run, told from what PayPal said alone.

use std::collections::BTreeSet;

use app::messages::{MessageKind, MessageState};
use app::orders::{Order, OrderStatus};
use kernel::OrderId;

use super::world::{Told, World};

/// Compares the shop with what PayPal knows, now that all of it has been heard.
pub fn compare(world: &World<'_>) {
    for told in &world.told {
        let Some(order) = order_of(world, told) else {
            // Nobody orders by a payment that never was there.
            assert!(!told.completed || !told.enough, "no order came of {told:?}");
            continue;
        };
        if told.enough {
            let context = || format!("{told:?}\n{order:?}\n{}", world.history().join("\n"));
            assert_eq!(order.status, expected(told), "{}", context());
            let receipts = world
                .t
                .message_kinds(&order)
                .into_iter()
                .filter(|kind| *kind == MessageKind::Receipt)
                .count();
            assert!(receipts <= 1, "{}", context());
            assert!(order.status != OrderStatus::Paid || receipts == 1, "{}", context());
        }
    }
    no_mail_is_lost_and_few_come_twice(world);
}

fn expected(told: &Told) -> OrderStatus {
    let gone = told.reversed || told.refunded >= told.sale.total().minor;
    match (told.completed, told.failed, told.pending) {
        (true, _, _) if gone => OrderStatus::Refunded,
        (true, _, _) => OrderStatus::Paid,
        (false, true, _) => OrderStatus::Void,
        (false, false, true) => OrderStatus::Pending,
        (false, false, false) => OrderStatus::AwaitingPayment,
    }
}

/// The order of a payment; a button's is found by its transaction, and there is at most one.
fn order_of(world: &World<'_>, told: &Told) -> Option<Order> {
    if let Some(order) = &told.order {
        return Some(world.t.look(order));
    }
    let (merchant, reference) = (world.t.shop.merchant.id, told.sale.txn_id.clone());
    let orders: Vec<OrderId> = world.t.read(move |snapshot| {
        let find = db::sql("SELECT order_id FROM payments WHERE merchant_id = $1 AND gateway_ref = $2")
            .bind(merchant)
            .bind(&reference)
            .all(snapshot, |row| row.get::<Option<OrderId>>("order_id"))?;
        Ok(find.into_iter().flatten().collect())
    });
    let orders: BTreeSet<OrderId> = orders.into_iter().collect();
    assert!(orders.len() <= 1, "{orders:?} are of one payment");
    world.t.orders().into_iter().find(|order| orders.contains(&order.id))
}

fn no_mail_is_lost_and_few_come_twice(world: &World<'_>) {
    let mails = world.t.mailbox();
    let ids: BTreeSet<String> =
        mails.iter().filter_map(|mail| mail.parse().header("message-id").map(str::to_owned)).collect();
    let sent = world.t.orders().iter().flat_map(|order| world.t.messages(order)).collect::<Vec<_>>();
    assert!(sent.iter().all(|message| message.state == MessageState::Sent), "{sent:#?}");
    assert_eq!(ids.len(), sent.len(), "one mail for each message");
    assert!(mails.len() - ids.len() <= world.answers_lost, "more came twice than answers were lost");
}
