//! The way out, against servers on the loopback.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use net::outbound::{
    Answer, Call, CallError, Client, OutboundPolicy, Refusal, Resolve, Resolving, Roots, SystemResolver,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

const CANARY: &str = "s3cret-canary";

fn call(url: &str) -> Call {
    Call {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![("authorization".to_owned(), format!("Bearer {CANARY}"))],
        body: Bytes::from_static(b"amount=1"),
        deadline: Duration::from_secs(30),
        body_max: 1000,
    }
}

fn allowing(address: SocketAddr) -> Client {
    let allow = vec![format!("127.0.0.1/32:{}", address.port()).parse().unwrap()];
    Client::new(OutboundPolicy { allow }, &Roots::default()).unwrap()
}

/// A listener whose connections, one after another, are given to a script.
async fn server<F, Fut>(script: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            script(stream).await;
        }
    });
    address
}

/// Reads a request whose body is the one of [`call`].
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut text = String::new();
    while !text.ends_with("amount=1") {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "the client hung up after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    text
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, response: &[u8]) {
    read_request(&mut stream).await;
    stream.write_all(response).await.unwrap_or(());
    stream.shutdown().await.unwrap_or(());
}

async fn answered_with(response: Vec<u8>) -> Result<Answer, CallError> {
    let response = Arc::new(response);
    let address = server(move |stream| {
        let response = Arc::clone(&response);
        async move { answer(stream, &response).await }
    })
    .await;
    allowing(address).call(call(&format!("http://{address}/"))).await
}

/// Names and what they lead to, one list per look-up; the last list stays.
#[derive(Default)]
struct Names {
    lists: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    lookups: AtomicUsize,
}

impl Names {
    fn of(host: &str, lists: &[&[&str]]) -> Arc<Self> {
        let lists = lists.iter().map(|list| list.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        let names = Self::default();
        names.lists.lock().unwrap().insert(host.to_owned(), lists);
        Arc::new(names)
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            self.lookups.fetch_add(1, Ordering::SeqCst);
            let mut lists = self.lists.lock().unwrap();
            let lists = lists.get_mut(host).ok_or(std::io::ErrorKind::NotFound)?;
            let list = if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() };
            Ok(list)
        })
    }
}

async fn refusal(url: &str) -> Refusal {
    let client = Client::new(OutboundPolicy::default(), &Roots::default()).unwrap();
    match client.call(call(url)).await {
        Err(CallError::Refused(refusal)) => refusal,
        other => panic!("{url} was not refused: {:?}", other.map(|answer| answer.status)),
    }
}

#[tokio::test]
async fn a_call_sends_what_it_was_given_and_brings_back_what_was_answered() {
    let seen = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&seen);
    let address = server(move |mut stream| {
        let log = Arc::clone(&log);
        async move {
            *log.lock().unwrap() = read_request(&mut stream).await;
            let response = b"HTTP/1.1 201 Created\r\nX-Id: 7\r\nContent-Length: 5\r\n\r\nhello";
            stream.write_all(response).await.unwrap();
        }
    })
    .await;

    let url = format!("http://{address}/v1/orders?a=1&b=%20#fragment");
    let answer = allowing(address).call(call(&url)).await.unwrap();

    assert_eq!(answer.status.as_u16(), 201);
    assert_eq!(answer.headers["x-id"], "7");
    assert_eq!(answer.body, "hello");
    let seen = seen.lock().unwrap().to_ascii_lowercase();
    assert!(seen.starts_with("post /v1/orders?a=1&b=%20 http/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("\r\nhost: {address}\r\n")));
    assert!(seen.contains("\r\ncontent-length: 8\r\n"));
    assert!(seen.contains("\r\nuser-agent: handsel/"));
    assert!(seen.contains(&format!("\r\nauthorization: bearer {CANARY}\r\n")));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let visits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&visits);
    let inner = server(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {}
    })
    .await;
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: http://{inner}/\r\nContent-Length: 0\r\n\r\n");

    let answer = answered_with(redirect.into_bytes()).await.unwrap();

    assert_eq!(answer.status.as_u16(), 302);
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn literal_addresses_that_are_not_public_are_refused_however_they_are_written() {
    for host in [
        "169.254.169.254",
        "127.0.0.1",
        "[::1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[fe81::1]",
        "100.64.0.1",
        "[fd00:ec2::254]",
        "\u{ff11}27.0.0.1",
        "127\u{3002}0.0.1",
    ] {
        let refusal = refusal(&format!("https://{host}/latest/meta-data")).await;
        assert!(matches!(refusal, Refusal::Address(_)), "{host}: {refusal}");
    }
}

#[tokio::test]
async fn the_name_of_this_machine_is_refused() {
    assert!(SystemResolver.resolve("localhost").await.unwrap().iter().all(IpAddr::is_loopback));
    assert!(matches!(refusal("https://localhost/").await, Refusal::Address(_)));
    assert!(matches!(refusal("https://LOCALHOST/").await, Refusal::Address(_)));
}

#[tokio::test]
async fn other_schemes_ports_and_credentials_are_refused() {
    for url in ["gopher://example.com/", "file:///etc/passwd", "ftp://example.com/", "unix:/run/docker.sock"]
    {
        assert_eq!(refusal(url).await, Refusal::Scheme, "{url}");
    }
    assert_eq!(refusal("https://user:pass@example.com/").await, Refusal::Credentials);
    assert_eq!(refusal("https://user@example.com/").await, Refusal::Credentials);
    assert_eq!(refusal("https://example.com:25/").await, Refusal::Port(25));
    assert_eq!(refusal("https://8.8.8.8:6379/").await, Refusal::Port(6379));
    assert_eq!(refusal("http://8.8.8.8/").await, Refusal::Plain);
    assert_eq!(refusal("http://example.com/").await, Refusal::Plain);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let inside = [("shop.test", ["10.0.0.7", "fd00::7"]), ("localhost.", ["127.0.0.1", "::1"])];
    for (host, addresses) in inside {
        let client = Client::new(OutboundPolicy::default(), &Roots::default()).unwrap();
        let client = client.with_resolver(Names::of(host, &[&addresses]));
        let error = client.call(call(&format!("https://{host}/"))).await.unwrap_err();
        assert!(matches!(error, CallError::Refused(Refusal::Address(_))), "{error}");
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_so_that_a_second_answer_cannot_lead_elsewhere() {
    let address =
        server(|stream| async move { answer(stream, b"HTTP/1.1 204 No Content\r\n\r\n").await }).await;
    let names = Names::of("shop.test", &[&["127.0.0.1"], &["127.0.0.99"]]);
    let client = allowing(address).with_resolver(names.clone());

    client.call(call(&format!("http://shop.test:{}/", address.port()))).await.unwrap();

    assert_eq!(names.lookups.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn of_several_addresses_only_permitted_ones_are_called() {
    let address =
        server(|stream| async move { answer(stream, b"HTTP/1.1 204 No Content\r\n\r\n").await }).await;
    let names = Names::of("shop.test", &[&["127.0.0.2", "10.0.0.1", "127.0.0.1"]]);
    let client = allowing(address).with_resolver(names);

    let answer = client.call(call(&format!("http://shop.test:{}/", address.port()))).await.unwrap();

    assert_eq!(answer.status.as_u16(), 204);
}

#[tokio::test]
async fn a_look_up_that_fails_is_not_a_permission() {
    let names = Names::of("other.test", &[&["127.0.0.1"]]);
    let client = Client::new(OutboundPolicy::default(), &Roots::default()).unwrap().with_resolver(names);
    let error = client.call(call("https://shop.test/")).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    assert!(!error.may_have_been_sent());
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_nothing_was_sent() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = allowing(address).call(call(&format!("http://{address}/"))).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    assert!(!error.may_have_been_sent());
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_costs_the_deadline_and_not_more() {
    let address = server(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending().await
    })
    .await;
    let before = Instant::now();

    let error = allowing(address).call(call(&format!("http://{address}/"))).await.unwrap_err();

    assert!(matches!(error, CallError::TimedOut { sent: true }), "{error}");
    assert_eq!(before.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the server's slowness is what is tested; time is paused")]
async fn a_server_that_trickles_costs_the_deadline_and_not_more() {
    let address = server(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").await.unwrap();
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    let before = Instant::now();

    let error = allowing(address).call(call(&format!("http://{address}/"))).await.unwrap_err();

    assert!(matches!(error, CallError::TimedOut { sent: true }), "{error}");
    assert_eq!(before.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_an_end_times_out_with_nothing_sent() {
    let address = server(|stream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    let error = allowing(address).call(call(&format!("https://{address}/"))).await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut { sent: false }), "{error}");
}

#[tokio::test]
async fn a_body_up_to_the_cap_is_taken_and_a_larger_one_is_not() {
    let with = |size: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{}", "x".repeat(size));
    assert_eq!(answered_with(with(1000).into_bytes()).await.unwrap().body.len(), 1000);
    let error = answered_with(with(1001).into_bytes()).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { limit: 1000 }), "{error}");
}

#[tokio::test]
async fn a_promise_of_too_much_is_not_waited_for() {
    let promise = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n".to_vec();
    let error = answered_with(promise).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_chunked_body_is_counted_as_it_comes() {
    let chunk = format!("64\r\n{}\r\n", "x".repeat(100));
    let chunked = |count| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(count))
    };
    assert_eq!(answered_with(chunked(10).into_bytes()).await.unwrap().body.len(), 1000);
    let error = answered_with(chunked(11).into_bytes()).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_packed_body_is_not_unpacked() {
    let bomb =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00".to_vec();
    assert_eq!(answered_with(bomb).await.unwrap().body.as_ref(), b"\x1f\x8b\x08\x00");
}

#[tokio::test]
async fn ten_thousand_header_lines_break_the_exchange() {
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    let error = answered_with(head.into_bytes()).await.unwrap_err();
    assert!(matches!(error, CallError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_head_without_an_end_breaks_the_exchange() {
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(200_000));
    let error = answered_with(head.into_bytes()).await.unwrap_err();
    assert!(matches!(error, CallError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_http_breaks_the_exchange() {
    for response in ["SSH-2.0-OpenSSH_9.2\r\n", "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"] {
        let error = answered_with(response.as_bytes().to_vec()).await.unwrap_err();
        assert!(matches!(error, CallError::Protocol { .. }), "{response:?}: {error}");
        assert!(error.may_have_been_sent());
    }
}

#[tokio::test]
async fn headers_that_frame_a_message_or_split_it_cannot_be_set() {
    let client = Client::new(OutboundPolicy::default(), &Roots::default()).unwrap();
    for (name, value) in [
        ("Host", "evil"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "upgrade"),
        ("x", "a\r\nHost: evil"),
        ("x\r\ny", "a"),
    ] {
        let mut call = call("https://example.com/");
        call.headers.push((name.to_owned(), value.to_owned()));
        let error = client.call(call).await.unwrap_err();
        assert!(matches!(error, CallError::Invalid(_)), "{name}: {error}");
    }
}

#[tokio::test]
async fn no_error_tells_what_was_sent() {
    let path = format!("/hook/{CANARY}?token={CANARY}");
    let client = Client::new(OutboundPolicy::default(), &Roots::default()).unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let garbage = server(|stream| async move { answer(stream, b"garbage\r\n\r\n").await }).await;
    let mut bad_header = call(&format!("https://example.com{path}"));
    bad_header.headers.push(("x".to_owned(), format!("{CANARY}\n")));

    let errors = [
        client.call(bad_header).await,
        client.call(call(&format!("https://10.0.0.1{path}"))).await,
        client.call(call(&format!("https://{CANARY}:{CANARY}@example.com/"))).await,
        client.call(call(&format!("not a url {CANARY}"))).await,
        allowing(closed).call(call(&format!("http://{closed}{path}"))).await,
        allowing(garbage).call(call(&format!("http://{garbage}{path}"))).await,
    ];

    for error in errors {
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    }
}

/// A server with a certificate of its own making for `shop.test`.
async fn tls_server() -> (SocketAddr, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["shop.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let address = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret").await;
            }
        }
    })
    .await;
    (address, cert.der().clone())
}

fn tls_client(address: SocketAddr, extra: Vec<CertificateDer<'static>>, host: &str) -> Client {
    let allow = vec![format!("127.0.0.1/32:{}", address.port()).parse().unwrap()];
    let names = Names::of(host, &[&["127.0.0.1"]]);
    Client::new(OutboundPolicy { allow }, &Roots { extra }).unwrap().with_resolver(names)
}

#[tokio::test]
async fn a_server_with_a_good_certificate_is_called() {
    let (address, root) = tls_server().await;
    let client = tls_client(address, vec![root], "shop.test");
    let answer = client.call(call(&format!("https://shop.test:{}/", address.port()))).await.unwrap();
    assert_eq!(answer.body, "secret");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_accepted() {
    let (address, _) = tls_server().await;
    let client = tls_client(address, vec![], "shop.test");
    let error = client.call(call(&format!("https://shop.test:{}/", address.port()))).await.unwrap_err();
    assert!(matches!(&error, CallError::Unreachable { why, .. } if why.contains("certificate")), "{error}");
    assert!(!error.may_have_been_sent());
}

#[tokio::test]
async fn a_certificate_of_another_host_is_not_accepted() {
    let (address, root) = tls_server().await;
    let client = tls_client(address, vec![root], "other.test");
    let error = client.call(call(&format!("https://other.test:{}/", address.port()))).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Unreachable { why, .. } if why.contains("not valid for name")),
        "{error}"
    );
}
