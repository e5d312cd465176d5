//! API keys: how they are kept and looked after.

use app::api_keys::{self, Scope, Scopes};
use app::cx::Actor;
use app::problem::{Code, Failure};
use db::sql;
use kernel::Span;
use serde_json::json;

use crate::support::TestApp;

testkit::both_engines! {
    a_key_is_told_who_it_is,
    a_keys_text_is_nowhere_in_the_database,
    the_last_use_is_written_at_most_once_a_minute,
    a_key_must_have_a_name_and_a_scope,
    another_merchants_key_cannot_be_revoked,
}

fn a_key_is_told_who_it_is(t: TestApp) {
    let scopes: Scopes = [Scope::OrdersRead, Scope::ProductsRead].into_iter().collect();
    let program = t.program_with(&scopes);
    let me = program.get("/v1/me").ok();
    assert_eq!((&me["key"], &me["name"]), (&json!(program.id), &json!("tests")));
    assert_eq!(me["scopes"], json!(["products:read", "orders:read"]));
    assert_eq!(me["merchant"]["slug"], "shop");
}

fn a_keys_text_is_nowhere_in_the_database(t: TestApp) {
    let program = t.program();
    let secret = program.key.rsplit('_').next().expect("a part").to_owned();
    let id = program.id;
    let merchant = t.shop.merchant.id;
    let key = t.read(move |snapshot| Ok(api_keys::store::by_id(snapshot, merchant, id)?)).expect("the key");
    assert!(!format!("{key:?}").contains(&secret));
    let told: Vec<String> = t.read(|snapshot| {
        Ok(sql("SELECT detail FROM events WHERE kind = 'api_key.created'")
            .all(snapshot, |row| row.get("detail"))?)
    });
    assert_eq!(told.len(), 1);
    assert!(!told[0].contains(&secret));
}

fn the_last_use_is_written_at_most_once_a_minute(t: TestApp) {
    let program = t.program();
    let (merchant, id) = (t.shop.merchant.id, program.id);
    let last = || {
        t.read(move |snapshot| Ok(api_keys::store::by_id(snapshot, merchant, id)?))
            .expect("the key")
            .last_used_at
    };
    assert_eq!(last(), None);
    program.get("/v1/me").ok();
    let first = last().expect("it was used");
    t.advance(Span::seconds(59));
    program.get("/v1/me").ok();
    assert_eq!(last(), Some(first));
    t.advance(Span::seconds(1));
    program.get("/v1/me").ok();
    assert_eq!(last(), Some(t.now()));
}

fn a_key_must_have_a_name_and_a_scope(t: TestApp) {
    let nameless = t.write(|cx| api_keys::flow::create(cx, " ", &Scopes::all()));
    let powerless = t.write(|cx| api_keys::flow::create(cx, "x", &Scopes::default()));
    assert!(matches!(nameless, Err(Failure::Problem(problem)) if problem.pointer.as_deref() == Some("name")));
    assert!(
        matches!(powerless, Err(Failure::Problem(problem)) if problem.pointer.as_deref() == Some("scopes"))
    );
}

fn another_merchants_key_cannot_be_revoked(t: TestApp) {
    let program = t.program();
    let (other, id) = (t.second_shop().merchant.id, program.id);
    let revoked = t.app.write_blocking(other, Actor::Shell, move |cx| api_keys::flow::revoke(cx, id));
    assert!(matches!(revoked, Err(Failure::Problem(problem)) if problem.code == Code::NotFound));
    program.get("/v1/me").ok();
}
