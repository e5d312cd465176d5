//! Products, prices and files.

use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, StatusCode};
use kernel::Span;
use serde_json::{Value, json};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_product_is_made_shown_changed_and_archived,
    a_change_by_somebody_else_is_noticed,
    a_change_of_nothing_changes_nothing,
    an_item_number_is_unique,
    prices_follow_their_time,
    a_file_is_put_and_put_again,
    a_file_name_is_only_a_name,
    an_upload_to_nothing_is_refused,
    an_upload_that_is_not_the_file_itself_is_refused,
    an_upload_that_breaks_off_leaves_nothing,
}

fn a_product_is_made_shown_changed_and_archived(t: TestApp) {
    let program = t.program();
    let made = program.post(
        "/v1/products",
        &json!({
            "sku": "FONT", "name": "A font", "description": "Sans", "download_limit": 7,
            "link_life_seconds": 3600, "file_policy": "latest",
            "prices": [{ "amount": "19.90", "currency": "EUR" }, { "minor": 2500, "currency": "JPY" }],
        }),
    );
    assert_eq!(made.status, StatusCode::CREATED);
    let path = format!("/v1/products/{}", made.json["id"].as_str().expect("a text"));
    let shown = program.get(&path).ok();
    assert_eq!(shown, made.json);
    assert_eq!(shown["prices"][0], json!({ "amount": "19.90", "minor": 1990, "currency": "EUR" }));
    assert_eq!(shown["prices"][1], json!({ "amount": "2500", "minor": 2500, "currency": "JPY" }));
    assert_eq!((&shown["link_life_seconds"], &shown["download_limit"]), (&json!(3600), &json!(7)));
    assert_eq!((&shown["file_policy"], &shown["description"]), (&json!("latest"), &json!("Sans")));

    let changed = program.patch(&path, &json!({ "name": "A better font", "status": "draft" })).ok();
    assert_eq!((&changed["name"], &changed["status"]), (&json!("A better font"), &json!("draft")));
    assert_eq!(changed["description"], "Sans");
    let archived = program.bare(Method::POST, &format!("{path}/archive")).ok();
    assert_eq!(archived["status"], "archived");
    assert_eq!(program.get("/v1/products?sku=FONT").ids().len(), 1);
}

fn a_change_by_somebody_else_is_noticed(t: TestApp) {
    let program = t.program();
    let made = program.post("/v1/products", &json!({ "sku": "A", "name": "A" })).ok();
    let (path, version) =
        (format!("/v1/products/{}", made["id"].as_str().expect("a text")), made["version"].clone());
    program.patch(&path, &json!({ "name": "B", "version": version })).ok();
    let late = program.patch(&path, &json!({ "name": "C", "version": version }));
    assert_eq!((late.status, late.code()), (StatusCode::CONFLICT, "conflict"));
    assert_eq!(program.get(&path).ok()["name"], "B");
}

fn a_change_of_nothing_changes_nothing(t: TestApp) {
    let program = t.program();
    let made = program.post("/v1/products", &json!({ "sku": "A", "name": "A" })).ok();
    let path = format!("/v1/products/{}", made["id"].as_str().expect("a text"));
    assert_eq!(program.patch(&path, &json!({ "name": "A" })).ok()["version"], made["version"]);
    assert_eq!(program.patch(&path, &json!({})).ok()["version"], made["version"]);
}

fn an_item_number_is_unique(t: TestApp) {
    let program = t.program();
    program.post("/v1/products", &json!({ "sku": "A", "name": "A" })).ok();
    let other = program.post("/v1/products", &json!({ "sku": "B", "name": "B" })).ok();
    let path = format!("/v1/products/{}", other["id"].as_str().expect("a text"));
    let taken = program.patch(&path, &json!({ "sku": "A" }));
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "taken"));
    // Another merchant's item numbers are its own.
    let shop = t.second_shop();
    t.program_at(&shop).post("/v1/products", &json!({ "sku": "A", "name": "A" })).ok();
}

fn prices_follow_their_time(t: TestApp) {
    let program = t.program();
    let product = t.product(NewGood::of("FONT"));
    let price = format!("/v1/products/{}/prices/EUR", product.id);
    let now = |json: &Value| {
        json["prices"].as_array().expect("a list").iter().map(|p| p["amount"].clone()).collect::<Vec<_>>()
    };

    t.advance(Span::hours(1));
    let later = t.now() + Span::hours(1);
    let set = program.put(&price, &json!({ "amount": "59.00", "valid_from": later })).ok();
    assert_eq!(now(&set), [json!("49.00")]);
    t.advance(Span::hours(1));
    assert_eq!(now(&program.get(&format!("/v1/products/{}", product.id)).ok()), [json!("59.00")]);

    t.advance(Span::hours(1));
    let past = program.put(&price, &json!({ "amount": "1.00", "valid_from": later }));
    assert_eq!(
        (past.status, past.json["pointer"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("/valid_from"))
    );
    let ended = program.bare(Method::DELETE, &price).ok();
    assert!(now(&ended).is_empty());
    assert_eq!(ended["price_history"].as_array().expect("a list").len(), 3);
    assert_eq!(
        program.put(&price.replace("EUR", "eur"), &json!({ "amount": "1" })).status,
        StatusCode::NOT_FOUND
    );
}

fn a_file_is_put_and_put_again(t: TestApp) {
    let program = t.program();
    let made = program.post("/v1/products", &json!({ "sku": "A", "name": "A" })).ok();
    let files = format!("/v1/products/{}/files", made["id"].as_str().expect("a text"));
    let path = format!("{files}/Gr%C3%BC%C3%9Fe%20an%20alle.txt");

    let first = program.upload(&path, b"one").ok();
    assert_eq!((&first["name"], &first["size"]), (&json!("Grüße an alle.txt"), &json!(3)));
    assert_eq!(first["sha256"], "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    assert_eq!(first["md5"], "f97c5d29941bfb1b2fdab0874906ab82");
    let same = program.upload(&path, b"one").ok();
    assert_eq!(same, first);
    t.advance(Span::seconds(1));
    let second = program.upload(&path, b"three").ok();
    assert_eq!(second["id"], first["id"]);
    assert_ne!(second["version"], first["version"]);
    program.upload(&format!("{files}/empty.bin"), b"").ok();

    let listed = program.get(&files).ok();
    let sizes: Vec<&Value> =
        listed["items"].as_array().expect("a list").iter().map(|file| &file["size"]).collect();
    assert_eq!(sizes, [&json!(5), &json!(0)]);
    let page = program.get(&format!("{files}?limit=1"));
    let next = page.json["next"].as_str().expect("a text").to_owned();
    assert_eq!(program.get(&format!("{files}?after={next}")).ids().len(), 1);
}

fn a_file_name_is_only_a_name(t: TestApp) {
    let program = t.program();
    let product = t.product(NewGood::of("FONT"));
    let files = format!("/v1/products/{}/files", product.id);
    let names = ["..", "a%2Fb", "a%5Cb", "%0A", "%20"];
    let statuses = names.map(|name| program.upload(&format!("{files}/{name}"), b"x").status);
    assert_eq!(statuses, [StatusCode::UNPROCESSABLE_ENTITY; 5]);
}

fn an_upload_to_nothing_is_refused(t: TestApp) {
    let program = t.program();
    let path = "/v1/products/prd_01k0a3tqw00000m5bzn2vqk8rd/files/a.bin";
    assert_eq!(program.upload(path, b"x").status, StatusCode::NOT_FOUND);
    assert_eq!(t.count("SELECT count(*) AS n FROM blobs"), 0);
}

fn an_upload_that_is_not_the_file_itself_is_refused(t: TestApp) {
    let program = t.program();
    let product = t.product(NewGood::of("FONT"));
    let path = format!("/v1/products/{}/files/a.bin", product.id);
    let headers = [("content-type", "multipart/form-data; boundary=x"), ("content-encoding", "gzip")];
    let statuses = headers.map(|(name, value)| {
        let request = program.request(Method::PUT, &path).header(name, value);
        program.send(request.body(Body::from("x")).expect("a request")).status
    });
    assert_eq!(statuses, [StatusCode::UNSUPPORTED_MEDIA_TYPE; 2]);
}

/// A body that breaks off. The last comes first.
pub(super) struct Breaking(pub(super) Vec<Result<Bytes, Error>>);

impl http_body::Body for Breaking {
    type Data = Bytes;
    type Error = Error;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        Poll::Ready(self.0.pop().map(|piece| piece.map(http_body::Frame::data)))
    }
}

fn an_upload_that_breaks_off_leaves_nothing(t: TestApp) {
    let program = t.program();
    let product = t.product(NewGood::of("FONT"));
    let body =
        Body::new(Breaking(vec![Err(Error::other("the line went dead")), Ok(Bytes::from_static(b"half"))]));
    let request = program.request(Method::PUT, &format!("/v1/products/{}/files/a.bin", product.id));
    let answer = program.send(request.body(body).expect("a request"));
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "malformed"));
    assert_eq!(program.get(&format!("/v1/products/{}/files", product.id)).ids().len(), 1);
    assert_eq!(t.count("SELECT count(*) AS n FROM blobs"), 1);
}
