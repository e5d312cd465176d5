//! The front page of the back office.

use axum::extract::State;
use axum::response::Response;
use db::Source;
use kernel::Money;
use ui::admin::{HomePage, Setup};

use super::{CHART_DAYS, chart, currencies, store, yesterday_so_far};
use crate::alarms::find::{self, House};
use crate::app::App;
use crate::merchants::Merchant;
use crate::orders::{self, desk_store::Filter};
use crate::paging::Ask;
use crate::problem::Flow;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::staff_visit::StaffVisit;
use crate::{connections, sales};

/// The newest transactions under the figures.
const RECENT: u32 = 8;
/// Yesterday's orders are counted no further: nobody compares more closely than that.
const YESTERDAY_MAX: u32 = 20_000;

/// Registers the route.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin", Right::Read, show)
}

/// `GET /admin`
async fn show(State(app): State<App>, staff: StaffVisit) -> Response {
    let merchant = staff.visit.merchant.clone();
    let house = match app.quarantine() {
        Ok(quarantine) => House { quarantine, has_mail: app.mailer().has_server(), now: app.now() },
        Err(failure) => return staff.refuse(&app, failure),
    };
    let page = app.read(move |snapshot| page(snapshot, &merchant, &house)).await;
    staff.answer(&app, page)
}

fn page(source: &mut impl Source, merchant: &Merchant, house: &House) -> Flow<HomePage> {
    let now = house.now;
    let days = sales::days_until(now, &merchant.time_zone, CHART_DAYS);
    let sold = sales::flow::of_days(source, merchant, now, CHART_DAYS)?;
    let today = days.last().map_or(0, |day| day.number);
    let today: Vec<_> = sold.iter().filter(|sold| sold.day == today).copied().collect();
    let sum = |currency| {
        let of = today.iter().find(|sold| sold.currency == currency);
        Money::new(of.map_or(0, |sold| sold.amount_minor), currency)
    };
    let orders_yesterday = match yesterday_so_far(&days, now) {
        Some((from, until)) => sales::store::count_paid(source, merchant.id, from, until, YESTERDAY_MAX)?,
        None => 0,
    };
    let newest =
        orders::desk_store::page(source, merchant.id, &Filter::default(), &Ask::newest(RECENT))?.rows;
    let connections = connections::store::list(source, merchant.id)?;
    Ok(HomePage {
        orders_today: today.iter().map(|sold| sold.orders).fold(0, u32::saturating_add),
        sums_today: currencies(merchant.currency, &today).into_iter().map(sum).collect(),
        orders_yesterday,
        alarms: find::all(source, merchant.id, house)?,
        checked_at: now,
        charts: currencies(merchant.currency, &sold)
            .into_iter()
            .map(|currency| chart(currency, &days, &sold))
            .collect(),
        setup: Setup {
            has_connection: connections.iter().any(|connection| connection.disabled_at.is_none()),
            has_product: store::sells_something(source, merchant.id)?,
            has_order: !newest.is_empty(),
            has_mail: house.has_mail,
        },
        recent: orders::rows::rows(source, merchant.id, &newest)?,
    })
}
