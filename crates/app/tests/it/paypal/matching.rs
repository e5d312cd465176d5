//! Authentic, and yet not what was sold: set aside with the reason, for a person to decide.

use app::notices::NoticeState;
use app::notices::desk_flow::{self, Again};
use app::notices::flow::{self, Trust};
use app::orders::OrderStatus;
use app::payments::PaymentStatus;
use gateways::{Exchange, Gateway as _, Judgment, Mode};
use http::StatusCode;
use paysim::ipn::{Body, Means, Side, txn_id};

use crate::support::goods::{eur, usd};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    money_that_went_to_another_account_delivers_nothing,
    an_account_that_is_ours_only_by_one_of_its_names_delivers_nothing,
    a_cent_less_than_due_delivers_nothing,
    another_currency_delivers_nothing,
    an_amount_that_cannot_be_read_delivers_nothing,
    real_money_at_a_test_connection_delivers_nothing,
    play_money_at_a_live_connection_delivers_nothing,
    a_transaction_that_paid_another_order_delivers_nothing,
    a_transaction_for_two_orders_at_once_pays_one,
    an_order_that_was_to_be_paid_through_another_connection_is_not_delivered,
    more_than_due_is_delivered_once_and_shown,
    a_second_payment_of_a_paid_order_is_shown_and_delivers_nothing_more,
    what_was_set_aside_is_shown_with_its_reason_and_accepted_by_one_click,
    what_was_set_aside_is_refused_by_one_click,
    what_is_accepted_in_another_currency_counts_as_the_whole,
    a_refund_of_what_was_refused_changes_nothing,
}

fn money_that_went_to_another_account_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.business = "attacker@example.org".to_owned();

    let why = t.set_aside(&Body::completed(&sale, Means::Instant));

    assert!(why.contains("attacker@example.org"), "{why}");
}

fn an_account_that_is_ours_only_by_one_of_its_names_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    let ours = Body::completed(&t.sale_of(&order), Means::Instant);

    let by_receiver = t.set_aside(&ours.clone().set("receiver_email", "attacker@example.org"));
    let by_business = t.set_aside(&ours.clone().set("business", "attacker@example.org"));
    let by_nothing = t.set_aside(&ours.without("receiver_email").without("business").without("receiver_id"));

    assert!(by_receiver.contains("attacker@example.org"), "{by_receiver}");
    assert!(by_business.contains("attacker@example.org"), "{by_business}");
    assert!(by_nothing.contains("nobody by name"), "{by_nothing}");
}

fn a_cent_less_than_due_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(48_99);

    let why = t.set_aside(&Body::completed(&sale, Means::Instant));

    assert!(why.contains("48.99 EUR is less than the 49.00 EUR that is due"), "{why}");
}

fn another_currency_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = usd(49_00);
    sale.tax = usd(0);

    let dollars = t.set_aside(&Body::completed(&sale, Means::Instant));
    let yen = Body::completed(&t.sale_of(&order), Means::Instant);
    let yen = t.set_aside(&yen.set("mc_currency", "JPY").set("mc_gross", "4900"));

    assert!(dollars.contains("it is in USD, and the order is in EUR"), "{dollars}");
    assert!(yen.contains("it is in JPY"), "{yen}");
}

fn an_amount_that_cannot_be_read_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);

    let reasons = ["49,00", "1e400", "NaN", "-49.00", "0.00", "", "٤٩.٠٠"]
        .map(|gross| t.set_aside(&body.clone().set("mc_gross", gross).set("memo", gross)));

    assert_eq!(reasons, ["it names no amount"; 7]);
    let without = t.set_aside(&body.without("mc_gross"));
    assert_eq!(without, "it names no amount");
}

fn real_money_at_a_test_connection_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.side = Side::Live;

    let why = t.set_aside(&Body::completed(&sale, Means::Instant));

    assert!(why.contains("this connection is for tests"), "{why}");
}

fn play_money_at_a_live_connection_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    t.leaves_jobs();
    t.paypal.set_postback(paysim::Postback::Unavailable);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    let notice = t.last_notice();
    let before = t.business_state();
    // A live connection asks PayPal itself, so its answer is given here.
    let post = gateways::RawPost {
        method: "POST".to_owned(),
        target: String::new(),
        headers: Vec::new(),
        body: t.stored_bytes(&notice),
        received_at: t.now(),
    };
    let live = app::connections::Connection { mode: Mode::Live, ..t.shop.connection.clone() };
    let verified =
        Exchange { purpose: gateways::paypal_standard::POSTBACK, status: 200, body: b"VERIFIED".to_vec() };
    let judged = gateways::paypal_standard::PaypalStandard.judge(&post, &live.without_secrets(), &[verified]);
    let Judgment::Authentic(statements) = judged else { panic!("it is PayPal's word: {judged:?}") };

    let state = t
        .write(move |cx| flow::apply(cx, &live, notice.id, &statements, Trust::Verify))
        .expect("it is looked at");

    assert_eq!(state, NoticeState::Quarantined);
    assert!(t.last_notice().reason.contains("it is a test, and this connection is live"));
    assert_eq!(t.business_state(), before);
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
}

fn a_transaction_that_paid_another_order_delivers_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let (cheap, dear) = (t.order(&[(&font, 1)]), t.order(&[(&font, 1)]));
    let paid = t.pay(&cheap);
    let mut again = t.sale_of(&dear);
    again.txn_id = paid.txn_id.clone();

    let why = t.set_aside(&Body::completed(&again, Means::Instant));

    assert!(why.contains("has paid another order") && why.contains(&cheap.id.to_string()), "{why}");
    assert_eq!((t.status(&cheap), t.status(&dear)), (OrderStatus::Paid, OrderStatus::AwaitingPayment));
}

fn a_transaction_for_two_orders_at_once_pays_one(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let orders: Vec<_> = (0..25).map(|_| t.order(&[(&font, 1)])).collect();
    let bodies: Vec<Vec<u8>> = orders
        .iter()
        .map(|order| {
            let mut sale = t.sale_of(order);
            sale.txn_id = txn_id("the same one");
            Body::completed(&sale, Means::Instant).encode()
        })
        .collect();
    bodies.iter().for_each(|body| t.paypal.issue(body));

    let requests = bodies.into_iter().map(|body| TestApp::hook_request(&t.shop, body)).collect();
    t.requests_in_parallel(requests);
    t.run_jobs();

    let paid = orders.iter().filter(|order| t.status(order) == OrderStatus::Paid).count();
    let states = t.notice_states();
    let in_state = |wanted| states.iter().filter(|state| **state == wanted).count();
    assert_eq!((paid, t.mailbox().len()), (1, 1));
    assert_eq!((in_state(NoticeState::Applied), in_state(NoticeState::Quarantined)), (1, 24));
}

fn an_order_that_was_to_be_paid_through_another_connection_is_not_delivered(t: TestApp) {
    let order = t.font_order();
    let second = t
        .write({
            let settings = t.shop.connection.settings.clone();
            move |cx| {
                let new = app::connections::flow::NewConnection {
                    gateway: "paypal-standard".to_owned(),
                    mode: Mode::Test,
                    name: "second".to_owned(),
                    settings: settings.clone(),
                    secrets: std::collections::BTreeMap::new(),
                };
                app::connections::flow::add(cx, &new)
            }
        })
        .expect("a second connection");
    let through = crate::support::Shop { connection: second, ..t.shop.clone() };
    let before = t.business_state();

    t.deliver_to(&through, &Body::completed(&t.sale_of(&order), Means::Instant));
    t.run_jobs();

    let notice = t.last_notice();
    assert_eq!(notice.state, NoticeState::Quarantined);
    assert!(notice.reason.contains("another connection"), "{}", notice.reason);
    assert_eq!(t.business_state(), before);
}

fn more_than_due_is_delivered_once_and_shown(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(59_00);

    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    assert_eq!((t.status(&order), t.grants(&order).len()), (OrderStatus::Paid, 1));
    assert_eq!(t.review_kinds(&order), [app::reviews::ReviewKind::Surplus]);
    assert!(t.reviews(&order)[0].detail.contains("10.00 EUR"), "{}", t.reviews(&order)[0].detail);
}

fn a_second_payment_of_a_paid_order_is_shown_and_delivers_nothing_more(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.pay(&order);
    sale.txn_id = txn_id("once more");

    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    assert_eq!((t.status(&order), t.grants(&order).len(), t.receipts(&order)), (OrderStatus::Paid, 1, 1));
    assert_eq!(t.review_kinds(&order), [app::reviews::ReviewKind::PaidTwice]);
    assert_eq!(t.look(&order).settled_minor, 98_00);
}

fn what_was_set_aside_is_shown_with_its_reason_and_accepted_by_one_click(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(48_00);
    let why = t.set_aside(&Body::completed(&sale, Means::Instant));
    let (_, desk) = t.owner();
    let path = format!("/admin/notices/{}", t.last_notice().id);

    let list = desk.get("/admin/notices?state=quarantined");
    let page = desk.get(&path);
    let accepted = desk.post(&format!("{path}/accept"), &[]);
    t.run_jobs();

    assert!(list.text().contains(&path), "{}", list.text());
    assert!(page.text().contains(&why), "{}", page.text());
    assert!(
        page.text().contains(&format!("{path}/accept")) && page.text().contains(&format!("{path}/refuse"))
    );
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.text());
    assert_eq!(t.last_notice().state, NoticeState::Applied);
    let paid = t.look(&order);
    assert_eq!((paid.status, paid.due_minor, t.receipts(&order)), (OrderStatus::Paid, 48_00, 1));
    assert_eq!(t.invoices(&order)[0].gross, eur(48_00));
}

fn what_was_set_aside_is_refused_by_one_click(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(1_00);
    t.set_aside(&Body::completed(&sale, Means::Instant));
    let (_, desk) = t.owner();

    let refused = desk.post(&format!("/admin/notices/{}/refuse", t.last_notice().id), &[]);
    t.run_jobs();

    assert_eq!(refused.status, StatusCode::SEE_OTHER, "{}", refused.text());
    assert_eq!(t.last_notice().state, NoticeState::Refused);
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
    assert_eq!((t.grants(&order).len(), t.messages(&order).len(), t.payments(&order).len()), (0, 0, 0));
}

fn accept(t: &TestApp) {
    let id = t.last_notice().id;
    t.write(move |cx| desk_flow::again(cx, id, Again::Accept)).expect("it is accepted");
}

fn what_is_accepted_in_another_currency_counts_as_the_whole(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = usd(55_00);
    sale.tax = usd(0);
    t.set_aside(&Body::completed(&sale, Means::Instant));

    accept(&t);
    t.run_jobs();
    assert_eq!((t.status(&order), t.receipts(&order)), (OrderStatus::Paid, 1));

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("all of it", usd(55_00))));
    assert_eq!((t.status(&order), t.look(&order).returned_minor), (OrderStatus::Refunded, 49_00));
}

fn a_refund_of_what_was_refused_changes_nothing(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(1_00);
    t.set_aside(&Body::completed(&sale, Means::Instant));
    let id = t.last_notice().id;
    t.write(move |cx| desk_flow::refuse(cx, id, "not for us")).expect("refused");

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(1_00))));

    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
    assert_eq!((t.grants(&order).len(), t.messages(&order).len(), t.invoices(&order).len()), (0, 0, 0));
    let statuses: Vec<PaymentStatus> = t.payments(&order).iter().map(|payment| payment.status).collect();
    assert_eq!(statuses, [PaymentStatus::Initiated], "its money never counted");
}
