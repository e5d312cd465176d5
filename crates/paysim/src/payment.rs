//! One payment: what the buyer chose, and what has become of the money.

use kernel::{Money, Span, Timestamp};

use crate::checkout::Checkout;
use crate::ipn::{Means, Sale};

/// How long a bank takes over an eCheck.
const ECHECK_TAKES: Span = Span::days(4);

/// What the buyer lets happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The money is there at once.
    Now,
    /// From a bank account; clears after four days.
    EcheckClears,
    /// From a bank account; bounces after four days.
    EcheckBounces,
    /// The card is refused.
    Denied,
    /// The payment fails.
    Failed,
}

impl Choice {
    /// In the order in which buyers are offered them.
    pub const ALL: [Self; 5] =
        [Self::Now, Self::EcheckClears, Self::EcheckBounces, Self::Denied, Self::Failed];

    /// As forms write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::EcheckClears => "echeck-clears",
            Self::EcheckBounces => "echeck-bounces",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    /// Reads a form's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.word() == word)
    }

    pub(crate) fn means(self) -> Means {
        match self {
            Self::EcheckClears | Self::EcheckBounces => Means::Echeck,
            Self::Now | Self::Denied | Self::Failed => Means::Instant,
        }
    }

    pub(crate) fn first_state(self) -> PaymentState {
        match self {
            Self::Now => PaymentState::Completed,
            Self::EcheckClears | Self::EcheckBounces => PaymentState::Pending,
            Self::Denied => PaymentState::Denied,
            Self::Failed => PaymentState::Failed,
        }
    }

    /// What an eCheck comes to, and when.
    pub(crate) fn later(self, paid_at: Timestamp) -> Option<(Timestamp, PaymentState)> {
        let at = paid_at + ECHECK_TAKES;
        match self {
            Self::EcheckClears => Some((at, PaymentState::Completed)),
            Self::EcheckBounces => Some((at, PaymentState::Failed)),
            Self::Now | Self::Denied | Self::Failed => None,
        }
    }
}

/// Where the money is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentState {
    /// On its way.
    Pending,
    /// With the seller.
    Completed,
    /// Some of it went back.
    PartlyRefunded,
    /// All of it went back.
    Refunded,
    /// Pulled back.
    Reversed,
    /// It never came.
    Failed,
    /// It was refused.
    Denied,
}

/// A payment as this PayPal keeps it.
#[derive(Debug, Clone)]
pub struct Payment {
    /// What its notifications tell.
    pub sale: Sale,
    /// The form it came from.
    pub checkout: Checkout,
    /// What the buyer chose.
    pub choice: Choice,
    /// Where the money is.
    pub state: PaymentState,
    /// When an eCheck is decided, and how.
    pub(crate) later: Option<(Timestamp, PaymentState)>,
    /// What went back so far.
    pub refunded: Money,
    /// The open case.
    pub case_id: Option<String>,
}

impl Payment {
    /// What could still go back.
    pub fn remaining(&self) -> Money {
        let total = self.sale.total();
        Money::new(total.minor.saturating_sub(self.refunded.minor), total.currency)
    }

    /// Whether the seller has money that could be refunded, reversed or disputed.
    pub fn holds_money(&self) -> bool {
        matches!(self.state, PaymentState::Completed | PaymentState::PartlyRefunded)
    }

    /// When an eCheck is decided.
    pub fn decided_at(&self) -> Option<Timestamp> {
        self.later.map(|(at, _)| at)
    }
}
