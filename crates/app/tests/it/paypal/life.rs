//! What becomes of a payment over the days: checks that clear or bounce, refunds, reversals, cases.

use app::fulfillment::GrantStatus;
use app::messages::MessageKind;
use app::notices::NoticeState;
use app::orders::OrderStatus;
use app::payments::PaymentStatus;
use app::reviews::ReviewKind;
use http::StatusCode;
use kernel::Span;
use paysim::ipn::{Body, Item, Means};

use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    an_echeck_that_clears_days_later_delivers_then_and_once,
    an_echeck_that_bounces_delivers_nothing,
    every_other_reason_to_wait_delivers_nothing,
    every_way_to_come_to_nothing_leaves_nothing,
    a_refused_try_and_a_good_one_deliver_once,
    a_whole_refund_takes_everything_back,
    a_part_refund_asks_a_person_and_its_rest_takes_everything_back,
    pulled_back_money_holds_everything_until_it_is_there_again,
    money_that_is_pulled_back_for_good_stays_on_hold,
    a_new_case_is_shown_and_takes_nothing_yet,
    a_case_without_its_payment_waits_for_it_and_then_for_a_person,
    a_cart_delivers_every_unit_of_every_item,
    an_unknown_type_is_of_no_interest,
    an_unknown_type_with_money_is_money,
    an_unknown_status_is_pending,
    money_for_an_order_that_was_given_up_delivers_and_is_shown,
}

fn an_echeck_that_clears_days_later_delivers_then_and_once(t: TestApp) {
    let order = t.font_order();
    let sale = t.sale_of(&order);

    t.deliver_and_run(&Body::pending(&sale, Means::Echeck, "echeck"));
    assert_eq!((t.status(&order), t.grants(&order).len()), (OrderStatus::Pending, 0));
    assert_eq!(t.message_kinds(&order), [MessageKind::PaymentPending]);

    t.advance(Span::days(6));
    t.deliver_and_run(&Body::completed(&sale, Means::Echeck));
    let paid = t.look(&order);
    assert_eq!((paid.status, t.receipts(&order)), (OrderStatus::Paid, 1));
    assert_eq!(t.payments(&order).len(), 1, "the same transaction, told twice");
    assert!(
        t.grant(&order).expires_at >= t.now() + Span::days(3) - Span::seconds(5),
        "a whole life from now"
    );
    assert_eq!(t.get(&format!("/d/{}", t.link(&t.grant(&order)))).status, StatusCode::OK);

    t.deliver_and_run(&Body::pending(&sale, Means::Echeck, "echeck").set("resend", "true"));
    assert_eq!((t.status(&order), t.mailbox().len()), (OrderStatus::Paid, 2));
}

fn an_echeck_that_bounces_delivers_nothing(t: TestApp) {
    let order = t.font_order();
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::pending(&sale, Means::Echeck, "echeck"));
    t.advance(Span::days(6));

    t.deliver_and_run(&Body::with_status(&sale, Means::Echeck, "Failed"));

    assert_eq!((t.status(&order), t.grants(&order).len()), (OrderStatus::Void, 0));
    assert_eq!(t.message_kinds(&order), [MessageKind::PaymentPending, MessageKind::PaymentFailed]);
    assert_eq!(t.invoices(&order).len(), 0);
}

fn every_other_reason_to_wait_delivers_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let reasons =
        ["paymentreview", "multi_currency", "unilateral", "verify", "authorization", "other", "new_one"];

    let seen = reasons.map(|reason| {
        let order = t.order(&[(&font, 1)]);
        t.deliver_and_run(&Body::pending(&t.sale_of(&order), Means::Instant, reason));
        (t.status(&order), t.grants(&order).len())
    });

    assert_eq!(seen, [(OrderStatus::Pending, 0); 7]);
}

fn every_way_to_come_to_nothing_leaves_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));

    let seen = ["Failed", "Denied", "Expired", "Voided"].map(|status| {
        let order = t.order(&[(&font, 1)]);
        t.deliver_and_run(&Body::with_status(&t.sale_of(&order), Means::Instant, status));
        (t.status(&order), t.payments(&order)[0].status, t.grants(&order).len(), t.messages(&order).len())
    });

    let nothing = |status| (OrderStatus::Void, status, 0, 0);
    let (failed, expired) = (nothing(PaymentStatus::Failed), nothing(PaymentStatus::Expired));
    assert_eq!(seen, [failed, failed, expired, expired]);
}

fn a_refused_try_and_a_good_one_deliver_once(t: TestApp) {
    let order = t.font_order();
    let mut first = t.sale_of(&order);
    first.txn_id = paysim::ipn::txn_id("first try");
    t.deliver_and_run(&Body::with_status(&first, Means::Instant, "Denied"));
    assert_eq!(t.status(&order), OrderStatus::Void);

    t.pay(&order);
    t.deliver_and_run(&Body::with_status(&first, Means::Instant, "Denied").set("resend", "true"));

    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Paid, vec![GrantStatus::Active]));
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt]);
}

fn a_whole_refund_takes_everything_back(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);
    let landing = format!("/d/{}", t.link(&t.grant(&order)));

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("all", eur(49_00))));

    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Refunded, vec![GrantStatus::Revoked]));
    assert_eq!(t.get(&landing).status, StatusCode::GONE);
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt, MessageKind::Refunded]);
    let documents: Vec<i64> = t.invoices(&order).iter().map(|document| document.gross.minor).collect();
    assert_eq!(documents, [49_00, 49_00], "an invoice and its credit note");
}

fn a_part_refund_asks_a_person_and_its_rest_takes_everything_back(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("part", eur(10_00))));
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("part", eur(10_00))).set("resend", "true"));
    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Paid, vec![GrantStatus::Active]));
    assert_eq!(t.payments(&order)[0].status, PaymentStatus::PartlyRefunded);
    assert_eq!(t.review_kinds(&order), [ReviewKind::PartRefund]);
    assert_eq!(t.look(&order).returned_minor, 10_00);

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("rest", eur(39_00))));
    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Refunded, vec![GrantStatus::Revoked]));
    assert_eq!(t.payments(&order)[0].status, PaymentStatus::Refunded);
}

fn pulled_back_money_holds_everything_until_it_is_there_again(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);
    let landing = format!("/d/{}", t.link(&t.grant(&order)));

    t.deliver_and_run(&Body::reversed(&sale, &t.movement("pulled", eur(49_00))));
    assert_eq!(t.access(&order), [GrantStatus::Suspended]);
    assert_eq!(t.get(&landing).status, StatusCode::GONE);

    t.advance(Span::days(40));
    t.deliver_and_run(&Body::canceled_reversal(&sale, &t.movement("again", eur(49_00))));
    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Paid, vec![GrantStatus::Active]));
    assert_eq!(t.get(&landing).status, StatusCode::OK, "the link that was mailed lives again");
    assert_eq!(
        t.message_kinds(&order),
        [MessageKind::Receipt, MessageKind::Suspended, MessageKind::Reinstated]
    );
    assert_eq!(t.invoices(&order).len(), 3);
}

fn money_that_is_pulled_back_for_good_stays_on_hold(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);

    t.deliver_and_run(&Body::reversed(&sale, &t.movement("pulled", eur(49_00))));
    t.advance(Span::days(90));
    t.run_jobs();

    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Refunded, vec![GrantStatus::Suspended]));
}

fn a_new_case_is_shown_and_takes_nothing_yet(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);

    t.deliver_and_run(&Body::new_case(&sale, "PP-D-1", "complaint", t.now()));
    t.deliver_and_run(&Body::new_case(&sale, "PP-D-1", "complaint", t.now()).set("resend", "true"));

    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Paid, vec![GrantStatus::Active]));
    assert_eq!(t.payments(&order)[0].status, PaymentStatus::Disputed);
    assert_eq!(t.review_kinds(&order), [ReviewKind::Dispute]);
}

fn a_case_without_its_payment_waits_for_it_and_then_for_a_person(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let sale = t.button_sale("late", vec![Item::one("FONT", eur(49_00))]);
    let strange = t.button_sale("never", vec![Item::one("FONT", eur(49_00))]);

    t.deliver_and_run(&Body::new_case(&sale, "PP-D-2", "chargeback", t.now()));
    t.deliver_and_run(&Body::new_case(&strange, "PP-D-3", "chargeback", t.now()));
    assert_eq!(t.notice_states(), [NoticeState::Unmatched; 2]);
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));
    t.advance(Span::days(6));
    t.run_jobs();

    let order = t.only_order();
    assert_eq!(t.review_kinds(&order), [ReviewKind::Dispute]);
    assert_eq!(t.notice_states(), [NoticeState::Applied, NoticeState::Quarantined, NoticeState::Applied]);
}

fn a_cart_delivers_every_unit_of_every_item(t: TestApp) {
    let font = t.product(NewGood::of("FONT").priced(&[eur(49_00)]));
    let map = t.product(NewGood::of("MAP").priced(&[eur(5_00)]));
    let order = t.order(&[(&font, 1), (&map, 3)]);
    let body = Body::completed(&t.sale_of(&order), Means::Instant);
    assert_eq!((body.get("txn_type"), body.get("mc_gross")), (Some("cart"), Some("64.00")));

    t.deliver_and_run(&body);

    assert_eq!((t.status(&order), t.access(&order)), (OrderStatus::Paid, vec![GrantStatus::Active; 4]));
    let mut numbers: Vec<u32> = t.grants(&order).iter().map(|grant| grant.unit_no).collect();
    numbers.sort_unstable();
    assert_eq!((numbers, t.mailbox().len()), (vec![1, 1, 2, 3], 1));
}

fn an_unknown_type_is_of_no_interest(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant).without("payment_status");
    let before = t.business_state();

    let types = ["subscr_signup", "subscr_eot", "mp_cancel", "a_type_of_2031", ""];
    types.iter().for_each(|kind| t.deliver_and_run(&body.clone().set("txn_type", kind)));
    t.deliver_and_run(&body.set("txn_type", "masspay").set("payment_status", "Completed"));

    assert_eq!(t.notice_states(), [NoticeState::Ignored; 6]);
    assert_eq!(t.business_state(), before);
}

fn an_unknown_type_with_money_is_money(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);

    t.deliver_and_run(&body.set("txn_type", "a_type_of_2031").set("a_field_of_2031", "whatever"));

    assert_eq!(t.status(&order), OrderStatus::Paid);
}

fn an_unknown_status_is_pending(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));

    let seen = ["Processed", "Created", "In-Progress", "Held_2031"].map(|status| {
        let order = t.order(&[(&font, 1)]);
        let sale = t.sale_of(&order);
        t.deliver_and_run(&Body::with_status(&sale, Means::Instant, status));
        let before = (t.status(&order), t.grants(&order).len());
        t.deliver_and_run(&Body::completed(&sale, Means::Instant));
        (before, t.status(&order))
    });

    assert_eq!(seen, [((OrderStatus::Pending, 0), OrderStatus::Paid); 4]);
}

fn money_for_an_order_that_was_given_up_delivers_and_is_shown(t: TestApp) {
    let order = t.font_order();
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::with_status(&sale, Means::Echeck, "Expired"));
    assert_eq!(t.status(&order), OrderStatus::Void);
    t.advance(Span::days(20));

    t.deliver_and_run(&Body::completed(&sale, Means::Echeck));

    assert_eq!((t.status(&order), t.receipts(&order)), (OrderStatus::Paid, 1));
    assert_eq!(t.review_kinds(&order), [ReviewKind::LateMoney]);
}
