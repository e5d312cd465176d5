//! The bytes that came are the bytes that are kept and asked about, however they are written.

use app::notices::NoticeState;
use app::orders::OrderStatus;
use http::StatusCode;
use paysim::ipn::{Body, Charset, Item, Means};

use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_payment_counts_however_its_body_is_written,
    what_is_kept_is_what_came_byte_for_byte,
    one_byte_that_says_the_same_in_another_way_is_another_body,
    a_name_is_read_in_the_charset_that_the_body_names,
    a_field_with_two_meanings_pays_nothing_and_waits_for_a_person,
    a_body_that_brings_the_command_of_the_question_pays_nothing,
    a_body_beyond_what_paypal_sends_pays_nothing,
    letters_of_databases_and_pages_in_a_field_are_letters,
    a_status_that_only_looks_like_completed_delivers_nothing,
}

/// Another way to write the same body.
type Rewriting = fn(&[u8]) -> Vec<u8>;

/// Ways to write one body that no well-meaning re-encoder would give back.
const WRITTEN: [Rewriting; 9] = [
    |body| replaced(body, "%3A", "%3a"),
    |body| replaced(body, "payment_status=Completed", "payment%5Fstatus=%43ompleted"),
    |body| replaced(body, "+", "%20"),
    |body| replaced_bytes(body, b"%F6", b"\xF6"),
    |body| [body, b"&memo=100%&note=%zz"].concat(),
    |body| [b"&&", body, b"&"].concat(),
    |body| [body, b"&empty=&bare&=nameless"].concat(),
    |body| replaced(body, "%40", "@"),
    reversed,
];

fn replaced(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    replaced_bytes(body, from.as_bytes(), to.as_bytes())
}

fn replaced_bytes(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        written.extend_from_slice(&rest[..at]);
        written.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    written.extend_from_slice(rest);
    assert_ne!(written, body, "this way of writing changes nothing");
    written
}

/// The same fields, the last one first.
fn reversed(body: &[u8]) -> Vec<u8> {
    let mut fields: Vec<&[u8]> = body.split(|byte| *byte == b'&').collect();
    fields.reverse();
    fields.join(&b'&')
}

fn a_payment_counts_however_its_body_is_written(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));

    let paid = WRITTEN.map(|write| {
        let order = t.order(&[(&font, 1)]);
        t.deliver_bytes(&write(&Body::completed(&t.sale_of(&order), Means::Instant).encode()));
        (t.status(&order), t.grants(&order).len())
    });

    assert_eq!(paid, [(OrderStatus::Paid, 1); 9]);
    assert_eq!(t.notice_states(), [NoticeState::Applied; 9]);
    assert_eq!(t.mailbox().len(), 9);
}

fn what_is_kept_is_what_came_byte_for_byte(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant).encode();
    let came = [b"&&".as_slice(), &replaced_bytes(&body, b"%F6", b"\xF6"), b"&junk=%00%ff%zz&"].concat();

    t.deliver_bytes(&came);

    assert_eq!(t.stored_bytes(&t.last_notice()), came);
    assert_eq!(t.paypal.postbacks(), 1, "PayPal confirms no other bytes than those it sent");
    assert_eq!(t.status(&order), OrderStatus::Paid);
}

fn one_byte_that_says_the_same_in_another_way_is_another_body(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant).encode();
    t.paypal.issue(&body);
    let before = t.business_state();

    let reply = t.post_notice(replaced(&body, "%3A", "%3a"));
    t.run_jobs();

    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(t.notice_states(), [NoticeState::Forged]);
    assert_eq!(t.business_state(), before);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    assert_eq!(t.status(&order), OrderStatus::Paid, "a forgery is not in the way of the true one");
}

fn a_name_is_read_in_the_charset_that_the_body_names(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let sale = |seed: &str, charset: Charset| {
        let mut sale = t.button_sale(seed, vec![Item::one("FONT", eur(49_00))]);
        sale.charset = charset;
        Body::completed(&sale, Means::Instant)
    };

    t.deliver_and_run(&sale("western", Charset::Windows1252));
    t.deliver_and_run(&sale("unicode", Charset::Utf8));
    t.deliver_and_run(&sale("silent", Charset::Windows1252).without("charset"));
    t.deliver_and_run(&sale("strange", Charset::Windows1252).set("charset", "x-no-such-thing"));

    let names: Vec<String> = t.orders().into_iter().map(|order| order.buyer_name).collect();
    assert_eq!(names, ["Jörg Beispiel"; 4]);
    let mail = t.mails_to("western@example.com").pop().expect("a receipt");
    assert!(mail.text.contains("Jörg"), "{}", mail.text);
}

fn a_field_with_two_meanings_pays_nothing_and_waits_for_a_person(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);

    let amount = t.set_aside(&body.clone().also("mc_gross", "0.01"));
    let status = t.set_aside(&body.clone().also("payment_status", "Refunded"));

    assert!(amount.contains("mc_gross is there twice"), "{amount}");
    assert!(status.contains("payment_status is there twice"), "{status}");
    assert_eq!(t.paypal.postbacks(), 2, "PayPal is asked first");
    t.deliver_and_run(&body.also("memo", "one").also("memo", "two"));
    assert_eq!(t.status(&order), OrderStatus::Paid, "what nobody reads does no harm");
}

fn a_body_that_brings_the_command_of_the_question_pays_nothing(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);

    t.deliver_and_run(&body.also("cmd", "_notify-validate"));

    assert_eq!((t.notice_states(), t.paypal.postbacks()), (vec![NoticeState::Forged], 0));
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
}

fn a_body_beyond_what_paypal_sends_pays_nothing(t: TestApp) {
    let order = t.font_order();
    let body = Body::completed(&t.sale_of(&order), Means::Instant);
    let long = body.clone().also("memo", &"x".repeat(130 * 1024)).encode();
    let endless = body.also("memo", &"x".repeat(2 * 1024 * 1024)).encode();

    t.paypal.issue(&long);
    let refused = [long, endless].map(|bytes| t.post_notice(bytes).status);
    t.run_jobs();

    assert_eq!(refused, [StatusCode::PAYLOAD_TOO_LARGE; 2]);
    assert_eq!((t.notices().len(), t.paypal.postbacks()), (0, 0));
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
}

fn letters_of_databases_and_pages_in_a_field_are_letters(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let mut sale = t.button_sale("odd", vec![Item::one("FONT", eur(49_00))]);
    sale.buyer.first_name = "'); DROP TABLE orders;--".to_owned();
    sale.buyer.last_name = "<script>{{ 7*7 }}</script>$1 %s".to_owned();
    sale.txn_id = "T' OR 1=1; --".to_owned();

    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    let order = t.only_order();
    assert_eq!(order.buyer_name, "'); DROP TABLE orders;-- <script>{{ 7*7 }}</script>$1 %s");
    assert_eq!(t.payments(&order)[0].gateway_ref, "T' OR 1=1; --");
    let mail = t.mails_to("odd@example.com").pop().expect("a receipt");
    let html = mail.html.expect("a page beside the text");
    assert!(!html.contains("<script>") && !html.contains("49</script>"), "{html}");
}

fn a_status_that_only_looks_like_completed_delivers_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));

    let seen = ["completed", "COMPLETED", "Completed ", "Completed\0", "\u{421}ompleted"].map(|status| {
        let order = t.order(&[(&font, 1)]);
        let mut sale = t.sale_of(&order);
        sale.charset = Charset::Utf8;
        t.deliver_and_run(&Body::completed(&sale, Means::Instant).set("payment_status", status));
        (t.status(&order), t.grants(&order).len())
    });

    assert_eq!(seen, [(OrderStatus::Pending, 0); 5]);
}
