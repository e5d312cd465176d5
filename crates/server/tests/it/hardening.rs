//! The real listener against clients of bad faith. The numbers are those of the attack catalog.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::Place;
use crate::support::browser::{Browser, connect, exchange};

#[test]
fn a161_what_is_not_clearly_one_request_is_answered_400_and_nothing_after_it() {
    let place = Place::new();
    let served = place.serve();
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    for request in [
        "POST /cart HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /cart HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST /cart HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = exchange(connect(served.address), format!("{request}{smuggled}"));
        assert_eq!(answer.status, 400, "{request:?}: {}", answer.text);
        assert_eq!(answer.text.matches("HTTP/1.1 ").count(), 1, "{request:?}: {}", answer.text);
    }
    let chunk =
        "POST /hooks/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n";
    let answer = exchange(connect(served.address), format!("{chunk}{smuggled}"));
    assert!(!answer.text.contains("alive"), "{}", answer.text);
}

#[test]
fn a166_a_head_without_an_end_is_closed_and_others_are_served_meanwhile() {
    let place = Place::new();
    let served = place.serve();
    let mut slow: Vec<_> = (0..50).map(|_| connect(served.address)).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ").expect("it listens");
    }
    assert_eq!(Browser::new(served.address).get("/healthz").status, 200);
    // Read to the end: it comes after the ten seconds that a head may take, and without an answer.
    assert!(slow.into_iter().all(|stream| exchange(stream, "").text.is_empty()));
}

#[test]
fn a168_one_address_has_200_connections_and_no_more() {
    let place = Place::new();
    let served = place.serve();
    let held: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = connect(served.address);
            stream.write_all(b"GET / HTTP/1.1\r\n").expect("it listens");
            stream
        })
        .collect();
    let one_more =
        exchange(connect(served.address), "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(one_more.text, "");
    drop(held);
}

#[test]
fn a172_big_heads_and_bodies_are_refused() {
    let place = Place::new();
    let served = place.serve();
    let status = |request: String| exchange(connect(served.address), request).status;
    assert_eq!(status(format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "c".repeat(40_000))), 431);
    assert_eq!(status(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(101))), 431);
    assert!(matches!(status(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "u".repeat(70_000))), 414 | 431));

    let mut browser = Browser::new(served.address);
    browser.get("/links/request");
    let big = browser.post("/links/request", &format!("email={}", "e".repeat(2 << 20)));
    assert_eq!(big.status, 413, "{}", big.text);
}

#[test]
fn a171_a_packed_body_is_not_unpacked() {
    let place = Place::new();
    let served = place.serve();
    let mut browser = Browser::new(served.address);
    browser.get("/links/request");
    let packed = packed(&browser.form("email=a@b.test"));
    browser.headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
    // Unpacked, its token would be right.
    assert_eq!(browser.post_bytes("/links/request", &packed).status, 403);
    browser.headers.clear();
    browser.get("/links/request");
    assert_eq!(browser.post("/links/request", "email=a@b.test").status, 200);
}

fn packed(text: &str) -> Vec<u8> {
    let mut gzip =
        Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gzip runs");
    gzip.stdin.take().expect("its input").write_all(text.as_bytes()).expect("it reads");
    gzip.wait_with_output().expect("it ends").stdout
}

/// How many of these tries are let through to be answered.
fn tries(browser: &mut Browser, count: u8, path: &str, fields: &str, spoof: bool) -> Vec<u16> {
    (0..count)
        .map(|n| {
            if spoof {
                browser.forwarded_for(&format!("198.51.100.{n}"));
            }
            browser.post(path, &fields.replace("{n}", &n.to_string())).status
        })
        .collect()
}

#[test]
fn a160_a_client_cannot_say_that_it_is_another() {
    let place = Place::new();
    let served = place.serve();
    let mut browser = Browser::new(served.address);
    browser.get("/portal/sign-in");
    let seen = tries(&mut browser, 12, "/portal/sign-in", "email=a{n}@b.test", true);
    assert_eq!(seen.iter().filter(|status| **status == 429).count(), 2, "{seen:?}");

    browser.get("/links/request");
    let seen = tries(&mut browser, 12, "/links/request", "email=a{n}@b.test", true);
    assert_eq!(seen.iter().filter(|status| **status == 429).count(), 2, "{seen:?}");
}

#[test]
fn a160_behind_a_trusted_proxy_each_of_its_clients_has_limits_of_their_own() {
    let place = Place::new().with("HANDSEL_PROXIES__TRUSTED", "[\"127.0.0.0/8\"]");
    let served = place.serve();
    let mut browser = Browser::new(served.address);
    browser.get("/portal/sign-in");
    let seen = tries(&mut browser, 12, "/portal/sign-in", "email=a{n}@b.test", true);
    assert!(seen.iter().all(|status| *status != 429), "{seen:?}");
    // What a client put in front of the proxy's own entry counts for nothing.
    browser.get("/links/request");
    let seen: Vec<_> = (0..12)
        .map(|n| {
            browser.forwarded_for(&format!("203.0.113.{n}, 198.51.100.77"));
            browser.post("/links/request", &format!("email=b{n}@b.test")).status
        })
        .collect();
    assert_eq!(seen.iter().filter(|status| **status == 429).count(), 2, "{seen:?}");
}

#[test]
fn a152_no_address_comes_from_the_host_header() {
    let place = Place::new();
    let served = place.serve();
    for path in ["/", "/cart", "/portal", "/admin", "/links/request"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
        let answer = exchange(connect(served.address), request);
        assert!(!answer.text.contains("evil.example"), "{path}: {}", answer.text);
    }
}

#[test]
fn a165_another_method_than_the_routes_own_is_refused() {
    let place = Place::new();
    let served = place.serve();
    let ask = |line: &str, extra: &str| {
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{extra}\r\n");
        exchange(connect(served.address), request).status
    };
    assert_eq!(ask("GET /checkout", ""), 405);
    assert_eq!(ask("GET /checkout", "X-HTTP-Method-Override: POST\r\n"), 405);
    assert_eq!(ask("HEAD /portal/sign-out", ""), 405);
    assert_eq!(ask("TRACE /", ""), 405);
    assert_eq!(ask("DELETE /cart", ""), 405);
}

#[test]
fn a144_no_other_site_may_read() {
    let place = Place::new();
    let served = place.serve();
    for origin in ["https://evil.example", "null", "https://127.0.0.1.evil.example"] {
        for path in ["/", "/v1/openapi.json", "/v1/products"] {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n");
            let answer = exchange(connect(served.address), request);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{}", answer.text);
        }
    }
}
