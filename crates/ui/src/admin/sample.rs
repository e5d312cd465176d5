//! What the samples of several pages share: ids, times, a person at work.

use kernel::{Span, Timestamp};

use super::words::{Right, Role, Word};
use crate::samples::NOW;
use crate::{Frame, StaffFrame};

/// The bits of a sample id: minted around [`NOW`], told apart by a number.
pub(super) const fn bits(number: u128) -> u128 {
    const MINTED_AT: u128 = 1_790_000_000_000;
    // An odd factor spreads the numbers over the digits that pages show.
    (MINTED_AT << 80) | (number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c) & ((1 << 80) - 1))
}

/// This many minutes before [`NOW`].
pub(super) fn minutes_ago(minutes: i64) -> Timestamp {
    NOW - Span::minutes(minutes)
}

/// This many days before [`NOW`].
pub(super) fn days_ago(days: i64) -> Timestamp {
    NOW - Span::days(days)
}

/// The frame with an owner signed in, unless it is meant to be bare.
pub(crate) fn signed_in(frame: &Frame, path: &str) -> Frame {
    let mut frame = frame.clone();
    path.clone_into(&mut frame.path);
    if frame.staff.is_some() {
        return frame;
    }
    let waiting = [("notices", 2), ("reviews", 3), ("messages", 1)];
    frame.staff = Some(StaffFrame {
        name: "Grace Hopper".to_owned(),
        role: Role::Owner.word().to_owned(),
        rights: Right::ALL.iter().map(|right| right.word().to_owned()).collect(),
        waiting: waiting.map(|(entry, count)| (entry.to_owned(), count)).into(),
    });
    frame
}
