//! The first signal stops gracefully, the second at once. Alone in its file: signals reach the whole process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::poll_fn;
use std::pin::pin;
use std::process::Command;
use std::task::Poll;

use net::serve::{on_signals, stop};

fn send(signal: &str) {
    let target = std::process::id().to_string();
    assert!(Command::new("kill").args([signal, &target]).status().unwrap().success());
}

#[tokio::test]
async fn the_first_signal_drains_and_the_second_cuts() {
    let (handle, mut stopping) = stop();
    let mut watch = pin!(on_signals(handle).unwrap());
    // Not polled yet: the handlers are there all the same, or the signal would end the test.
    send("-TERM");
    tokio::select! {
        _ = &mut watch => panic!("the watch ended"),
        () = stopping.requested() => {}
    }
    poll_fn(|cx| {
        assert!(pin!(stopping.immediate()).poll(cx).is_pending(), "one signal must not cut");
        Poll::Ready(())
    })
    .await;

    send("-INT");
    tokio::select! {
        _ = &mut watch => panic!("the watch ended"),
        () = stopping.immediate() => {}
    }
}
