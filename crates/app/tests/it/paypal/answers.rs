//! VERIFIED, INVALID, and everything else, which means: later.

use app::notices::{NoticeState, store};
use app::orders::OrderStatus;
use db::{Engine, sql};
use http::{Method, StatusCode};
use kernel::Span;
use paysim::Postback;
use paysim::ipn::{Body, Means};

use crate::support::TestApp;

testkit::both_engines! {
    what_paypal_did_not_send_changes_nothing,
    a_forged_failure_changes_nothing_either,
    only_a_post_is_a_notice,
    of_forgeries_the_newest_are_kept,
    an_error_of_paypals_decides_nothing_and_is_asked_about_again,
    a_page_instead_of_an_answer_decides_nothing,
    an_empty_answer_decides_nothing,
    a_redirect_is_not_followed_to_somebody_who_confirms_everything,
    silence_decides_nothing,
    three_days_without_paypal_lose_no_payment,
    a_notice_that_is_not_confirmed_yet_keeps_the_next_one_from_nothing,
}

fn what_paypal_did_not_send_changes_nothing(t: TestApp) {
    let order = t.font_order();
    let before = t.business_state();

    t.post_notice(Body::completed(&t.sale_of(&order), Means::Instant).encode());
    t.run_jobs();

    let notice = t.last_notice();
    assert_eq!(notice.state, NoticeState::Forged);
    assert!(notice.reason.contains("INVALID"), "{}", notice.reason);
    assert_eq!(t.business_state(), before);
}

fn only_a_post_is_a_notice(t: TestApp) {
    let hook = format!("/hooks/{}", t.shop.connection.id);
    let statuses = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].map(|method| {
        let request =
            http::Request::builder().method(method).uri(&hook).body("payment_status=Completed".into());
        t.request(request.expect("a request")).status
    });

    assert_eq!(statuses, [StatusCode::METHOD_NOT_ALLOWED; 4]);
    assert_eq!(t.notices().len(), 0);
}

fn of_forgeries_the_newest_are_kept(t: TestApp) {
    let order = t.font_order();
    t.pay(&order);
    for number in 0..5 {
        t.post_notice(format!("payment_status=Completed&txn_id={number}").into_bytes());
        t.run_jobs();
    }
    let ids: Vec<_> = t.notices().iter().map(|notice| notice.id).collect();
    let (latest, merchant) = (ids[5], t.shop.merchant.id);

    t.write(move |cx| Ok(store::drop_forged(cx.tx, merchant, latest, 2)?)).expect("dropped");

    let left: Vec<_> = t.notices().iter().map(|notice| notice.id).collect();
    assert_eq!(left, [ids[0], ids[4], ids[5]], "what was applied is no forgery");
    // They were answered with 200, and are gone on purpose.
    t.leaves_violation("I5");
}

/// A shop that was paid a million times must not read a million notices for the next payment.
#[test]
fn what_waits_for_a_payment_is_found_by_index() {
    let t = TestApp::seeded(Engine::Sqlite, 1);
    let plan = t.read(|snapshot| {
        let explained =
            sql(format!("EXPLAIN QUERY PLAN {}", store::WAITING_FOR)).bind("c").bind("p").bind("m");
        Ok(explained.all(snapshot, |row| row.get::<String>("detail"))?)
    });

    assert_eq!(plan, ["SEARCH notices USING INDEX notices_waiting (connection_id=? AND waits_for=?)"]);
}

fn a_forged_failure_changes_nothing_either(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);
    let before = t.business_state();
    let forged = [
        Body::with_status(&sale, Means::Instant, "Failed").encode(),
        Body::refunded(&sale, &t.movement("r", sale.total())).encode(),
        Body::reversed(&sale, &t.movement("v", sale.total())).encode(),
        Body::new_case(&sale, "PP-1", "chargeback", t.now()).encode(),
    ];

    let replies = forged.map(|body| t.post_notice(body).status.as_u16());
    t.run_jobs();

    assert_eq!(replies, [200; 4]);
    assert_eq!(t.business_state(), before);
    assert_eq!(t.status(&order), OrderStatus::Paid);
}

/// Delivers a payment while PayPal answers like this, and then once it is itself again.
fn answered(t: &TestApp, way: Postback, seen: &str) {
    let order = t.font_order();
    let before = t.business_state();
    t.paypal.set_postback(way);

    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    let waiting = t.last_notice();
    assert_eq!(waiting.state, NoticeState::Received);
    assert!(waiting.reason.contains(seen), "{}", waiting.reason);
    assert_eq!(t.business_state(), before);
    assert_eq!(t.jobs_in("ready"), 1);

    t.paypal.set_postback(Postback::Honest);
    t.advance(Span::minutes(1));
    t.run_jobs();
    assert_eq!(t.last_notice().state, NoticeState::Applied);
    assert_eq!((t.status(&order), t.mailbox().len()), (OrderStatus::Paid, 1));
}

fn an_error_of_paypals_decides_nothing_and_is_asked_about_again(t: TestApp) {
    answered(&t, Postback::Unavailable, "status 503");
}

fn a_page_instead_of_an_answer_decides_nothing(t: TestApp) {
    answered(&t, Postback::Garbage, "neither VERIFIED nor INVALID");
}

fn an_empty_answer_decides_nothing(t: TestApp) {
    answered(&t, Postback::Empty, "status 200 with 0 bytes");
}

fn a_redirect_is_not_followed_to_somebody_who_confirms_everything(t: TestApp) {
    answered(&t, Postback::Elsewhere, "status 30");
}

fn silence_decides_nothing(t: TestApp) {
    let order = t.font_order();
    t.paypal.set_postback(Postback::Silent);
    let before = t.business_state();

    // The runtime's clock jumps to the next deadline whenever all that is left is waiting.
    t.block_on(async { tokio::time::pause() });
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.block_on(async { tokio::time::resume() });

    assert_eq!(t.notice_states(), [NoticeState::Received]);
    assert_eq!(t.business_state(), before);
    t.paypal.set_postback(Postback::Honest);
    t.advance(Span::minutes(1));
    t.run_jobs();
    assert_eq!(t.status(&order), OrderStatus::Paid);
}

fn three_days_without_paypal_lose_no_payment(t: TestApp) {
    let order = t.font_order();
    t.paypal.set_postback(Postback::Unavailable);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));

    let hours = (0..72).map(|_| {
        t.advance(Span::hours(1));
        t.run_jobs();
        t.jobs_in("ready")
    });
    assert_eq!(hours.sum::<i64>(), 72, "the job waits all the time");
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);

    t.paypal.set_postback(Postback::Honest);
    t.advance(Span::hours(5));
    t.run_jobs();
    assert_eq!((t.status(&order), t.mailbox().len()), (OrderStatus::Paid, 1));
}

fn a_notice_that_is_not_confirmed_yet_keeps_the_next_one_from_nothing(t: TestApp) {
    let order = t.font_order();
    let sale = t.sale_of(&order);
    t.post_notice(Body::completed(&sale, Means::Instant).set("mc_gross", "1.00").encode());
    t.paypal.set_postback(Postback::Unavailable);
    t.run_jobs();

    t.paypal.set_postback(Postback::Honest);
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    assert_eq!(t.status(&order), OrderStatus::Paid);
    t.advance(Span::minutes(1));
    t.run_jobs();
    assert_eq!(t.notice_states(), [NoticeState::Forged, NoticeState::Applied]);
}
