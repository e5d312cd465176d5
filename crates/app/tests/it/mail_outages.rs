//! A mail server that hangs, or is not there at all, and what that must not touch.

use app::jobs::places::Places;
use app::jobs::{Kind, runner};
use app::messages::{MessageState, NO_MAIL_SERVER};
use app::orders::{Order, OrderStatus};
use app::products::Product;
use http::StatusCode;
use kernel::Span;
use mail::SendError;
use paysim::ipn::{Body, Means};

use crate::buyer::BUYER;
use crate::support::goods::{email, eur};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_payment_is_verified_and_fulfilled_while_mail_hangs_in_all_of_its_places,
    without_a_mail_server_a_receipt_waits_untried_for_weeks_and_leaves_once_there_is_one,
    without_a_mail_server_staff_see_why_mail_waits,
    a_late_receipt_says_truly_how_long_its_links_work,
    links_resent_too_late_are_told_as_run_out_with_the_way_to_new_ones,
    the_receipt_of_an_order_that_was_refunded_meanwhile_speaks_of_closed_links,
    a_sign_in_link_that_ran_out_while_it_waited_is_not_sent,
}

fn font(t: &TestApp) -> Product {
    t.product(NewGood::of("FONT"))
}

/// PayPal announces a payment, and what it verifies is applied; no other work is begun.
fn announce(t: &TestApp, font: &Product) -> Order {
    let order = t.order(&[(font, 1)]);
    t.deliver(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.finish_handed_over();
    order
}

fn turn(t: &TestApp) {
    t.block_on(runner::turn(&t.app)).expect("a turn of the runner");
}

fn free_for_mail(t: &TestApp) -> usize {
    t.app.job_places().of(Kind::SendMessage).available_permits()
}

/// Lets mails that are under way come to their end.
fn finish_mails(t: &TestApp) {
    let all = u32::try_from(Places::at_once(Kind::SendMessage)).expect("a small number");
    let places = t.app.job_places().of(Kind::SendMessage);
    drop(t.block_on(places.acquire_many(all)).expect("places are never closed"));
}

fn a_payment_is_verified_and_fulfilled_while_mail_hangs_in_all_of_its_places(t: TestApp) {
    let font = font(&t);
    t.mailer.hang();
    let before: Vec<Order> = (0..=Places::at_once(Kind::SendMessage)).map(|_| announce(&t, &font)).collect();
    turn(&t);
    assert_eq!(free_for_mail(&t), 0);

    let at_once = announce(&t, &font);
    t.paypal.set_postback(paysim::Postback::Unavailable);
    let later = announce(&t, &font);
    t.paypal.set_postback(paysim::Postback::Honest);
    let not_yet = t.status(&later);
    t.advance(Span::minutes(1));
    turn(&t);
    t.finish_handed_over();

    assert_eq!((free_for_mail(&t), t.mailbox().len()), (0, 0), "mail still hangs");
    assert_eq!((not_yet, t.status(&later)), (OrderStatus::AwaitingPayment, OrderStatus::Paid));
    assert_eq!(t.status(&at_once), OrderStatus::Paid);
    assert_eq!((t.grants(&at_once).len(), t.grants(&later).len()), (1, 1));
    t.mailer.work_again();
    finish_mails(&t);
    t.run_jobs();
    assert_eq!(t.mailbox().len(), before.len() + 2);
}

/// An order that is paid while there is no mail server.
fn paid_without_server(t: &TestApp) -> Order {
    t.mailer.remove_server();
    let order = t.order(&[(&font(t), 1)]);
    t.pay(&order);
    order
}

fn weeks_later(t: &TestApp) {
    (0..21).for_each(|_| {
        t.advance(Span::days(1));
        t.run_jobs();
    });
}

fn last_mail(t: &TestApp) -> mail::Parsed {
    t.mails_to(BUYER).pop().expect("a mail")
}

fn without_a_mail_server_a_receipt_waits_untried_for_weeks_and_leaves_once_there_is_one(t: TestApp) {
    let order = paid_without_server(&t);

    weeks_later(&t);
    let (waiting, jobs) = (t.messages(&order).remove(0), t.undone_jobs());
    t.mailer.work_again();
    t.run_jobs();

    assert_eq!((waiting.state, waiting.attempts), (MessageState::Waiting, 0));
    assert!(jobs.len() == 1 && jobs[0].contains("ready, attempt 0"), "{jobs:?}");
    assert_eq!(t.messages(&order)[0].state, MessageState::Sent);
    let mail = last_mail(&t);
    assert!(mail.text.contains("Feb 8, 2027"), "three days from its leaving: {}", mail.text);
    assert!(!mail.text.contains("ran out"), "{}", mail.text);
    assert_eq!(t.get(&t.landing_of(&order)).status, StatusCode::OK);
    assert!(mail.text.contains(&t.landing_of(&order)));
}

fn without_a_mail_server_staff_see_why_mail_waits(t: TestApp) {
    let order = paid_without_server(&t);
    let message = t.messages(&order).remove(0);
    let (_, owner) = t.owner();

    let list = owner.get("/admin/messages").text();
    let one = owner.get(&format!("/admin/messages/{}", message.id)).text();

    assert!(list.contains(NO_MAIL_SERVER) && one.contains(NO_MAIL_SERVER));
    t.mailer.work_again();
    t.run_jobs();
    assert!(!owner.get("/admin/messages").text().contains(NO_MAIL_SERVER));
}

fn a_late_receipt_says_truly_how_long_its_links_work(t: TestApp) {
    (0..100).for_each(|_| t.mailer.fail_next(SendError::Retry { why: "451 busy".to_owned() }));
    let order = t.order(&[(&font(&t), 1)]);
    t.pay(&order);
    (0..22).for_each(|_| {
        t.advance(Span::hours(5));
        t.run_jobs();
    });
    let prolonged = t.grant(&order).expires_at;
    t.mailer.work_again();
    t.advance(Span::hours(5));
    t.run_jobs();

    let (mail, grant) = (last_mail(&t), t.grant(&order));

    let told = mail.text.contains("Jan 20, 2027") || mail.text.contains("Jan 21, 2027");
    assert!(told, "it is January 19: {}", mail.text);
    assert!(prolonged > order.created_at + Span::days(4), "also when an answer was lost");
    assert!(grant.expires_at >= t.messages(&order)[0].sent_at.expect("sent") + Span::days(3));
    let changes = t.count("SELECT count(*) AS n FROM grant_changes WHERE change = 'extended'");
    assert!((2..=5).contains(&changes), "{changes} changes, and not one for each attempt");
}

fn links_resent_too_late_are_told_as_run_out_with_the_way_to_new_ones(t: TestApp) {
    let order = t.order(&[(&font(&t), 1)]);
    t.pay(&order);
    let id = order.id;
    t.mailer.remove_server();
    t.write(move |cx| app::orders::flow::resend(cx, id)).expect("links are sent again");
    weeks_later(&t);
    t.mailer.work_again();
    t.run_jobs();

    let (mail, page) = (last_mail(&t), t.get(&t.landing_of(&order)));

    let html = mail.html.expect("an HTML part");
    assert!(mail.text.contains("This link ran out on Jan 18, 2027"), "{}", mail.text);
    assert!(html.contains("This link ran out on") && html.contains("Its page sends you a new one"), "{html}");
    assert!(page.text().contains("action=\"/links/renew\""), "{}", page.text());
}

fn the_receipt_of_an_order_that_was_refunded_meanwhile_speaks_of_closed_links(t: TestApp) {
    let order = paid_without_server(&t);
    t.deliver_and_run(&Body::refunded(&t.sale_of(&order), &t.movement("back", eur(49_00))));
    t.mailer.work_again();
    t.run_jobs();

    let receipt = t.mails_to(BUYER).remove(0);

    assert!(receipt.text.contains("its links have been closed since"), "{}", receipt.text);
    assert!(!receipt.text.contains("everything is ready") && !receipt.text.contains("/d/"));
}

fn a_sign_in_link_that_ran_out_while_it_waited_is_not_sent(t: TestApp) {
    let order = t.order(&[(&font(&t), 1)]);
    t.pay(&order);
    t.mailer.remove_server();
    t.write(|cx| app::customers::flow::ask_to_sign_in(cx, &email(BUYER))).expect("a sign-in mail");
    t.advance(Span::minutes(15));
    t.mailer.work_again();
    t.run_jobs();

    assert_eq!(t.mailbox().len(), 1, "the receipt");
    let told = t.count(
        "SELECT count(*) AS n FROM messages WHERE kind = 'sign_in' AND state = 'expired'
                          AND last_error LIKE '%one-time link ran out%'",
    );
    assert_eq!(told, 1);
}
