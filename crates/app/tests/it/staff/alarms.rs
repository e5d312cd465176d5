//! The standing checks: what a seller must hear of without having to look for it.

use app::messages::NO_MAIL_SERVER;
use app::orders::Order;
use app::orders::wrong::{self, Among, Wrong};
use db::{Engine, sql};
use http::StatusCode;
use kernel::Span;
use mail::SendError;
use paysim::ipn::{Body, Means};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_package_sold_without_files_is_an_alarm_until_it_has_some_and_the_order_is_made_again,
    what_was_sold_with_files_keeps_them_when_it_is_made_again,
    a_buyer_whose_receipt_does_not_leave_is_an_alarm_after_half_an_hour,
    a_buyer_whose_receipt_was_refused_is_an_alarm_until_links_reach_them,
    a_buyer_who_downloads_from_the_page_needs_no_mail,
    an_order_that_staff_took_back_waits_for_no_mail,
    a_buyer_who_was_not_reached_is_told_of_for_a_month,
    a_notice_that_is_not_verified_is_an_alarm_after_ten_minutes_with_its_reason,
    mail_that_waits_for_a_mail_server_is_an_alarm,
}

const NOT_DELIVERED: &str = "1 transaction is paid, but not delivered";
const NOT_REACHED: &str = "1 transaction is paid, but its buyer has not got the links";
const NOT_VERIFIED: &str = "1 notice of a payment is not verified";

fn refused() -> SendError {
    SendError::Permanent { why: "550 no such mailbox".to_owned() }
}

fn paid(t: &TestApp) -> Order {
    let order = t.order(&[(&t.product(NewGood::of("NORTH")), 1)]);
    t.pay(&order);
    order
}

fn a_package_sold_without_files_is_an_alarm_until_it_has_some_and_the_order_is_made_again(t: TestApp) {
    let bare = t.product(NewGood { files: Vec::new(), ..NewGood::of("BARE") });
    let order = t.order(&[(&bare, 1)]);
    t.pay(&order);
    let (_, owner) = t.owner();
    let page = format!("/admin/orders/{}", order.id);
    assert!(owner.get("/admin").text().contains(NOT_DELIVERED));
    let list = owner.get("/admin/orders?alarm=paid_not_delivered").text();
    assert!(list.contains(&order.id.to_string()));
    assert!(owner.get(&page).text().contains("Paid, but not delivered"));

    let file = t.store("late.zip", b"the goods");
    t.write(move |cx| app::products::flow::add_file(cx, &bare, &file)).expect("a file is added");
    let made = owner.act(&format!("{page}/regenerate"), &[]);
    t.run_jobs();

    assert_eq!(made.status, StatusCode::SEE_OTHER);
    assert_eq!(t.files(&t.grant(&order)).len(), 1);
    assert!(!owner.get("/admin").text().contains(NOT_DELIVERED));
    assert!(!owner.get(&page).text().contains("Paid, but not delivered"));
}

fn what_was_sold_with_files_keeps_them_when_it_is_made_again(t: TestApp) {
    let north = t.product(NewGood::of("NORTH"));
    let order = t.order(&[(&north, 1)]);
    t.pay(&order);
    let (file, id) = (t.store("later.zip", b"another edition"), order.id);

    t.write(move |cx| app::products::flow::add_file(cx, &north, &file)).expect("a file is added");
    t.write(move |cx| app::orders::flow::regenerate(cx, id)).expect("it is made again");
    t.run_jobs();

    let names: Vec<String> = t.files(&t.grant(&order)).into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["north.zip"]);
}

fn a_buyer_whose_receipt_does_not_leave_is_an_alarm_after_half_an_hour(t: TestApp) {
    (0..100).for_each(|_| t.mailer.fail_next(SendError::Retry { why: "451 busy".to_owned() }));
    let order = paid(&t);

    t.advance(Span::minutes(29));
    t.run_jobs();
    let early = t.front_page();
    t.advance(Span::minutes(2));
    t.run_jobs();
    let late = t.front_page();
    let (_, owner) = t.owner();
    let list = owner.get("/admin/orders?alarm=paid_not_reached").text();
    let page = owner.get(&format!("/admin/orders/{}", order.id)).text();
    t.mailer.work_again();
    t.advance(Span::hours(4));
    t.run_jobs();

    assert!(!early.contains(NOT_REACHED) && late.contains(NOT_REACHED));
    assert!(late.contains("href=\"/admin/orders?alarm=paid_not_reached\""));
    assert!(list.contains(&order.id.to_string()));
    assert!(page.contains("Paid, but the buyer has not got the links"));
    assert!(t.front_page().contains("All is well"));
}

fn a_buyer_whose_receipt_was_refused_is_an_alarm_until_links_reach_them(t: TestApp) {
    t.mailer.fail_next(refused());
    let order = paid(&t);
    t.advance(Span::minutes(31));
    let before = t.front_page();
    let id = order.id;

    t.write(move |cx| app::orders::flow::resend(cx, id)).expect("links are sent again");
    t.run_jobs();

    assert!(before.contains(NOT_REACHED));
    assert!(!t.front_page().contains(NOT_REACHED));
    t.run_jobs();
}

fn a_buyer_who_downloads_from_the_page_needs_no_mail(t: TestApp) {
    t.mailer.fail_next(refused());
    let order = paid(&t);
    t.advance(Span::minutes(31));
    let before = t.front_page();
    let file = t.files(&t.grant(&order)).remove(0).version;

    let start = format!("{}/files/{file}", t.landing_of(&order));
    let started = t.request(http::Request::post(start).body(axum::body::Body::empty()).expect("a request"));

    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text());
    assert!(before.contains(NOT_REACHED));
    assert!(!t.front_page().contains(NOT_REACHED));
    t.run_jobs();
}

fn an_order_that_staff_took_back_waits_for_no_mail(t: TestApp) {
    t.mailer.fail_next(refused());
    let order = paid(&t);
    t.advance(Span::minutes(31));
    let line = t.grant(&order).line;
    let (_, owner) = t.owner();

    let revoked =
        owner.act(&format!("/admin/orders/{}/lines/{line}/revoke", order.id), &[("reason", "fraud")]);
    t.run_jobs();

    assert_eq!(revoked.status, StatusCode::SEE_OTHER, "{}", revoked.text());
    assert!(!t.front_page().contains(NOT_REACHED));
    t.run_jobs();
}

fn a_buyer_who_was_not_reached_is_told_of_for_a_month(t: TestApp) {
    t.mailer.fail_next(refused());
    paid(&t);

    t.advance(Span::days(29));
    t.run_jobs();
    let within = t.front_page();
    t.advance(Span::days(2));
    t.run_jobs();

    assert!(within.contains(NOT_REACHED));
    assert!(!t.front_page().contains(NOT_REACHED));
    t.run_jobs();
}

fn a_notice_that_is_not_verified_is_an_alarm_after_ten_minutes_with_its_reason(t: TestApp) {
    let order = t.order(&[(&t.product(NewGood::of("NORTH")), 1)]);
    t.paypal.set_postback(paysim::Postback::Unavailable);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    t.advance(Span::minutes(9));
    t.run_jobs();
    let early = t.front_page();
    t.advance(Span::minutes(2));
    t.run_jobs();
    let late = t.front_page();
    let (_, owner) = t.owner();
    let list = owner.get("/admin/notices?state=received").text();
    t.paypal.set_postback(paysim::Postback::Honest);
    t.advance(Span::hours(1));
    t.run_jobs();

    assert!(!early.contains(NOT_VERIFIED) && late.contains(NOT_VERIFIED));
    let reason = t.notices().remove(0).reason;
    assert!(late.contains("href=\"/admin/notices?state=received\"") && late.contains("503"), "{reason}");
    assert!(list.contains(&sale.txn_id) || list.contains(&t.notices()[0].id.to_string()));
    assert!(t.front_page().contains("All is well"));
    t.run_jobs();
}

fn mail_that_waits_for_a_mail_server_is_an_alarm(t: TestApp) {
    t.mailer.remove_server();
    paid(&t);

    let page = t.front_page();

    assert!(page.contains("2 mails do not leave") && page.contains(NO_MAIL_SERVER), "{page}");
    t.mailer.work_again();
    t.run_jobs();
    assert!(!t.front_page().contains(NO_MAIL_SERVER));
    t.run_jobs();
}

/// The front page must not grow slow with the shop.
#[test]
fn what_is_wrong_with_orders_is_found_by_index_alone() {
    let t = TestApp::seeded(Engine::Sqlite, 1);
    let plan = |(what, bound): (Wrong, usize)| {
        t.read(move |snapshot| {
            let explained = sql(format!("EXPLAIN QUERY PLAN {}", wrong::statement(what, Among::Newest)));
            let explained = (0..bound).fold(explained, |explained, _| explained.bind(1i64));
            Ok(explained.all(snapshot, |row| row.get::<String>("detail"))?)
        })
    };

    let plans =
        [(Wrong::PaidNotDelivered, 6), (Wrong::PaidNotReached, 7), (Wrong::RefundedStillOpen, 5)].map(plan);

    let steps: Vec<&String> = plans.iter().flatten().collect();
    let by_status = steps.iter().filter(|step| step.contains("SEARCH orders USING INDEX orders_status"));
    assert_eq!(by_status.count(), 3, "{steps:#?}");
    let scans: Vec<_> =
        steps.iter().filter(|step| step.starts_with("SCAN") && **step != "SCAN near").collect();
    assert!(scans.is_empty(), "{scans:?} in {steps:#?}");
}
