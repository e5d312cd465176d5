//! Places: how much work runs at once in this process, of each kind in its own.
//!
//! A mail server that answers nobody holds every mail for its whole deadline. If payments shared
//! the places with mail, they would wait with it.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Kind;

/// Notices verified at once: each is mostly waiting for its gateway's answer.
const VERIFIED_AT_ONCE: usize = 64;
/// Mails under way at once: some composed and recorded while the mail server takes the others.
const MAILED_AT_ONCE: usize = 16;
/// Contents deflated at once: one takes several threads already.
const DEFLATED_AT_ONCE: usize = 1;

/// Pick-ups at once: a disk reads one after the other fastest.
const PICKED_UP_AT_ONCE: usize = 1;
/// Steps of announcements at once: they write much, and nobody waits for them.
const TOLD_AT_ONCE: usize = 1;
/// Conversations with gateways at once, beside the verifying of their notices.
const ASKED_AT_ONCE: usize = 8;
/// Parts made at once: they read and write whole files.
const MADE_AT_ONCE: usize = 4;

/// The places of this process.
#[derive(Debug)]
pub struct Places {
    verifying: Arc<Semaphore>,
    mailing: Arc<Semaphore>,
    making: Arc<Semaphore>,
    deflating: Arc<Semaphore>,
    wanting: Arc<Semaphore>,
    telling: Arc<Semaphore>,
    picking_up: Arc<Semaphore>,
    asking: Arc<Semaphore>,
}

impl Places {
    /// All of them, free.
    pub fn new() -> Self {
        let places = |kind| Arc::new(Semaphore::new(Self::at_once(kind)));
        Self {
            verifying: places(Kind::VerifyNotice),
            mailing: places(Kind::SendMessage),
            making: places(Kind::MakePart),
            deflating: places(Kind::DeflateContent),
            wanting: places(Kind::WantCopies),
            telling: places(Kind::TellOfVersion),
            picking_up: places(Kind::PickUp),
            asking: places(Kind::AskGateway),
        }
    }

    /// How many there are for work of this kind.
    pub const fn at_once(kind: Kind) -> usize {
        match kind {
            Kind::VerifyNotice => VERIFIED_AT_ONCE,
            Kind::SendMessage => MAILED_AT_ONCE,
            Kind::MakePart => MADE_AT_ONCE,
            Kind::DeflateContent => DEFLATED_AT_ONCE,
            Kind::WantCopies => 1,
            Kind::TellOfVersion => TOLD_AT_ONCE,
            Kind::PickUp => PICKED_UP_AT_ONCE,
            Kind::AskGateway => ASKED_AT_ONCE,
        }
    }

    /// Those for work of this kind.
    pub const fn of(&self, kind: Kind) -> &Arc<Semaphore> {
        match kind {
            Kind::VerifyNotice => &self.verifying,
            Kind::SendMessage => &self.mailing,
            Kind::MakePart => &self.making,
            Kind::DeflateContent => &self.deflating,
            Kind::WantCopies => &self.wanting,
            Kind::TellOfVersion => &self.telling,
            Kind::PickUp => &self.picking_up,
            Kind::AskGateway => &self.asking,
        }
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::new()
    }
}
