//! No wait for a client is for ever.
//!
//! hyper has one timer for a kept connection's idle time and for a request's head together:
//! tight enough against a client that sends a byte every ten seconds, it would cut every browser's
//! kept connection. So we keep time ourselves, and know from [`Turn`] what is waited for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use super::gate::Gate;
use super::heads::Heads;
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

/// Times the client's turns: its heads, and its idleness between them.
///
/// It is asked after every step of a connection, and not from within the socket, because hyper
/// does not read again after an answer when it found nothing to read before.
#[derive(Debug)]
pub(super) struct Patience {
    turn: Turn,
    gate: Arc<Gate>,
    header_timeout: Duration,
    idle_timeout: Duration,
    /// The wait that the rest is about.
    wait: Wait,
    since: Instant,
    head_begun: bool,
    alarm: Alarm,
}

impl Patience {
    pub(super) fn new(turn: Turn, limits: &Limits, gate: Arc<Gate>) -> Self {
        Self {
            turn,
            gate,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            wait: Wait::FIRST,
            since: Instant::now(),
            // A first head is timed from the connection's start, or a client could take twice as long.
            head_begun: true,
            alarm: Alarm::default(),
        }
    }

    /// Ready when the client has taken too long over its turn.
    pub(super) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(wait) = self.turn.wait() else {
            return Poll::Pending;
        };
        let mut now = Instant::now();
        if wait != self.wait {
            (self.wait, self.since, self.head_begun) = (wait, now, false);
        }
        if !self.head_begun && self.turn.is_heard() {
            (self.since, self.head_begun) = (now, true);
        }
        loop {
            let patience = if self.head_begun { self.header_timeout } else { self.idle_timeout };
            let due = self.since + patience;
            let gives_way = !self.head_begun && now >= self.since + IDLE_CHECK && self.gate.is_crowded();
            if now >= due || gives_way {
                return Poll::Ready(());
            }
            let look = if self.head_begun { due } else { due.min(now + IDLE_CHECK) };
            ready!(self.alarm.poll(cx, look));
            now = Instant::now();
        }
    }
}

/// Wraps a connection's stream; above TLS, so that it sees requests and not records.
#[derive(Debug)]
pub(super) struct Guard<S> {
    stream: S,
    turn: Turn,
    heads: Heads,
    /// What was read beyond a head's end, until it is asked for.
    rest: Bytes,
    writing: Writing,
    stalled: bool,
}

impl<S> Guard<S> {
    pub(super) fn new(stream: S, turn: Turn, limits: &Limits) -> Self {
        let writing = Writing { stall: limits.write_stall, since: None, alarm: Alarm::default() };
        Self { stream, turn, heads: Heads::default(), rest: Bytes::new(), writing, stalled: false }
    }

    /// Whether the client has stopped taking bytes: then it is owed nothing more.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled
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
        if this.rest.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let count = this.rest.len().min(buf.remaining());
            buf.put_slice(&this.rest.split_to(count));
        }
        let read = buf.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            return Poll::Ready(Ok(()));
        }
        this.turn.hear();
        let (count, head) = this.heads.follow(read);
        if let Some(beyond) = read.get(count..).filter(|beyond| !beyond.is_empty()) {
            let mut rest = BytesMut::with_capacity(beyond.len() + this.rest.len());
            rest.extend_from_slice(beyond);
            rest.extend_from_slice(&this.rest);
            this.rest = rest.freeze();
        }
        buf.set_filled(before + count);
        if let Some(head) = head {
            this.turn.judge(head);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Guard<S> {
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let pending = outcome.is_pending();
        let outcome = self.writing.watch(cx, outcome);
        self.stalled |= pending && outcome.is_ready();
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;

    /// A stream that holds 100 bytes, and its client's end.
    fn pair() -> (Guard<DuplexStream>, DuplexStream) {
        let (ours, client) = duplex(100);
        (Guard::new(ours, Turn::default(), &Limits::default()), client)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_little_now_and_then_is_served() {
        let (mut guard, mut client) = pair();
        let writer = tokio::spawn(async move { guard.write_all(&[7; 2000]).await });
        let mut sink = [0; 100];
        for _ in 0..20 {
            advance(Duration::from_secs(50)).await;
            client.read_exact(&mut sink).await.unwrap();
        }
        assert!(writer.await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_not() {
        let (mut guard, _client) = pair();
        let since = Instant::now();
        assert_eq!(guard.write_all(&[7; 101]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(guard.is_stalled());
        assert_eq!(since.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_begins_anew_after_each_byte_that_was_taken() {
        let (mut guard, mut client) = pair();
        guard.write_all(&[7; 100]).await.unwrap();
        let writer = tokio::spawn(async move {
            let outcome = guard.write_all(&[7; 101]).await;
            (outcome, Instant::now())
        });
        advance(Duration::from_secs(59)).await;
        client.read_u8().await.unwrap();
        let taken = Instant::now();
        let (outcome, gave_up) = writer.await.unwrap();
        assert!(outcome.is_err());
        assert_eq!((gave_up - taken).as_secs(), 60);
    }
}
