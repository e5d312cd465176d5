//! The first byte of lists, of the back office and of the portal.

use app::cx::Actor;
use app::sessions::{self, Holder, Origin};
use app::staff::{self, Role, Staff};
use kernel::{EmailAddress, StaffId};

use crate::downloads::client;
use crate::report::{Bound, Failure, Report, part};
use crate::shop::Shop;

/// How often each is asked for.
const ROUNDS: usize = 200;
/// p95, in milliseconds.
const BUDGET: f64 = 50.0;
const PAGES: [(&str, &str); 6] = [
    ("transactions", "/admin/orders"),
    ("paid transactions", "/admin/orders?status=paid"),
    ("search for one buyer", "/admin/orders?q=bare77%40example.com"),
    ("notices", "/admin/notices"),
    ("notifications", "/admin/messages"),
    ("events", "/admin/events"),
];

/// Asks for each list as somebody who is signed in.
pub fn measure(shop: &Shop, port: u16, orders: u64, report: &mut Report) -> Result<(), Failure> {
    let staff = staff_cookie(shop)?;
    for (name, path) in PAGES {
        one(port, (name, path, &staff), orders, report)?;
    }
    one(port, ("portal: purchases", "/portal", &customer_cookie(shop)?), orders, report)
}

fn one(
    port: u16,
    (name, path, cookie): (&str, &str, &str),
    orders: u64,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut times = client::first_bytes(port, path, cookie, ROUNDS)?;
    times.sort_by(f64::total_cmp);
    let what = format!("{name}, first byte among {orders} orders");
    report.note(&format!("{what}, median"), part(&times, 50), "ms", None);
    report.note(&format!("{what}, p95"), part(&times, 95), "ms", Some(Bound::AtMost(BUDGET)));
    Ok(())
}

fn origin() -> Origin {
    Origin { address: "127.0.0.1".to_owned(), user_agent: "bench".to_owned(), replaces: None }
}

fn staff_cookie(shop: &Shop) -> Result<String, Failure> {
    let merchant = shop.merchant.id;
    let opened = shop.app.write_blocking(merchant, Actor::System, move |cx| {
        let staff = Staff {
            id: StaffId::mint(cx.draws),
            merchant,
            email: EmailAddress::parse("owner@example.com").expect("this is an address"),
            name: "Owner".to_owned(),
            role: Role::Owner,
            password_hash: None,
            totp_sealed: None,
            totp_enabled_at: None,
            totp_last_step: 0,
            created_at: cx.now,
            disabled_at: None,
        };
        staff::store::insert(cx.tx, &staff)?;
        Ok(sessions::flow::open(cx, Holder::Staff(staff.id), &origin())?)
    })?;
    Ok(format!("staff={}", opened.token.expose()))
}

/// Signs in whoever bought last.
fn customer_cookie(shop: &Shop) -> Result<String, Failure> {
    let merchant = shop.merchant.id;
    let opened = shop.app.write_blocking(merchant, Actor::System, move |cx| {
        let newest = app::customers::store::newest(cx.tx, merchant, 1)?;
        let customer = newest.first().map(|customer| customer.id);
        let customer = customer.ok_or_else(|| app::problem::Problem::not_found("customer"))?;
        Ok(sessions::flow::open(cx, Holder::Customer(customer), &origin())?)
    })?;
    Ok(format!("customer={}", opened.token.expose()))
}
