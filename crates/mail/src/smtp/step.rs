//! The steps of an exchange, what can go wrong, and what that means for the message.

use std::sync::{Mutex, PoisonError};

use super::connection::Reply;
use crate::SendError;

/// How far an exchange has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Greeting,
    Hello,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    /// The message is on its way, its end is not.
    Content,
    /// The final dot may have reached the server.
    Confirmation,
}

/// Remembers the step outside the exchange, so that it is known when the exchange is cut off.
pub(super) struct Steps(Mutex<Step>);

impl Steps {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Step::Connect))
    }

    pub(super) fn enter(&self, step: Step) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    pub(super) fn current(&self) -> Step {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What went wrong, whatever the step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the server closed the connection")]
    Closed,
    #[error("no answer in time")]
    Late,
    #[error("the server's answer is not SMTP: {0}")]
    Garbled(String),
    #[error("{0}")]
    Refused(Reply),
    #[error("the server offers no STARTTLS, and nothing is sent in clear; check tls and port")]
    NoStartTls,
    #[error("the server spoke between STARTTLS and TLS: somebody interferes with the connection")]
    Interference,
    #[error("no secure connection, and nothing is sent in clear: {0}")]
    Tls(std::io::Error),
    #[error("the server offers no way to sign in that we know (PLAIN, LOGIN)")]
    NoLogin,
}

/// Replies that mean "sign in first" or "wrong password", at whatever step they come: our
/// settings are wrong, not the message.
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

impl Trouble {
    /// What this means for the message, if it happened at this step.
    pub(super) fn at(self, step: Step, server: &str) -> SendError {
        let why = format!("{server}, {}: {self}", step.doing());
        let Self::Refused(reply) = &self else {
            return match step {
                Step::Confirmation => SendError::Unknown { why },
                _ => SendError::Retry { why },
            };
        };
        let about_the_message = matches!(step, Step::Recipient | Step::Data | Step::Confirmation);
        if about_the_message && reply.is_permanent() && !LOGIN_CODES.contains(&reply.code) {
            SendError::Permanent { why }
        } else {
            // A refusal before the recipient is named is about us: it must not cost mail.
            SendError::Retry { why }
        }
    }
}

impl Step {
    const fn doing(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Greeting => "waiting for the greeting",
            Self::Hello => "greeting (EHLO)",
            Self::StartTls => "securing the connection",
            Self::Login => "signing in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming the recipient",
            Self::Data => "announcing the message (DATA)",
            Self::Content => "sending the message",
            Self::Confirmation => "waiting for the confirmation",
        }
    }
}
