//! Where received mail is kept, in memory and within bounds.

use std::sync::Arc;

use kernel::{Clock, Timestamp};

use crate::{Accepted, BoxFuture, Mailer, Outgoing, SendError};

/// A message as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Counts up from 1.
    pub id: u64,
    /// The envelope's sender; empty for a bounce.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The message, CRLF lines.
    pub raw: Vec<u8>,
    /// When it was received.
    pub at: Timestamp,
}

/// What a reader sees of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The subject, decoded.
    pub subject: String,
    /// The plain text, decoded.
    pub text: String,
    /// The HTML, if the message has its own.
    pub html: Option<String>,
    /// The headers in their order, names as written, values unfolded and still encoded.
    pub headers: Vec<(String, String)>,
}

impl Received {
    /// Reads the message.
    pub fn parse(&self) -> Parsed {
        Parsed::default()
    }
}

/// Received mail, newest last; the oldest goes when there is too much. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Mailbox {}

impl Mailbox {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// All messages, oldest first.
    pub fn all(&self) -> Vec<Arc<Received>> {
        Vec::new()
    }

    /// The message with this id.
    pub fn get(&self, id: u64) -> Option<Arc<Received>> {
        let _ = id;
        None
    }

    /// How many messages were ever received.
    pub fn received(&self) -> u64 {
        0
    }

    /// Waits until this many messages were ever received.
    pub async fn wait_for(&self, count: u64) {
        let _ = count;
    }

    /// Forgets all messages.
    pub fn clear(&self) {}
}

/// Delivers straight into a mailbox, without a network: for tests and the simulator.
pub struct MailboxMailer {}

impl MailboxMailer {
    /// A mailer into this mailbox.
    pub fn new(mailbox: Mailbox, clock: Arc<dyn Clock>) -> Self {
        let _ = (mailbox, clock);
        Self {}
    }

    /// Makes the next sends end like this, one each, instead of being delivered; an
    /// `Unknown` is delivered all the same, as a lost answer would be.
    pub fn fail_next(&self, with: SendError) {
        let _ = with;
    }
}

impl Mailer for MailboxMailer {
    fn send<'a>(&'a self, _mail: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async { Ok(Accepted { reply: String::new() }) })
    }
}
