//! The list of transactions in the back office, and the same as a file.

use axum::extract::State;
use axum::response::Response;
use kernel::{OrderId, Timestamp};
use ui::admin::{AlarmKind, Choice, Label, OrdersPage, Word as _};

use super::desk_store::{self, BY_DUE, Filter, Listed};
use super::rows::{find, rows};
use super::wrong::{self, Among, Wrong};
use crate::app::App;
use crate::connections;
use crate::paging::{Ask, BY_ID, Key, KeyKind, Mark, Slice, Way, page_of};
use crate::problem::Flow;
use crate::staff::Right;
use crate::web::csv;
use crate::web::desk::Desk;
use crate::web::listing::{Asked, Column};
use crate::web::staff_visit::StaffVisit;

const LIST: &str = "/admin/orders";
const FILE: &str = "/admin/orders.csv";
const COLUMNS: &[Column] = &[(BY_ID, Way::Down), (BY_DUE, Way::Down)];

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(LIST, Right::Read, list).get(FILE, Right::Export, file)
}

fn filter(asked: &Asked, zone: &str) -> Filter {
    let days = asked.days(zone);
    Filter {
        status: asked.stored("status"),
        source: asked.stored("source"),
        connection: asked.stored("connection"),
        from: days.from,
        until: days.until,
    }
}

/// `GET /admin/orders`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let (merchant, now) = (staff.visit.merchant.clone(), app.now());
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let slice = read(snapshot, &merchant, &asked, &ask, now)?;
            let list = asked
                .listing(LIST, COLUMNS, &ask, &slice)
                .search(asked.search())
                .tabs("status", asked.word::<ui::admin::OrderStatus>("status"))
                .word("source", asked.word::<ui::admin::OrderSource>("source"))
                .choice(
                    "connection",
                    asked.get("connection"),
                    connections::view::choices(&connections::store::list(snapshot, merchant.id)?),
                )
                .choice("alarm", asked.get("alarm"), alarms())
                .day("from", asked.get("from"))
                .day("to", asked.get("to"))
                .csv(FILE)
                .done();
            Ok(OrdersPage { list, orders: rows(snapshot, merchant.id, &slice.rows)? })
        })
        .await;
    staff.answer(&app, page)
}

fn read(
    snapshot: &mut db::Snapshot<'_>,
    merchant: &crate::merchants::Merchant,
    asked: &Asked,
    ask: &Ask,
    now: Timestamp,
) -> Flow<Slice<Listed>> {
    let filter = filter(asked, &merchant.time_zone);
    let mut ids = match wrong(asked) {
        None if asked.search().is_empty() => {
            return Ok(desk_store::page(snapshot, merchant.id, &filter, ask)?);
        }
        None => find(snapshot, merchant.id, asked.search())?,
        Some(what) => wrong::find(snapshot, merchant.id, what, (Among::Newest, now), wrong::CHECKED_MAX)?,
    };
    ids.sort_unstable();
    ids.dedup();
    let mut found = desk_store::by_ids(snapshot, merchant.id, &ids)?;
    found.retain(|order| matches(order, &filter));
    Ok(page_of(found, ask, |order| mark(order, ask)))
}

/// Only orders with which something is wrong, as the front page's alarms link to. Whoever looks
/// for those does not search for something else at the same time.
fn wrong(asked: &Asked) -> Option<Wrong> {
    match asked.word::<AlarmKind>("alarm")? {
        AlarmKind::PaidNotDelivered => Some(Wrong::PaidNotDelivered),
        AlarmKind::PaidNotReached => Some(Wrong::PaidNotReached),
        AlarmKind::RefundedStillOpen => Some(Wrong::RefundedStillOpen),
        _ => None,
    }
}

/// The choices of the filter by alarm.
fn alarms() -> Vec<Choice> {
    let choice = |kind: AlarmKind| Choice {
        value: kind.word().to_owned(),
        label: Label::key(format!("admin.alarm.{}.this", kind.word())),
    };
    [AlarmKind::PaidNotDelivered, AlarmKind::PaidNotReached, AlarmKind::RefundedStillOpen].map(choice).into()
}

/// What the database would leave out, for orders that a search found.
fn matches(order: &Listed, filter: &Filter) -> bool {
    filter.status.is_none_or(|status| order.status == status)
        && filter.source.is_none_or(|source| order.source == source)
        && filter.connection.is_none_or(|connection| order.connection == Some(connection))
        && filter.from.is_none_or(|from| order.created_at >= from)
        && filter.until.is_none_or(|until| order.created_at < until)
}

fn mark(order: &Listed, ask: &Ask) -> Mark {
    let key = if ask.by.kind == KeyKind::Id { Key::Id } else { Key::Int(order.due_minor) };
    Mark { key, id: order.id.to_string() }
}

/// `GET /admin/orders.csv`: the list as it is searched, filtered and sorted, whole.
async fn file(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    if let Err(failure) = staff.note_export(&app, "orders").await {
        return staff.refuse(&app, failure);
    }
    let (merchant, now) = (staff.visit.merchant.clone(), app.now());
    let ask = Ask { most: csv::ROWS_AT_ONCE, ..asked.ask(COLUMNS) };
    csv::stream("orders.csv", HEAD, move |place| {
        let (app, merchant, asked) = (app.clone(), merchant.clone(), asked.clone());
        let ask = Ask { place, ..ask.clone() };
        async move {
            app.read(move |snapshot| {
                let slice = read(snapshot, &merchant, &asked, &ask, now)?;
                let ids: Vec<OrderId> = slice.rows.iter().map(|order| order.id).collect();
                let lines = desk_store::first_lines(snapshot, merchant.id, &ids)?;
                let cells = |order: &Listed| {
                    let line = lines.iter().find(|(id, _, _)| *id == order.id);
                    cells(order, line.map_or("", |(_, name, _)| name))
                };
                Ok(Slice {
                    rows: slice.rows.iter().map(cells).collect(),
                    before: slice.before,
                    after: slice.after,
                })
            })
            .await
        }
    })
}

const HEAD: &[&str] = &[
    "id",
    "created_at",
    "paid_at",
    "status",
    "source",
    "email",
    "name",
    "first_product",
    "currency",
    "due",
    "returned",
];

fn cells(order: &Listed, product: &str) -> csv::Cells {
    let amount = |minor| kernel::Money::new(minor, order.currency).decimal();
    vec![
        order.id.to_string(),
        order.created_at.to_string(),
        order.paid_at.map(|at| at.to_string()).unwrap_or_default(),
        order.status.to_string(),
        order.source.to_string(),
        order.email.clone().unwrap_or_default(),
        order.name.clone(),
        product.to_owned(),
        order.currency.to_string(),
        amount(order.due_minor),
        amount(order.returned_minor),
    ]
}
