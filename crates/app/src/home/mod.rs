//! The front page of the back office: what came in, what needs a person, what a new shop lacks.
//!
//! Everything here is read when somebody looks, and every read is bounded: the page costs the
//! same after a million orders.

pub mod staff_pages;
pub mod store;

use kernel::{Currency, Timestamp};
use ui::admin::{DaySales, SalesChart};

use crate::sales::{Day, Sold};

/// Days on the chart.
pub const CHART_DAYS: usize = 30;

/// Which currencies sold, the merchant's own first, the others by their code.
pub fn currencies(own: Currency, sold: &[Sold]) -> Vec<Currency> {
    let mut others: Vec<Currency> =
        sold.iter().map(|sold| sold.currency).filter(|currency| *currency != own).collect();
    others.sort_by_key(ToString::to_string);
    others.dedup();
    std::iter::once(own).chain(others).collect()
}

/// A chart of these days in one currency: a bar for each day, also for those without sales.
pub fn chart(currency: Currency, days: &[Day], sold: &[Sold]) -> SalesChart {
    let bar = |day: &Day| {
        let sold = sold.iter().find(|sold| sold.day == day.number && sold.currency == currency);
        DaySales {
            day: day.start,
            orders: sold.map_or(0, |sold| sold.orders),
            minor: sold.map_or(0, |sold| sold.amount_minor),
        }
    };
    SalesChart::new(currency, &days.iter().map(bar).collect::<Vec<_>>())
}

/// The same time of day before: from the start of yesterday for as long as today has lasted.
pub fn yesterday_so_far(days: &[Day], now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let (today, before) = days.split_last()?;
    let yesterday = before.last()?;
    let until = yesterday.start + now.since(today.start);
    Some((yesterday.start, until.min(today.start)))
}

#[cfg(test)]
mod tests {
    use kernel::Span;

    use super::*;
    use crate::sales::days_until;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_014_400); // 2027-01-15 12:00 UTC

    fn sold(currency: Currency, day: i64) -> Sold {
        Sold { day, currency, orders: 2, amount_minor: 98_00 }
    }

    #[test]
    fn the_merchants_own_currency_comes_first_and_each_comes_once() {
        let all = [sold(Currency::USD, 1), sold(Currency::EUR, 1), sold(Currency::USD, 2)];
        assert_eq!(currencies(Currency::EUR, &all), [Currency::EUR, Currency::USD]);
        assert_eq!(currencies(Currency::EUR, &[]), [Currency::EUR]);
    }

    #[test]
    fn a_day_without_sales_has_its_place_on_the_chart() {
        let days = days_until(NOON, "UTC", CHART_DAYS);
        let today = days.last().expect("today").number;

        let chart = chart(Currency::EUR, &days, &[sold(Currency::EUR, today), sold(Currency::USD, today)]);

        assert_eq!((chart.bars.len(), chart.orders, chart.total.minor), (CHART_DAYS, 2, 98_00));
        assert_eq!(chart.bars.last().map(|bar| bar.amount.minor), Some(98_00));
    }

    #[test]
    fn yesterday_is_compared_up_to_the_same_time_of_day() {
        let days = days_until(NOON, "UTC", 2);
        let start = days[0].start;
        assert_eq!(yesterday_so_far(&days, NOON), Some((start, start + Span::hours(12))));
        assert_eq!(yesterday_so_far(&days[..1], NOON), None);
    }
}
