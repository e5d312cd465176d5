//! The reconciler: asks gateways for what their notices may have failed to tell.
//!
//! Two questions. Of every connection whose gateway has a list: what happened since? Of every
//! checkout that was opened and not paid: what became of it? The answers are documents of the
//! gateway's own, and go through the same inbox as what it posts; a statement that came both ways
//! is one fact.

pub mod flow;
pub mod jobs;
pub mod store;

use kernel::{ConnectionId, MerchantId, OrderId, Span, Timestamp};

/// A checkout that a gateway was asked to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCheckout {
    /// At which account.
    pub connection: ConnectionId,
    /// What the gateway calls it.
    pub session_ref: String,
    /// For which order of ours.
    pub order: OrderId,
}

/// How far the news of a connection are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// Whose.
    pub connection: ConnectionId,
    /// Whose connection it is.
    pub merchant: MerchantId,
    /// What happened at the gateway before this is known.
    pub watermark: Timestamp,
    /// The round that is underway: until when it asks, and where its last page ended.
    pub round: Option<Round>,
    /// The latest event that was seen in the round.
    pub newest: Option<Timestamp>,
    /// When the gateway last answered.
    pub answered_at: Option<Timestamp>,
    /// How often it has not, since.
    pub failures: u32,
    /// Why not, the last time.
    pub trouble: String,
}

/// A round of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Until when it asks.
    pub until: Timestamp,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// How often a gateway is asked for news.
pub const EVERY: Span = Span::minutes(5);

/// Events become visible late, and out of order: so much is asked for again.
pub const OVERLAP: Span = Span::minutes(30);

/// Where a gateway has said nothing for long, no more than this is asked for again: its clock and
/// ours do not differ by more.
pub const REACH: Span = Span::days(1);

/// Pages read in one piece of work; where there are more, the next piece goes on.
pub const PAGES_MAX: usize = 10;

/// A checkout is asked about so long: a bank transfer takes days, and disputes come in other ways.
pub const ASKED_FOR: Span = Span::days(14);

/// When a checkout is asked about next: soon at first, then ever more rarely.
pub fn ask_again_at(opened_at: Timestamp, asked_at: Timestamp) -> Option<Timestamp> {
    let age = asked_at.since(opened_at);
    let pause = if age < Span::hours(1) {
        Span::minutes(10)
    } else if age < Span::days(1) {
        Span::hours(1)
    } else {
        Span::hours(8)
    };
    (age < ASKED_FOR).then(|| asked_at + pause)
}

/// The watermark after a round: the newest event that was seen, and never so old that quiet accounts
/// are asked for ever longer times.
pub fn watermark_after(before: Timestamp, round_until: Timestamp, newest: Option<Timestamp>) -> Timestamp {
    let seen = newest.map_or(before, |newest| newest.min(round_until));
    before.max(seen).max(round_until - REACH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn the_watermark_follows_the_gateways_clock_and_never_goes_back() {
        let day = 86_400;
        assert_eq!(
            watermark_after(at(10 * day), at(10 * day + 300), Some(at(10 * day + 60))),
            at(10 * day + 60)
        );
        assert_eq!(watermark_after(at(10 * day), at(10 * day + 300), None), at(10 * day));
        assert_eq!(watermark_after(at(10 * day), at(10 * day + 300), Some(at(0))), at(10 * day));
        // A gateway whose clock is ahead does not make us skip what comes between.
        assert_eq!(watermark_after(at(0), at(300), Some(at(9_000))), at(300));
        // Ten quiet days are not asked for again and again.
        assert_eq!(watermark_after(at(0), at(10 * day), None), at(9 * day));
    }

    #[test]
    fn a_checkout_is_asked_about_ever_more_rarely_and_then_no_more() {
        assert_eq!(ask_again_at(at(0), at(0)), Some(at(600)));
        assert_eq!(ask_again_at(at(0), at(7_200)), Some(at(10_800)));
        assert_eq!(ask_again_at(at(0), at(14 * 86_400)), None);
    }
}
