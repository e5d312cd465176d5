//! Times as zip writes them.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// The time of last change that every entry of an archive bears: a MS-DOS date and time, in steps of
/// two seconds, without a time zone, between 1980 and 2107.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DosTime {
    date: u16,
    time: u16,
}

impl DosTime {
    /// 1980-01-01 00:00:00, the earliest there is: what archives bear unless told otherwise.
    pub const FIRST: Self = Self { date: (1 << 5) | 1, time: 0 };
    /// 2107-12-31 23:59:58, the latest there is.
    pub const LAST: Self = Self { date: (127 << 9) | (12 << 5) | 31, time: (23 << 11) | (59 << 5) | 29 };

    /// This time as a clock in Greenwich shows it; the nearest there is when it is out of range.
    pub fn from_utc(at: Timestamp) -> Self {
        let at = at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
        let Ok(year) = u16::try_from(i32::from(at.year()) - 1980) else { return Self::FIRST };
        if year > 127 {
            return Self::LAST;
        }
        let part = |value: i8| u16::from(value.unsigned_abs());
        Self {
            date: (year << 9) | (part(at.month()) << 5) | part(at.day()),
            time: (part(at.hour()) << 11) | (part(at.minute()) << 5) | (part(at.second()) / 2),
        }
    }

    pub(crate) const fn date(self) -> u16 {
        self.date
    }

    pub(crate) const fn time(self) -> u16 {
        self.time
    }
}

impl Default for DosTime {
    fn default() -> Self {
        Self::FIRST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> DosTime {
        DosTime::from_utc(Timestamp::parse_rfc3339(text).expect("a time"))
    }

    #[test]
    fn a_time_is_written_in_steps_of_two_seconds() {
        let at = of("2026-11-27T19:04:25Z");
        assert_eq!(at.date(), (46 << 9) | (11 << 5) | 27);
        assert_eq!(at.time(), (19 << 11) | (4 << 5) | 12);
    }

    #[test]
    fn a_time_out_of_range_becomes_the_nearest() {
        assert_eq!(of("1979-12-31T23:59:59Z"), DosTime::FIRST);
        assert_eq!(of("1980-01-01T00:00:00Z"), DosTime::FIRST);
        assert_eq!(of("2107-12-31T23:59:59Z"), DosTime::LAST);
        assert_eq!(of("2108-01-01T00:00:00Z"), DosTime::LAST);
    }
}
