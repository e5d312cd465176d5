//! Bodies: a request's is held to a minimum rate, an answer's tells when it has ended.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::Limits;
use super::guard::Alarm;
use super::turn::{Ours, Turn};

/// The body of a request that came in. Fails when the client sends too slowly.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    pace: Pace,
    ended: bool,
    turn: Turn,
}

/// Why a body has no end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It came more slowly than is allowed.
    #[error("the body comes too slowly")]
    TooSlow,
    /// The connection broke or the framing is wrong.
    #[error("the body is broken: {0}")]
    Broken(#[from] hyper::Error),
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, limits: &Limits, turn: Turn) -> Self {
        Self { incoming, pace: Pace::new(limits), ended: false, turn }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended && !self.incoming.is_end_stream() {
            self.turn.leave_over();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.incoming).poll_frame(cx);
        match &outcome {
            Poll::Ready(frame) => {
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
                this.pace.got(data.map_or(0, Bytes::len));
                this.ended |= frame.is_none();
            }
            Poll::Pending if this.pace.poll_overdue(cx).is_ready() => {
                return Poll::Ready(Some(Err(BodyError::TooSlow)));
            }
            Poll::Pending => {}
        }
        outcome.map_err(BodyError::Broken)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Time allowed for waiting: a grace, and more with every byte. Only time in which we wanted bytes
/// and had none counts, so a slow handler is not held against the client.
#[derive(Debug)]
struct Pace {
    rate_min: u32,
    allowed: Duration,
    waited: Duration,
    since: Option<Instant>,
    alarm: Alarm,
}

impl Pace {
    fn new(limits: &Limits) -> Self {
        Self {
            rate_min: limits.body_rate_min,
            allowed: limits.body_grace,
            waited: Duration::ZERO,
            since: None,
            alarm: Alarm::default(),
        }
    }

    fn got(&mut self, bytes: usize) {
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = bytes.saturating_mul(1000) / u64::from(self.rate_min.max(1));
        self.allowed = self.allowed.saturating_add(Duration::from_millis(earned));
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.alarm.poll(cx, since + self.allowed.saturating_sub(self.waited).min(FAR))
    }
}

/// So that adding to the present never overflows.
const FAR: Duration = Duration::from_secs(86_400);

pin_project! {
    /// An answer's body. It is our turn until it is dropped.
    pub(super) struct ResponseBody<B> {
        #[pin]
        body: Option<B>,
        ours: Ours,
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(body: B, ours: Ours) -> Self {
        Self { body: Some(body), ours }
    }

    pub(super) fn empty(ours: Ours) -> Self {
        Self { body: None, ours }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().body.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}
