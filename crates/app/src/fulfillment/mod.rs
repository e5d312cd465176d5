//! Fulfillment: one unit per order line and number, and the grant that it gives.
//!
//! The primary key (line, unit number) is what makes delivery happen once. Grants, keys and
//! downloads hang on units, so that money that goes back takes back exactly what it paid for.
//! Every change of a grant has a cause.

pub mod flow;
pub mod store;

use kernel::{CustomerId, GrantId, LineId, MerchantId, OrderId, Timestamp};

db::words! {
    /// Whether what was granted can be had.
    pub enum GrantStatus {
        /// Given before the money is there; withdrawn if it does not come.
        Provisional = "provisional",
        /// It can.
        Active = "active",
        /// The money was pulled back; it may come again.
        Suspended = "suspended",
        /// For good.
        Revoked = "revoked",
    }
}

db::words! {
    /// What happened to a grant.
    pub enum GrantChange {
        /// Given for money.
        Granted = "granted",
        /// Given in advance.
        MadeProvisional = "made_provisional",
        /// The money came.
        Confirmed = "confirmed",
        /// The money did not come.
        Withdrawn = "withdrawn",
        /// The money was pulled back.
        Suspended = "suspended",
        /// It came back.
        Reinstated = "reinstated",
        /// Refunded, or taken back by staff.
        Revoked = "revoked",
        /// The link was replaced; the old one is dead.
        Reissued = "reissued",
        /// The link's time was prolonged.
        Extended = "extended",
    }
}

/// The right to have what one unit delivers.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its id; part of every link to it.
    pub id: GrantId,
    /// Whose.
    pub merchant: MerchantId,
    /// From which order.
    pub order: OrderId,
    /// From which line.
    pub line: LineId,
    /// Which of its units.
    pub unit_no: u32,
    /// Who has it.
    pub customer: CustomerId,
    /// Whether it can be had.
    pub status: GrantStatus,
    /// What its links are derived from; never shown.
    pub nonce: [u8; 16],
    /// Which ring key signs its links.
    pub ring_key: u32,
    /// Raised by reissue: links of an older generation are dead.
    pub generation: u32,
    /// How often each file may be fetched.
    pub download_limit: u32,
    /// Until when its links work.
    pub expires_at: Timestamp,
    /// When it was given.
    pub created_at: Timestamp,
}

/// What the money of an order entitles its buyer to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The money is there.
    Open,
    /// It is on its way: only lines whose product gives something in advance.
    Provisional,
    /// It did not come: what was given in advance is withdrawn, until late money comes.
    Withheld,
    /// It was pulled back and may come again.
    OnHold,
    /// It was sent back.
    Ended,
}

/// Who ended a grant that is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokedBy {
    /// Money that went back: if that is undone, so is this.
    Money,
    /// A person: money does not change it.
    Staff,
}

impl Access {
    /// What becomes of a grant, if anything does. Pure, and the same for every order in which
    /// the news of the money may come.
    pub const fn change(
        self,
        status: GrantStatus,
        revoked_by: RevokedBy,
    ) -> Option<(GrantStatus, GrantChange)> {
        use GrantStatus as S;
        match (self, status) {
            (Self::Open, S::Provisional) => Some((S::Active, GrantChange::Confirmed)),
            (Self::Open, S::Suspended) => Some((S::Active, GrantChange::Reinstated)),
            (Self::Provisional, S::Suspended) => Some((S::Provisional, GrantChange::MadeProvisional)),
            (Self::Withheld, S::Provisional) => Some((S::Suspended, GrantChange::Withdrawn)),
            (Self::OnHold, S::Active | S::Provisional) => Some((S::Suspended, GrantChange::Suspended)),
            (Self::Ended, S::Active | S::Provisional | S::Suspended) => {
                Some((S::Revoked, GrantChange::Revoked))
            }
            (Self::Open, S::Revoked) if matches!(revoked_by, RevokedBy::Money) => {
                Some((S::Active, GrantChange::Reinstated))
            }
            (Self::OnHold, S::Revoked) if matches!(revoked_by, RevokedBy::Money) => {
                Some((S::Suspended, GrantChange::Suspended))
            }
            (Self::Open, S::Active | S::Revoked)
            | (Self::Provisional, S::Active | S::Provisional | S::Revoked)
            | (Self::Withheld, S::Active | S::Suspended | S::Revoked)
            | (Self::OnHold, S::Suspended | S::Revoked)
            | (Self::Ended, S::Revoked) => None,
        }
    }
}

/// Beyond so many, a line gives one unit with a capacity instead of that many units.
pub const UNITS_MAX: u32 = 1_000;

/// The units of a line: how many, and what each carries.
pub const fn units_of(quantity: u32) -> (u32, u32) {
    if quantity > UNITS_MAX { (1, quantity) } else { (quantity, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_staff_revoked_no_money_gives_back() {
        let change = |access: Access, by| access.change(GrantStatus::Revoked, by).map(|(status, _)| status);
        assert_eq!(change(Access::Open, RevokedBy::Staff), None);
        assert_eq!(change(Access::OnHold, RevokedBy::Staff), None);
        assert_eq!(change(Access::Open, RevokedBy::Money), Some(GrantStatus::Active));
        assert_eq!(change(Access::OnHold, RevokedBy::Money), Some(GrantStatus::Suspended));
    }

    #[test]
    fn access_comes_out_the_same_after_any_detour() {
        use Access as A;
        let after = |way: &[Access]| {
            way.iter().fold(GrantStatus::Active, |status, access| {
                access.change(status, RevokedBy::Money).map_or(status, |(next, _)| next)
            })
        };
        assert_eq!(after(&[A::OnHold, A::Ended, A::Open]), after(&[A::Open]));
        assert_eq!(after(&[A::Ended, A::OnHold]), after(&[A::OnHold]));
        assert_eq!(after(&[A::OnHold, A::Ended]), after(&[A::Ended]));
    }

    #[test]
    fn a_very_large_quantity_is_one_unit_with_a_capacity() {
        assert_eq!(units_of(3), (3, 1));
        assert_eq!(units_of(1_000), (1_000, 1));
        assert_eq!(units_of(1_001), (1, 1_001));
    }
}
