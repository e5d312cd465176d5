//! Which mirrors are well, and whose turn it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::{Span, Timestamp};

use super::Preference;
use crate::StoreError;

/// How a mirror stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Until when it is left out, if it is.
    pub out_until: Option<Timestamp>,
    /// The last thing that went wrong with it, also if it was one blob only.
    pub last_trouble: Option<(Timestamp, String)>,
}

/// The first time a failing mirror is left out; each further time twice as long.
const OUT: Span = Span::seconds(30);
/// And never longer.
const OUT_MAX: Span = Span::minutes(10);

pub(super) struct Health {
    preference: Preference,
    states: Mutex<Vec<State>>,
    /// Whether none is left out: then reading in order need not look at each.
    all_well: AtomicBool,
}

#[derive(Default)]
struct State {
    weight: i64,
    /// What it is owed in turns: grows by its weight, and falls by all weights when it is its turn.
    owed: i64,
    failures: u32,
    out_until: Option<Timestamp>,
    last_trouble: Option<(Timestamp, String)>,
}

impl Health {
    pub(super) fn new(weights: Vec<u32>, preference: Preference) -> Self {
        let state = |weight| State { weight: i64::from(weight), ..State::default() };
        let states = Mutex::new(weights.into_iter().map(state).collect());
        Self { preference, states, all_well: AtomicBool::new(true) }
    }

    fn states(&self) -> MutexGuard<'_, Vec<State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In which order to ask. Those left out come last, not never: a buyer whose file only they
    /// have is better served late than not at all.
    pub(super) fn order(&self, now: Timestamp) -> Vec<usize> {
        self.ordered(|state| state.may_try(now))
    }

    /// The same for a look at what is at hand, which is no trial of a mirror that was left out.
    pub(super) fn order_at_hand(&self) -> Vec<usize> {
        self.ordered(|state| state.out_until.is_none())
    }

    fn ordered(&self, mut is_well: impl FnMut(&mut State) -> bool) -> Vec<usize> {
        let mut states = self.states();
        if self.preference == Preference::InOrder && self.all_well.load(Ordering::Acquire) {
            return (0..states.len()).collect();
        }
        let (mut well, out): (Vec<usize>, Vec<usize>) =
            (0..states.len()).partition(|which| states.get_mut(*which).is_some_and(&mut is_well));
        if self.preference == Preference::ByWeight {
            take_turns(&mut states, &mut well);
        }
        well.extend(out);
        well
    }

    pub(super) fn is_well(&self, which: usize) {
        if self.all_well.load(Ordering::Acquire) {
            return;
        }
        let mut states = self.states();
        if let Some(state) = states.get_mut(which) {
            state.failures = 0;
            state.out_until = None;
        }
        let all_well = states.iter().all(|state| state.out_until.is_none());
        self.all_well.store(all_well, Ordering::Release);
    }

    pub(super) fn failed(&self, which: usize, error: &StoreError, now: Timestamp) {
        let mut states = self.states();
        let Some(state) = states.get_mut(which) else { return };
        state.last_trouble = Some((now, error.to_string()));
        match error {
            // The blob's trouble, not the mirror's: the rest of it may be as good as ever.
            StoreError::Missing(_) | StoreError::Corrupted { .. } => {}
            _ => {
                state.leave_out(now);
                self.all_well.store(false, Ordering::Release);
            }
        }
    }

    pub(super) fn standings<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        now: Timestamp,
    ) -> Vec<Standing> {
        let standing = |(name, state): (&str, &State)| Standing {
            name: name.to_owned(),
            out_until: state.out_until.filter(|until| *until > now),
            last_trouble: state.last_trouble.clone(),
        };
        names.zip(self.states().iter()).map(standing).collect()
    }
}

impl State {
    /// When its time is over, one caller tries it; the others wait for what comes of that.
    fn may_try(&mut self, now: Timestamp) -> bool {
        match self.out_until {
            None => true,
            Some(until) if until <= now => {
                self.out_until = Some(now + OUT);
                true
            }
            Some(_) => false,
        }
    }

    fn leave_out(&mut self, now: Timestamp) {
        let times = 1i64.checked_shl(self.failures).filter(|_| self.failures < 16).unwrap_or(1 << 16);
        let span = Span::micros(OUT.as_micros().saturating_mul(times)).min(OUT_MAX);
        self.failures = self.failures.saturating_add(1);
        self.out_until = Some(now + span);
    }
}

/// Puts first whoever is owed most; over time each gets its share, evenly spread, without chance.
fn take_turns(states: &mut [State], well: &mut [usize]) {
    let mut all = 0i64;
    for which in well.iter() {
        if let Some(state) = states.get_mut(*which) {
            state.owed = state.owed.saturating_add(state.weight);
            all = all.saturating_add(state.weight);
        }
    }
    well.sort_by_key(|which| {
        states.get(*which).map(|state| std::cmp::Reverse((state.weight > 0, state.owed)))
    });
    if let Some(state) = well.first().and_then(|which| states.get_mut(*which)) {
        state.owed = state.owed.saturating_sub(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn silent() -> StoreError {
        StoreError::Unanswered { store: "a".to_owned(), object: "b".to_owned(), why: "c".to_owned() }
    }

    #[test]
    fn turns_follow_the_weights() {
        let health = Health::new(vec![3, 1, 0], Preference::ByWeight);

        let firsts: Vec<usize> = (0..8).filter_map(|_| health.order(NOON).first().copied()).collect();

        assert_eq!(firsts, [0, 0, 1, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn a_failing_mirror_is_left_out_for_longer_each_time_and_tried_by_one_caller_in_between() {
        let health = Health::new(vec![1, 1], Preference::InOrder);
        health.failed(0, &silent(), NOON);
        assert_eq!(health.order(NOON + Span::seconds(29)), [1, 0]);

        let back = NOON + Span::seconds(30);
        assert_eq!(health.order(back), [0, 1]);
        assert_eq!(health.order(back), [1, 0]);

        health.failed(0, &silent(), back);
        assert_eq!(health.order(back + Span::seconds(59)), [1, 0]);
        assert_eq!(health.order(back + Span::seconds(60)), [0, 1]);
        health.is_well(0);
        assert_eq!(health.order(back + Span::seconds(61)), [0, 1]);
        assert_eq!(health.order(back + Span::seconds(61)), [0, 1]);
    }

    #[test]
    fn no_mirror_is_left_out_for_more_than_ten_minutes() {
        let health = Health::new(vec![1, 1], Preference::InOrder);
        (0..100).for_each(|_| health.failed(0, &silent(), NOON));

        assert_eq!(health.order(NOON + OUT_MAX), [0, 1]);
    }

    #[test]
    fn a_blob_that_is_missing_or_damaged_does_not_leave_its_mirror_out() {
        let health = Health::new(vec![1, 1], Preference::InOrder);

        health.failed(0, &StoreError::Missing(crate::Sha256::of(b"x")), NOON);

        assert_eq!(health.order(NOON), [0, 1]);
        assert!(health.standings(["a", "b"].into_iter(), NOON)[0].last_trouble.is_some());
    }
}
