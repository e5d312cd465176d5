//! A small mail server that keeps what it receives: for the demo's mailbox and for tests.

use std::sync::Arc;

use kernel::{Clock, Span};
use tokio::net::TcpListener;

use crate::Mailbox;

/// What a client may ask of the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time.
    pub connections_max: usize,
    /// Size of a message.
    pub message_bytes_max: usize,
    /// Recipients of a message.
    pub recipients_max: usize,
    /// Time to wait for a client's next bytes.
    pub idle_max: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 64,
            message_bytes_max: 10 << 20,
            recipients_max: 100,
            idle_max: Span::minutes(5),
        }
    }
}

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
    KeepThenDrop,
    /// Never answers.
    Hang,
}

/// A running server. Dropping it closes the listener and every connection.
pub struct Sink {}

impl Sink {
    /// Serves on this listener, in the current runtime, until dropped.
    pub fn start(listener: TcpListener, mailbox: Mailbox, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        let _ = (listener, mailbox, clock, limits);
        Self {}
    }

    /// Misbehaves once, the next time a client gets to this stage. Faults of one stage queue up.
    pub fn fail_next(&self, at: Stage, with: Fault) {
        let _ = (at, with);
    }

    /// Misbehaves like this every time, until told otherwise with `None`.
    pub fn fail_always(&self, at: Stage, with: Option<Fault>) {
        let _ = (at, with);
    }
}
