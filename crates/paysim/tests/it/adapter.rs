//! The adapter's form can be paid here, and it understands what is said about it.

use std::collections::BTreeMap;

use gateways::NoticeKind::{self, *};
use gateways::paypal_standard::{ENDPOINT, POSTBACK, PaypalStandard, RECEIVER};
use gateways::{
    Checkout, CheckoutLine, Connection, Exchange, Gateway, Judgment, Mode, Notice, Opening, RawPost, Step,
};
use kernel::{ConnectionId, Currency, Money};
use paysim::ipn::{Buyer, account_id};
use paysim::{Book, Choice};

use crate::{SELLER, start};

fn connection() -> Connection {
    let settings = [(RECEIVER, SELLER), (ENDPOINT, "http://127.0.0.1:9")];
    Connection {
        id: ConnectionId::from_bits(1),
        mode: Mode::Test,
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        secrets: BTreeMap::new(),
    }
}

fn line(sku: &str, quantity: u32, minor: i64) -> CheckoutLine {
    CheckoutLine {
        sku: sku.to_owned(),
        name: format!("Größe {sku}"),
        quantity,
        unit: Money::new(minor, Currency::EUR),
        recurring: None,
    }
}

fn form(lines: Vec<CheckoutLine>, tax: i64) -> Vec<(String, String)> {
    let wanted = Checkout {
        merchant_ref: "ord_1".to_owned(),
        currency: Currency::EUR,
        lines,
        tax: Money::new(tax, Currency::EUR),
        notify_url: "http://127.0.0.1:9/hooks/con_1".to_owned(),
        return_url: "http://127.0.0.1:9/thanks".to_owned(),
        cancel_url: "http://127.0.0.1:9/cart".to_owned(),
        locale: None,
        email: None,
        idempotency_key: "ord_1".to_owned(),
        expires_at: start(),
    };
    match PaypalStandard.checkout(&wanted, &connection(), &[]) {
        Ok(Step::Done(Opening::Form { action, fields })) => {
            assert_eq!(action, "http://127.0.0.1:9/cgi-bin/webscr");
            fields
        }
        other => panic!("expected a form, got {other:?}"),
    }
}

/// Judges a body with the answer that the book gives to the adapter's own question.
fn judged(book: &Book, body: &[u8]) -> Judgment {
    let post = RawPost {
        method: "POST".to_owned(),
        target: "/hooks/con_1".to_owned(),
        headers: Vec::new(),
        body: body.to_vec(),
        received_at: start(),
    };
    let Judgment::Needs(question) = PaypalStandard.judge(&post, &connection(), &[]) else {
        panic!("no question")
    };
    let echoed =
        question.body.strip_prefix(b"cmd=_notify-validate&".as_slice()).expect("the command comes first");
    let answer = if book.has_issued(echoed) { "VERIFIED" } else { "INVALID" };
    let exchange = Exchange { purpose: POSTBACK, status: 200, body: answer.as_bytes().to_vec() };
    PaypalStandard.judge(&post, &connection(), &[exchange])
}

fn notices(book: &Book) -> Vec<Notice> {
    let stated = book.notices().flat_map(|notice| match judged(book, &notice.body) {
        Judgment::Authentic(stated) => stated,
        other => panic!("{:?} was judged {other:?}", notice.about),
    });
    stated.collect()
}

fn kinds(book: &Book) -> Vec<NoticeKind> {
    notices(book).iter().map(|notice| notice.kind).collect()
}

#[test]
fn a_cart_comes_back_as_it_went() {
    let mut book = Book::default();
    let fields = form(vec![line("FONT", 3, 500), line("BOOK", 1, 1990)], 95);
    let txn_id = book.pay(&fields, Choice::Now, Buyer::default(), start()).unwrap();
    let notice = notices(&book).remove(0);
    assert_eq!((notice.kind, notice.payment_id.as_deref()), (PaymentPaid, Some(txn_id.as_str())));
    assert_eq!(
        (notice.amount, notice.tax),
        (Some(Money::new(3585, Currency::EUR)), Some(Money::new(95, Currency::EUR)))
    );
    assert_eq!((notice.merchant_ref.as_deref(), notice.test), (Some("ord_1"), Some(true)));
    assert_eq!(notice.receivers, [SELLER.to_owned(), account_id(SELLER)]);
    assert_eq!(notice.buyer.name.as_deref(), Some("Jörg Beispiel"));
    assert_eq!(notice.occurred_at, Some(start()));
    let lines: Vec<_> =
        notice.lines.iter().map(|line| (line.sku.as_str(), line.name.as_deref(), line.quantity)).collect();
    assert_eq!(lines, [("FONT", Some("Größe FONT"), 3), ("BOOK", Some("Größe BOOK"), 1)]);
    assert_eq!(notice.lines[0].gross, Some(Money::new(1500, Currency::EUR)));
}

#[test]
fn a_whole_life_is_understood() {
    let mut book = Book::default();
    let txn_id = book
        .pay(&form(vec![line("FONT", 1, 500)], 0), Choice::EcheckClears, Buyer::default(), start())
        .unwrap();
    book.look(start() + kernel::Span::days(4));
    let refund = book.refund(&txn_id, Some(Money::new(100, Currency::EUR)), start()).unwrap();
    let case = book.open_case(&txn_id, "chargeback", start()).unwrap();
    let reversal = book.reverse(&txn_id, "chargeback", start()).unwrap();
    let canceled = book.cancel_reversal(&txn_id, start()).unwrap();
    let expected =
        [PaymentPending, PaymentPaid, RefundCreated, DisputeOpened, PaymentReversed, PaymentReversalCanceled];
    assert_eq!(kinds(&book), expected);
    let stated = notices(&book);
    assert!(stated.iter().all(|notice| notice.payment_id.as_deref() == Some(txn_id.as_str())));
    let movements: Vec<_> = stated.into_iter().map(|notice| notice.movement_id).collect();
    assert_eq!(movements, [None, None, Some(refund), Some(case), Some(reversal), Some(canceled)]);
}

#[test]
fn refused_payments_are_understood() {
    let mut book = Book::default();
    let fields = form(vec![line("FONT", 1, 500)], 0);
    for choice in [Choice::Denied, Choice::Failed, Choice::EcheckBounces] {
        book.pay(&fields, choice, Buyer::default(), start()).unwrap();
    }
    book.look(start() + kernel::Span::days(4));
    assert_eq!(kinds(&book), [PaymentFailed, PaymentFailed, PaymentPending, PaymentFailed]);
}

#[test]
fn what_was_not_sent_is_forged() {
    let mut book = Book::default();
    book.pay(&form(vec![line("FONT", 1, 500)], 0), Choice::Now, Buyer::default(), start()).unwrap();
    let body = String::from_utf8(book.notices().next().unwrap().body.clone()).unwrap();
    assert!(matches!(
        judged(&book, body.replace("mc_gross=5.00", "mc_gross=5.01").as_bytes()),
        Judgment::Forged(_)
    ));
}
