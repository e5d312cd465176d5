//! Each invariant of the audit fires on exactly what it forbids.

use paysim::ipn::{Body, Means};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_paid_and_delivered_order_breaks_nothing,
    a_missing_unit_is_i1,
    access_without_money_is_i2,
    a_missing_movement_of_money_is_i4,
    a_notice_that_nobody_works_on_is_i6,
    a_message_that_nobody_sends_is_i7,
    more_places_than_the_limit_are_i8,
    a_gap_in_the_invoice_numbers_is_i9,
    a_changed_line_of_the_log_is_i11,
    a_lost_content_is_i12,
    a_status_that_the_facts_do_not_give_is_i13,
    a_row_of_another_merchant_is_i14,
    a_forgery_that_stated_something_is_i18,
}

fn sold(t: &TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.deliver(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.run_jobs();
}

fn found(t: &TestApp) -> Vec<&'static str> {
    t.audit().broken().map(|check| check.id).collect()
}

fn after(t: &TestApp, damage: &'static str) -> Vec<&'static str> {
    sold(t);
    t.write(move |cx| Ok(db::sql(damage).execute(cx.tx)?)).expect("the damage is done");
    let found = found(t);
    found.iter().for_each(|check| t.leaves_violation(check));
    found
}

fn a_paid_and_delivered_order_breaks_nothing(t: TestApp) {
    sold(&t);
    assert_eq!(found(&t), Vec::<&str>::new());
}

fn a_missing_unit_is_i1(t: TestApp) {
    assert!(after(&t, "UPDATE order_lines SET quantity = 2").contains(&"I1"));
}

fn access_without_money_is_i2(t: TestApp) {
    assert!(after(&t, "UPDATE orders SET status = 'void', paid_at = NULL").contains(&"I2"));
}

fn a_missing_movement_of_money_is_i4(t: TestApp) {
    assert!(after(&t, "DELETE FROM transfers").contains(&"I4"));
}

fn a_notice_that_nobody_works_on_is_i6(t: TestApp) {
    assert!(after(&t, "UPDATE notices SET state = 'received'").contains(&"I6"));
}

fn a_message_that_nobody_sends_is_i7(t: TestApp) {
    assert!(after(&t, "UPDATE messages SET state = 'waiting', sent_at = NULL").contains(&"I7"));
}

fn more_places_than_the_limit_are_i8(t: TestApp) {
    let damage =
        "INSERT INTO grant_files (grant_id, file_version_id, merchant_id, open_places, spent_places, bytes)
        SELECT g.id, v.id, g.merchant_id, 0, 1000000, 0 FROM grants g, file_versions v";
    assert!(after(&t, damage).contains(&"I8"));
}

fn a_gap_in_the_invoice_numbers_is_i9(t: TestApp) {
    assert!(after(&t, "UPDATE invoices SET number = 2").contains(&"I9"));
}

fn a_changed_line_of_the_log_is_i11(t: TestApp) {
    assert!(after(&t, "UPDATE events SET actor = 'nobody' WHERE seq = 2").contains(&"I11"));
}

fn a_lost_content_is_i12(t: TestApp) {
    assert!(after(&t, "UPDATE blobs SET size = size + 1").contains(&"I12"));
}

fn a_status_that_the_facts_do_not_give_is_i13(t: TestApp) {
    assert!(after(&t, "UPDATE payments SET status = 'failed'").contains(&"I13"));
}

fn a_row_of_another_merchant_is_i14(t: TestApp) {
    t.second_shop();
    let damage =
        "UPDATE prices SET merchant_id = (SELECT m.id FROM merchants m WHERE m.id <> prices.merchant_id)";
    assert!(after(&t, damage).contains(&"I14"));
}

fn a_forgery_that_stated_something_is_i18(t: TestApp) {
    assert!(after(&t, "UPDATE notices SET state = 'forged'").contains(&"I18"));
}
