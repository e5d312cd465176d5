//! The attack catalog against every route there is: the routes are read from the program's
//! source, so that a new one is attacked without anybody thinking of it.

use std::fs;
use std::path::{Path, PathBuf};

use app::web::api::endpoints;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};

use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a143_every_answer_of_every_route_carries_the_strict_headers,
    a053_what_is_private_is_kept_by_no_cache,
    a144_no_route_lets_another_site_read,
    a141_no_form_is_taken_from_elsewhere_and_no_address_changes_anything,
    a163_nobody_changes_a_shop_without_signing_in,
    a164_a_private_page_does_not_pass_for_a_file,
    a159_a_form_cannot_say_more_than_it_asks,
}

/// Routes that are the same for everybody and may be kept: contents of their own address, and
/// what is no secret.
const PUBLIC: [&str; 7] =
    ["/assets/", "/logo/", "/favicon.", "/robots.txt", "/healthz", "/readyz", "/v1/openapi.json"];

/// Forms whose proof is the keyed address or the key itself, not a page that was seen before.
const KEYED: [&str; 2] = ["/d/", "/hooks/"];

/// Every Rust file below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The addresses of buyers and machines, with something in every gap.
fn public_routes() -> Vec<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let texts = files.into_iter().map(|path| fs::read_to_string(path).expect("a source file"));
    let found = |text: String| {
        text.split(".route(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(filled)
            .collect::<Vec<_>>()
    };
    let routes: Vec<String> = texts.flat_map(found).collect();
    assert!(routes.len() > 30, "the routes are not where they were: {routes:?}");
    routes
}

/// A route with something in every gap.
fn filled(route: &str) -> String {
    let fill = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
    route.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// Every address of the program.
fn every_route(t: &TestApp) -> Vec<String> {
    let desk = app::web::desk(t.app.clone()).done().1;
    let mut all = public_routes();
    all.extend(desk.iter().map(|rule| filled(rule.path)));
    all.extend(endpoints().iter().map(|endpoint| filled(endpoint.at.path)));
    all.push("/nowhere".to_owned());
    all.sort_unstable();
    all.dedup();
    all
}

fn ask(t: &TestApp, method: &Method, path: &str) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ORIGIN, "https://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    t.request(request.body(Body::empty()).expect("a request"))
}

/// Another site posts a form with a file.
fn ask_with_file(t: &TestApp, path: &str) -> Reply {
    let body = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\na\r\n--x--\r\n";
    let request = Request::post(path)
        .header(header::ORIGIN, "https://evil.example")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
    t.request(request.body(Body::from(body)).expect("a request"))
}

fn is_public(path: &str) -> bool {
    PUBLIC.iter().any(|start| path.starts_with(start))
}

fn a143_every_answer_of_every_route_carries_the_strict_headers(t: TestApp) {
    t.leaves_jobs();
    for path in every_route(&t) {
        for method in [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS] {
            let reply = ask(&t, &method, &path);
            let at = format!("{method} {path} ({})", reply.status);
            let policy = reply.header("content-security-policy");
            assert!(policy.contains("default-src 'none'"), "{at}: {policy}");
            assert!(
                policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
                "{at}: {policy}"
            );
            assert_eq!(reply.header("x-frame-options"), "DENY", "{at}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{at}");
            assert_eq!(reply.header("referrer-policy"), "no-referrer", "{at}");
            assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin", "{at}");
            assert!(!reply.status.is_server_error(), "{at}: {}", reply.text());
        }
    }
}

fn a053_what_is_private_is_kept_by_no_cache(t: TestApp) {
    for path in every_route(&t).into_iter().filter(|path| !is_public(path)) {
        let reply = ask(&t, &Method::GET, &path);
        assert!(reply.header("cache-control").contains("no-store"), "{path}: {:?}", reply.headers);
    }
}

fn a144_no_route_lets_another_site_read(t: TestApp) {
    for path in every_route(&t) {
        for method in [Method::GET, Method::OPTIONS] {
            let reply = ask(&t, &method, &path);
            let allows = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(allows.count(), 0, "{method} {path}: {:?}", reply.headers);
        }
    }
}

fn a141_no_form_is_taken_from_elsewhere_and_no_address_changes_anything(t: TestApp) {
    let product = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let before = t.business_state();
    for path in public_routes().into_iter().filter(|path| !path.starts_with("/v1")) {
        t.get(&path);
        let posted = match ask(&t, &Method::POST, &path).status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ask_with_file(&t, &path).status,
            posted => posted,
        };
        let keyed = KEYED.iter().any(|start| path.starts_with(start));
        let refused = matches!(posted, StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED);
        let to_sign_in = posted == StatusCode::SEE_OTHER && path.starts_with("/portal");
        assert!(
            refused || to_sign_in || (keyed && posted == StatusCode::NOT_FOUND),
            "{path} answered {posted}"
        );
    }
    assert_eq!(t.business_state(), before);
}

fn a163_nobody_changes_a_shop_without_signing_in(t: TestApp) {
    let before = t.business_state();
    let desk = app::web::desk(t.app.clone()).done().1;
    for rule in desk {
        let path = filled(rule.path);
        let reply = ask(&t, &rule.method, &path);
        let closed = matches!(
            reply.status,
            StatusCode::SEE_OTHER | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE
        );
        let a_step_of_signing_in = rule.access == app::web::desk::Access::Open && rule.method == Method::GET;
        assert!(closed || a_step_of_signing_in, "{} {path} answered {}", rule.method, reply.status);
    }
    for path in ["/setup", "/install", "/admin/setup", "/register"] {
        assert_eq!(t.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(t.business_state(), before);
}

fn a164_a_private_page_does_not_pass_for_a_file(t: TestApp) {
    for path in [
        "/portal/purchases/x.css",
        "/portal/x.css",
        "/admin/orders/x.css",
        "/o/x.css",
        "/d/x/y.css",
        "/portal;x.css",
    ] {
        let reply = t.get(path);
        assert!(!reply.status.is_success(), "{path} answered {}", reply.status);
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
}

fn a159_a_form_cannot_say_more_than_it_asks(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let buyer = t.visitor();
    buyer.get("/p/FONT");
    let fields = [
        ("sku", "FONT"),
        ("currency", "EUR"),
        ("quantity", "1"),
        ("price", "0.01"),
        ("merchant_id", "2"),
        ("download_limit", "999"),
    ];
    buyer.post("/buy", &fields);
    let cart = buyer.get("/cart").text();
    assert!(!cart.contains("0.01"), "{cart}");
}
