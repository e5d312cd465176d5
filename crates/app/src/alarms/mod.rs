//! Alarms: what is wrong in a shop and needs a person.
//!
//! The front page finds them whenever somebody looks. For those who do not look, the keeper of
//! the house does every few minutes, and calls by mail: at once for what is new, again for what
//! still stands a day later, and never more than once an hour. When all is well again it says
//! nothing. What was told is kept beside when it was looked, and moved on by one conditional
//! UPDATE, so that of several nodes one looks and one mail leaves.

pub mod find;
pub mod flow;
pub mod jobs;
pub mod store;

use std::collections::BTreeMap;

use kernel::{MerchantId, Span, Timestamp};
use ui::admin::{Alarm, Word as _};

/// How often a merchant's alarms are looked at.
pub const LOOKED_AT_EVERY: Span = Span::minutes(5);
/// What has been wrong for less is no reason to call: most mail servers that refuse a mail take it
/// minutes later.
const STANDS_FOR_MIN: Span = Span::minutes(10);
/// Nobody is called more often, whatever breaks.
const MAILED_EVERY: Span = Span::hours(1);
/// What still stands is told again after so long.
const TOLD_AGAIN_AFTER: Span = Span::hours(24);

/// How a merchant's alarms are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Whose.
    pub merchant: MerchantId,
    /// When they were looked at last.
    pub looked_at: Timestamp,
    /// When a mail was written last.
    pub mailed_at: Option<Timestamp>,
    /// The kinds that stood then, with when each was told last.
    pub told: BTreeMap<String, Timestamp>,
}

impl Watch {
    /// The watch of a merchant that has just opened: nothing has happened yet.
    pub const fn begun(merchant: MerchantId, now: Timestamp) -> Self {
        Self { merchant, looked_at: now, mailed_at: None, told: BTreeMap::new() }
    }

    /// After a look that found this. What no longer stands is forgotten, so that it counts as new
    /// when it comes back.
    #[must_use]
    pub fn looked(&self, found: &[Alarm], now: Timestamp) -> Self {
        let stands = |kind: &str| found.iter().any(|alarm| alarm.kind.word() == kind);
        let told = self.told.iter().filter(|(kind, _)| stands(kind));
        Self {
            looked_at: now,
            told: told.map(|(kind, at)| (kind.clone(), *at)).collect(),
            merchant: self.merchant,
            mailed_at: self.mailed_at,
        }
    }

    /// Whether somebody is to be called because of this.
    pub fn calls(&self, found: &[Alarm], now: Timestamp) -> bool {
        let stands = |alarm: &&Alarm| alarm.since.is_none_or(|since| now.since(since) >= STANDS_FOR_MIN);
        let untold = |alarm: &Alarm| {
            let told = self.told.get(alarm.kind.word());
            told.is_none_or(|at| now.since(*at) >= TOLD_AGAIN_AFTER)
        };
        let quiet = self.mailed_at.is_none_or(|at| now.since(at) >= MAILED_EVERY);
        quiet && found.iter().filter(stands).any(untold)
    }

    /// After a mail that tells all of this.
    #[must_use]
    pub fn mailed(self, found: &[Alarm], now: Timestamp) -> Self {
        let told = found.iter().map(|alarm| (alarm.kind.word().to_owned(), now)).collect();
        Self { mailed_at: Some(now), told, ..self }
    }
}

/// An alarm as a mail tells it. It names no buyer: such mail is forwarded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// The word of its kind.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// Since when the oldest of them.
    pub since: Option<Timestamp>,
    /// Where they are listed.
    pub path: String,
}

impl From<&Alarm> for Note {
    fn from(alarm: &Alarm) -> Self {
        Self {
            kind: alarm.kind.word().to_owned(),
            count: alarm.count,
            since: alarm.since,
            path: alarm.path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ui::admin::AlarmKind;

    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_014_400);

    fn alarm(kind: AlarmKind, since: Timestamp) -> Alarm {
        Alarm { kind, count: 1, since: Some(since), path: String::new(), examples: Vec::new() }
    }

    fn watch() -> Watch {
        Watch::begun(MerchantId::from_bits(1), NOON)
    }

    #[test]
    fn what_stands_for_ten_minutes_is_told_and_then_not_for_a_day() {
        let found = [alarm(AlarmKind::MailFailing, NOON)];
        let early = NOON + Span::minutes(9);
        let late = NOON + Span::minutes(10);
        assert!(!watch().calls(&found, early) && watch().calls(&found, late));

        let told = watch().mailed(&found, late);
        assert!(!told.calls(&found, late + Span::hours(23)));
        assert!(told.calls(&found, late + Span::hours(24)));
    }

    #[test]
    fn what_is_new_waits_until_an_hour_after_the_last_mail() {
        let first = alarm(AlarmKind::MailFailing, NOON);
        let told = watch().mailed(std::slice::from_ref(&first), NOON + Span::minutes(10));
        let both = [first, alarm(AlarmKind::NotVerified, NOON)];

        assert!(!told.calls(&both, NOON + Span::minutes(69)));
        assert!(told.calls(&both, NOON + Span::minutes(70)));
    }

    #[test]
    fn what_went_and_came_back_is_new() {
        let found = [alarm(AlarmKind::MailFailing, NOON)];
        let told = watch().mailed(&found, NOON);
        let later = NOON + Span::hours(2);

        let well = told.looked(&[], NOON + Span::hours(1));

        assert!(!told.calls(&found, later) && well.calls(&found, later));
        assert!(!well.calls(&[], later));
    }
}
