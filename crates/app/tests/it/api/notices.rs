//! Notices, reviews and connections.

use app::notices::NoticeState;
use app::orders::OrderStatus;
use http::{Method, StatusCode};
use paysim::ipn::{Body as Ipn, Means};
use serde_json::json;

use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_quarantined_notice_is_accepted,
    a_quarantined_notice_is_refused,
    a_replay_of_what_was_applied_changes_nothing,
    an_open_review_is_resolved_once,
    connections_show_no_secret,
}

/// An order, and a notice that pays too little for it.
fn short_paid(t: &TestApp) -> app::orders::Order {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(1_00);
    t.deliver_and_run(&Ipn::completed(&sale, Means::Instant));
    assert_eq!(t.notice_states(), [NoticeState::Quarantined]);
    order
}

fn a_quarantined_notice_is_accepted(t: TestApp) {
    let program = t.program();
    let order = short_paid(&t);
    let waiting = program.get("/v1/notices?state=quarantined");
    let id = waiting.ids()[0].clone();
    assert!(waiting.json["items"][0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));

    let accepted = program.bare(Method::POST, &format!("/v1/notices/{id}/accept")).ok();
    assert_eq!(accepted["state"], "applied");
    t.run_jobs();

    assert_eq!(t.status(&order), OrderStatus::Paid);
    assert_eq!(program.get(&format!("/v1/notices/{id}")).ok()["state"], "applied");
}

fn a_quarantined_notice_is_refused(t: TestApp) {
    let program = t.program();
    let order = short_paid(&t);
    let id = t.last_notice().id;
    let refused = program.post(&format!("/v1/notices/{id}/refuse"), &json!({ "reason": "not for us" })).ok();
    assert_eq!((&refused["state"], &refused["reason"]), (&json!("refused"), &json!("not for us")));
    let again = program.post(&format!("/v1/notices/{id}/refuse"), &json!({}));
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "conflict"));
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
}

fn a_replay_of_what_was_applied_changes_nothing(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let (before, id) = (t.business_state(), t.last_notice().id);
    program.bare(Method::POST, &format!("/v1/notices/{id}/replay")).ok();
    t.run_jobs();
    assert_eq!(t.business_state(), before);
    assert_eq!(t.notice_states(), [NoticeState::Applied]);
}

fn an_open_review_is_resolved_once(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let sale = t.pay(&order);
    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("part", eur(1_00))));

    let open = program.get("/v1/reviews");
    assert_eq!((open.ids().len(), &open.json["items"][0]["kind"]), (1, &json!("part_refund")));
    let path = format!("/v1/reviews/{}/resolve", open.ids()[0]);
    let done = program.post(&path, &json!({ "resolution": "stays" })).ok();
    assert_eq!(done["resolution"], "stays");
    let again = program.post(&path, &json!({ "resolution": "twice" }));
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(program.get("/v1/reviews").ids().is_empty());
    assert_eq!(program.get("/v1/reviews?which=resolved").ids(), open.ids());
    assert_eq!(program.get("/v1/reviews?which=all").ids(), open.ids());
}

fn connections_show_no_secret(t: TestApp) {
    let program = t.program();
    let shown = program.get("/v1/connections").ok();
    let item = &shown["items"][0];
    assert_eq!((&item["gateway"], &item["mode"]), (&json!("paypal-standard"), &json!("test")));
    let id = t.shop.connection.id;
    assert_eq!(item["hook_url"], format!("http://shop.test/hooks/{id}"));
    let mut fields: Vec<&String> = item.as_object().expect("an object").keys().collect();
    fields.sort();
    assert_eq!(
        fields,
        ["created_at", "disabled_at", "gateway", "hook_url", "id", "mode", "name", "settings"]
    );
    assert_eq!(&program.get(&format!("/v1/connections/{id}")).ok(), item);
}
