//! Assets, logos, robots, monitors, and the headers of every page.

use axum::body::Body;
use http::{Request, StatusCode};

use super::change_merchant;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    assets_are_kept_for_ever_under_the_address_of_their_content,
    a_known_asset_is_not_sent_again,
    only_colors_make_a_stylesheet,
    a_logo_is_a_picture_of_a_merchant_and_nothing_else,
    robots_are_kept_from_keyed_pages,
    monitors_are_answered,
    every_page_has_the_strict_headers,
    what_is_public_sets_no_cookie,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

fn assets_are_kept_for_ever_under_the_address_of_their_content(t: TestApp) {
    let index = t.get("/").text();
    let address = index.split('"').find(|part| part.starts_with("/assets/app.css")).expect("a stylesheet");

    let named = t.get(address);
    let unnamed = t.get("/assets/app.css");
    let stale = t.get("/assets/app.css?v=0000000000000000");

    assert_eq!(named.status, StatusCode::OK);
    assert_eq!(named.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(named.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(unnamed.header("cache-control"), "public, no-cache");
    assert_eq!(stale.header("cache-control"), "public, no-cache");
    let strange =
        ["/assets/", "/assets/../Cargo.toml", "/assets/%2e%2e/x", "/assets/app.css/x", "/assets//app.css"]
            .map(|path| t.get(path).status.as_u16());
    assert_eq!(strange, [404; 5]);
}

fn a_known_asset_is_not_sent_again(t: TestApp) {
    let tag = t.get("/assets/app.js").header("etag").to_owned();
    let ask = |tag: &str| {
        let request = Request::get("/assets/app.js").header("if-none-match", tag).body(Body::empty());
        t.request(request.expect("a request"))
    };

    let known = [ask(&tag), ask(&format!("W/{tag}")), ask(&format!("\"x\", {tag}"))];

    assert_eq!(known.map(|reply| (reply.status.as_u16(), reply.body.len())), [(304, 0); 3]);
    assert_eq!(ask("\"x\"").status, StatusCode::OK);
}

fn only_colors_make_a_stylesheet(t: TestApp) {
    assert!(t.get("/assets/accent.css?c=0f5c55").text().contains("--accent:#0f5c55"));
    let wrong = ["", "red", "%7D*%7Bdisplay:none", "0f5c555", "%22"]
        .map(|color| t.get(&format!("/assets/accent.css?c={color}")).status.as_u16());
    assert_eq!(wrong, [404; 5]);
}

fn a_logo_is_a_picture_of_a_merchant_and_nothing_else(t: TestApp) {
    let sold = t.product(NewGood::of("PHOTO").with_file("photo.png", PNG));
    let photo = t.read(move |snapshot| Ok(app::products::store::files(snapshot, sold.merchant, sold.id)?));
    let path = format!("/logo/{}", photo[0].sha256);

    let before = t.get(&path).status;
    change_merchant(&t, &t.shop.merchant, |merchant| {
        merchant.logo_sha256 = Some(hex::encode(<sha2::Sha256 as sha2::Digest>::digest(PNG)));
    });
    let logo = t.get(&path);
    let index = t.get("/").text();

    assert_eq!(before, StatusCode::NOT_FOUND, "what is sold is not given away as a logo");
    assert_eq!((logo.status, logo.body.as_slice()), (StatusCode::OK, PNG));
    assert_eq!(logo.header("content-type"), "image/png");
    assert_eq!(logo.header("x-content-type-options"), "nosniff");
    assert!(logo.header("content-security-policy").ends_with("sandbox"));
    assert!(index.contains(&format!("src=\"{path}\"")), "{index}");
    assert_eq!(t.get("/logo/x").status, StatusCode::NOT_FOUND);
}

fn robots_are_kept_from_keyed_pages(t: TestApp) {
    let robots = t.get("/robots.txt").text();
    let kept = ["/d/", "/o/", "/t/", "/portal", "/admin", "/m/*/d/"];
    assert_eq!(kept.map(|path| robots.contains(&format!("Disallow: {path}\n"))), [true; 6]);
}

fn monitors_are_answered(t: TestApp) {
    assert_eq!(t.get("/healthz").status, StatusCode::OK);
    assert_eq!(t.get("/readyz").text(), "ready\n");
}

fn every_page_has_the_strict_headers(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let pages = ["/", "/p/FONT", "/cart", "/links/request", "/portal/sign-in", "/d/x", "/o/x", "/nothing"]
        .map(|path| t.get(path));

    for page in pages {
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.contains("default-src 'none'") && policy.ends_with("form-action 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(!page.text().contains("style=\"") && !page.text().contains(" onclick"), "something inline");
    }
}

fn what_is_public_sets_no_cookie(t: TestApp) {
    let public =
        ["/assets/app.css", "/favicon.ico", "/robots.txt", "/healthz", "/readyz"].map(|path| t.get(path));
    assert_eq!(
        public.map(|reply| (reply.status.as_u16(), reply.headers.contains_key("set-cookie"))),
        [(200, false); 5]
    );
    let first = t.get("/");
    assert!(first.header("set-cookie").starts_with("visitor="), "{:?}", first.headers);
    assert!(first.header("set-cookie").contains("HttpOnly; SameSite=Lax"));
}
