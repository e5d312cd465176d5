//! Payments that no order of ours asked for: a button on another site sold one of our products.

use app::notices::NoticeState;
use app::orders::{OrderSource, OrderStatus};
use app::payments::PaymentStatus;
use kernel::Span;
use paysim::ipn::{Body, Item, Means};

use crate::support::goods::{eur, usd};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_button_makes_the_account_and_the_order,
    an_unknown_item_number_delivers_nothing,
    a_price_that_was_edited_delivers_nothing,
    a_price_of_the_last_thirty_days_is_honored_and_an_older_one_is_not,
    tax_and_shipping_are_taken_apart_from_the_price,
    what_is_left_over_is_shown,
    two_purchases_of_one_buyer_are_one_account,
    a_button_that_names_nobody_delivers_nothing,
    a_payment_that_failed_before_anything_was_known_of_it_makes_no_order,
    a_refund_that_comes_before_its_button_delivers_nothing,
    a_reference_that_is_not_ours_is_no_hindrance,
}

fn a_button_makes_the_account_and_the_order(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let mut item = Item::one("FONT", eur(49_00));
    item.quantity = 2;
    item.options.push(("License".to_owned(), "Desktop".to_owned()));

    t.deliver_and_run(&Body::completed(&t.button_sale("ann", vec![item]), Means::Instant));

    let order = t.only_order();
    let line = t.lines(&order).remove(0);
    assert_eq!((order.status, order.source), (OrderStatus::Paid, OrderSource::Button));
    assert_eq!((order.due_minor, line.quantity, line.unit_minor), (98_00, 2, 49_00));
    assert_eq!(line.attributes, serde_json::json!({ "License": "Desktop" }));
    assert_eq!(t.grants(&order).len(), 2);
    assert!(order.customer.is_some());
    assert_eq!(t.mails_to("ann@example.com").len(), 1);
    assert_eq!(t.invoices(&order).len(), 1);
}

fn an_unknown_item_number_delivers_nothing(t: TestApp) {
    let sale = t.button_sale("ann", vec![Item::one("NO-SUCH", eur(49_00))]);

    let why = t.set_aside(&Body::completed(&sale, Means::Instant));

    assert!(why.contains("no product with the item number \"NO-SUCH\""), "{why}");
}

fn a_price_that_was_edited_delivers_nothing(t: TestApp) {
    t.product(NewGood::of("FONT"));
    t.product(NewGood::of("MAP").priced(&[eur(5_00)]));
    let mut ten = Item::one("FONT", eur(4_90));
    ten.quantity = 10;

    let cheap =
        t.set_aside(&Body::completed(&t.button_sale("a", vec![Item::one("FONT", eur(1))]), Means::Instant));
    let many = t.set_aside(&Body::completed(&t.button_sale("b", vec![ten]), Means::Instant));
    let cart = vec![Item::one("MAP", eur(5_00)), Item::one("FONT", eur(10_00))];
    let mixed = t.set_aside(&Body::completed(&t.button_sale("c", cart), Means::Instant));
    let abroad = Item::one("FONT", usd(49_00));
    let abroad = t.set_aside(&Body::completed(&t.button_sale("d", vec![abroad]), Means::Instant));

    assert!(cheap.contains("0.01 EUR does not cover 1 of \"FONT\" at 49.00 EUR"), "{cheap}");
    assert!(many.contains("49.00 EUR does not cover 10 of"), "{many}");
    assert!(mixed.contains("10.00 EUR does not cover 1 of \"FONT\""), "{mixed}");
    assert!(abroad.contains("\"FONT\" has no price in USD"), "{abroad}");
}

fn a_price_of_the_last_thirty_days_is_honored_and_an_older_one_is_not(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.tick();
    t.set_price(&font, eur(99_00), t.now());

    t.advance(Span::days(29));
    let early = t.button_sale("early", vec![Item::one("FONT", eur(49_00))]);
    t.deliver_and_run(&Body::completed(&early, Means::Instant));
    assert_eq!(t.only_order().status, OrderStatus::Paid);

    t.advance(Span::days(2));
    let late = t.button_sale("late", vec![Item::one("FONT", eur(49_00))]);
    let why = t.set_aside(&Body::completed(&late, Means::Instant));
    assert!(why.contains("at 99.00 EUR"), "{why}");
}

fn tax_and_shipping_are_taken_apart_from_the_price(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let mut sale = t.button_sale("ann", vec![Item::one("FONT", eur(49_00))]);
    sale.tax = eur(9_31);
    let body = Body::completed(&sale, Means::Instant);
    assert_eq!(body.get("mc_gross"), Some("58.31"));

    t.deliver_and_run(&body.set("mc_gross", "61.31").set("mc_shipping", "3.00"));

    let order = t.only_order();
    assert_eq!((order.status, order.net_minor, order.tax_minor), (OrderStatus::Paid, 49_00, 9_31));
    assert_eq!((t.lines(&order)[0].tax_minor, t.lines(&order)[0].gross_minor), (9_31, 58_31));
    assert_eq!((t.invoices(&order)[0].net, t.invoices(&order)[0].tax), (eur(49_00), eur(9_31)));
    assert_eq!(t.reviews(&order).len(), 0, "nothing is left over");
}

fn what_is_left_over_is_shown(t: TestApp) {
    t.product(NewGood::of("FONT"));

    let sale = t.button_sale("ann", vec![Item::one("FONT", eur(60_00))]);
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    let order = t.only_order();
    assert_eq!((order.status, order.due_minor), (OrderStatus::Paid, 49_00));
    assert_eq!(t.review_kinds(&order), [app::reviews::ReviewKind::Surplus]);
}

fn two_purchases_of_one_buyer_are_one_account(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let first = t.button_sale("ann", vec![Item::one("FONT", eur(49_00))]);
    let mut second = first.clone();
    second.txn_id = paysim::ipn::txn_id("ann again");
    second.buyer.email = "Ann@Example.com".to_owned();

    t.deliver_and_run(&Body::completed(&first, Means::Instant));
    t.deliver_and_run(&Body::completed(&second, Means::Instant));

    let customers: Vec<_> = t.orders().iter().map(|order| order.customer).collect();
    assert_eq!((customers.len(), customers[0]), (2, customers[1]));
    assert_eq!(t.count("SELECT count(*) AS n FROM customers"), 1);
}

fn a_button_that_names_nobody_delivers_nothing(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let body = Body::completed(&t.button_sale("ann", vec![Item::one("FONT", eur(49_00))]), Means::Instant);

    let no_buyer = t.set_aside(&body.clone().without("payer_email"));
    let no_item = t.set_aside(&body.without("item_number").without("item_name"));

    assert!(no_buyer.contains("names no buyer"), "{no_buyer}");
    assert!(no_item.contains("names no item number"), "{no_item}");
}

fn a_payment_that_failed_before_anything_was_known_of_it_makes_no_order(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let sale = t.button_sale("ann", vec![Item::one("FONT", eur(49_00))]);

    t.deliver_and_run(&Body::with_status(&sale, Means::Instant, "Denied"));

    assert_eq!(t.notice_states(), [NoticeState::Ignored]);
    assert_eq!((t.orders().len(), t.count("SELECT count(*) AS n FROM customers")), (0, 0));
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));
    assert_eq!(t.only_order().status, OrderStatus::Paid);
}

fn a_refund_that_comes_before_its_button_delivers_nothing(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let sale = t.button_sale("ann", vec![Item::one("FONT", eur(49_00))]);
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(49_00))));
    assert_eq!((t.notice_states(), t.orders().len()), (vec![NoticeState::Unmatched], 0));

    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    let order = t.only_order();
    assert_eq!((order.status, t.grants(&order).len()), (OrderStatus::Refunded, 0));
    assert_eq!(t.payments(&order)[0].status, PaymentStatus::Refunded);
    assert_eq!(t.mailbox().len(), 0);
}

fn a_reference_that_is_not_ours_is_no_hindrance(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let mut sale = t.button_sale("ann", vec![Item::one("FONT", eur(49_00))]);
    sale.invoice = "old shop 4711".to_owned();
    sale.custom = "ord_00000000000000000000000000".to_owned();

    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    assert_eq!(t.only_order().status, OrderStatus::Paid);
}
