//! The same news again: one after the other, in other bytes, a thousand at once.

use app::notices::NoticeState;
use app::orders::OrderStatus;
use paysim::ipn::{Body, Item, Means};

use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    the_same_bytes_again_are_the_same_notice,
    the_same_news_in_other_bytes_delivers_nothing_more,
    a_copy_a_year_later_changes_nothing,
    a_thousand_copies_at_once_are_one_order_one_unit_and_one_mail,
    a_hundred_tellings_of_a_button_at_once_are_one_order,
}

fn the_same_bytes_again_are_the_same_notice(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);

    t.deliver(&body);
    t.deliver(&body);
    t.run_jobs();
    t.deliver_and_run(&body);

    assert_eq!((t.notice_states(), t.last_notice().copies), (vec![NoticeState::Applied], 3));
    assert_eq!((t.status(&order), t.grants(&order).len(), t.mailbox().len()), (OrderStatus::Paid, 1, 1));
    assert_eq!(t.paypal.postbacks(), 1);
}

fn the_same_news_in_other_bytes_delivers_nothing_more(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);
    t.deliver_and_run(&body);
    let before = t.business_state();

    t.deliver_and_run(&body.clone().set("resend", "true"));
    t.deliver_and_run(&body.set("ipn_track_id", "another"));

    assert_eq!(t.notice_states(), [NoticeState::Applied; 3]);
    assert_eq!(t.business_state(), before);
}

fn a_copy_a_year_later_changes_nothing(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);
    t.deliver_and_run(&body);
    let landing = format!("/d/{}", t.link(&t.grant(&order)));
    t.advance(kernel::Span::days(365));
    t.run_jobs();
    let before = t.business_state();

    t.deliver_and_run(&body);
    t.deliver_and_run(&body.set("resend", "true"));

    assert_eq!((t.business_state(), t.mailbox().len()), (before, 1));
    assert_eq!(t.get(&landing).status, http::StatusCode::GONE, "a copy prolongs nothing");
}

/// What a gateway posts: these bodies, all under way together on several threads.
fn post_at_once(t: &TestApp, bodies: Vec<Vec<u8>>) {
    bodies.iter().for_each(|body| t.paypal.issue(body));
    let requests = bodies.into_iter().map(|body| TestApp::hook_request(&t.shop, body)).collect();
    let replies = t.requests_in_parallel(requests);
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status != http::StatusCode::OK).collect();
    assert!(refused.is_empty(), "{refused:?}");
    t.run_jobs();
}

/// The same news in as many tellings.
fn tellings(body: &Body, count: u32) -> impl Iterator<Item = Vec<u8>> + use<'_> {
    (0..count).map(|number| body.clone().set("ipn_track_id", &number.to_string()).encode())
}

fn a_thousand_copies_at_once_are_one_order_one_unit_and_one_mail(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);
    let same = std::iter::repeat_n(body.encode(), 900);

    post_at_once(&t, same.chain(tellings(&body, 100)).collect());

    assert_eq!((t.status(&order), t.payments(&order).len()), (OrderStatus::Paid, 1));
    assert_eq!((t.grants(&order).len(), t.receipts(&order), t.mailbox().len()), (1, 1, 1));
    assert_eq!(t.invoices(&order).len(), 1);
    assert_eq!(t.notice_states(), [NoticeState::Applied; 101]);
    assert_eq!(t.count("SELECT CAST(sum(copies) AS BIGINT) AS n FROM notices"), 1_000);
}

fn a_hundred_tellings_of_a_button_at_once_are_one_order(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let body = Body::completed(&t.button_sale("ann", vec![Item::one("FONT", eur(49_00))]), Means::Instant);

    post_at_once(&t, tellings(&body, 100).collect());

    let order = t.only_order();
    assert_eq!((order.status, t.grants(&order).len(), t.mailbox().len()), (OrderStatus::Paid, 1, 1));
    assert_eq!(t.count("SELECT count(*) AS n FROM customers"), 1);
    assert_eq!(t.notice_states(), [NoticeState::Applied; 100]);
}
