//! A small mail server that keeps what it receives: for the demo's mailbox and for tests.
//!
//! It takes mail for anybody and relays none. Lines end with CR LF and nothing else: a
//! server that also takes a lone LF lets one message be read as two.

mod command;
mod script;
mod session;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Span};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use crate::Mailbox;
use script::Script;
use session::Session;

pub use script::{Fault, Stage};

/// What a client may ask of the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; more are told to come later.
    pub connections_max: usize,
    /// Size of a message in bytes.
    pub message_bytes_max: usize,
    /// Recipients of a message.
    pub recipients_max: usize,
    /// Commands in a row that make no sense.
    pub mistakes_max: u32,
    /// Time to wait for a client's next bytes.
    pub idle_max: Span,
    /// Length of a session: a client that sends a byte now and then ends too.
    pub session_max: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 64,
            message_bytes_max: 10 << 20,
            recipients_max: 100,
            mistakes_max: 20,
            idle_max: Span::minutes(5),
            session_max: Span::minutes(30),
        }
    }
}

/// A running server. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Sink {
    script: Arc<Script>,
    serving: JoinHandle<()>,
}

/// What all sessions share.
struct Shared {
    mailbox: Mailbox,
    clock: Arc<dyn Clock>,
    limits: Limits,
    script: Arc<Script>,
}

/// Pause after a connection could not be taken, which means that file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Sink {
    /// Serves on this listener, in the current runtime, until dropped.
    pub fn start(listener: TcpListener, mailbox: Mailbox, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        let script = Arc::new(Script::default());
        let shared = Shared { mailbox, clock, limits, script: script.clone() };
        Self { script, serving: tokio::spawn(serve(listener, Arc::new(shared))) }
    }

    /// Misbehaves once, the next time a client gets to this stage. Faults of one stage queue up.
    pub fn fail_next(&self, at: Stage, with: Fault) {
        self.script.next(at, with);
    }

    /// Misbehaves like this every time, until told otherwise with `None`.
    pub fn fail_always(&self, at: Stage, with: Option<Fault>) {
        self.script.always(at, with);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // The sessions belong to the task's join set and end with it.
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.limits.connections_max));
    let mut sessions = JoinSet::new();
    loop {
        while sessions.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            pause().await;
            continue;
        };
        let place = places.clone().try_acquire_owned();
        let shared = shared.clone();
        sessions.spawn(async move {
            let limit = shared.limits.session_max.to_std();
            let mut session = Session::new(stream, &shared);
            // However a session ends, its client sees the connection close.
            let _ = match place {
                Ok(_place) => tokio::time::timeout(limit, session.run()).await,
                Err(_) => tokio::time::timeout(limit, session.turn_away()).await,
            };
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "without a pause the loop would spin until a file is closed")]
async fn pause() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
