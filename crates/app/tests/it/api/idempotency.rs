//! Requests that are sent again.

use db::sql;
use http::StatusCode;
use kernel::Span;
use serde_json::json;

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    the_same_request_has_its_effect_once,
    another_request_with_the_same_key_is_refused,
    two_programs_may_use_the_same_key,
    a_refused_request_may_be_sent_again,
    many_at_once_have_one_effect,
    a_key_is_free_again_after_two_days,
    what_is_kept_holds_no_link,
    a_key_that_cannot_be_read_is_refused,
    without_a_key_every_request_counts,
    the_answer_is_the_same_after_a_restart,
    a_request_that_could_not_be_read_leaves_its_key_free,
    a_key_of_one_endpoint_is_not_one_of_another,
}

fn the_same_request_has_its_effect_once(t: TestApp) {
    let program = t.program();
    let body =
        json!({ "sku": "FONT", "name": "A font", "prices": [{ "amount": "19.90", "currency": "EUR" }] });
    let first = program.post_once("/v1/products", "k1", &body);
    let again = program.post_once("/v1/products", "k1", &body);

    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!((again.status, again.reply.body.clone()), (first.status, first.reply.body.clone()));
    assert_eq!(first.reply.header("idempotency-replayed"), "");
    assert_eq!(again.reply.header("idempotency-replayed"), "true");
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 1);
}

fn another_request_with_the_same_key_is_refused(t: TestApp) {
    let program = t.program();
    program.post_once("/v1/products", "k1", &json!({ "sku": "A", "name": "A" })).ok();
    let other = program.post_once("/v1/products", "k1", &json!({ "sku": "B", "name": "B" }));
    assert_eq!((other.status, other.code()), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch"));
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 1);
}

fn two_programs_may_use_the_same_key(t: TestApp) {
    t.program().post_once("/v1/products", "k1", &json!({ "sku": "A", "name": "A" })).ok();
    t.program().post_once("/v1/products", "k1", &json!({ "sku": "B", "name": "B" })).ok();
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 2);
}

fn a_refused_request_may_be_sent_again(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let path = format!("/v1/orders/{}/resend", order.id);

    let early = program.post_once(&path, "k1", &json!({}));
    assert_eq!((early.status, early.code()), (StatusCode::CONFLICT, "order_not_paid"));
    t.pay(&order);
    program.post_once(&path, "k1", &json!({})).ok();
    t.run_jobs();

    assert_eq!(t.messages(&order).len(), 2);
}

fn many_at_once_have_one_effect(t: TestApp) {
    let program = t.program();
    let body = json!({ "sku": "FONT", "name": "A font" });
    let requests = (0..20).map(|_| program.once_request("/v1/products", "k1", &body)).collect();
    let statuses: Vec<u16> = t.requests_at_once(requests).iter().map(|reply| reply.status.as_u16()).collect();

    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
    assert!(statuses.contains(&201) && statuses.contains(&409), "{statuses:?}");
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 1);
    assert_eq!(program.post_once("/v1/products", "k1", &body).status, StatusCode::CREATED);
}

fn a_key_is_free_again_after_two_days(t: TestApp) {
    let program = t.program();
    program.post_once("/v1/products", "k1", &json!({ "sku": "A", "name": "A" })).ok();
    program.post_once("/v1/products", "k2", &json!({ "sku": "B", "name": "B" })).ok();
    t.advance(Span::seconds(48 * 3_600 + 1));
    program.post_once("/v1/products", "k1", &json!({ "sku": "C", "name": "C" })).ok();
    t.keep_house();
    assert_eq!(t.count("SELECT count(*) AS n FROM idempotency"), 1);
}

fn what_is_kept_holds_no_link(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    program.post_once(&format!("/v1/orders/{}/reissue", order.id), "k1", &json!({})).ok();
    t.run_jobs();

    let kept: Vec<String> = t.read(|snapshot| {
        Ok(sql("SELECT response FROM idempotency").all(snapshot, |row| row.get("response"))?)
    });
    let token = t.link(&t.grant(&order));
    assert_eq!(kept.len(), 1);
    assert!(kept.iter().all(|text| !text.contains(&token) && !text.contains("/d/")));
}

fn a_key_that_cannot_be_read_is_refused(t: TestApp) {
    let program = t.program();
    let long = "k".repeat(256);
    let statuses = ["", "two words", long.as_str()]
        .map(|key| program.post_once("/v1/products", key, &json!({ "sku": "A", "name": "A" })).status);
    assert_eq!(statuses, [StatusCode::BAD_REQUEST; 3]);
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 0);
}

fn without_a_key_every_request_counts(t: TestApp) {
    let program = t.program();
    let body = json!({ "sku": "A", "name": "A" });
    program.post("/v1/products", &body).ok();
    let again = program.post("/v1/products", &body);
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "taken"));
    assert_eq!(again.json["pointer"], "/sku");
}

fn the_answer_is_the_same_after_a_restart(t: TestApp) {
    let program = t.program();
    let body = json!({ "sku": "FONT", "name": "A font" });
    let first = program.post_once("/v1/products", "k1", &body);

    let again = t.request_after_restart(program.once_request("/v1/products", "k1", &body));
    let other = json!({ "sku": "SONG", "name": "A song" });
    let other = t.request_after_restart(program.once_request("/v1/products", "k1", &other));

    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.reply.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(t.count("SELECT count(*) AS n FROM products"), 1);
}

fn a_request_that_could_not_be_read_leaves_its_key_free(t: TestApp) {
    let program = t.program();
    let odd = program.post_once("/v1/products", "k1", &json!({ "sku": "FONT", "name": "A font", "odd": 1 }));
    let wrong = program.post_once("/v1/products", "k1", &json!({ "sku": "", "name": "A font" }));
    let right = program.post_once("/v1/products", "k1", &json!({ "sku": "FONT", "name": "A font" }));

    assert!(odd.status.is_client_error() && wrong.status.is_client_error());
    assert_eq!((right.status, right.reply.header("idempotency-replayed")), (StatusCode::CREATED, ""));
}

fn a_key_of_one_endpoint_is_not_one_of_another(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    program.post_once(&format!("/v1/orders/{}/resend", order.id), "k1", &json!({})).ok();
    let other = program.post_once(&format!("/v1/orders/{}/reissue", order.id), "k1", &json!({}));
    t.run_jobs();

    assert_eq!(other.code(), "idempotency_mismatch");
    assert_eq!(t.grant(&order).generation, 1);
}
