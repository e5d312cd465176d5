//! Notifications on their way: sent until they are answered with 200, at most for four days.

use std::collections::BTreeMap;

use kernel::{Span, Timestamp};

/// PayPal tries again fifteen times …
const RETRIES_MAX: usize = 15;
/// … within four days.
const GIVES_UP_AFTER: Span = Span::days(4);
/// Old ones are forgotten, so that a simulator can run for long.
const NOTICES_KEPT_MAX: usize = 20_000;

/// How the gaps between attempts grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patience {
    /// Ten seconds, then always twice as long: the fifteenth retry is 3.8 days later.
    #[default]
    Paypal,
    /// Two seconds at first, for somebody who watches.
    Demo,
}

impl Patience {
    fn gap(self, attempts: usize) -> Span {
        let doublings = |from: usize| 1i64 << attempts.saturating_sub(from).min(RETRIES_MAX);
        match self {
            Self::Paypal => Span::seconds(10 * doublings(1)),
            Self::Demo => Span::seconds(2 * doublings(5)),
        }
    }
}

/// In which order notifications leave that are due together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sequence {
    /// As things happened.
    #[default]
    OldestFirst,
    /// The other way round.
    NewestFirst,
    /// All at the same time.
    Together,
}

/// What goes wrong on the way, as data.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// So many copies of each notification leave beside it.
    pub copies: u32,
    /// Each waits this long before it leaves.
    pub delay: Span,
    /// The next so many never leave at all.
    pub lose_next: u32,
    /// Nothing leaves while this is set.
    pub held: bool,
    /// The order of those that are due together.
    pub sequence: Sequence,
}

/// What the shop said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It answered.
    Status {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        text: String,
    },
    /// There was nobody, or no connection; why.
    Unreachable(String),
    /// It took longer than PayPal waits.
    TimedOut,
}

impl Answer {
    /// Only 200 is taken for a receipt.
    pub fn is_receipt(&self) -> bool {
        matches!(self, Self::Status { status: 200, .. })
    }
}

/// One try to deliver.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When, on the simulator's clock.
    pub at: Timestamp,
    /// What came of it.
    pub answer: Answer,
}

/// Where a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeState {
    /// To be sent when it is due.
    Waiting,
    /// Being sent.
    Sending,
    /// Answered with 200.
    Delivered,
    /// Tried often enough.
    GivenUp,
    /// Never sent, by fault.
    Lost,
}

/// A notification and how it fared.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Counted from 1, in the order of making.
    pub number: u64,
    /// The payment that it belongs to; empty if it was put in by hand.
    pub txn_id: String,
    /// What it says, for people: `Completed`.
    pub about: String,
    /// Where to.
    pub url: String,
    /// The bytes.
    pub body: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it leaves next.
    pub due_at: Timestamp,
    /// Where it is.
    pub state: NoticeState,
    /// Tries so far.
    pub attempts: Vec<Attempt>,
}

/// What is to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) txn_id: String,
    pub(crate) about: String,
    pub(crate) url: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    notices: BTreeMap<u64, Notice>,
    made: u64,
    patience: Patience,
    pub(crate) faults: Faults,
}

impl Outbox {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Takes a letter, and makes of it what the faults say.
    pub(crate) fn post(&mut self, letter: &Letter, now: Timestamp) {
        let lost = self.faults.lose_next > 0;
        self.faults.lose_next = self.faults.lose_next.saturating_sub(1);
        let state = if lost { NoticeState::Lost } else { NoticeState::Waiting };
        for _ in 0..=self.faults.copies {
            self.add(letter, state, now);
        }
    }

    fn add(&mut self, letter: &Letter, state: NoticeState, now: Timestamp) {
        self.made += 1;
        let notice = Notice {
            number: self.made,
            txn_id: letter.txn_id.clone(),
            about: letter.about.clone(),
            url: letter.url.clone(),
            body: letter.body.clone(),
            created_at: now,
            due_at: now + self.faults.delay,
            state,
            attempts: Vec::new(),
        };
        self.notices.insert(notice.number, notice);
        if self.notices.len() > NOTICES_KEPT_MAX {
            self.notices.pop_first();
        }
    }

    /// Takes out what is due, to be sent in this order.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Notice> {
        if self.faults.held {
            return Vec::new();
        }
        let is_due = |notice: &&mut Notice| notice.state == NoticeState::Waiting && notice.due_at <= now;
        let mut due: Vec<Notice> = Vec::new();
        for notice in self.notices.values_mut().filter(is_due) {
            notice.state = NoticeState::Sending;
            due.push(notice.clone());
        }
        if self.faults.sequence == Sequence::NewestFirst {
            due.reverse();
        }
        due
    }

    /// Writes down how a try went.
    pub(crate) fn answered(&mut self, number: u64, answer: Answer, now: Timestamp) {
        let patience = self.patience;
        let Some(notice) = self.notices.get_mut(&number) else { return };
        let received = answer.is_receipt();
        notice.attempts.push(Attempt { at: now, answer });
        let tried_enough =
            notice.attempts.len() > RETRIES_MAX || now.since(notice.created_at) >= GIVES_UP_AFTER;
        notice.state = match (received, tried_enough) {
            (true, _) => NoticeState::Delivered,
            (false, true) => NoticeState::GivenUp,
            (false, false) => NoticeState::Waiting,
        };
        notice.due_at = now + patience.gap(notice.attempts.len());
    }

    /// When somebody has to look again; never while everything is held.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.notices.values().filter(|notice| notice.state == NoticeState::Waiting);
        waiting.map(|notice| notice.due_at).min().filter(|_| !self.faults.held)
    }

    /// Everything that waits is due now.
    pub(crate) fn hasten(&mut self, now: Timestamp) {
        for notice in self.notices.values_mut().filter(|notice| notice.state == NoticeState::Waiting) {
            notice.due_at = notice.due_at.min(now);
        }
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Notice> {
        self.notices.get(&number)
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Notice> {
        self.notices.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn letter(about: &str) -> Letter {
        Letter {
            txn_id: "T".to_owned(),
            about: about.to_owned(),
            url: String::new(),
            body: about.as_bytes().to_vec(),
        }
    }

    fn refused() -> Answer {
        Answer::Status { status: 503, text: String::new() }
    }

    fn due(outbox: &mut Outbox, now: Timestamp) -> Vec<String> {
        outbox.take_due(now).into_iter().map(|notice| notice.about).collect()
    }

    #[test]
    fn a_receipt_ends_the_trying_and_nothing_else_does() {
        let mut outbox = Outbox::default();
        outbox.post(&letter("a"), at(0));
        outbox.take_due(at(0));
        outbox.answered(1, Answer::Status { status: 202, text: String::new() }, at(0));
        assert_eq!(outbox.get(1).unwrap().state, NoticeState::Waiting);
        assert_eq!(due(&mut outbox, at(9)), [""; 0]);
        assert_eq!(due(&mut outbox, at(10)), ["a"]);
        outbox.answered(1, Answer::Status { status: 200, text: String::new() }, at(10));
        assert_eq!(outbox.get(1).unwrap().state, NoticeState::Delivered);
        assert_eq!(outbox.next_due(), None);
    }

    #[test]
    fn sixteen_tries_fill_just_under_four_days() {
        let mut outbox = Outbox::default();
        outbox.post(&letter("a"), at(0));
        let mut last = at(0);
        while let Some(next) = outbox.next_due() {
            last = next;
            outbox.take_due(next);
            outbox.answered(1, refused(), next);
        }
        let notice = outbox.get(1).unwrap();
        assert_eq!((notice.attempts.len(), notice.state), (16, NoticeState::GivenUp));
        assert_eq!(last, at(10 * ((1 << 15) - 1)));
        assert!(last < at(4 * 86_400));
    }

    #[test]
    fn after_four_days_one_more_failure_is_the_last() {
        let mut outbox = Outbox::default();
        outbox.post(&letter("a"), at(0));
        outbox.take_due(at(0));
        outbox.answered(1, Answer::TimedOut, at(0));
        assert_eq!(due(&mut outbox, at(4 * 86_400)), ["a"]);
        outbox.answered(1, refused(), at(4 * 86_400));
        assert_eq!(outbox.get(1).unwrap().state, NoticeState::GivenUp);
    }

    #[test]
    fn the_demo_tries_every_two_seconds_at_first() {
        let gaps: Vec<i64> =
            [1, 4, 5, 6, 15].map(|attempts| Patience::Demo.gap(attempts).as_micros() / 1_000_000).into();
        assert_eq!(gaps, [2, 2, 2, 4, 2048]);
    }

    #[test]
    fn faults_copy_delay_lose_hold_and_turn_round() {
        let faults = Faults { copies: 1, delay: Span::seconds(5), ..Faults::default() };
        let mut outbox = Outbox { faults, ..Outbox::default() };
        outbox.post(&letter("a"), at(0));
        assert_eq!(due(&mut outbox, at(4)), [""; 0]);
        assert_eq!(due(&mut outbox, at(5)), ["a", "a"]);

        outbox.faults =
            Faults { lose_next: 1, held: true, sequence: Sequence::NewestFirst, ..Faults::default() };
        outbox.post(&letter("lost"), at(6));
        outbox.post(&letter("b"), at(6));
        outbox.post(&letter("c"), at(6));
        assert_eq!((due(&mut outbox, at(9)), outbox.next_due()), (Vec::new(), None));
        outbox.faults.held = false;
        assert_eq!(due(&mut outbox, at(9)), ["c", "b"]);
    }

    #[test]
    fn hastening_makes_everything_due() {
        let mut outbox = Outbox::default();
        outbox.post(&letter("a"), at(0));
        outbox.take_due(at(0));
        outbox.answered(1, refused(), at(0));
        outbox.hasten(at(1));
        assert_eq!(due(&mut outbox, at(1)), ["a"]);
    }
}
