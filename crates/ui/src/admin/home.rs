//! The front page: what came in today, what needs a person, how the month went.

use kernel::{Currency, Money, Span, Timestamp};
use serde::Serialize;

use super::chart::{DaySales, SalesChart};
use super::orders::OrderRow;
use super::sample::minutes_ago;
use super::words::{AlarmKind, Word};
use crate::Template;
use crate::samples::{LONG, NOW, eur, text, usd};

/// templates/admin/home.html - `/admin`.
#[derive(Debug, Clone, Serialize)]
pub struct HomePage {
    /// Orders that became paid today, in the merchant's time zone.
    pub orders_today: u32,
    /// What they brought, a sum per currency, the merchant's own first.
    pub sums_today: Vec<Money>,
    /// The same of yesterday until this time of day, for comparison.
    pub orders_yesterday: u32,
    /// Only those that found something, the worst first.
    pub alarms: Vec<Alarm>,
    /// When the standing checks last ran.
    pub checked_at: Timestamp,
    /// The last 30 days, a chart per currency that sold.
    pub charts: Vec<SalesChart>,
    /// The newest.
    pub recent: Vec<OrderRow>,
    /// What a new shop still lacks.
    pub setup: Setup,
}

/// What was found by a standing check.
#[derive(Debug, Clone, Serialize)]
pub struct Alarm {
    /// Which check.
    pub kind: AlarmKind,
    /// How many.
    pub count: u32,
    /// Since when the oldest of them.
    pub since: Option<Timestamp>,
    /// Where they are listed; a filter of a list.
    pub path: String,
    /// The oldest few.
    pub examples: Vec<AlarmExample>,
}

/// One thing that a check found.
#[derive(Debug, Clone, Serialize)]
pub struct AlarmExample {
    /// Where it is.
    pub path: String,
    /// What it is: a buyer, an address, a job.
    pub what: String,
    /// What is wrong with it, in few words.
    pub why: String,
}

/// What a new shop has. The page teaches the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Setup {
    /// A way to be paid.
    pub has_connection: bool,
    /// Something to sell, with a price.
    pub has_product: bool,
    /// A first sale.
    pub has_order: bool,
    /// Mail leaves the house.
    pub has_mail: bool,
}

impl Setup {
    /// Nothing to teach.
    pub const DONE: Self = Self { has_connection: true, has_product: true, has_order: true, has_mail: true };
}

/// Thirty days of sales for samples, with quiet days and one that stands out.
pub(super) fn month(currency: Currency) -> SalesChart {
    const SOLD: [u32; 30] =
        [3, 5, 2, 0, 0, 4, 6, 5, 7, 3, 1, 2, 8, 6, 5, 9, 4, 2, 3, 11, 24, 13, 8, 6, 4, 5, 7, 9, 6, 5];
    let first = NOW - Span::days(29);
    let day = |(place, orders): (usize, &u32)| DaySales {
        day: first + Span::days(i64::try_from(place).unwrap_or_default()),
        orders: *orders,
        minor: i64::from(*orders) * 19_00,
    };
    SalesChart::new(currency, &SOLD.iter().enumerate().map(day).collect::<Vec<_>>())
}

fn alarm(kind: AlarmKind, count: u32) -> Alarm {
    let example = |what: &str, why: &str| AlarmExample {
        path: text("/admin/orders/ord_1"),
        what: text(what),
        why: text(why),
    };
    Alarm {
        kind,
        count,
        since: Some(minutes_ago(75)),
        path: text("/admin/orders?status=paid"),
        examples: vec![
            example("ada@example.com", "paid 1 hour 15 minutes ago, 2 of 3 units made"),
            example(LONG, "the mail server refused the address"),
        ],
    }
}

impl Template for HomePage {
    const NAME: &'static str = "admin/home.html";

    fn samples() -> Vec<Self> {
        let busy = Self {
            orders_today: 5,
            sums_today: vec![eur(95_00), usd(38_00)],
            orders_yesterday: 4,
            alarms: Vec::new(),
            checked_at: minutes_ago(1),
            charts: vec![month(Currency::EUR), month(Currency::USD)],
            recent: OrderRow::samples(),
            setup: Setup::DONE,
        };
        let kinds = AlarmKind::ALL.iter().copied().zip([1, 1, 7, 2, 5, 1, 1, 12, 3, 1, 4]);
        let alarmed =
            Self { alarms: kinds.map(|(kind, count)| alarm(kind, count)).collect(), ..busy.clone() };
        let new = Self {
            orders_today: 0,
            sums_today: Vec::new(),
            orders_yesterday: 0,
            charts: Vec::new(),
            recent: Vec::new(),
            setup: Setup { has_connection: false, has_product: false, has_order: false, has_mail: false },
            ..busy.clone()
        };
        let half = Self { setup: Setup { has_connection: true, ..new.setup }, ..new.clone() };
        let quiet = Self {
            orders_today: 0,
            sums_today: vec![eur(0)],
            charts: vec![SalesChart::new(Currency::EUR, &[])],
            recent: OrderRow::samples(),
            ..busy.clone()
        };
        vec![alarmed, busy, new, half, quiet]
    }
}
