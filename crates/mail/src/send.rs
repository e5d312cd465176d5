//! The seam through which mail leaves, and what can come of it.

use std::future::Future;
use std::pin::Pin;

use crate::Outgoing;

/// A future that can be called through `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes a message and answers once it is known what became of it.
pub trait Mailer: Send + Sync {
    /// Sends one message. Once it has begun, it ends within the mailer's own deadline.
    fn send<'a>(&'a self, mail: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>>;

    /// Whether there is a mail server to send through. Without one everything waits.
    fn has_server(&self) -> bool {
        true
    }
}

/// A mail server has taken the message over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What the server said, such as its queue id: for the timeline and for support.
    pub reply: String,
}

/// What became of a message that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Surely not sent, but may be later: the server is away, busy, or our settings are wrong.
    #[error("not sent, will be tried again: {why}")]
    Retry {
        /// Where it stopped and what the server said.
        why: String,
    },
    /// Surely not sent, and never will be: this recipient or this message is refused.
    #[error("refused: {why}")]
    Permanent {
        /// What the server said.
        why: String,
    },
    /// The message was handed over but no answer came. Trying again may make a duplicate,
    /// which has the same Message-ID; not trying again may lose it.
    #[error("sent, but not confirmed: {why}")]
    Unknown {
        /// What happened instead of an answer.
        why: String,
    },
}
