//! Asking for links, without an account and without learning anything.

use app::downloads::flow::start;
use app::orders::Order;
use http::StatusCode;
use kernel::Span;

use super::{BUYER, hidden};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    known_and_unknown_addresses_get_the_same_answer,
    links_that_open_are_mailed_as_they_are,
    links_that_are_over_are_replaced_first,
    a_used_up_link_is_replaced_by_its_button,
    the_button_of_a_link_does_not_tell_whose_it_is,
    a_revoked_link_is_not_renewed,
    links_are_replaced_three_times_a_day,
    asking_is_limited_per_mailbox_and_network,
    another_merchants_customers_are_not_written_to,
    a_mail_goes_to_the_stored_address_only,
}

fn bought(t: &TestApp, limit: u32) -> Order {
    let font = t.product(NewGood::of("FONT").limited_to(limit));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    order
}

fn ask(t: &TestApp, email: &str) -> crate::support::Reply {
    let visitor = t.visitor();
    visitor.get("/links/request");
    let reply = visitor.post("/links/request", &[("email", email)]);
    t.run_jobs();
    reply
}

fn known_and_unknown_addresses_get_the_same_answer(t: TestApp) {
    bought(&t, 5);
    let visitor = t.visitor();
    visitor.get("/links/request");

    let known = visitor.post("/links/request", &[("email", BUYER)]);
    let unknown = visitor.post("/links/request", &[("email", "other@example.com")]);
    t.run_jobs();

    assert_eq!((known.status, unknown.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(known.text().replace(BUYER, "X"), unknown.text().replace("other@example.com", "X"));
    assert_eq!(known.headers, unknown.headers);
    assert_eq!(t.mails_to(BUYER).len(), 2);
    assert_eq!(t.mailbox().len(), 2);
}

fn links_that_open_are_mailed_as_they_are(t: TestApp) {
    let order = bought(&t, 5);
    let before = t.landing_of(&order);

    ask(&t, BUYER);

    assert_eq!(t.landing_of(&order), before);
    let mail = t.mails_to(BUYER).pop().expect("a mail");
    assert!(mail.subject.starts_with("Your links once more") && mail.text.contains(&before));
}

fn links_that_are_over_are_replaced_first(t: TestApp) {
    let order = bought(&t, 5);
    let before = t.landing_of(&order);
    t.advance(Span::days(5));

    ask(&t, "  Buyer@Example.COM ");

    let after = t.landing_of(&order);
    let mail = t.mails_to(BUYER).pop().expect("a mail");
    assert_ne!(after, before);
    assert!(mail.subject.starts_with("New links") && mail.text.contains(&after), "{}", mail.text);
    assert_eq!(t.get(&after).status, StatusCode::OK);
}

fn use_up(t: &TestApp, order: &Order) {
    let (token, file) = (t.link(&t.grant(order)), t.files(&t.grant(order))[0].version);
    let client = app::downloads::flow::Client { address: String::new(), user_agent: String::new() };
    let started = t.write(move |cx| start(cx, &token, file, &client)).expect("a download starts");
    let transfer = app::downloads::transfer_token(t.app.ring(), &started).expect("a token");
    t.get(&format!("/t/{transfer}/x"));
    t.watch_transfers();
}

fn a_used_up_link_is_replaced_by_its_button(t: TestApp) {
    let order = bought(&t, 1);
    use_up(&t, &order);
    let visitor = t.visitor();
    let closed = visitor.get(&t.landing_of(&order));

    let sent = visitor.post("/links/renew", &[("link", &hidden(&closed, "link"))]);
    t.run_jobs();

    assert_eq!(closed.status, StatusCode::GONE);
    assert!(sent.text().contains("is on its way to the address of the order"), "{}", sent.text());
    assert_eq!(t.get(&t.landing_of(&order)).status, StatusCode::OK);
    assert!(t.mails_to(BUYER).pop().expect("a mail").text.contains(&t.landing_of(&order)));
}

fn the_button_of_a_link_does_not_tell_whose_it_is(t: TestApp) {
    let order = bought(&t, 5);
    t.advance(Span::days(5));
    let visitor = t.visitor();
    let closed = visitor.get(&t.landing_of(&order));

    let sent = visitor.post("/links/renew", &[("link", &hidden(&closed, "link"))]);
    t.run_jobs();

    assert!(!closed.text().contains(BUYER) && !sent.text().contains(BUYER));
    assert!(!sent.text().contains("Jo Buyer") && !sent.text().contains(&t.link(&t.grant(&order))));
}

fn a_revoked_link_is_not_renewed(t: TestApp) {
    // Revoked by hand, without the act of staff that would be its cause.
    for check in ["I2", "I13"] {
        t.leaves_violation(check);
    }
    let order = bought(&t, 5);
    let grant = t.grant(&order);
    t.write(move |cx| Ok(app::fulfillment::flow::revoke(cx, &mut grant.clone(), "test")?)).expect("revoked");
    let visitor = t.visitor();
    visitor.get("/links/request");

    visitor.post("/links/renew", &[("link", &t.link(&t.grant(&order)))]);
    visitor.post("/links/request", &[("email", BUYER)]);
    t.run_jobs();

    assert_eq!(t.mails_to(BUYER).len(), 1, "only the receipt");
    assert_eq!(t.get(&t.landing_of(&order)).status, StatusCode::GONE);
}

fn links_are_replaced_three_times_a_day(t: TestApp) {
    let order = bought(&t, 1);
    let renewed = (0..5)
        .map(|_| {
            use_up(&t, &order);
            t.advance(Span::hours(2));
            let before = t.landing_of(&order);
            ask(&t, BUYER);
            t.landing_of(&order) != before
        })
        .take_while(|renewed| *renewed)
        .count();

    assert_eq!(renewed, 3);
}

fn asking_is_limited_per_mailbox_and_network(t: TestApp) {
    bought(&t, 5);
    let own: Vec<u16> = (0..4).map(|_| ask(&t, BUYER).status.as_u16()).collect();
    let nobodys: Vec<u16> = (0..4).map(|_| ask(&t, "nobody@example.com").status.as_u16()).collect();
    let network: Vec<u16> = (0..4).map(|n| ask(&t, &format!("n{n}@example.com")).status.as_u16()).collect();

    assert_eq!(own, [200, 200, 200, 429]);
    assert_eq!(nobodys, [200, 200, 200, 429]);
    assert_eq!(network, [200, 200, 429, 429]);
}

fn another_merchants_customers_are_not_written_to(t: TestApp) {
    bought(&t, 5);
    t.later_shop();
    let visitor = t.visitor();
    visitor.get("/m/other/links/request");

    let asked = visitor.post("/m/other/links/request", &[("email", BUYER)]);
    t.run_jobs();

    assert_eq!(asked.status, StatusCode::OK);
    assert_eq!(t.mails_to(BUYER).len(), 1, "only the receipt");
}

fn a_mail_goes_to_the_stored_address_only(t: TestApp) {
    bought(&t, 5);

    let tries = [
        "buyer@example.com,evil@example.com",
        "evil@example.com\r\nTo: buyer@example.com",
        "buyer@example.com\0",
    ]
    .map(|email| ask(&t, email).status.as_u16());

    assert_eq!(tries, [422; 3]);
    assert_eq!(t.mailbox().len(), 1, "only the receipt");
}
