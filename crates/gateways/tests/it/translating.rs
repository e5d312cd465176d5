//! What each notification states.

use gateways::NoticeKind::{self, *};
use gateways::paypal_standard::{RECEIVER, names_only_us};
use gateways::{Mode, Notice};
use kernel::{Currency, Money};

use crate::{PAID, connection, one, paid_but, verified};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn status(changes: &[&str]) -> (NoticeKind, String) {
    let notice = one(&paid_but(changes));
    (notice.kind, notice.status)
}

fn ids(notice: &Notice) -> (Option<&str>, Option<&str>) {
    (notice.payment_id.as_deref(), notice.movement_id.as_deref())
}

#[test]
fn a_purchase_is_read_whole() {
    let notice = one(PAID);
    assert_eq!(notice.kind, PaymentPaid);
    assert_eq!(notice.status, "Completed");
    assert_eq!(notice.event_id, None);
    assert_eq!(ids(&notice), (Some("61E67681CH3238416"), None));
    assert_eq!(notice.merchant_ref.as_deref(), Some("ord_01HZX3"));
    assert_eq!(notice.occurred_at.unwrap().to_string(), "2026-01-14T04:12:59Z");
    assert_eq!((notice.amount, notice.fee), (Some(usd(1234)), Some(usd(88))));
    assert_eq!((notice.tax, notice.shipping), (None, None));
    assert_eq!(notice.receivers, ["seller@example.com", "S8XGHLYDW9T3S"]);
    assert_eq!(notice.buyer.email.unwrap().as_str(), "buyer@example.com");
    assert_eq!(notice.buyer.name.as_deref(), Some("Jörg Beispiel"));
    assert_eq!(notice.buyer.country.as_deref(), Some("US"));
    assert_eq!(notice.buyer.payer_id.as_deref(), Some("LPLWNMTBWMFAY"));
    assert_eq!(notice.lines.len(), 1);
    assert_eq!(notice.lines[0].sku, "VL59GOLD");
    assert_eq!(notice.lines[0].name.as_deref(), Some("Vector Gold 5.9"));
    assert_eq!((notice.lines[0].quantity, notice.lines[0].gross), (1, Some(usd(1234))));
}

#[test]
fn each_status_has_its_kind() {
    let table = [
        ("Completed", PaymentPaid),
        ("Pending", PaymentPending),
        ("Processed", PaymentPending),
        ("Created", PaymentPending),
        ("In-Progress", PaymentPending),
        ("Failed", PaymentFailed),
        ("Denied", PaymentFailed),
        ("Expired", PaymentExpired),
        ("Voided", PaymentExpired),
        ("Refunded", RefundCreated),
        ("Partially_Refunded", RefundCreated),
        ("Reversed", PaymentReversed),
        ("Canceled_Reversal", PaymentReversalCanceled),
    ];
    for (word, kind) in table {
        assert_eq!(status(&[&format!("payment_status={word}")]).0, kind, "{word}");
    }
}

#[test]
fn a_status_that_is_not_spelled_exactly_so_is_pending() {
    for word in [
        "completed",
        "Completed+",
        "+Completed",
        "Completed%00",
        "%D0%A1ompleted",
        "COMPLETED",
        "Paid",
        "Declined",
        "Completed%0A",
        "Complete",
    ] {
        assert_eq!(status(&[&format!("payment_status={word}")]).0, PaymentPending, "{word}");
    }
}

#[test]
fn an_echeck_is_pending_and_later_the_same_payment() {
    let pending = one(&paid_but(&[
        "payment_status=Pending",
        "pending_reason=echeck",
        "payment_type=echeck",
        "-mc_fee",
    ]));
    let cleared = one(&paid_but(&["payment_type=echeck"]));
    assert_eq!((pending.kind, pending.status.as_str()), (PaymentPending, "Pending: echeck"));
    assert_eq!(pending.fee, None);
    assert_eq!(pending.payment_id, cleared.payment_id);
    assert_eq!(cleared.kind, PaymentPaid);
}

#[test]
fn a_refund_names_the_payment_and_itself_and_is_positive() {
    let notice = one(&paid_but(&[
        "payment_status=Refunded",
        "reason_code=refund",
        "parent_txn_id=61E67681CH3238416",
        "txn_id=9AB12345CD678901E",
        "mc_gross=-5.00",
        "mc_fee=-0.30",
        "-txn_type",
    ]));
    assert_eq!((notice.kind, notice.status.as_str()), (RefundCreated, "Refunded: refund"));
    assert_eq!(ids(&notice), (Some("61E67681CH3238416"), Some("9AB12345CD678901E")));
    assert_eq!((notice.amount, notice.fee), (Some(usd(500)), Some(usd(30))));
    assert_eq!(notice.lines[0].gross, Some(usd(500)));
}

#[test]
fn a_reversal_and_its_cancellation_are_about_the_original_payment() {
    let moved = ["parent_txn_id=61E67681CH3238416", "mc_gross=-12.34", "reason_code=chargeback"];
    let reversed = one(&paid_but(&[&["payment_status=Reversed", "txn_id=1AA"], &moved[..]].concat()));
    let canceled =
        one(&paid_but(&[&["payment_status=Canceled_Reversal", "txn_id=2BB"], &moved[..]].concat()));
    assert_eq!((reversed.kind, reversed.status.as_str()), (PaymentReversed, "Reversed: chargeback"));
    assert_eq!(ids(&reversed), (Some("61E67681CH3238416"), Some("1AA")));
    assert_eq!(canceled.kind, PaymentReversalCanceled);
    assert_eq!(ids(&canceled), (Some("61E67681CH3238416"), Some("2BB")));
    assert_eq!(canceled.amount, Some(usd(1234)));
}

#[test]
fn a_new_case_opens_a_dispute_of_the_payment() {
    let notice = one(
        "txn_type=new_case&case_id=PP-D-4711&case_type=chargeback&txn_id=61E67681CH3238416&custom=ord_1\
        &case_creation_date=08%3A00%3A00+Feb+01%2C+2026+PST&receiver_email=seller%40example.com&charset=utf-8",
    );
    assert_eq!((notice.kind, notice.status.as_str()), (DisputeOpened, "new_case: chargeback"));
    assert_eq!(ids(&notice), (Some("61E67681CH3238416"), Some("PP-D-4711")));
    assert_eq!(notice.merchant_ref.as_deref(), Some("ord_1"));
    assert_eq!(notice.occurred_at.unwrap().to_string(), "2026-02-01T16:00:00Z");
    assert_eq!(notice.amount, None);
}

#[test]
fn an_amount_that_no_purchase_has_is_no_amount() {
    for gross in
        ["-12.34", "0.00", "1e3", "12,34", "12.345", "", "NaN", "%D9%A1%D9%A2", "99999999999999999999"]
    {
        let notice = one(&paid_but(&[&format!("mc_gross={gross}")]));
        assert_eq!((notice.kind, notice.amount), (PaymentPaid, None), "{gross}");
    }
    assert_eq!(one(&paid_but(&["mc_currency=usd"])).amount, None);
    assert_eq!(one(&paid_but(&["-mc_currency"])).amount, None);
}

#[test]
fn yen_have_no_decimals() {
    let yen = |minor| Some(Money::new(minor, Currency::parse("JPY").unwrap()));
    assert_eq!(one(&paid_but(&["mc_currency=JPY", "mc_gross=1980", "mc_fee=111"])).amount, yen(1980));
    assert_eq!(one(&paid_but(&["mc_currency=JPY", "mc_gross=49.00"])).amount, yen(49));
    assert_eq!(one(&paid_but(&["mc_currency=JPY", "mc_gross=49.50"])).amount, None);
}

#[test]
fn a_cart_has_its_lines_with_their_options() {
    let notice = one(&paid_but(&[
        "txn_type=cart",
        "-item_name",
        "-item_number",
        "-quantity",
        "num_cart_items=2",
        "mc_gross=21.50",
        "tax=1.50",
        "mc_shipping=2.00",
        "mc_handling=1.00",
        "item_name1=Font",
        "item_number1=FONT",
        "quantity1=3",
        "mc_gross_1=9.00",
        "option_name1_1=License",
        "option_selection1_1=Desktop",
        "option_name2_1=Seats",
        "option_selection2_1=5",
        "item_name2=Book",
        "item_number2=BOOK",
        "quantity2=1",
        "mc_gross_2=11.00",
        "mc_shipping2=2.00",
        "mc_handling2=1.00",
        "option_name1_2=Format",
        "option_selection1_2=EPUB",
    ]));
    assert_eq!(
        (notice.amount, notice.tax, notice.shipping),
        (Some(usd(2150)), Some(usd(150)), Some(usd(300)))
    );
    let lines: Vec<_> =
        notice.lines.iter().map(|line| (line.sku.as_str(), line.quantity, line.gross)).collect();
    assert_eq!(lines, [("FONT", 3, Some(usd(900))), ("BOOK", 1, Some(usd(800)))]);
    let options = |line: usize| {
        notice.lines[line].attributes.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>()
    };
    assert_eq!(options(0), ["License=Desktop", "Seats=5"]);
    assert_eq!(options(1), ["Format=EPUB"]);
}

#[test]
fn a_cart_of_eleven_keeps_the_options_of_items_one_and_eleven_apart() {
    let items: String = (1..=11)
        .map(|n| format!("&item_number{n}=S{n}&option_name1_{n}=No&option_selection1_{n}={n}"))
        .collect();
    let body =
        format!("{}{items}", paid_but(&["-item_name", "-item_number", "txn_type=cart", "num_cart_items=11"]));
    let notice = one(&body);
    let choices: Vec<_> = notice.lines.iter().map(|line| line.attributes["No"].as_str()).collect();
    assert_eq!(choices, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
}

#[test]
fn a_single_item_has_options_and_its_gross_without_shipping() {
    let notice = one(&paid_but(&[
        "option_name1=Edition",
        "option_selection1=Gold",
        "option_name2=Gift",
        "shipping=2.00",
        "handling_amount=0.34",
    ]));
    assert_eq!(notice.lines[0].gross, Some(usd(1000)));
    assert_eq!(notice.shipping, Some(usd(234)));
    assert_eq!(notice.lines[0].attributes["Edition"], "Gold");
    assert_eq!(notice.lines[0].attributes["Gift"], "");
}

#[test]
fn a_quantity_is_at_least_one() {
    for (text, quantity) in [("0", 1), ("", 1), ("-3", 1), ("1.5", 1), ("7", 7), ("99999999999", 1)] {
        assert_eq!(one(&paid_but(&[&format!("quantity={text}")])).lines[0].quantity, quantity, "{text}");
    }
}

#[test]
fn a_subscription_is_told_step_by_step() {
    let table = [
        ("subscr_signup", SubscriptionCreated),
        ("subscr_modify", SubscriptionChanged),
        ("subscr_failed", SubscriptionPaymentFailed),
        ("subscr_cancel", SubscriptionCanceled),
        ("subscr_eot", SubscriptionExpired),
        ("recurring_payment_profile_created", SubscriptionCreated),
        ("recurring_payment_skipped", SubscriptionPaymentFailed),
        ("recurring_payment_suspended_due_to_max_failed_payment", SubscriptionSuspended),
        ("recurring_payment_profile_cancel", SubscriptionCanceled),
        ("recurring_payment_expired", SubscriptionExpired),
    ];
    for (word, kind) in table {
        let body = format!(
            "txn_type={word}&subscr_id=I-ABC&subscr_date=20%3A12%3A59+Jan+13%2C+2026+PST&mc_amount3=5.00"
        );
        let notice = one(&body);
        assert_eq!((notice.kind, notice.amount), (kind, None), "{word}");
        assert_eq!(notice.subscription_id.as_deref(), Some("I-ABC"));
        assert!(notice.occurred_at.is_some());
    }
}

#[test]
fn a_paid_period_is_a_payment_that_names_its_subscription() {
    let button = one(&paid_but(&["txn_type=subscr_payment", "subscr_id=I-ABC"]));
    let express = one(&paid_but(&[
        "txn_type=recurring_payment",
        "recurring_payment_id=I-DEF",
        "payment_status=Pending",
    ]));
    assert_eq!((button.kind, button.subscription_id.as_deref()), (PaymentPaid, Some("I-ABC")));
    assert_eq!((express.kind, express.subscription_id.as_deref()), (PaymentPending, Some("I-DEF")));
}

#[test]
fn an_unknown_type_is_of_no_interest_unless_it_is_about_a_payment() {
    assert!(verified("txn_type=mp_signup&mp_id=B-1").is_empty());
    assert!(verified("txn_type=brand_new_thing&x=1").is_empty());
    assert!(verified("anything=else").is_empty());
    assert_eq!(status(&["txn_type=brand_new_thing"]).0, PaymentPaid);
    assert_eq!(status(&["-txn_type"]).0, PaymentPaid);
}

#[test]
fn money_that_the_account_pays_out_is_nobodys_purchase() {
    assert!(verified(&paid_but(&["txn_type=masspay"])).is_empty());
    let adjusted =
        one(&paid_but(&["txn_type=adjustment", "parent_txn_id=61E", "txn_id=9ZZ", "mc_gross=-12.34"]));
    assert_eq!((adjusted.kind, adjusted.amount), (PaymentPending, None));
    assert_eq!(ids(&adjusted), (Some("61E"), Some("9ZZ")));
}

#[test]
fn unusable_details_of_the_buyer_are_left_out() {
    let notice = one(&paid_but(&[
        "payer_email=nobody",
        "residence_country=usa",
        "-address_country_code",
        "-first_name",
        "-last_name",
    ]));
    assert_eq!((notice.buyer.email, notice.buyer.country), (None, None));
    assert_eq!(notice.buyer.name.as_deref(), Some("Jörg Beispiel"));
}

#[test]
fn without_an_invoice_the_custom_field_is_the_reference() {
    assert_eq!(one(&paid_but(&["-invoice", "custom=ord_7"])).merchant_ref.as_deref(), Some("ord_7"));
    assert_eq!(one(&paid_but(&["invoice=", "custom="])).merchant_ref, None);
}

#[test]
fn every_named_receiver_must_be_ours() {
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let on = |receiver| connection(Mode::Live, &[(RECEIVER, receiver)]);
    let address = on("seller@example.com");
    let both = on("seller@example.com, S8XGHLYDW9T3S");
    assert!(names_only_us(&named(&["Seller@Example.com", "S8XGHLYDW9T3S"]), &address));
    assert!(names_only_us(&named(&["seller@example.com", "S8XGHLYDW9T3S"]), &both));
    assert!(!names_only_us(&named(&["seller@example.com", "AAAAAAAAAAAAA"]), &both));
    assert!(!names_only_us(&named(&["thief@example.com", "seller@example.com"]), &address));
    assert!(!names_only_us(&named(&["S8XGHLYDW9T3S"]), &address));
    assert!(!names_only_us(&[], &both));
    assert!(!names_only_us(&named(&["seller@example.com"]), &on("")));
}
