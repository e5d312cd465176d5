//! Where received mail is kept, in memory and within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{Clock, EmailAddress, Timestamp};
use mail_parser::{MessageParser, PartType};
use tokio::sync::watch;

use crate::{Accepted, BoxFuture, Mailer, Outgoing, SendError, compose};

/// A message as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Counts up from 1.
    pub id: u64,
    /// The envelope's sender; none for a bounce.
    pub from: Option<EmailAddress>,
    /// The envelope's recipients.
    pub to: Vec<EmailAddress>,
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
    /// The plain text, decoded; made from the HTML if the message has none.
    pub text: String,
    /// The HTML, if the message has its own.
    pub html: Option<String>,
    /// The headers in their order, names as written, values unfolded and still encoded.
    pub headers: Vec<(String, String)>,
}

impl Received {
    /// Reads the message. What cannot be read is left empty: mail comes from anybody.
    pub fn parse(&self) -> Parsed {
        let Some(message) = MessageParser::default().parse(&self.raw) else {
            return Parsed::default();
        };
        let html = message.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        });
        let header = |(name, value): (&str, &str)| {
            (name.to_owned(), value.replace("\r\n", "").replace('\t', " ").trim().to_owned())
        };
        Parsed {
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            html,
            headers: message.headers_raw().map(header).collect(),
        }
    }
}

impl Parsed {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Received mail, newest last; the oldest goes when there is too much. Clones share it.
#[derive(Clone)]
pub struct Mailbox {
    kept: Arc<Mutex<Kept>>,
    received: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    messages: VecDeque<Arc<Received>>,
    bytes: usize,
    received: u64,
}

/// Messages kept.
const MESSAGES_MAX: usize = 1000;
/// Bytes of messages kept; always at least one message.
const BYTES_MAX: usize = 64 << 20;

impl Mailbox {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self { kept: Arc::default(), received: watch::Sender::new(0) }
    }

    /// Takes a message in and answers its id.
    pub fn receive(
        &self,
        from: Option<EmailAddress>,
        to: Vec<EmailAddress>,
        raw: Vec<u8>,
        at: Timestamp,
    ) -> u64 {
        let mut kept = self.kept();
        kept.received += 1;
        let id = kept.received;
        kept.bytes += raw.len();
        kept.messages.push_back(Arc::new(Received { id, from, to, raw, at }));
        while kept.messages.len() > MESSAGES_MAX || (kept.bytes > BYTES_MAX && kept.messages.len() > 1) {
            let oldest = kept.messages.pop_front();
            kept.bytes -= oldest.map_or(0, |message| message.raw.len());
        }
        // Still under the lock, so that the count never goes back.
        self.received.send_replace(id);
        id
    }

    /// All messages, oldest first.
    pub fn all(&self) -> Vec<Arc<Received>> {
        self.kept().messages.iter().cloned().collect()
    }

    /// The message with this id.
    pub fn get(&self, id: u64) -> Option<Arc<Received>> {
        self.kept().messages.iter().find(|message| message.id == id).cloned()
    }

    /// How many messages were ever received.
    pub fn received(&self) -> u64 {
        *self.received.borrow()
    }

    /// Waits until this many messages were ever received.
    pub async fn wait_for(&self, count: u64) {
        // Our own handle keeps the sender alive, so this cannot fail.
        let _ = self.received.subscribe().wait_for(|received| *received >= count).await;
    }

    /// Forgets all messages; ids go on counting.
    pub fn clear(&self) {
        let mut kept = self.kept();
        kept.messages.clear();
        kept.bytes = 0;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Mailbox {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("received", &self.received()).finish_non_exhaustive()
    }
}

/// Delivers straight into a mailbox, without a network: for tests and the simulator.
pub struct MailboxMailer {
    mailbox: Mailbox,
    clock: Arc<dyn Clock>,
    failures: Mutex<VecDeque<SendError>>,
    server: watch::Sender<Server>,
}

/// What the mail server of a [`MailboxMailer`] is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Working,
    Hanging,
    Missing,
}

impl MailboxMailer {
    /// A mailer into this mailbox.
    pub fn new(mailbox: Mailbox, clock: Arc<dyn Clock>) -> Self {
        Self { mailbox, clock, failures: Mutex::default(), server: watch::Sender::new(Server::Working) }
    }

    /// Makes the next send that has no failure yet end like this. An `Unknown` is delivered
    /// all the same, as when only the answer is lost.
    pub fn fail_next(&self, with: SendError) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push_back(with);
    }

    /// From now on a send does not end, as with a server that takes a connection and says nothing.
    pub fn hang(&self) {
        self.server.send_replace(Server::Hanging);
    }

    /// From now on there is no mail server, as where none is configured.
    pub fn remove_server(&self) {
        self.server.send_replace(Server::Missing);
    }

    /// Takes back the failures that have not happened yet; sends that hang go on.
    pub fn work_again(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.server.send_replace(Server::Working);
    }

    fn deliver(&self, mail: &Outgoing) -> Result<Accepted, SendError> {
        let raw = compose(mail).map_err(|error| SendError::Permanent { why: error.to_string() })?;
        let failure = self.failures.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match failure {
            Some(failure @ (SendError::Retry { .. } | SendError::Permanent { .. })) => Err(failure),
            Some(failure @ SendError::Unknown { .. }) => {
                self.keep(mail, raw);
                Err(failure)
            }
            None => Ok(Accepted { reply: format!("250 kept as {}", self.keep(mail, raw)) }),
        }
    }

    fn keep(&self, mail: &Outgoing, raw: Vec<u8>) -> u64 {
        let from = Some(mail.from.address.clone());
        self.mailbox.receive(from, vec![mail.to.address.clone()], raw, self.clock.now())
    }
}

impl Mailer for MailboxMailer {
    fn send<'a>(&'a self, mail: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async {
            // Our own handle keeps the sender alive, so this cannot fail.
            let _ = self.server.subscribe().wait_for(|server| *server != Server::Hanging).await;
            if self.has_server() {
                return self.deliver(mail);
            }
            Err(SendError::Retry { why: "there is no mail server".to_owned() })
        })
    }

    fn has_server(&self) -> bool {
        *self.server.borrow() != Server::Missing
    }
}
