//! Lists: in parts, filtered, and steady while rows are added.

use kernel::Span;
use serde_json::{Value, json};

use super::Program;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    parts_of_a_list_join_without_gaps,
    rows_that_are_added_meanwhile_disturb_nothing,
    orders_are_found_by_status_account_address_and_time,
    the_log_is_followed_without_gaps,
    what_belongs_to_an_order_is_listed_by_it,
}

/// Every id of a list, part by part.
fn walk(program: &Program<'_>, path: &str, limit: u32) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after = String::new();
    loop {
        let page = program.get(&format!("{path}?limit={limit}{after}"));
        ids.extend(page.ids());
        match page.ok()["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return ids,
        }
    }
}

fn parts_of_a_list_join_without_gaps(t: TestApp) {
    let program = t.program();
    let mut made: Vec<String> =
        (0..7).map(|n| t.product(NewGood::of(&format!("P{n}"))).id.to_string()).collect();
    made.sort();
    made.reverse();
    assert_eq!(walk(&program, "/v1/products", 3), made);
    assert_eq!(walk(&program, "/v1/products", 7), made);
    assert_eq!(walk(&program, "/v1/products", 100), made);
}

fn rows_that_are_added_meanwhile_disturb_nothing(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    for _ in 0..4 {
        t.advance(Span::seconds(1));
        t.order(&[(&font, 1)]);
    }
    let first = program.get("/v1/orders?limit=2");
    t.advance(Span::seconds(1));
    let new = t.order(&[(&font, 1)]);
    let next = first.json["next"].as_str().expect("there is more").to_owned();
    let second = program.get(&format!("/v1/orders?limit=2&after={next}"));

    let seen: Vec<String> = first.ids().into_iter().chain(second.ids()).collect();
    let mut expected: Vec<String> =
        t.orders().iter().filter(|order| order.id != new.id).map(|order| order.id.to_string()).collect();
    expected.reverse();
    assert_eq!(seen, expected);
    assert_eq!(second.json["next"], Value::Null);
}

fn orders_are_found_by_status_account_address_and_time(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let early = t.order(&[(&font, 1)]);
    t.pay(&early);
    t.advance(Span::micros(1_500));
    let late = t.order(&[(&font, 1)]);
    let (early_id, late_id) = (early.id.to_string(), late.id.to_string());
    let customer = t.look(&early).customer.expect("an account");
    let found = |query: &str| program.get(&format!("/v1/orders?{query}")).ids();

    assert_eq!(found("status=paid"), [early_id.as_str()]);
    assert_eq!(found("status=awaiting_payment"), [late_id.as_str()]);
    assert!(found("status=refunded").is_empty());
    assert_eq!(found(&format!("customer={customer}")), [early_id.as_str()]);
    assert_eq!(found("email=Buyer@Example.com"), [late_id.as_str(), early_id.as_str()]);
    assert_eq!(found("email=buyer@example.com&status=paid"), [early_id.as_str()]);
    assert!(found("email=nobody@example.com").is_empty());
    assert_eq!(found(&format!("created_from={}", late.created_at)), [late_id.as_str()]);
    assert_eq!(found(&format!("created_before={}", late.created_at)), [early_id.as_str()]);
    let just_before = late.created_at - Span::micros(1);
    assert_eq!(found(&format!("created_from={just_before}&created_before={}", late.created_at)).len(), 0);
    assert_eq!(found(&format!("created_from={}&status=paid", early.created_at)), [early_id.as_str()]);
}

fn the_log_is_followed_without_gaps(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);

    let mut seen: Vec<i64> = Vec::new();
    loop {
        let after = seen.last().copied().unwrap_or(0);
        let page = program.get(&format!("/v1/events?limit=3&after={after}")).ok();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        seen.extend(items.iter().filter_map(|item| item["seq"].as_i64()));
        if page["next"] == Value::Null {
            break;
        }
    }
    assert!(seen.len() > 5);
    assert_eq!(seen, (1..=i64::try_from(seen.len()).expect("a count")).collect::<Vec<_>>());

    let of_order = program.get(&format!("/v1/events?order={}", order.id)).ok();
    let kinds: Vec<&str> = of_order["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|item| item["kind"].as_str())
        .collect();
    assert_eq!(kinds[..2], ["order.placed", "payment.settlement"]);
}

fn what_belongs_to_an_order_is_listed_by_it(t: TestApp) {
    let program = t.program();
    let font = t.product(NewGood::of("FONT"));
    let (one, two) = (t.order(&[(&font, 1)]), t.order(&[(&font, 1)]));
    t.pay(&one);
    t.pay(&two);
    for noun in ["messages", "notices", "invoices"] {
        let all = program.get(&format!("/v1/{noun}")).ids();
        let page = program.get(&format!("/v1/{noun}?order={}", one.id));
        assert_eq!((all.len(), page.ids().len()), (2, 1), "{noun}");
        assert_eq!(page.json["items"][0]["order"], json!(one.id), "{noun}");
        let next = page.ids()[0].clone();
        assert!(program.get(&format!("/v1/{noun}?order={}&after={next}", one.id)).ids().is_empty());
    }
    assert_eq!(program.get("/v1/messages?state=sent").ids().len(), 2);
    assert!(program.get("/v1/messages?state=failed").ids().is_empty());
    assert_eq!(program.get("/v1/notices?state=applied").ids().len(), 2);
    assert!(program.get("/v1/notices?state=quarantined").ids().is_empty());
    assert_eq!(program.get("/v1/invoices?kind=invoice").ids().len(), 2);
    assert_eq!(program.get("/v1/customers").ids().len(), 1);
}
