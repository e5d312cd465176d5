//! `handsel orders …`

use app::cx::{Actor, Cx};
use app::orders::{Order, flow, store};
use app::problem::Flow;
use app::{downloads, events, fulfillment, invoices, links, messages, notices, payments};
use db::Snapshot;
use kernel::{MerchantId, Money, OrderId};

use super::{Desk, VerbError, found, id};

/// What can be done with transactions.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the orders, newest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show every component of one order.
    Show {
        /// Its id.
        order: String,
        /// Show the keyed links too: whoever reads them can download.
        #[arg(long)]
        links: bool,
    },
    /// Mail the same links again.
    Resend {
        /// Its id.
        order: String,
    },
    /// Let the links live longer, and tell the buyer.
    Extend {
        /// Its id.
        order: String,
        /// How many days.
        #[arg(long)]
        days: i64,
    },
    /// Replace the links: the old ones are dead at once, the new ones are mailed.
    Reissue {
        /// Its id.
        order: String,
    },
    /// Make the whole transaction again: missing units, new links, a new mail.
    Regenerate {
        /// Its id.
        order: String,
    },
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::List { limit } => list(desk, limit),
        Verb::Show { order, links } => show(desk, &order, links),
        Verb::Resend { order } => act(desk, &order, "the links are on their way again", flow::resend),
        Verb::Extend { order, days } => {
            let text = format!("the links live {days} days longer");
            act(desk, &order, &text, move |cx, id| flow::extend(cx, id, days))
        }
        Verb::Reissue { order } => {
            act(desk, &order, "the old links are dead; new ones are on their way", flow::reissue)
        }
        Verb::Regenerate { order } => act(desk, &order, "the transaction was made again", flow::regenerate),
    }
}

fn act(
    desk: &Desk,
    order: &str,
    done: &str,
    work: impl Fn(&mut Cx<'_, '_>, OrderId) -> Flow<()> + Send + 'static,
) -> Result<(), VerbError> {
    let order: OrderId = id(order)?;
    desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| work(cx, order))?;
    desk.output.done(done, &serde_json::json!({ "id": order, "done": done }));
    Ok(())
}

fn list(desk: &Desk, limit: u32) -> Result<(), VerbError> {
    let merchant = desk.merchant;
    let all = desk.app.read_now(move |snapshot| Ok(store::newest_first(snapshot, merchant, limit)?))?;
    let row = |order: &Order| {
        let email = order.buyer_email.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![
            order.id.to_string(),
            order.status.to_string(),
            order.due().to_string(),
            email,
            order.created_at.to_string(),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    desk.output.list(
        &["ID", "STATUS", "DUE", "BUYER", "CREATED"],
        &rows,
        &all.iter().map(summary).collect::<Vec<_>>(),
    );
    Ok(())
}

/// An order in one line.
pub fn summary(order: &Order) -> serde_json::Value {
    let money = |minor| Money::new(minor, order.currency).to_string();
    serde_json::json!({
        "id": order.id, "status": order.status, "source": order.source, "due": money(order.due_minor),
        "settled": money(order.settled_minor), "returned": money(order.returned_minor),
        "buyer_email": order.buyer_email, "customer": order.customer, "created_at": order.created_at,
        "paid_at": order.paid_at,
    })
}

fn show(desk: &Desk, text: &str, with_links: bool) -> Result<(), VerbError> {
    let (merchant, wanted): (MerchantId, OrderId) = (desk.merchant, id(text)?);
    let (ring, base_url) = (desk.app.ring_arc(), desk.config.base_url.clone());
    let value = desk.app.read_now(move |snapshot| {
        let Some(order) = store::by_id(snapshot, merchant, wanted)? else { return Ok(None) };
        let link = |grant: &fulfillment::Grant| {
            let token = links::grant_token(&ring, grant).filter(|_| with_links)?;
            Some(format!("{base_url}/d/{token}"))
        };
        components(snapshot, &order, link).map(Some)
    })?;
    desk.output.one(&found("order", value)?);
    Ok(())
}

fn components(
    snapshot: &mut Snapshot<'_>,
    order: &Order,
    link: impl Fn(&fulfillment::Grant) -> Option<String>,
) -> Flow<serde_json::Value> {
    let (merchant, id) = (order.merchant, order.id);
    let lines = store::lines(snapshot, merchant, id)?;
    let mut grants = Vec::new();
    for grant in fulfillment::store::of_order(snapshot, merchant, id)? {
        let sessions = downloads::store::of_grant(snapshot, merchant, grant.id)?;
        let session = |d: &downloads::Download| serde_json::json!({ "started_at": d.started_at, "state": d.state, "bytes": d.bytes, "address": d.address });
        grants.push(serde_json::json!({
            "id": grant.id, "unit": grant.unit_no, "status": grant.status, "generation": grant.generation,
            "expires_at": grant.expires_at, "link": link(&grant),
            "downloads": sessions.iter().map(session).collect::<Vec<_>>(),
        }));
    }
    let payment = |p: &payments::Payment| {
        serde_json::json!({ "id": p.id, "gateway_ref": p.gateway_ref, "status": p.status,
            "settled": Money::new(p.settled_minor, p.currency).to_string(),
            "returned": Money::new(p.returned_minor, p.currency).to_string() })
    };
    let notice = |n: &notices::Stored| {
        serde_json::json!({ "id": n.id, "state": n.state, "reason": n.reason, "copies": n.copies,
            "received_at": n.received_at, "summary": n.summary })
    };
    let message = |m: &messages::Message| {
        serde_json::json!({ "id": m.id, "kind": m.kind, "to": m.to, "state": m.state, "sent_at": m.sent_at,
            "attempts": m.attempts, "last_error": m.last_error })
    };
    let event = |e: &events::Event| serde_json::json!({ "at": e.at, "kind": e.kind, "actor": e.actor, "detail": e.detail });
    let payments = payments::store::of_order(snapshot, merchant, id)?;
    let notices = notices::store::of_order(snapshot, merchant, id)?;
    let messages = messages::store::of_order(snapshot, merchant, id)?;
    let invoices = invoices::store::of_order(snapshot, merchant, id)?;
    let events = events::store::of_order(snapshot, merchant, id)?;
    Ok(serde_json::json!({
        "order": summary(order),
        "lines": lines.iter().map(|l| serde_json::json!({ "sku": l.sku, "name": l.name, "quantity": l.quantity,
            "gross": Money::new(l.gross_minor, order.currency).to_string() })).collect::<Vec<_>>(),
        "payments": payments.iter().map(payment).collect::<Vec<_>>(),
        "grants": grants,
        "notices": notices.iter().map(notice).collect::<Vec<_>>(),
        "messages": messages.iter().map(message).collect::<Vec<_>>(),
        "invoices": invoices.iter().map(|i| serde_json::json!({ "number": i.label(), "gross": i.gross.to_string() }))
            .collect::<Vec<_>>(),
        "events": events.iter().map(event).collect::<Vec<_>>(),
    }))
}
