//! A transfer, and what the client says on the control connection meanwhile.

use std::io;

use tokio_rustls::TlsAcceptor;

use super::Settings;
use super::command::{Command, parse};
use super::control::{Control, Line};
use super::data::{Cut, Source, hand_over};
use super::passive::Passive;
use super::reply::{Reply, reply};

/// A transfer that is about to begin.
pub(super) struct Transfer {
    pub(super) passive: Passive,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) source: Source,
}

/// How a transfer ended.
pub(super) enum Ended {
    /// With a reply, and a line that came in meanwhile.
    Replied(Option<Line>),
    /// With the visit.
    Gone,
}

impl Transfer {
    /// Runs it to its end, and tells the client how it went.
    pub(super) async fn run(self, control: &mut Control, settings: &Settings) -> io::Result<Ended> {
        control.send(&reply(150, "here it comes")).await?;
        let Self { passive, acceptor, source } = self;
        let mut waiting = None;
        let outcome = {
            let mut handing = std::pin::pin!(hand_over(passive, acceptor, source, settings.data_timeout));
            loop {
                tokio::select! {
                    biased;
                    outcome = &mut handing => break Some(outcome),
                    // One line ahead is enough: clients wait for their replies.
                    line = control.line(), if waiting.is_none() => match line {
                        Line::Closed | Line::TooLong => return Ok(Ended::Gone),
                        Line::Text(text) if parse(&text) == Command::Abor => break None,
                        line => waiting = Some(line),
                    }
                }
            }
        };
        match outcome {
            Some(outcome) => control.send(&verdict(outcome)).await?,
            None => {
                control.send(&reply(426, "the transfer was cut off, as you asked")).await?;
                control.send(&reply(226, "done")).await?;
            }
        }
        Ok(Ended::Replied(waiting))
    }
}

fn verdict(outcome: Result<(), Cut>) -> Reply {
    match outcome {
        Ok(()) => reply(226, "that was all of it"),
        Err(Cut::NotOpened) => reply(425, "no data connection was opened from your address"),
        Err(Cut::Handshake) => reply(425, "no TLS on the data connection"),
        Err(Cut::Client) => reply(426, "the data connection broke, or nothing was read from it"),
        Err(Cut::Goods) => {
            reply(451, "the transfer was cut off; it can be resumed, unless the files were withdrawn")
        }
    }
}
