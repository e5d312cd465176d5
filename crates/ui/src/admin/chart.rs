//! Sales by day as a bar chart: geometry in whole numbers, so that templates only write attributes.
//!
//! The chart's numbers stand in a table beside it; the picture is described by a title and a
//! sentence. There is no text in the picture: labels are HTML, and stay legible at any width.

use kernel::{Currency, Money, Timestamp};
use serde::Serialize;

/// What was sold on one day in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DaySales {
    /// Any moment of the day in the merchant's time zone; its start will do.
    pub day: Timestamp,
    /// Orders that became paid.
    pub orders: u32,
    /// What they brought, in minor units of the chart's currency.
    pub minor: i64,
}

/// One day's bar, in the coordinates of the chart's view box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: i64,
    /// Width.
    pub width: usize,
    /// Height; a day with sales is never invisible.
    pub height: i64,
    /// The day.
    pub day: Timestamp,
    /// Orders that became paid.
    pub orders: u32,
    /// What they brought.
    pub amount: Money,
}

/// A bar for each day, with a scale of round numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SalesChart {
    /// Of the view box.
    pub width: usize,
    /// Of the view box.
    pub height: i64,
    /// From the first day to the last.
    pub bars: Vec<Bar>,
    /// The number at the upper edge.
    pub top: Money,
    /// The number in the middle.
    pub middle: Money,
    /// The sum of all days.
    pub total: Money,
    /// The orders of all days.
    pub orders: u32,
    /// The day that brought most; `None` when none brought anything.
    pub best: Option<Bar>,
}

/// One day's place in the view box, gap included.
const STEP: usize = 20;
const GAP: usize = 5;
const HEIGHT: i64 = 200;
const BAR_HEIGHT_MIN: i64 = 2;

impl SalesChart {
    /// Lays the bars out. Days come in order, without holes.
    pub fn new(currency: Currency, days: &[DaySales]) -> Self {
        let most = days.iter().map(|day| day.minor).max().unwrap_or(0).max(0);
        // A scale that ends on a whole amount: 20.00 reads better than 0.73.
        let unit = 10i64.saturating_pow(currency.decimals());
        let top = round_up(most).max(unit.saturating_mul(2));
        let bars: Vec<Bar> =
            days.iter().enumerate().map(|(place, day)| bar(place, day, top, currency)).collect();
        let total = days.iter().map(|day| day.minor).fold(0, i64::saturating_add);
        Self {
            width: (days.len() * STEP).saturating_sub(GAP).max(1),
            height: HEIGHT,
            top: Money::new(top, currency),
            middle: Money::new(top / 2, currency),
            total: Money::new(total, currency),
            orders: days.iter().map(|day| day.orders).fold(0, u32::saturating_add),
            best: bars.iter().filter(|bar| bar.amount.minor > 0).max_by_key(|bar| bar.amount.minor).cloned(),
            bars,
        }
    }
}

fn bar(place: usize, day: &DaySales, top: i64, currency: Currency) -> Bar {
    let height = i128::from(day.minor.max(0)) * i128::from(HEIGHT) / i128::from(top.max(1));
    let height = i64::try_from(height).unwrap_or(HEIGHT);
    let height = if day.minor > 0 { height.max(BAR_HEIGHT_MIN) } else { 0 };
    Bar {
        x: place * STEP,
        y: HEIGHT - height,
        width: STEP - GAP,
        height,
        day: day.day,
        orders: day.orders,
        amount: Money::new(day.minor, currency),
    }
}

/// The next of 2, 4, 6, 8, 10, 20, 40, …: numbers whose half is round too.
fn round_up(number: i64) -> i64 {
    let mut power: i64 = 1;
    while power < i64::MAX / 100 {
        for factor in [2, 4, 6, 8, 10] {
            if power.saturating_mul(factor) >= number {
                return power.saturating_mul(factor);
            }
        }
        power = power.saturating_mul(10);
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(minors: &[i64]) -> SalesChart {
        let day = |minor: &i64| DaySales { day: Timestamp::from_seconds(0), orders: 1, minor: *minor };
        SalesChart::new(Currency::EUR, &minors.iter().map(day).collect::<Vec<_>>())
    }

    #[test]
    fn the_scale_ends_on_a_round_number_that_holds_every_bar() {
        assert_eq!(chart(&[3_150, 900]).top.minor, 4_000);
        assert_eq!(chart(&[40_001]).top.minor, 60_000);
        assert!(chart(&[i64::MAX]).bars.iter().all(|bar| bar.y >= 0 && bar.height <= HEIGHT));
    }

    #[test]
    fn a_quiet_month_has_a_scale_and_no_bars() {
        let chart = chart(&[0, 0, 0]);
        assert_eq!(chart.top.minor, 200);
        assert!(chart.bars.iter().all(|bar| bar.height == 0));
        assert_eq!(chart.best, None);
    }

    #[test]
    fn a_small_day_beside_a_large_one_can_still_be_seen() {
        assert_eq!(chart(&[1, 1_000_000]).bars[0].height, BAR_HEIGHT_MIN);
    }

    #[test]
    fn bars_stay_inside_the_picture() {
        let chart = chart(&[1; 30]);
        let last = chart.bars.last().unwrap();
        assert_eq!(last.x + last.width, chart.width);
    }
}
