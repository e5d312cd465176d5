//! Every wait on a connection has an end, and no wait ends too early. Time is paused: it moves
//! only when nobody has anything left to do.

mod support;

use std::time::Duration;

use net::serve::Limits;
use support::{Client, exchange, get_request, seconds, settle, start, start_with};
use tokio::time::{Instant, advance};

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    assert_eq!(client.seconds_until_closed().await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_without_an_end_is_closed() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send("GET /hello HTTP/1.1\r\nHost: shop").await;
    assert_eq!(client.seconds_until_closed().await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_is_closed_at_the_same_time() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    settle().await;
    let since = Instant::now();
    for byte in "GET /".bytes() {
        client.send_and_settle([byte]).await;
        advance(Duration::from_millis(1900)).await;
    }
    client.read_to_end().await;
    assert_eq!(seconds(since), 10);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_is_closed_when_it_has_been_idle() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.get("/hello", "hello").await;
    assert_eq!(client.seconds_until_closed().await, 60);
}

#[tokio::test(start_paused = true)]
async fn each_request_begins_a_new_idle_time() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.get("/hello", "hello").await;
    advance(Duration::from_secs(59)).await;
    client.get("/hello", "hello").await;
    advance(Duration::from_secs(59)).await;
    client.get("/hello", "hello").await;
    assert_eq!(client.seconds_until_closed().await, 60);
}

#[tokio::test(start_paused = true)]
async fn a_later_head_is_timed_from_its_first_byte() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.get("/hello", "hello").await;
    advance(Duration::from_secs(30)).await;
    client.send_and_settle("G").await;
    assert_eq!(client.seconds_until_closed().await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_take_its_time() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab").await;
    running.signals.reached.notified().await;
    advance(Duration::from_secs(3600)).await;
    running.signals.go.notify_one();
    assert!(client.read_until("waited").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let running = start().await;
    let since = Instant::now();
    let answer = exchange(&running, "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.ends_with("the body comes too slowly"), "{answer}");
    assert_eq!(seconds(since), 10);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_given_up() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await;
    // 400 bytes a second, where 500 are asked for: each second costs a fifth of the grace.
    let since = Instant::now();
    for _ in 0..40 {
        client.send_and_settle([b'x'; 400]).await;
        advance(Duration::from_secs(1)).await;
    }
    let answer = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!((40..=52).contains(&seconds(since)), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_that_keeps_the_rate_arrives() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 120000\r\n\r\n").await;
    for _ in 0..200 {
        client.send_and_settle([b'x'; 600]).await;
        advance(Duration::from_secs(1)).await;
    }
    assert!(client.read_until("120000").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_dropped() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send(get_request("/endless")).await;
    let since = Instant::now();
    running.signals.dropped.notified().await;
    assert_eq!(seconds(since), 60);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_give_way_when_places_run_out() {
    let limits = Limits { connections_max: 5, ..Limits::default() };
    let running = start_with(limits, Default::default()).await;
    let mut first = Client::connect(&running).await;
    first.get("/hello", "hello").await;
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut other = Client::connect(&running).await;
        other.send(get_request("/wait")).await;
        running.signals.reached.notified().await;
        others.push(other);
    }
    assert_eq!(first.seconds_until_closed().await, 5);
}
