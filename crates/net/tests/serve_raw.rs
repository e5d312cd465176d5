//! What is not clearly one request is refused, and nothing after it is taken for another.
//!
//! Written byte by byte, because a proper client cannot say these things.

mod support;

use std::sync::atomic::Ordering;

use support::{exchange, start};

/// Behind each refused request stands another, which must not be served.
const SMUGGLED: &str = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// The status line of the only answer, and how many requests reached the application.
async fn answer(request: &str) -> (String, usize) {
    let running = start().await;
    let answer = exchange(&running, format!("{request}{SMUGGLED}")).await;
    let count = answer.matches("HTTP/1.1 ").count();
    assert!(count <= 1, "{request:?} was answered with {answer:?}");
    let status = answer.split("\r\n").next().unwrap_or_default().to_owned();
    (status, running.signals.served.load(Ordering::SeqCst))
}

async fn assert_refused(requests: &[&str], with: &str) {
    for request in requests {
        let (status, served) = answer(request).await;
        assert!(status.starts_with(&format!("HTTP/1.1 {with}")), "{request:?} was answered with {status:?}");
        assert_eq!(served, 0, "{request:?} reached the application");
    }
}

#[tokio::test]
async fn an_unclear_length_is_refused() {
    assert_refused(
        &[
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabc",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabc",
        ],
        "400",
    )
    .await;
}

#[tokio::test]
async fn an_unknown_transfer_coding_is_refused() {
    assert_refused(
        &[
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ],
        "400",
    )
    .await;
}

#[tokio::test]
async fn a_length_beside_a_coding_is_refused() {
    assert_refused(
        &[
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        ],
        "400",
    )
    .await;
}

#[tokio::test]
async fn a_line_feed_alone_in_a_head_is_refused() {
    assert_refused(
        &[
            "GET /hello HTTP/1.1\nHost: a\n\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\n\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /count HTTP/1.1\r\nHost: a\r\nX: y\nContent-Length: 3\r\n\r\nabc",
        ],
        "400",
    )
    .await;
}

#[tokio::test]
async fn an_unclear_head_behind_a_body_is_refused_too() {
    let running = start().await;
    let first = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let second = "GET /hello HTTP/1.1\r\nHost: a\r\nX: y\nz: b\r\n\r\n";
    let answers = exchange(&running, format!("{first}{second}{SMUGGLED}")).await;
    assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 400").count(), 1, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{answers}");
}

#[tokio::test]
async fn a_chunked_request_is_the_last_of_its_connection() {
    let (status, served) =
        answer("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
            .await;
    assert!(status.starts_with("HTTP/1.1 200"), "{status}");
    assert_eq!(served, 1);
}

#[tokio::test]
async fn a_malformed_chunk_ends_the_connection() {
    let chunked =
        |body: &str| format!("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    for body in [
        "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3;a=\nb\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcX0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "\r\n\r\n",
    ] {
        let (status, _) = answer(&chunked(body)).await;
        assert!(!status.starts_with("HTTP/1.1 200"), "{body:?} was answered with {status:?}");
    }
}

#[tokio::test]
async fn a_malformed_head_is_refused() {
    assert_refused(
        &[
            "GET /hello HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\nX: y\rz: b\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
            "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET /he\tllo HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a.test HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET hello HTTP/1.1\r\nHost: a\r\n\r\n",
            "G\0T /hello HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /hello HTTP/3.0\r\nHost: a\r\n\r\n",
            "GET /hello\r\n\r\n",
            "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        ],
        "400",
    )
    .await;
}

#[tokio::test]
async fn an_unclear_host_is_refused() {
    assert_refused(
        &[
            "GET /hello HTTP/1.1\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: user@a\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n",
        ],
        "400",
    )
    .await;
}

#[tokio::test]
async fn tunnels_and_echoes_are_refused() {
    assert_refused(
        &[
            "CONNECT evil.test:25 HTTP/1.1\r\nHost: evil.test:25\r\n\r\n",
            "TRACE /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
        "405",
    )
    .await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let long_value = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(40_000));
    let many_lines = format!("GET /hello HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(101));
    let cookies = format!(
        "GET /hello HTTP/1.1\r\nHost: a\r\n{}\r\n",
        format!("Cookie: {}\r\n", "c".repeat(4000)).repeat(10)
    );
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "p".repeat(40_000));
    assert_refused(&[&long_value, &many_lines, &cookies, &long_path], "431").await;
}

#[tokio::test]
async fn a_head_of_the_allowed_size_is_served() {
    let running = start().await;
    let value = "y".repeat(30_000);
    let request = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {value}\r\nConnection: close\r\n\r\n");
    assert!(exchange(&running, request).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let running = start().await;
    let answer = exchange(&running, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(!answer.contains("200"), "{answer}");
}
