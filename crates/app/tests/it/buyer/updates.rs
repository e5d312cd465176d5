//! Updates for a time: which versions a buyer gets, by when they came out.

use app::products::change::{self, Change};
use app::products::{FilePolicy, Product};
use kernel::Span;

use crate::support::goods::content;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    updates_come_until_the_last_day_and_what_came_by_then_stays,
    the_days_are_those_of_the_purchase_and_run_from_the_payment,
    who_buys_after_a_version_has_at_least_that_one,
    days_without_their_policy_and_the_policy_without_days_are_refused,
    the_audit_finds_a_version_that_came_too_late,
}

fn version(number: u8) -> Vec<u8> {
    content(&format!("version {number}"), 1_000)
}

fn given(t: &TestApp, grant: &app::fulfillment::Grant) -> String {
    t.files(grant).remove(0).sha256
}

fn digest(bytes: &[u8]) -> String {
    stores::Sha256::of(bytes).to_string()
}

fn updates_come_until_the_last_day_and_what_came_by_then_stays(t: TestApp) {
    let product = t.product(NewGood::of("FONT").with_file("font.zip", &version(1)).updated_for(30));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let grant = t.grant(&order);
    let paid_at = t.look(&order).paid_at.expect("it is paid");

    t.advance(Span::days(29));
    t.new_version(&product, &version(2));
    let within = given(&t, &grant);
    t.advance((paid_at + Span::days(30)).since(t.now()));
    t.new_version(&product, &version(3));
    let after = given(&t, &grant);
    t.advance(Span::days(1_000));
    t.new_version(&product, &version(4));

    assert_eq!(within, digest(&version(2)));
    assert_eq!(after, digest(&version(2)), "the thirtieth day is over");
    assert_eq!(given(&t, &grant), digest(&version(2)), "what came within the time stays");
}

fn the_days_are_those_of_the_purchase_and_run_from_the_payment(t: TestApp) {
    let product = t.product(NewGood::of("FONT").with_file("font.zip", &version(1)).updated_for(10));
    let order = t.order(&[(&product, 1)]);
    t.advance(Span::days(5));
    t.pay(&order);
    let grant = t.grant(&order);

    let (id, fewer) = (product.id, Change { update_days: Some(1), ..Change::default() });
    t.write(move |cx| change::change(cx, id, &fewer)).expect("the product is changed");
    t.advance(Span::days(9));
    t.new_version(&product, &version(2));

    assert_eq!(
        given(&t, &grant),
        digest(&version(2)),
        "fourteen days after the order, nine after the payment"
    );
}

fn who_buys_after_a_version_has_at_least_that_one(t: TestApp) {
    let product = t.product(NewGood::of("FONT").with_file("font.zip", &version(1)).updated_for(1));
    t.new_version(&product, &version(2));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);

    t.advance(Span::days(2));
    t.new_version(&product, &version(3));

    assert_eq!(given(&t, &t.grant(&order)), digest(&version(2)));
}

fn changed(t: &TestApp, product: &Product, wanted: Change) -> Result<(FilePolicy, Option<u32>), String> {
    let id = product.id;
    let changed = t.write(move |cx| change::change(cx, id, &wanted));
    changed.map(|product| (product.file_policy, product.update_days)).map_err(|error| error.to_string())
}

fn days_without_their_policy_and_the_policy_without_days_are_refused(t: TestApp) {
    let product = t.product(NewGood::of("FONT"));
    let policy = |policy, update_days| Change { file_policy: policy, update_days, ..Change::default() };
    let until = Some(FilePolicy::UpdatesUntil);

    let without = changed(&t, &product, policy(until, None)).expect_err("it is refused");
    let none = changed(&t, &product, policy(until, Some(0))).expect_err("it is refused");
    let foreign = changed(&t, &product, policy(None, Some(30))).expect_err("it is refused");
    let both = changed(&t, &product, policy(until, Some(30)));
    let longer = changed(&t, &product, policy(None, Some(60)));
    let away = changed(&t, &product, policy(Some(FilePolicy::Latest), None));

    assert!([without, none].iter().all(|why| why.contains("for how many days")));
    assert!(foreign.contains("updates_until"), "{foreign}");
    assert_eq!(both, Ok((FilePolicy::UpdatesUntil, Some(30))));
    assert_eq!(longer, Ok((FilePolicy::UpdatesUntil, Some(60))));
    assert_eq!(away, Ok((FilePolicy::Latest, None)), "the days go with their policy");
}

fn the_audit_finds_a_version_that_came_too_late(t: TestApp) {
    for check in ["I2", "I8"] {
        t.leaves_violation(check);
    }
    let product = t.product(NewGood::of("FONT").with_file("font.zip", &version(1)).updated_for(1));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let grant = t.grant(&order);
    let file = t.files(&grant).remove(0).version;
    let started = t.post(&format!("/d/{}/files/{file}", t.link(&grant)), &[]);
    t.get(started.location());
    t.watch_transfers();
    t.advance(Span::days(1));
    let late = t.new_version(&product, &version(2)).version;
    let clean = t.broken_checks();

    t.write(move |cx| Ok(db::sql("UPDATE downloads SET file_version_id = $1").bind(late).execute(cx.tx)?))
        .expect("the damage is done");

    assert_eq!(clean, Vec::<&str>::new());
    assert!(t.broken_checks().contains(&"I2"));
    let report = t.audit();
    let found = report.broken().flat_map(|check| &check.violations);
    assert!(found.map(|violation| &violation.text).any(|text| text.contains("updates had ended")));
}
