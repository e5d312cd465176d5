//! How the server misbehaves when a test wants it to.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A moment in the exchange at which the server can be told to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// When a client has connected.
    Connect,
    /// At `EHLO` or `HELO`.
    Hello,
    /// At `MAIL FROM`.
    Mail,
    /// At `RCPT TO`.
    Recipient,
    /// At `DATA`.
    Data,
    /// When the message is complete.
    EndOfData,
}

/// What the server does instead of its duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this code and text; closes after a 421.
    Reply(u16, String),
    /// Closes the connection without an answer.
    Drop,
    /// At the end of data: takes the message, then closes the connection without an answer.
    /// Elsewhere the same as [`Fault::Drop`].
    KeepThenDrop,
    /// Never answers.
    Hang,
}

#[derive(Debug, Default)]
pub(super) struct Script {
    plans: Mutex<Plans>,
}

#[derive(Debug, Default)]
struct Plans {
    once: VecDeque<(Stage, Fault)>,
    always: Vec<(Stage, Fault)>,
}

impl Script {
    pub(super) fn next(&self, at: Stage, with: Fault) {
        self.plans().once.push_back((at, with));
    }

    pub(super) fn always(&self, at: Stage, with: Option<Fault>) {
        let mut plans = self.plans();
        plans.always.retain(|(stage, _)| *stage != at);
        plans.always.extend(with.map(|fault| (at, fault)));
    }

    /// What to do wrong now; a fault for once is used up.
    pub(super) fn at(&self, stage: Stage) -> Option<Fault> {
        let mut plans = self.plans();
        let once = plans.once.iter().position(|(at, _)| *at == stage);
        if let Some((_, fault)) = once.and_then(|index| plans.once.remove(index)) {
            return Some(fault);
        }
        plans.always.iter().find(|(at, _)| *at == stage).map(|(_, fault)| fault.clone())
    }

    fn plans(&self) -> MutexGuard<'_, Plans> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
