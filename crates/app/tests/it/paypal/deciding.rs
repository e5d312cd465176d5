//! What a person decides about a notice holds at once, and its gateway is not asked again.

use app::fulfillment::GrantStatus;
use app::messages::MessageKind;
use app::notices::NoticeState;
use app::notices::desk_flow::{self, Again};
use app::orders::{LineKind, Order, OrderStatus};
use app::payments::PaymentStatus;
use app::problem::{Code, Failure};
use app::reviews::ReviewKind;
use http::StatusCode;
use kernel::Span;
use paysim::Postback;
use paysim::ipn::{Body, Item, Means, Sale, txn_id};

use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_replay_of_what_was_applied_asks_nobody_and_leaves_it_applied,
    what_is_accepted_is_applied_at_once_also_while_paypal_is_away,
    what_is_replayed_after_its_cause_was_mended_is_applied,
    a_copy_that_comes_after_it_was_accepted_changes_nothing,
    a_reused_transaction_that_is_accepted_delivers_without_money,
    money_that_comes_for_what_was_given_away_goes_back_alone,
    a_refund_that_names_another_order_is_accepted_for_the_one_it_paid,
    a_payment_without_an_amount_is_accepted_as_the_whole,
    a_button_without_an_amount_is_accepted_at_todays_price,
    money_for_an_unknown_item_is_accepted_and_nothing_is_delivered_for_it,
    money_for_nothing_by_name_is_accepted,
    money_movements_without_an_amount_wait_for_a_person,
    what_was_never_announced_is_accepted_and_changes_nothing,
    what_cannot_be_told_for_sure_is_not_accepted_and_stays_until_it_is_refused,
    an_answered_case_ends_the_dispute,
    every_part_that_is_pulled_back_is_asked_about,
}

fn accept(t: &TestApp) {
    let id = t.last_notice().id;
    t.write(move |cx| desk_flow::again(cx, id, Again::Accept)).expect("it is accepted");
    t.run_jobs();
    assert_eq!(t.last_notice().state, NoticeState::Applied, "{}", t.last_notice().reason);
}

fn try_again(t: &TestApp, how: Again) -> Result<(), Failure> {
    let id = t.last_notice().id;
    t.write(move |cx| desk_flow::again(cx, id, how))
}

fn underpaid(t: &TestApp) -> (Order, Body) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(40_00);
    let body = Body::completed(&sale, Means::Instant);
    t.set_aside(&body);
    (order, body)
}

fn a_replay_of_what_was_applied_asks_nobody_and_leaves_it_applied(t: TestApp) {
    let order = t.font_order();
    t.pay(&order);
    let (asked, before) = (t.paypal.postbacks(), t.business_state());
    t.paypal.set_postback(Postback::Disowning);

    try_again(&t, Again::Replay).expect("it is judged again");
    t.run_jobs();

    assert_eq!((t.last_notice().state, t.paypal.postbacks()), (NoticeState::Applied, asked));
    assert_eq!(t.business_state(), before);
}

fn what_is_accepted_is_applied_at_once_also_while_paypal_is_away(t: TestApp) {
    let (order, _) = underpaid(&t);
    let asked = t.paypal.postbacks();
    t.paypal.set_postback(Postback::Unavailable);

    accept(&t);

    assert_eq!((t.status(&order), t.receipts(&order)), (OrderStatus::Paid, 1));
    assert_eq!(t.paypal.postbacks(), asked);
}

fn what_is_replayed_after_its_cause_was_mended_is_applied(t: TestApp) {
    let sale = t.button_sale("early", vec![Item::one("FONT", eur(49_00))]);
    let why = t.set_aside(&Body::completed(&sale, Means::Instant));
    assert!(why.contains("there is no product"), "{why}");
    t.product(NewGood::of("FONT"));

    try_again(&t, Again::Replay).expect("it is judged again");
    t.run_jobs();

    assert_eq!(t.last_notice().state, NoticeState::Applied);
    assert_eq!(t.grants(&t.only_order()).len(), 1);
}

fn a_copy_that_comes_after_it_was_accepted_changes_nothing(t: TestApp) {
    let (order, body) = underpaid(&t);
    accept(&t);

    t.deliver_and_run(&body);

    assert_eq!((t.notices().len(), t.last_notice().copies), (1, 2));
    assert_eq!((t.status(&order), t.receipts(&order)), (OrderStatus::Paid, 1));
}

/// An order whose notice names a transaction that has paid another one, accepted by a person.
fn given_away(t: &TestApp) -> (Order, Sale) {
    let font = t.product(NewGood::of("FONT"));
    let (paid, other) = (t.order(&[(&font, 1)]), t.order(&[(&font, 1)]));
    let first = t.pay(&paid);
    let mut again = t.sale_of(&other);
    again.txn_id = first.txn_id.clone();
    t.set_aside(&Body::completed(&again, Means::Instant));

    accept(t);
    (other, again)
}

fn a_reused_transaction_that_is_accepted_delivers_without_money(t: TestApp) {
    let (other, _) = given_away(&t);

    let given = t.look(&other);
    assert_eq!((given.status, given.due_minor, given.settled_minor), (OrderStatus::Paid, 0, 0));
    assert_eq!((t.grants(&other).len(), t.receipts(&other)), (1, 1));
    assert_eq!(t.invoices(&other)[0].gross, eur(0));
    assert!(t.last_notice().reason.contains("without money"), "{}", t.last_notice().reason);
}

fn money_that_comes_for_what_was_given_away_goes_back_alone(t: TestApp) {
    let (other, again) = given_away(&t);
    let mut late = again;
    late.txn_id = txn_id("after all");

    t.deliver_and_run(&Body::completed(&late, Means::Instant));
    t.deliver_and_run(&Body::refunded(&late, &t.movement("back", eur(49_00))));

    assert_eq!((t.status(&other), t.access(&other)), (OrderStatus::Paid, vec![GrantStatus::Active]));
    assert!(t.review_kinds(&other).contains(&ReviewKind::PaidTwice));
    assert_eq!(t.invoices(&other).len(), 1, "what was never invoiced is not credited");
}

fn a_refund_that_names_another_order_is_accepted_for_the_one_it_paid(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let (paid, other) = (t.order(&[(&font, 1)]), t.order(&[(&font, 1)]));
    let sale = t.pay(&paid);
    let refund = Body::refunded(&sale, &t.movement("all", eur(49_00)));
    let reference = other.id.to_string();
    t.set_aside(&refund.set("invoice", &reference).set("custom", &reference));

    accept(&t);

    assert_eq!((t.status(&paid), t.status(&other)), (OrderStatus::Refunded, OrderStatus::AwaitingPayment));
}

fn a_payment_without_an_amount_is_accepted_as_the_whole(t: TestApp) {
    let order = t.font_order();
    t.set_aside(&Body::completed(&t.sale_of(&order), Means::Instant).set("mc_gross", "49,00"));

    accept(&t);

    let paid = t.look(&order);
    assert_eq!((paid.status, paid.settled_minor, t.receipts(&order)), (OrderStatus::Paid, 49_00, 1));
}

fn a_button_without_an_amount_is_accepted_at_todays_price(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let sale = t.button_sale("silent", vec![Item::one("FONT", eur(49_00))]);
    t.set_aside(&Body::completed(&sale, Means::Instant).without("mc_gross"));

    accept(&t);

    let order = t.only_order();
    assert_eq!((order.status, order.settled_minor, t.grants(&order).len()), (OrderStatus::Paid, 49_00, 1));
}

fn money_for_an_unknown_item_is_accepted_and_nothing_is_delivered_for_it(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let items = vec![Item::one("FONT", eur(49_00)), Item::one("MUG", eur(12_00))];
    t.set_aside(&Body::completed(&t.button_sale("mug", items), Means::Instant));

    accept(&t);

    let order = t.only_order();
    let lines = t.lines(&order);
    let kinds: Vec<_> = lines.iter().map(|line| (line.kind, line.gross_minor)).collect();
    assert_eq!(kinds, [(LineKind::Product, 49_00), (LineKind::Unlisted, 12_00)]);
    assert_eq!((order.status, order.due_minor), (OrderStatus::Paid, 61_00));
    assert_eq!((t.grants(&order).len(), t.message_kinds(&order)), (1, vec![MessageKind::Receipt]));
    assert_eq!(t.invoices(&order)[0].gross, eur(61_00));
    let (_, desk) = t.owner();
    assert_eq!(desk.get(&format!("/admin/orders/{}", order.id)).status, StatusCode::OK);
    t.run_jobs();
}

fn money_for_nothing_by_name_is_accepted(t: TestApp) {
    let sale = t.button_sale("gift", vec![Item::one("", eur(5_00))]);
    t.set_aside(&Body::completed(&sale, Means::Instant).without("item_name").without("item_number"));

    accept(&t);

    let order = t.only_order();
    assert_eq!((order.status, order.due_minor, t.grants(&order).len()), (OrderStatus::Paid, 5_00, 0));
    let mail = t.mails_to("gift@example.com").pop().expect("a receipt");
    assert!(mail.text.contains("5.00"), "{}", mail.text);
}

fn money_movements_without_an_amount_wait_for_a_person(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);
    let refunded = |seed| Body::refunded(&sale, &t.movement(seed, eur(49_00)));
    let reversed = Body::reversed(&sale, &t.movement("pulled", eur(49_00)));

    t.set_aside(&refunded("back").without("mc_gross"));
    let why = t.set_aside(&reversed.without("mc_gross"));
    assert_eq!((why.as_str(), t.status(&order)), ("it names no amount", OrderStatus::Paid));

    accept(&t);
    assert_eq!((t.status(&order), t.look(&order).returned_minor), (OrderStatus::Refunded, 49_00));
}

fn what_was_never_announced_is_accepted_and_changes_nothing(t: TestApp) {
    let mut sale = t.button_sale("nobody", vec![Item::one("FONT", eur(49_00))]);
    sale.txn_id = txn_id("never told of");
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(49_00))));
    t.advance(Span::days(6));
    t.keep_house();
    assert_eq!(t.last_notice().state, NoticeState::Quarantined);

    try_again(&t, Again::Accept).expect("it is accepted");

    assert_eq!((t.last_notice().state, t.orders().len()), (NoticeState::Ignored, 0));
}

fn what_cannot_be_told_for_sure_is_not_accepted_and_stays_until_it_is_refused(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant).also("mc_gross", "0.01");
    let why = t.set_aside(&body);
    assert!(why.contains("mc_gross is there twice"), "{why}");

    for how in [Again::Accept, Again::Replay] {
        let refused = try_again(&t, how).expect_err("it cannot be read");
        let Failure::Problem(problem) = refused else { panic!("a problem was expected: {refused}") };
        assert_eq!(problem.code, Code::Conflict);
        assert!(problem.detail.contains("mc_gross"), "{}", problem.detail);
        assert_eq!(t.last_notice().state, NoticeState::Quarantined);
    }
    let id = t.last_notice().id;
    t.write(move |cx| desk_flow::refuse(cx, id, "paid by hand")).expect("refused");
    assert_eq!(
        (t.last_notice().state, t.status(&order)),
        (NoticeState::Refused, OrderStatus::AwaitingPayment)
    );
}

fn an_answered_case_ends_the_dispute(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);
    t.deliver_and_run(&Body::new_case(&sale, "PP-D-1", "dispute", t.now()));
    assert_eq!(t.payments(&order)[0].status, PaymentStatus::Disputed);
    let review = t.reviews(&order)[0].id;

    t.write(move |cx| app::reviews::flow::resolve(cx, review, "the buyer withdrew it").map(drop))
        .expect("answered");

    assert_eq!((t.payments(&order)[0].status, t.status(&order)), (PaymentStatus::Settled, OrderStatus::Paid));
}

fn every_part_that_is_pulled_back_is_asked_about(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);

    t.deliver_and_run(&Body::reversed(&sale, &t.movement("one", eur(10_00))));
    t.deliver_and_run(&Body::reversed(&sale, &t.movement("two", eur(5_00))));

    assert_eq!(t.review_kinds(&order), [ReviewKind::PartRefund, ReviewKind::PartRefund]);
    assert!(t.reviews(&order)[1].detail.contains("5.00 EUR"), "{}", t.reviews(&order)[1].detail);
}
