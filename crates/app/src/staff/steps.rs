//! Between two steps of a sign-in: what has been proved so far, kept by the browser, sealed.
//!
//! Who has typed the right password but not yet the code is nobody: there is no session, and
//! nothing in the database. The sealed note is bound to the visitor's cookie and to the
//! password of that moment, so it cannot be carried elsewhere or used after a change.

use kernel::{Span, StaffId, Timestamp};

use super::Staff;
use crate::ring::{Ring, token_hash};

/// What still has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The code of the second step.
    Code,
    /// A new password: a link was used.
    Password,
}

/// Somebody in the middle of signing in.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Waiting {
    /// Who.
    pub staff: StaffId,
    /// What is still missing.
    pub step: Step,
    until: i64,
    mark: String,
}

/// How long the next step may take.
pub const STEP_LIFE: Span = Span::minutes(10);

impl Waiting {
    /// Somebody who has just done the step before.
    pub fn new(staff: &Staff, step: Step, now: Timestamp) -> Self {
        Self { staff: staff.id, step, until: (now + STEP_LIFE).as_micros(), mark: mark(staff) }
    }

    /// For the cookie.
    pub fn sealed(&self, ring: &Ring, nonce: [u8; 24], visitor: &str) -> String {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(ring.seal(&context(visitor), nonce, &plain))
    }

    /// Out of the cookie, if it was sealed for this visitor and its time is not over.
    pub fn open(ring: &Ring, sealed: &str, visitor: &str, now: Timestamp) -> Option<Self> {
        let plain = ring.open(&context(visitor), &hex::decode(sealed).ok()?).ok()?;
        let waiting: Self = serde_json::from_slice(&plain).ok()?;
        (now.as_micros() < waiting.until).then_some(waiting)
    }

    /// Whether the account is still as it was when the step before was done.
    pub fn fits(&self, staff: &Staff) -> bool {
        staff.id == self.staff && staff.disabled_at.is_none() && mark(staff) == self.mark
    }
}

fn context(visitor: &str) -> String {
    format!("sign-in of visitor {visitor}")
}

fn mark(staff: &Staff) -> String {
    let password = staff.password_hash.as_ref().map_or("", |hash| hash.expose().as_str());
    hex::encode(token_hash(format!("{}:{password}", staff.id).as_bytes()))
}
