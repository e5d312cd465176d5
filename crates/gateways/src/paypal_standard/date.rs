//! PayPal's dates: `20:12:59 Jan 13, 2026 PST`, and what its simulator makes of them.

use kernel::Timestamp;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date leniently: its parts may stand in any order. It is informational, so what
/// cannot be read is no error. Without a zone it is no point in time.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    if let Ok(at) = Timestamp::parse_rfc3339(text) {
        return Some(at);
    }
    let (mut time, mut day, mut month, mut year, mut zone) = (None, None, None, None, None);
    for word in text.split([' ', ',', '(', ')']).filter(|word| !word.is_empty()) {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        if word.contains(':') {
            time = time.or(Some(word));
        } else if let Some(number) = month_number(word) {
            month = month.or(Some(number));
        } else if let Some(offset) = zone_offset(word) {
            zone = zone.or(Some(offset));
        } else if digits && word.len() == 4 {
            year = year.or(Some(word));
        } else if digits && word.len() <= 2 {
            day = day.or(Some(word));
        }
    }
    let (time, day, month, year, zone) = (time?, day?, month?, year?, zone?);
    Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day:0>2}T{time}{zone}")).ok()
}

fn month_number(word: &str) -> Option<usize> {
    let short = word.strip_suffix('.').unwrap_or(word);
    MONTHS.iter().position(|month| *month == short).map(|index| index + 1)
}

fn zone_offset(word: &str) -> Option<String> {
    match word {
        "PST" => return Some("-08:00".to_owned()),
        "PDT" => return Some("-07:00".to_owned()),
        "UTC" | "GMT" | "Z" => return Some("Z".to_owned()),
        _ => {}
    }
    let offset = word.strip_prefix("GMT")?;
    let digits = offset.strip_prefix(['+', '-'])?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = offset.split_at_checked(3)?;
    Some(format!("{hours}:{minutes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        read(text).map(|at| at.to_string())
    }

    #[test]
    fn every_form_that_paypal_sends_is_read() {
        assert_eq!(utc("20:12:59 Jan 13, 2026 PST").unwrap(), "2026-01-14T04:12:59Z");
        assert_eq!(utc("20:12:59 Jul 3, 2026 PDT").unwrap(), "2026-07-04T03:12:59Z");
        assert_eq!(utc("23:04:06 02 Feb 2009 PST").unwrap(), "2009-02-03T07:04:06Z");
        assert_eq!(utc("Sun May 24 2015 14:32:31 GMT-0700 (PDT)").unwrap(), "2015-05-24T21:32:31Z");
        assert_eq!(utc("2023-05-23T19:21:00Z").unwrap(), "2023-05-23T19:21:00Z");
    }

    #[test]
    fn what_is_no_point_in_time_is_nothing() {
        for text in
            ["", "soon", "20:12:59 Jan 13, 2026", "20:12:59 Feb 30, 2026 PST", "25:00:00 Jan 1, 2026 PST"]
        {
            assert_eq!(utc(text), None, "{text:?} was taken");
        }
        assert_eq!(utc("20:12:59 Jan 13, 2026 GMT-07é"), None);
    }
}
