//! Sales by day: how many orders became paid, and what they brought, in the merchant's days.
//!
//! Adding up a month of orders would make the front page dearer with every sale. So the job that
//! issues an order's invoice also counts the order, once, under the day on which it was paid; what
//! that job has not reached yet is read from the orders themselves, so that the sum is exact at any
//! moment. What goes back later is not taken off: a day's sales are what that day brought.

pub mod flow;
pub mod store;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use kernel::{Currency, Timestamp};

/// What one day brought in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sold {
    /// Which day, as [`day_of`] numbers them.
    pub day: i64,
    /// In which currency.
    pub currency: Currency,
    /// How many orders became paid.
    pub orders: u32,
    /// What was due of them.
    pub amount_minor: i64,
}

/// A calendar day of the merchant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01.
    pub number: i64,
    /// Its first moment.
    pub start: Timestamp,
}

/// The first of all days.
const EPOCH: Date = date(1970, 1, 1);

/// Which day of the merchant's a moment belongs to, counted from 1970-01-01.
pub fn day_of(at: Timestamp, zone: &str) -> i64 {
    number_of(date_of(at, &zone_of(zone)))
}

/// The last so many days of the merchant's until today, without holes, the oldest first.
pub fn days_until(now: Timestamp, zone: &str, count: usize) -> Vec<Day> {
    let zone = zone_of(zone);
    let mut date = date_of(now, &zone);
    let mut days = Vec::with_capacity(count);
    for _ in 0..count {
        days.push(Day { number: number_of(date), start: start_of(date, &zone) });
        let Ok(before) = date.yesterday() else { break };
        date = before;
    }
    days.reverse();
    days
}

fn zone_of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn date_of(at: Timestamp, zone: &TimeZone) -> Date {
    jiff::Timestamp::from_microsecond(at.as_micros()).map_or(EPOCH, |at| zone.to_datetime(at).date())
}

fn number_of(date: Date) -> i64 {
    EPOCH.until(date).map_or(0, |span| i64::from(span.get_days()))
}

/// Midnight, or the first moment after it where clocks jump over midnight.
fn start_of(date: Date, zone: &TimeZone) -> Timestamp {
    let start = date.to_zoned(zone.clone());
    start.map_or(Timestamp::from_seconds(0), |start| {
        Timestamp::from_micros(start.timestamp().as_microsecond())
    })
}

/// One sum per day and currency, out of parts that were counted in different places.
pub fn joined(parts: impl IntoIterator<Item = Sold>) -> Vec<Sold> {
    let mut sums: Vec<Sold> = Vec::new();
    for part in parts {
        match sums.iter_mut().find(|sum| (sum.day, sum.currency) == (part.day, part.currency)) {
            Some(sum) => {
                sum.orders = sum.orders.saturating_add(part.orders);
                sum.amount_minor = sum.amount_minor.saturating_add(part.amount_minor);
            }
            None => sums.push(part),
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use kernel::Span;

    use super::*;

    #[test]
    fn a_moment_belongs_to_the_day_on_the_merchants_wall() {
        let new_year = Timestamp::from_seconds(1_798_759_800); // 2026-12-31 23:30 UTC
        assert_eq!(day_of(new_year, "UTC") + 1, day_of(new_year, "Europe/Berlin"));
        assert_eq!(day_of(new_year, "America/New_York"), day_of(new_year, "UTC"));
        assert_eq!(day_of(Timestamp::from_seconds(0), "UTC"), 0);
    }

    #[test]
    fn days_follow_one_another_also_where_the_clocks_change() {
        let april = Timestamp::from_seconds(1_774_951_200); // 2026-03-31 10:00 UTC
        let days = days_until(april, "Europe/Berlin", 4);
        let lengths: Vec<Span> = days.windows(2).map(|pair| pair[1].start.since(pair[0].start)).collect();
        assert!(days.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
        assert_eq!(lengths, [Span::hours(24), Span::hours(23), Span::hours(24)]);
        assert_eq!(days.last().map(|day| day.number), Some(day_of(april, "Europe/Berlin")));
    }

    #[test]
    fn what_was_counted_in_two_places_is_one_sum() {
        let part = |currency, amount_minor| Sold { day: 1, currency, orders: 1, amount_minor };
        let sums = joined([part(Currency::EUR, 5), part(Currency::USD, 7), part(Currency::EUR, 6)]);
        assert_eq!(sums, [Sold { orders: 2, ..part(Currency::EUR, 11) }, part(Currency::USD, 7)]);
    }
}
