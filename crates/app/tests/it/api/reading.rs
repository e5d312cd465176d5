//! How strictly requests are read, and what refusals look like.

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_refusal_is_a_problem_with_a_code_and_an_id,
    unknown_fields_are_refused,
    unknown_parameters_are_refused,
    a_field_is_not_set_by_mass_assignment,
    numbers_that_are_none_are_refused,
    what_is_not_json_is_refused,
    a_body_of_another_kind_is_refused,
    a_body_that_is_too_large_is_refused,
    a_nul_never_reaches_the_database,
    methods_that_are_not_taken_are_named,
    head_is_get_without_its_body,
    options_says_what_is_taken_and_nothing_for_other_origins,
    an_unknown_address_is_a_problem_too,
    every_answer_is_private_and_sets_no_cookie,
    an_accept_header_is_not_held_against_anybody,
}

fn a_refusal_is_a_problem_with_a_code_and_an_id(t: TestApp) {
    let answer = t.program().post("/v1/products", &json!({ "sku": "", "name": "A" }));
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.reply.header("content-type"), "application/problem+json");
    let id = answer.reply.header("x-request-id").to_owned();
    assert_eq!(id.len(), 12);
    assert_eq!(
        answer.json,
        json!({
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "code": "invalid",
            "detail": "an item number has 1 to 127 printable characters",
            "pointer": "/sku",
            "request_id": id,
        })
    );
}

fn unknown_fields_are_refused(t: TestApp) {
    let program = t.program();
    let top = program.post("/v1/products", &json!({ "sku": "A", "name": "A", "prize": 3 }));
    assert_eq!((top.status, top.code()), (StatusCode::BAD_REQUEST, "malformed"));
    assert_eq!(top.json["pointer"], "/prize");
    let price = json!({ "amount": "1.00", "currency": "EUR", "tax": 0 });
    let deep = program.post("/v1/products", &json!({ "sku": "A", "name": "A", "prices": [price] }));
    assert_eq!(deep.json["pointer"], "/prices/0/tax");
    let twice = program.post_text("/v1/products", r#"{"sku":"A","sku":"B","name":"A"}"#);
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 0);
}

fn unknown_parameters_are_refused(t: TestApp) {
    let program = t.program();
    let tries = [
        ("/v1/orders?stauts=paid", "stauts"),
        ("/v1/orders?status=payed", "status"),
        ("/v1/orders?status=paid&status=void", "status"),
        ("/v1/orders?limit=0", "limit"),
        ("/v1/orders?limit=101", "limit"),
        ("/v1/orders?limit=%2B5", "limit"),
        ("/v1/orders?after=prd_01k0a3tqw00000m5bzn2vqk8rd", "after"),
        ("/v1/orders?email=nobody", "email"),
        ("/v1/orders?created_from=yesterday", "created_from"),
        ("/v1/orders?email=%00", "email"),
        ("/v1/me?x=1", "x"),
        ("/v1/events?after=-1", "after"),
    ];
    for (path, parameter) in tries {
        let answer = program.get(path);
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "malformed"), "{path}");
        assert_eq!(answer.json["parameter"], parameter, "{path}: {}", answer.reply.text());
    }
    let posted = program.post("/v1/products?dry_run=1", &json!({ "sku": "A", "name": "A" }));
    assert_eq!(posted.json["parameter"], "dry_run");
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 0);
}

fn a_field_is_not_set_by_mass_assignment(t: TestApp) {
    let program = t.program();
    let product = t.product(NewGood::of("FONT"));
    let other = t.second_shop().merchant.id.to_string();
    let path = format!("/v1/products/{}", product.id);
    let tries = [
        json!({ "id": "prd_01k0a3tqw00000m5bzn2vqk8rd" }),
        json!({ "merchant_id": other }),
        json!({ "merchant": other }),
        json!({ "created_at": "2020-01-01T00:00:00Z" }),
        json!({ "name": "Renamed", "role": "owner", "paid": true }),
        json!({ "prices": [] }),
    ];
    let statuses = tries.map(|body| program.patch(&path, &body).status);
    assert_eq!(statuses, [StatusCode::BAD_REQUEST; 6]);
    assert_eq!(program.get(&path).ok()["name"], "The FONT");
}

fn numbers_that_are_none_are_refused(t: TestApp) {
    let program = t.program();
    let product = t.product(NewGood::of("FONT"));
    let limits = ["NaN", "Infinity", "-Infinity", "1e400", "1.5", "1e2", "4294967296", "-1", "\"5\"", "0x10"];
    for number in limits.iter().map(ToString::to_string).chain([format!("0.{}", "1".repeat(100_000))]) {
        let request = program.request(Method::PATCH, &format!("/v1/products/{}", product.id));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = format!("{{\"download_limit\":{number}}}");
        let answer = program.send(request.body(Body::from(body)).expect("a request"));
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", number.get(..20).unwrap_or(&number));
    }
    let price = format!("/v1/products/{}/prices/EUR", product.id);
    let amounts = ["NaN", "1e2", "1.005", "-1.00", "", "99999999999999999999", "1,00", "١"];
    for amount in amounts {
        let answer = program.put(&price, &json!({ "amount": amount }));
        assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"), "{amount}");
    }
    let both = program.put(&price, &json!({ "amount": "1.00", "minor": 101 }));
    assert_eq!(both.status, StatusCode::UNPROCESSABLE_ENTITY);
    let zero = program.patch(&format!("/v1/products/{}", product.id), &json!({ "download_limit": 0 }));
    assert_eq!(
        (zero.status, zero.json["pointer"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("/download_limit"))
    );
}

fn what_is_not_json_is_refused(t: TestApp) {
    let program = t.program();
    let deep = format!("{{\"sku\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let texts = ["", "{", "sku=A", "[]", "null", "{\"sku\":\"A\",\"name\":\"B\"} x", "{'sku':1}", &deep];
    let statuses = texts.map(|text| program.post_text("/v1/products", text).status);
    assert_eq!(statuses, [StatusCode::BAD_REQUEST; 8]);
    let request =
        program.request(Method::POST, "/v1/products").header(header::CONTENT_TYPE, "application/json");
    let latin = request.body(Body::from(&b"{\"sku\":\"\xe9\",\"name\":\"A\"}"[..])).expect("a request");
    assert_eq!(program.send(latin).status, StatusCode::BAD_REQUEST);
}

fn a_body_of_another_kind_is_refused(t: TestApp) {
    let program = t.program();
    let kinds = ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""];
    let statuses = kinds.map(|kind| {
        let request = program.request(Method::POST, "/v1/products").header(header::CONTENT_TYPE, kind);
        program.send(request.body(Body::from(r#"{"sku":"A","name":"A"}"#)).expect("a request")).status
    });
    assert_eq!(statuses, [StatusCode::UNSUPPORTED_MEDIA_TYPE; 4]);
    let request =
        program.request(Method::POST, "/v1/products").header(header::CONTENT_TYPE, "application/json");
    let zipped = request.header(header::CONTENT_ENCODING, "gzip").body(Body::from("x")).expect("a request");
    assert_eq!(program.send(zipped).status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

fn a_body_that_is_too_large_is_refused(t: TestApp) {
    let text = format!("{{\"sku\":\"A\",\"name\":\"{}\"}}", "a".repeat(1024 * 1024));
    let answer = t.program().post_text("/v1/products", &text);
    assert_eq!((answer.status, answer.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
}

fn a_nul_never_reaches_the_database(t: TestApp) {
    let program = t.program();
    let answer = program.post("/v1/products", &json!({ "sku": "A", "name": "A", "description": "\0" }));
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(program.get("/v1/products?sku=%00").status, StatusCode::BAD_REQUEST);
    let product = t.product(NewGood::of("FONT"));
    let file = program.upload(&format!("/v1/products/{}/files/a%00b", product.id), b"x");
    assert_eq!(file.status, StatusCode::UNPROCESSABLE_ENTITY);
}

fn methods_that_are_not_taken_are_named(t: TestApp) {
    let program = t.program();
    let answer = program.bare(Method::DELETE, "/v1/products");
    assert_eq!((answer.status, answer.code()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    assert_eq!(answer.reply.header("allow"), "GET, HEAD, OPTIONS, POST");
}

fn head_is_get_without_its_body(t: TestApp) {
    let program = t.program();
    let (get, head) = (program.get("/v1/me"), program.bare(Method::HEAD, "/v1/me"));
    assert_eq!(head.status, StatusCode::OK);
    assert!(head.reply.body.is_empty());
    assert_eq!(head.reply.header("content-length"), get.reply.body.len().to_string());
}

fn options_says_what_is_taken_and_nothing_for_other_origins(t: TestApp) {
    let request = http::Request::options("/v1/products")
        .header(header::ORIGIN, "https://elsewhere.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let reply = t.request(request.body(Body::empty()).expect("a request"));
    assert_eq!((reply.status, reply.header("allow")), (StatusCode::NO_CONTENT, "GET, HEAD, OPTIONS, POST"));
    assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

fn an_unknown_address_is_a_problem_too(t: TestApp) {
    for path in ["/v1", "/v1/", "/v1/nothing", "/v1/orders/x/y/z", "/v1/orders/"] {
        let reply = t.get(path);
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.header("content-type"), "application/problem+json", "{path}");
    }
}

fn every_answer_is_private_and_sets_no_cookie(t: TestApp) {
    let program = t.program();
    let replies = [
        program.get("/v1/me").reply,
        program.get("/v1/orders?x=1").reply,
        t.get("/v1/me"),
        t.get("/v1/nothing"),
        t.get("/v1/openapi.json"),
    ];
    for reply in replies {
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(!reply.headers.contains_key(header::SET_COOKIE));
    }
}

fn an_accept_header_is_not_held_against_anybody(t: TestApp) {
    let program = t.program();
    let request = program.request(Method::GET, "/v1/me").header(header::ACCEPT, "text/html");
    let answer = program.send(request.body(Body::empty()).expect("a request"));
    assert_eq!(answer.reply.header("content-type"), "application/json");
    assert_ne!(answer.ok(), Value::Null);
}
