//! A socket that does not wait for ever.
//!
//! hyper has one timer for a kept connection's idle time and for a request's head together:
//! tight enough against a client that sends a byte every ten seconds, it would cut every browser's
//! kept connection. So the socket itself keeps time, and knows from [`Turn`] what it waits for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use super::gate::Gate;
use super::turn::{Turn, Wait};

/// How long a kept connection stays in any case, and how often it looks whether others need its place.
const IDLE_CHECK: Duration = Duration::from_secs(5);

/// A timer that is made when it is first needed, and left alone while it would ring too early:
/// most waits end long before, and then cost nothing but a look at the clock.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready at `due`; otherwise the task is woken then, or earlier.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
        loop {
            if sleep.deadline() > due {
                sleep.as_mut().reset(due);
            }
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}

/// Wraps a connection's stream; above TLS, so that it sees requests and not records.
#[derive(Debug)]
pub(super) struct Guard<S> {
    stream: S,
    timed_out: bool,
    reading: Reading,
    writing: Writing,
}

impl<S> Guard<S> {
    pub(super) fn new(stream: S, turn: Turn, limits: &Limits, gate: Arc<Gate>) -> Self {
        let reading = Reading {
            turn,
            gate,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            wait: Wait::FIRST,
            since: Some(Instant::now()),
            head_begun: false,
            alarm: Alarm::default(),
        };
        let writing = Writing { stall: limits.write_stall, since: None, alarm: Alarm::default() };
        Self { stream, timed_out: false, reading, writing }
    }

    /// Whether the connection ended because the client was too slow: then it is owed nothing more.
    pub(super) fn timed_out(&self) -> bool {
        self.timed_out
    }
}

#[derive(Debug)]
struct Reading {
    turn: Turn,
    gate: Arc<Gate>,
    header_timeout: Duration,
    idle_timeout: Duration,
    /// The wait that the rest is about.
    wait: Wait,
    since: Option<Instant>,
    head_begun: bool,
    alarm: Alarm,
}

impl Reading {
    /// Bytes came. During our turn they are a body's, or a request's that is sent ahead.
    fn heard(&mut self) {
        if self.waiting() && !self.head_begun {
            self.head_begun = true;
            // A new connection's first head is timed from its start, or a client could take twice as long.
            if self.wait != Wait::FIRST {
                self.since = None;
            }
        }
    }

    /// No bytes are there. Ready when that has been so for too long.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.waiting() {
            return Poll::Pending;
        }
        loop {
            let now = Instant::now();
            let since = *self.since.get_or_insert(now);
            let in_head = self.head_begun || self.wait == Wait::FIRST;
            let due = since + if in_head { self.header_timeout } else { self.idle_timeout };
            let gives_way = !in_head && now >= since + IDLE_CHECK && self.gate.is_crowded();
            if now >= due || gives_way {
                return Poll::Ready(());
            }
            let look = if in_head { due } else { due.min(now + IDLE_CHECK) };
            ready!(self.alarm.poll(cx, look));
        }
    }

    /// Whether it is the client's turn; a new wait starts with nothing heard.
    fn waiting(&mut self) -> bool {
        let Some(wait) = self.turn.wait() else {
            return false;
        };
        if wait != self.wait {
            self.wait = wait;
            self.since = None;
            self.head_begun = false;
        }
        true
    }
}

#[derive(Debug)]
struct Writing {
    stall: Duration,
    since: Option<Instant>,
    alarm: Alarm,
}

impl Writing {
    /// Passes a write's outcome on, unless the client has taken nothing for too long.
    fn watch<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.since = None;
            return outcome;
        }
        let due = *self.since.get_or_insert_with(Instant::now) + self.stall;
        ready!(self.alarm.poll(cx, due));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(outcome) => {
                if buf.filled().len() > before {
                    this.reading.heard();
                }
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                ready!(this.reading.poll_overdue(cx));
                this.timed_out = true;
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Guard<S> {
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let pending = outcome.is_pending();
        let outcome = self.writing.watch(cx, outcome);
        self.timed_out |= pending && outcome.is_ready();
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.watch_write(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.watch_write(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        this.watch_write(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.watch_write(cx, outcome)
    }
}
