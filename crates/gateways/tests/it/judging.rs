//! Nothing counts before PayPal has confirmed the exact bytes.

use gateways::paypal_standard::{ENDPOINT, PaypalStandard, RECEIVER};
use gateways::{Connection, Exchange, Gateway, Judgment, Mode, Outcome, Request};

use crate::{PAID, SELLER, answer, connection, judge, one, paid_but, post, sandbox};

fn asked(judgment: Judgment) -> Request {
    match judgment {
        Judgment::Needs(request) => request,
        other => panic!("expected a question to PayPal, got {other:?}"),
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_very_bytes_go_back_with_the_command_before_them() {
    let odd = b"b=2&a=%6a%6A+x&empty=&&=&charset=gb2312&n=%00\xff";
    let request = asked(judge(odd, &[]));
    assert_eq!(request.body, [b"cmd=_notify-validate&".as_slice(), odd].concat());
    assert_eq!(request.method, "POST");
    assert_eq!(header(&request, "Content-Type"), Some("application/x-www-form-urlencoded"));
    assert!(header(&request, "User-Agent").is_some_and(|agent| !agent.is_empty()));
}

#[test]
fn the_connection_alone_says_which_paypal_is_asked() {
    let live = connection(Mode::Live, &[(RECEIVER, SELLER)]);
    let live_bent = connection(Mode::Live, &[(RECEIVER, SELLER), (ENDPOINT, "http://127.0.0.1:9")]);
    let simulated = connection(Mode::Test, &[(RECEIVER, SELLER), (ENDPOINT, "http://127.0.0.1:9")]);
    let url = |on: &Connection| asked(PaypalStandard.judge(&post(PAID.as_bytes()), on, &[])).url;
    assert_eq!(url(&sandbox()), "https://ipnpb.sandbox.paypal.com/cgi-bin/webscr");
    assert_eq!(url(&live), "https://ipnpb.paypal.com/cgi-bin/webscr");
    assert_eq!(url(&live_bent), "https://ipnpb.paypal.com/cgi-bin/webscr");
    assert_eq!(url(&simulated), "http://127.0.0.1:9/cgi-bin/webscr");
}

#[test]
fn what_paypal_does_not_know_is_forged() {
    assert!(matches!(judge(PAID.as_bytes(), &answer(200, "INVALID")), Judgment::Forged(_)));
}

#[test]
fn any_other_answer_decides_nothing() {
    let others = [
        (200, ""),
        (200, "VERIFIED\n"),
        (200, "verified"),
        (200, "INVALID "),
        (200, "<html>VERIFIED</html>"),
        (503, "VERIFIED"),
        (500, "INVALID"),
        (302, ""),
        (204, "VERIFIED"),
    ];
    let judgments = others.map(|(status, body)| judge(PAID.as_bytes(), &answer(status, body)));
    assert!(judgments.iter().all(|judgment| matches!(judgment, Judgment::Later(_))), "{judgments:?}");
}

#[test]
fn an_answer_to_another_question_is_none() {
    let other = [Exchange { purpose: "paypal-pdt", status: 200, body: b"VERIFIED".to_vec() }];
    asked(judge(PAID.as_bytes(), &other));
}

#[test]
fn the_last_answer_counts() {
    let earlier = [answer(503, ""), answer(200, "VERIFIED")].concat();
    assert!(matches!(judge(PAID.as_bytes(), &earlier), Judgment::Authentic(_)));
}

#[test]
fn the_notice_tells_the_sandbox_from_the_live_side() {
    assert_eq!(one(PAID).test, Some(true));
    assert_eq!(one(&paid_but(&["-test_ipn"])).test, Some(false));
    assert_eq!(one(&paid_but(&["test_ipn=0"])).test, Some(false));
    assert_eq!(one(&paid_but(&["test_ipn=yes"])).test, Some(true));
}

#[test]
fn a_field_with_two_values_is_asked_about_and_then_shown_to_a_person() {
    for pair in
        ["mc_gross=0.01", "mc%5fgross=0.01", "payment_status=Refunded", "invoice=ord_2", "charset=utf-8"]
    {
        let body = format!("{PAID}&{pair}");
        asked(judge(body.as_bytes(), &[]));
        let judgment = judge(body.as_bytes(), &answer(200, "VERIFIED"));
        assert!(
            matches!(&judgment, Judgment::Unreadable(why) if why.contains("twice")),
            "{pair}: {judgment:?}"
        );
        assert!(matches!(judge(body.as_bytes(), &answer(200, "INVALID")), Judgment::Forged(_)));
    }
}

#[test]
fn a_field_that_is_there_twice_without_a_second_meaning_is_no_hindrance() {
    for pairs in ["mc_gross=12.34", "memo=one&memo=two", "payment_status=Completed"] {
        assert_eq!(one(&format!("{PAID}&{pairs}")).amount.map(|amount| amount.minor), Some(12_34));
    }
}

#[test]
fn what_was_confirmed_before_is_read_without_a_question() {
    let read = PaypalStandard.statements(&post(PAID.as_bytes()), &sandbox()).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].payment_id, one(PAID).payment_id);
}

#[test]
fn a_body_that_brings_its_own_command_is_refused() {
    let judgment = judge(format!("cmd=_notify-validate&{PAID}").as_bytes(), &answer(200, "VERIFIED"));
    assert!(matches!(judgment, Judgment::Forged(_)));
}

#[test]
fn a_thousand_unknown_fields_are_no_hindrance() {
    let many: String = (0..1_000).map(|number| format!("&extra_{number}={number}")).collect();
    assert_eq!(one(&format!("{PAID}{many}")).merchant_ref.as_deref(), Some("ord_01HZX3"));
}

#[test]
fn only_what_is_stored_is_acknowledged() {
    let status = |outcome| PaypalStandard.acknowledge(&post(PAID.as_bytes()), outcome).status;
    assert_eq!(status(Outcome::Stored), 200);
    assert!(status(Outcome::NotStored) >= 500);
    assert!(status(Outcome::Refused) >= 400);
}
