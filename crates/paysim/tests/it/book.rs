//! What happens to a payment, without any network.

use kernel::{Currency, Money, Span, Timestamp};
use paysim::ipn::Buyer;
use paysim::{Book, BookOptions, Choice, Faults, PaymentState, Refusal};

use crate::{button, start};

const SHOP: &str = "http://127.0.0.1:9/hook";

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn pay(book: &mut Book, invoice: &str, choice: Choice) -> String {
    book.pay(&button(invoice, SHOP), choice, Buyer::default(), start()).expect("the button can be paid")
}

fn told(book: &Book) -> Vec<&str> {
    book.notices().map(|notice| notice.about.as_str()).collect()
}

fn state(book: &Book) -> PaymentState {
    book.payments()[0].state
}

fn days_on(days: i64) -> Timestamp {
    start() + Span::days(days)
}

#[test]
fn an_echeck_clears_when_its_days_are_over_and_keeps_its_id() {
    let mut book = Book::default();
    let txn_id = pay(&mut book, "o1", Choice::EcheckClears);
    book.look(days_on(4) - Span::seconds(1));
    assert_eq!(state(&book), PaymentState::Pending);
    book.look(days_on(4));
    book.look(days_on(5));
    assert_eq!(state(&book), PaymentState::Completed);
    assert_eq!(told(&book), ["Pending: echeck", "Completed"]);
    let named = format!("&txn_id={txn_id}&");
    assert!(book.notices().all(|notice| String::from_utf8_lossy(&notice.body).contains(&named)));
}

#[test]
fn an_echeck_bounces_when_its_days_are_over() {
    let mut book = Book::default();
    pay(&mut book, "o1", Choice::EcheckBounces);
    book.look(days_on(4));
    assert_eq!((state(&book), told(&book)), (PaymentState::Failed, vec!["Pending: echeck", "Failed"]));
}

#[test]
fn a_refused_payment_is_told_and_the_invoice_can_be_paid_again() {
    let mut book = Book::default();
    pay(&mut book, "o1", Choice::Denied);
    pay(&mut book, "o1", Choice::Failed);
    pay(&mut book, "o1", Choice::Now);
    assert_eq!(told(&book), ["Denied", "Failed", "Completed"]);
    let again = book.pay(&button("o1", SHOP), Choice::Now, Buyer::default(), start());
    assert_eq!(again, Err(Refusal::InvoicePaid("o1".to_owned())));
}

#[test]
fn no_more_goes_back_than_came() {
    let mut book = Book::default();
    let txn_id = pay(&mut book, "o1", Choice::Now);
    book.refund(&txn_id, Some(eur(900)), start()).unwrap();
    assert_eq!(state(&book), PaymentState::PartlyRefunded);
    assert!(matches!(book.refund(&txn_id, Some(eur(4001)), start()), Err(Refusal::TooMuch { .. })));
    assert!(matches!(book.refund(&txn_id, Some(eur(0)), start()), Err(Refusal::TooMuch { .. })));
    assert!(matches!(book.refund(&txn_id, Some(eur(-1)), start()), Err(Refusal::TooMuch { .. })));
    book.refund(&txn_id, None, start()).unwrap();
    assert_eq!(state(&book), PaymentState::Refunded);
    assert!(matches!(book.refund(&txn_id, None, start()), Err(Refusal::NoMoney(_))));
    assert_eq!(told(&book), ["Completed", "Refunded: 9.00 EUR", "Refunded: 40.00 EUR"]);
}

#[test]
fn a_reversal_can_be_canceled_once() {
    let mut book = Book::default();
    let txn_id = pay(&mut book, "o1", Choice::Now);
    let reversal = book.reverse(&txn_id, "chargeback", start()).unwrap();
    assert!(matches!(book.refund(&txn_id, None, start()), Err(Refusal::NoMoney(_))));
    let canceled = book.cancel_reversal(&txn_id, start()).unwrap();
    assert_eq!(book.cancel_reversal(&txn_id, start()), Err(Refusal::NotReversed));
    assert_eq!(state(&book), PaymentState::Completed);
    assert_ne!(reversal, canceled);
    assert_eq!(told(&book), ["Completed", "Reversed: chargeback", "Canceled_Reversal"]);
}

#[test]
fn one_case_is_open_at_a_time() {
    let mut book = Book::default();
    let txn_id = pay(&mut book, "o1", Choice::Now);
    let case_id = book.open_case(&txn_id, "chargeback", start()).unwrap();
    assert_eq!(book.open_case(&txn_id, "dispute", start()), Err(Refusal::CaseOpen(case_id)));
    assert_eq!(told(&book), ["Completed", "new_case: chargeback"]);
}

#[test]
fn money_that_never_came_cannot_move() {
    let mut book = Book::default();
    let txn_id = pay(&mut book, "o1", Choice::EcheckClears);
    assert!(matches!(book.refund(&txn_id, None, start()), Err(Refusal::NoMoney(_))));
    assert!(matches!(book.reverse(&txn_id, "chargeback", start()), Err(Refusal::NoMoney(_))));
    assert!(matches!(book.open_case(&txn_id, "chargeback", start()), Err(Refusal::NoMoney(_))));
    assert_eq!(book.refund("NONE", None, start()), Err(Refusal::NoPayment("NONE".to_owned())));
}

#[test]
fn only_the_bytes_that_were_issued_are_known() {
    let mut book = Book::default();
    pay(&mut book, "o1", Choice::Now);
    let body = book.notices().next().unwrap().body.clone();
    assert!(book.has_issued(&body));
    let mut changed = body.clone();
    changed[9] ^= 1;
    assert!(!book.has_issued(&changed));
    assert!(!book.has_issued(&[&body[..], b"\n"].concat()));
    assert!(!book.has_issued(&body[..body.len() - 1]));
    assert!(!book.has_issued(b""));
}

#[test]
fn a_resent_notice_is_marked_once_and_known_too() {
    let mut book = Book::default();
    pay(&mut book, "o1", Choice::Now);
    book.resend(1, start()).unwrap();
    book.resend(2, start()).unwrap();
    let bodies: Vec<Vec<u8>> = book.notices().map(|notice| notice.body.clone()).collect();
    assert_eq!(bodies[1], [&bodies[0][..], b"&resend=true"].concat());
    assert_eq!(bodies[2], bodies[1]);
    assert!(book.has_issued(&bodies[1]));
    assert_eq!(book.resend(99, start()), Err(Refusal::NoNotice(99)));
}

#[test]
fn everything_can_come_again_the_other_way_round() {
    let mut book = Book::default();
    let txn_id = pay(&mut book, "o1", Choice::Now);
    book.refund(&txn_id, None, start()).unwrap();
    book.repeat(1, start()).unwrap();
    book.repeat_all_reversed(start());
    assert_eq!(told(&book)[2..], ["Completed", "Completed", "Refunded: 49.00 EUR"]);
}

#[test]
fn the_same_seed_gives_the_same_history_and_another_seed_other_ids() {
    let history = |seed| {
        let mut book = Book::new(BookOptions { seed, ..BookOptions::default() });
        let txn_id = pay(&mut book, "o1", Choice::Now);
        book.refund(&txn_id, None, start()).unwrap();
        book.notices().map(|notice| notice.body.clone()).collect::<Vec<_>>()
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

#[test]
fn a_button_without_an_address_goes_to_the_profiles() {
    let without: Vec<_> = button("o1", SHOP).into_iter().filter(|(name, _)| name != "notify_url").collect();
    let mut silent = Book::default();
    silent.pay(&without, Choice::Now, Buyer::default(), start()).unwrap();
    assert!(told(&silent).is_empty());

    let profile_notify_url = Some(SHOP.to_owned());
    let mut book = Book::new(BookOptions { profile_notify_url, ..BookOptions::default() });
    book.pay(&without, Choice::Now, Buyer::default(), start()).unwrap();
    assert_eq!(book.notices().next().unwrap().url, SHOP);
}

#[test]
fn a_lost_notice_is_known_but_never_leaves() {
    let mut book = Book::default();
    *book.faults() = Faults { lose_next: 1, ..Faults::default() };
    pay(&mut book, "o1", Choice::Now);
    let body = book.notices().next().unwrap().body.clone();
    assert!(book.take_due(days_on(9)).is_empty());
    assert!(book.has_issued(&body));
}

#[test]
fn a_payment_page_is_decided_once() {
    let mut book = Book::default();
    let token = book.open(&button("o1", SHOP)).unwrap();
    let other = book.open(&button("o1", SHOP)).unwrap();
    book.decide(&token, Choice::Now, Buyer::default(), start()).unwrap();
    assert_eq!(book.decide(&token, Choice::Now, Buyer::default(), start()), Err(Refusal::CheckoutOver));
    let paid = book.decide(&other, Choice::Now, Buyer::default(), start());
    assert_eq!(paid, Err(Refusal::InvoicePaid("o1".to_owned())));
}
