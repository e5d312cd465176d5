//! Connections, caps, stopping, and who is asking: over real sockets.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::sync::atomic::Ordering;

use net::headers::AllowedHosts;
use net::serve::{Drained, ForwardedBy, Limits, Server, TrustedProxies, stop};
use support::{Client, exchange, get_request, start, start_with};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    let first = client.get("/hello", "hello").await;
    let second = client.get("/hello", "hello").await;
    assert!(first.starts_with("HTTP/1.1 200") && second.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send(format!("{}{}", get_request("/hello"), get_request("/peer"))).await;
    let both = client.read_until("shop.test 1").await;
    assert_eq!(both.matches("HTTP/1.1 200").count(), 2);
    assert!(both.find("hello").unwrap() < both.find("127.0.0.1 Http").unwrap());
}

#[tokio::test]
async fn a_client_is_told_to_go_on_with_its_body() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n").await;
    client.read_until("100 Continue\r\n\r\n").await;
    client.send("abc").await;
    assert!(client.read_until("\r\n\r\n3").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_refusal_is_seen_by_a_client_that_is_still_sending() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n").await;
    // Far more than the buffers hold: a server that closed at once would reset the connection.
    client.stream.write_all(&[b'x'; 8_000_000]).await.unwrap();
    let answer = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with("too large"), "{answer}");
}

#[tokio::test]
async fn a_handler_that_panics_takes_only_its_own_connection_down() {
    let running = start().await;
    assert_eq!(exchange(&running, get_request("/panic")).await, "");
    Client::connect(&running).await.get("/hello", "hello").await;
}

#[tokio::test]
async fn an_address_gets_its_share_of_connections_and_no_more() {
    let limits = Limits { connections_per_address_max: 2, ..Limits::default() };
    let running = start_with(limits, TrustedProxies::default()).await;
    let mut first = Client::connect(&running).await;
    let mut second = Client::connect(&running).await;
    first.get("/hello", "hello").await;
    second.get("/hello", "hello").await;
    assert_eq!(exchange(&running, get_request("/hello")).await, "");
    second.get("/hello", "hello").await;
}

#[tokio::test]
async fn a_trusted_proxy_is_not_held_to_one_clients_share() {
    let limits = Limits { connections_per_address_max: 1, ..Limits::default() };
    let running = start_with(limits, loopback(ForwardedBy::XForwarded)).await;
    let mut first = Client::connect(&running).await;
    let mut second = Client::connect(&running).await;
    first.get("/hello", "hello").await;
    second.get("/hello", "hello").await;
}

#[tokio::test]
async fn beyond_the_cap_a_connection_waits_for_a_place() {
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let running = start_with(limits, TrustedProxies::default()).await;
    let mut first = Client::connect(&running).await;
    first.send(get_request("/wait")).await;
    running.signals.reached.notified().await;
    let mut second = Client::connect(&running).await;
    second.send(get_request("/hello")).await;
    assert_eq!(running.signals.served.load(Ordering::SeqCst), 1);

    running.signals.go.notify_one();
    assert!(first.read_to_end().await.ends_with("waited"));
    assert!(second.read_until("hello").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_crowded_server_does_not_keep_connections() {
    let limits = Limits { connections_max: 5, ..Limits::default() };
    let running = start_with(limits, TrustedProxies::default()).await;
    let mut kept = Vec::new();
    // One place is always with the accept loop, for the next to come.
    for _ in 0..3 {
        let mut client = Client::connect(&running).await;
        assert!(!client.get("/hello", "hello").await.contains("connection: close"));
        kept.push(client);
    }
    assert!(exchange(&running, get_request("/hello")).await.contains("connection: close"));
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_takes_no_more() {
    let running = start().await;
    let mut idle = Client::connect(&running).await;
    idle.get("/hello", "hello").await;
    let mut busy = Client::connect(&running).await;
    busy.send(get_request("/wait")).await;
    running.signals.reached.notified().await;

    running.stop.gracefully();
    assert_eq!(idle.read_to_end().await, "");
    assert!(TcpStream::connect(running.address).await.is_err());
    running.signals.go.notify_one();
    assert!(busy.read_to_end().await.ends_with("waited"));
    drop((idle, busy));
    assert_eq!(running.ended.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn a_second_stop_is_immediate() {
    let running = start().await;
    let mut busy = Client::connect(&running).await;
    busy.send(get_request("/wait")).await;
    running.signals.reached.notified().await;
    running.stop.gracefully();
    running.stop.at_once();
    assert_eq!(running.ended.await.unwrap(), Drained { cut: 1 });
    assert_eq!(busy.read_to_end().await, "");
}

#[tokio::test]
async fn a_stop_waits_no_longer_than_the_drain() {
    let running = start().await;
    let mut busy = Client::connect(&running).await;
    busy.send(get_request("/wait")).await;
    running.signals.reached.notified().await;
    tokio::time::pause();
    let since = tokio::time::Instant::now();
    running.stop.gracefully();
    assert_eq!(running.ended.await.unwrap(), Drained { cut: 1 });
    assert_eq!(since.elapsed().as_secs(), 10);
}

fn loopback(header: ForwardedBy) -> TrustedProxies {
    TrustedProxies { networks: vec!["127.0.0.0/8".parse().unwrap()], header }
}

const FORWARDED: &str = "GET /peer HTTP/1.1\r\nHost: shop.test:8443\r\nX-Forwarded-For: 198.51.100.7\r\n\
                         X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn every_request_tells_who_is_asking() {
    let running = start().await;
    let answer = exchange(&running, FORWARDED).await;
    assert!(answer.ends_with("127.0.0.1 Http shop.test:8443 4"), "{answer}");
}

#[tokio::test]
async fn behind_a_trusted_proxy_it_is_the_proxys_client() {
    let running = start_with(Limits::default(), loopback(ForwardedBy::XForwarded)).await;
    let answer = exchange(&running, FORWARDED).await;
    assert!(answer.ends_with("198.51.100.7 Https shop.test:8443 4"), "{answer}");
}

async fn redirected(request: &str, https_port: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (handle, stopping) = stop();
    let server = Server::new(Limits::default(), TrustedProxies::default());
    let hosts = AllowedHosts::new(["shop.test"]);
    let ended =
        tokio::spawn(async move { server.redirect_to_https(listener, https_port, hosts, stopping).await });
    let running = support::Running { address, stop: handle, signals: Default::default(), ended };
    exchange(&running, request).await
}

#[tokio::test]
async fn plain_http_leads_to_the_same_place_on_https() {
    let request = "GET /a/b?c=d HTTP/1.1\r\nHost: Shop.test:8080\r\nConnection: close\r\n\r\n";
    let answer = redirected(request, 443).await;
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert!(answer.contains("\r\nlocation: https://Shop.test/a/b?c=d\r\n"), "{answer}");
    assert!(redirected(request, 8443).await.contains("location: https://Shop.test:8443/a/b?c=d\r\n"));
}

#[tokio::test]
async fn a_redirect_leads_to_no_other_host() {
    let answer = redirected("GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n", 443).await;
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    assert!(!answer.contains("location"), "{answer}");
}
