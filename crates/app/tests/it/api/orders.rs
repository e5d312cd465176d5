//! Orders, their verbs, and the messages that follow.

use app::messages::MessageKind;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    an_order_is_shown_with_all_that_hangs_on_it,
    tokens_are_shown_only_by_the_links,
    each_verb_does_what_it_says_and_mails_it,
    an_order_that_is_not_paid_has_no_verbs,
    a_message_is_sent_again_as_a_new_one,
    a_message_that_signs_in_is_not_sent_again,
    an_invoice_is_shown_with_all_that_it_says,
    what_a_program_did_is_in_the_log_under_its_key,
}

fn an_order_is_shown_with_all_that_hangs_on_it(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 2)]);
    t.pay(&order);

    let shown = program.get(&format!("/v1/orders/{}", order.id)).ok();
    assert_eq!((&shown["status"], &shown["source"]), (&json!("paid"), &json!("checkout")));
    assert_eq!(shown["due"], json!({ "amount": "98.00", "minor": 9800, "currency": "EUR" }));
    assert_eq!(shown["settled"], shown["due"]);
    assert_eq!(shown["buyer"]["email"], "buyer@example.com");
    assert_eq!((&shown["lines"][0]["sku"], &shown["lines"][0]["quantity"]), (&json!("FONT"), &json!(2)));
    assert_eq!(shown["payments"][0]["status"], "settled");
    assert_eq!(shown["payments"][0]["facts"][0]["kind"], "settlement");
    assert_eq!(shown["grants"].as_array().expect("a list").len(), 2);
    assert_eq!(shown["grants"][0]["files"][0]["name"], "font.zip");
    assert_eq!(shown["grants"][0]["status"], "active");
}

fn tokens_are_shown_only_by_the_links(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let token = t.link(&t.grant(&order));

    let links = program.get(&format!("/v1/orders/{}/links", order.id)).ok();
    assert_eq!(links["items"][0]["url"], format!("http://shop.test/d/{token}"));
    assert_eq!(links["items"].as_array().expect("a list").len(), 1);
    let elsewhere = ["orders", "messages", "notices", "invoices", "events", "products", "customers"];
    let texts = elsewhere.map(|noun| program.get(&format!("/v1/{noun}")).reply.text());
    assert!(texts.iter().all(|text| !text.contains(&token)));
    assert!(!program.get(&format!("/v1/orders/{}", order.id)).reply.text().contains(&token));
    assert_eq!(t.get(&format!("/d/{token}")).status, StatusCode::OK);

    t.advance(kernel::Span::days(4));
    let over = program.get(&format!("/v1/orders/{}/links", order.id)).ok();
    assert_eq!(over["items"], json!([]));
}

fn each_verb_does_what_it_says_and_mails_it(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let path = format!("/v1/orders/{}", order.id);
    let before = t.grant(&order);

    let resent = program.bare(Method::POST, &format!("{path}/resend")).ok();
    t.advance(kernel::Span::seconds(1));
    let extended = program.post(&format!("{path}/extend"), &json!({ "days": 5 })).ok();
    t.advance(kernel::Span::seconds(1));
    let reissued = program.post(&format!("{path}/reissue"), &json!({})).ok();
    t.advance(kernel::Span::seconds(1));
    let regenerated = program.bare(Method::POST, &format!("{path}/regenerate")).ok();
    t.run_jobs();

    assert_eq!(resent["grants"][0]["link_expires_at"], json!(before.expires_at));
    assert_eq!(extended["grants"][0]["link_expires_at"], json!(before.expires_at + kernel::Span::days(5)));
    assert_eq!(reissued["grants"][0]["link_generation"], 2);
    assert_eq!(
        (&regenerated["generation"], &regenerated["grants"][0]["link_generation"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(
        t.message_kinds(&order),
        [
            MessageKind::Receipt,
            MessageKind::LinksResent,
            MessageKind::LinkExtended,
            MessageKind::LinksReissued,
            MessageKind::Regenerated
        ]
    );
    assert_eq!(t.get(&format!("/d/{}", t.link(&before))).status, StatusCode::NOT_FOUND);
}

fn an_order_that_is_not_paid_has_no_verbs(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let path = format!("/v1/orders/{}", order.id);
    let answers =
        ["resend", "reissue", "regenerate"].map(|verb| program.bare(Method::POST, &format!("{path}/{verb}")));
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == StatusCode::CONFLICT && answer.code() == "order_not_paid")
    );
    let days = [json!({ "days": 0 }), json!({ "days": 4_000 })];
    let refused = days.map(|body| program.post(&format!("{path}/extend"), &body).json["pointer"].clone());
    assert_eq!(refused, [json!("/days"), json!("/days")]);
    assert_eq!(program.post(&format!("{path}/extend"), &json!({})).status, StatusCode::BAD_REQUEST);
}

fn a_message_is_sent_again_as_a_new_one(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let receipt = t.messages(&order)[0].id;

    let again = program.bare(Method::POST, &format!("/v1/messages/{receipt}/resend")).ok();
    assert_eq!(
        (&again["state"], &again["kind"], &again["to"]),
        (&json!("waiting"), &json!("receipt"), &json!("buyer@example.com"))
    );
    let early =
        program.bare(Method::POST, &format!("/v1/messages/{}/resend", again["id"].as_str().expect("a text")));
    assert_eq!((early.status, early.code()), (StatusCode::CONFLICT, "conflict"));
    t.run_jobs();

    let messages = t.messages(&order);
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message.state == app::messages::MessageState::Sent));
    assert_eq!(t.mailbox().len(), 2);
}

fn a_message_that_signs_in_is_not_sent_again(t: TestApp) {
    // The message is written by hand, without the job that would send it.
    t.leaves_violation("I7");
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let old = t.messages(&order).remove(0);
    let id = t.write(move |cx| {
        let sign_in = app::messages::Message {
            id: kernel::MessageId::mint(cx.draws),
            kind: MessageKind::SignIn,
            dedupe_key: "sign in".to_owned(),
            state: app::messages::MessageState::Sent,
            ..old.clone()
        };
        app::messages::store::insert(cx.tx, &sign_in)?;
        Ok(sign_in.id)
    });
    let refused = program.bare(Method::POST, &format!("/v1/messages/{}/resend", id.expect("a message")));
    assert_eq!(refused.status, StatusCode::CONFLICT);
}

fn an_invoice_is_shown_with_all_that_it_says(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let id = t.invoices(&order)[0].id;
    let shown = program.get(&format!("/v1/invoices/{id}")).ok();
    assert_eq!((&shown["number"], &shown["gross"]["amount"]), (&json!("INV-000001"), &json!("49.00")));
    assert_eq!(shown["lines"][0]["sku"], "FONT");
    assert_eq!(
        (&shown["buyer"]["email"], &shown["seller"]["name"]),
        (&json!("buyer@example.com"), &json!("The shop"))
    );
}

fn what_a_program_did_is_in_the_log_under_its_key(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    program.bare(Method::POST, &format!("/v1/orders/{}/resend", order.id)).ok();
    t.run_jobs();
    let log = program.get(&format!("/v1/events?order={}&limit=100", order.id)).ok();
    let resent: Vec<&Value> = log["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|event| event["kind"] == "order.links_resent")
        .collect();
    assert_eq!(resent.len(), 1);
    assert_eq!(resent[0]["actor"], json!(program.id));
}
