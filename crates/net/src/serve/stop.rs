//! Stopping: gracefully, then at once.

use std::convert::Infallible;
use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells every listener to stop.
#[derive(Debug, Clone)]
pub struct StopHandle {
    state: watch::Sender<Stage>,
}

/// Waits for the word to stop.
#[derive(Debug, Clone)]
pub struct Stop {
    state: watch::Receiver<Stage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Running,
    Draining,
    Now,
}

/// A pair: one side tells, the other waits.
pub fn stop() -> (StopHandle, Stop) {
    let (sender, receiver) = watch::channel(Stage::Running);
    (StopHandle { state: sender }, Stop { state: receiver })
}

impl StopHandle {
    /// Stop accepting, finish what is in flight.
    pub fn gracefully(&self) {
        self.raise(Stage::Draining);
    }

    /// Drop everything.
    pub fn at_once(&self) {
        self.raise(Stage::Now);
    }

    fn raise(&self, to: Stage) {
        self.state.send_if_modified(|stage| {
            let later = *stage < to;
            if later {
                *stage = to;
            }
            later
        });
    }
}

impl Stop {
    /// Ready once a stop of either kind was asked for; never, if nobody can ask any more.
    pub async fn requested(&mut self) {
        self.reached(Stage::Draining).await;
    }

    /// Ready once everything is to be dropped.
    pub async fn immediate(&mut self) {
        self.reached(Stage::Now).await;
    }

    async fn reached(&mut self, wanted: Stage) {
        if self.state.wait_for(|stage| *stage >= wanted).await.is_err() {
            std::future::pending().await
        }
    }
}

/// SIGTERM and SIGINT: the first stops gracefully, the second at once. The future never ends.
///
/// From the return on, a signal no longer kills the process, whether the future is polled yet or
/// not: what is announced after it can be ended cleanly.
///
/// # Errors
/// When the system does not let signals be handled.
pub fn on_signals(handle: StopHandle) -> io::Result<impl Future<Output = Infallible>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let mut stage = Stage::Draining;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            handle.raise(stage);
            stage = Stage::Now;
        }
    })
}
