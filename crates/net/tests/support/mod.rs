//! A server on the loopback with an application made for tests, and a client that speaks in bytes.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use net::serve::{Drained, Limits, Peer, Server, StopHandle, TrustedProxies, stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Far beyond every limit; only a test that would hang for ever gets here.
const HANG: Duration = Duration::from_secs(1000);

/// What the application and the test share.
#[derive(Clone, Default)]
pub struct Signals {
    /// Lets `/wait` answer.
    pub go: Arc<Notify>,
    /// `/wait` has been reached.
    pub reached: Arc<Notify>,
    /// An endless answer was given up.
    pub dropped: Arc<Notify>,
    /// Requests that reached the application.
    pub served: Arc<AtomicUsize>,
}

pub struct Running {
    pub address: SocketAddr,
    pub stop: StopHandle,
    pub signals: Signals,
    pub ended: JoinHandle<Drained>,
}

pub async fn start() -> Running {
    start_with(Limits::default(), TrustedProxies::default()).await
}

pub async fn start_with(limits: Limits, proxies: TrustedProxies) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let signals = Signals::default();
    let (handle, stop) = stop();
    let service = app(signals.clone());
    let server = Server::new(limits, proxies);
    let ended = tokio::spawn(async move { server.serve(listener, None, service, stop).await });
    Running { address, stop: handle, signals, ended }
}

pub fn app(signals: Signals) -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/wait", get(wait).post(wait))
        .route("/count", post(count))
        .route("/refuse", post(|| async { (StatusCode::PAYLOAD_TOO_LARGE, "too large") }))
        .route("/endless", get(endless))
        .route("/panic", get(panic))
        .route("/peer", get(peer))
        .layer(axum::middleware::from_fn_with_state(signals.clone(), note))
        .with_state(signals)
}

async fn note(
    State(signals): State<Signals>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    signals.served.fetch_add(1, Ordering::SeqCst);
    next.run(request).await
}

async fn wait(State(signals): State<Signals>) -> &'static str {
    signals.reached.notify_one();
    signals.go.notified().await;
    "waited"
}

async fn count(body: Body) -> (StatusCode, String) {
    match body.collect().await {
        Ok(body) => (StatusCode::OK, body.to_bytes().len().to_string()),
        Err(error) => (StatusCode::REQUEST_TIMEOUT, error.to_string()),
    }
}

async fn panic() -> &'static str {
    panic!("as asked")
}

async fn peer(Extension(peer): Extension<Peer>, headers: HeaderMap) -> String {
    let host = peer.host.map_or("none".to_owned(), |host| host.to_string());
    format!("{} {:?} {host} {}", peer.addr, peer.scheme, headers.len())
}

async fn endless(State(signals): State<Signals>) -> Body {
    Body::new(Endless(signals))
}

struct Endless(Signals);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        const FRAME: &[u8] = &[b'x'; 65536];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(FRAME)))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.dropped.notify_one();
    }
}

/// Under paused time: waits until nobody has anything left to do.
#[expect(clippy::disallowed_methods, reason = "paused time only moves when all else has been done")]
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// To the nearest second: settling takes milliseconds.
pub fn seconds(since: Instant) -> u64 {
    (since.elapsed() + Duration::from_millis(500)).as_secs()
}

/// A client that sends what it is told.
pub struct Client {
    pub stream: TcpStream,
    seen: Vec<u8>,
}

pub fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\n\r\n")
}

impl Client {
    pub async fn connect(running: &Running) -> Self {
        Self { stream: TcpStream::connect(running.address).await.unwrap(), seen: Vec::new() }
    }

    /// A failure to send shows in what can be read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap_or(());
    }

    /// Reads on until what was seen ends so.
    pub async fn read_until(&mut self, end: &str) -> String {
        let seen = timeout(HANG, async {
            while !self.seen.ends_with(end.as_bytes()) {
                let count = self.stream.read_buf(&mut self.seen).await.unwrap_or(0);
                assert_ne!(count, 0, "closed after {:?}", String::from_utf8_lossy(&self.seen));
            }
        });
        seen.await.unwrap();
        String::from_utf8(std::mem::take(&mut self.seen)).unwrap()
    }

    /// Reads to the end of the connection, however it ends.
    pub async fn read_to_end(&mut self) -> String {
        let all = async { while self.stream.read_buf(&mut self.seen).await.unwrap_or(0) > 0 {} };
        timeout(HANG, all).await.unwrap();
        String::from_utf8_lossy(&std::mem::take(&mut self.seen)).into_owned()
    }

    pub async fn get(&mut self, path: &str, end: &str) -> String {
        self.send(get_request(path)).await;
        self.read_until(end).await
    }

    /// Sends, and lets the server take it before time moves on.
    pub async fn send_and_settle(&mut self, bytes: impl AsRef<[u8]>) {
        self.send(bytes).await;
        settle().await;
    }

    /// How long the server keeps the connection from now on.
    pub async fn seconds_until_closed(&mut self) -> u64 {
        let since = Instant::now();
        self.read_to_end().await;
        seconds(since)
    }
}

/// What one connection gets to see for these bytes, up to its end.
pub async fn exchange(running: &Running, bytes: impl AsRef<[u8]>) -> String {
    let mut client = Client::connect(running).await;
    client.send(bytes).await;
    client.read_to_end().await
}
