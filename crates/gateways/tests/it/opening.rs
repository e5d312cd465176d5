//! What a connection may be, and the form that opens a payment.

use std::collections::BTreeMap;

use gateways::paypal_standard::{ENDPOINT, PaypalStandard, RECEIVER};
use gateways::{Checkout, CheckoutLine, Connection, Gateway, Mode, Opening, Step, Unsupported};
use kernel::{Currency, Money, Timestamp};

use crate::{SELLER, connection, sandbox};

fn problems(on: &Connection) -> Vec<String> {
    let found = PaypalStandard.check(on).err().unwrap_or_default();
    found.into_iter().map(|problem| problem.field).collect()
}

#[test]
fn a_connection_without_a_usable_receiver_is_off() {
    assert_eq!(problems(&connection(Mode::Live, &[])), [RECEIVER]);
    assert_eq!(problems(&connection(Mode::Live, &[(RECEIVER, " ")])), [RECEIVER]);
    assert_eq!(problems(&connection(Mode::Live, &[(RECEIVER, "seller")])), [RECEIVER]);
    assert_eq!(problems(&connection(Mode::Live, &[(RECEIVER, "seller@example.com, x y")])), [RECEIVER]);
    assert!(problems(&connection(Mode::Live, &[(RECEIVER, "seller@example.com, S8XGHLYDW9T3S")])).is_empty());
}

#[test]
fn only_a_test_connection_may_ask_somebody_else() {
    let with = |mode, endpoint| problems(&connection(mode, &[(RECEIVER, SELLER), (ENDPOINT, endpoint)]));
    assert_eq!(with(Mode::Live, "https://ipnpb.paypal.com/cgi-bin/webscr"), [ENDPOINT]);
    assert!(with(Mode::Test, "https://paypal.test.example").is_empty());
    assert!(with(Mode::Test, "http://127.0.0.1:8090").is_empty());
    assert!(with(Mode::Test, "http://[::1]:8090/sim").is_empty());
    for endpoint in [
        "",
        "paypal",
        "ftp://127.0.0.1",
        "http://u@127.0.0.1",
        "http://127.0.0.1/?x",
        "http://127.0.0.1.example",
    ] {
        assert_eq!(with(Mode::Test, endpoint), [ENDPOINT], "{endpoint:?}");
    }
    assert_eq!(with(Mode::Test, "http://10.0.0.1"), [ENDPOINT]);
}

fn line(sku: &str, quantity: u32, minor: i64, currency: Currency) -> CheckoutLine {
    CheckoutLine {
        sku: sku.to_owned(),
        name: format!("The {sku}"),
        quantity,
        unit: Money::new(minor, currency),
        recurring: None,
    }
}

fn checkout(currency: Currency, lines: Vec<CheckoutLine>, tax: i64) -> Checkout {
    Checkout {
        merchant_ref: "ord_1".to_owned(),
        currency,
        lines,
        tax: Money::new(tax, currency),
        notify_url: "https://shop.example/hooks/con_1".to_owned(),
        return_url: "https://shop.example/thanks?a=1&b=2".to_owned(),
        cancel_url: "https://shop.example/cart".to_owned(),
        locale: Some("de-AT".to_owned()),
        email: None,
        idempotency_key: "ord_1".to_owned(),
        expires_at: Timestamp::from_seconds(1_768_000_000),
    }
}

fn form(wanted: &Checkout) -> (String, BTreeMap<String, String>) {
    match PaypalStandard.checkout(wanted, &sandbox(), &[]) {
        Ok(Step::Done(Opening::Form { action, fields })) => {
            let count = fields.len();
            let map: BTreeMap<_, _> = fields.into_iter().collect();
            assert_eq!(map.len(), count, "a field is there twice");
            (action, map)
        }
        other => panic!("expected a form, got {other:?}"),
    }
}

#[test]
fn one_item_is_a_button() {
    let (action, fields) = form(&checkout(Currency::EUR, vec![line("BOOK", 2, 1990, Currency::EUR)], 0));
    assert_eq!(action, "https://www.sandbox.paypal.com/cgi-bin/webscr");
    let expected = [
        ("cmd", "_xclick"),
        ("business", SELLER),
        ("item_name", "The BOOK"),
        ("item_number", "BOOK"),
        ("amount", "19.90"),
        ("quantity", "2"),
        ("tax", "0.00"),
        ("currency_code", "EUR"),
        ("invoice", "ord_1"),
        ("custom", "ord_1"),
        ("notify_url", "https://shop.example/hooks/con_1"),
        ("return", "https://shop.example/thanks?a=1&b=2"),
        ("cancel_return", "https://shop.example/cart"),
        ("rm", "1"),
        ("charset", "utf-8"),
        ("no_note", "1"),
        ("no_shipping", "1"),
        ("lc", "AT"),
    ];
    let expected: BTreeMap<_, _> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(fields, expected);
}

#[test]
fn several_items_or_a_tax_on_several_pieces_are_a_cart() {
    let eur = Currency::EUR;
    let (_, fields) = form(&checkout(eur, vec![line("A", 1, 500, eur), line("B", 3, 250, eur)], 95));
    let cart = [
        "cmd",
        "upload",
        "item_number_1",
        "amount_1",
        "quantity_1",
        "item_number_2",
        "amount_2",
        "quantity_2",
        "tax_cart",
    ];
    let values: Vec<_> = cart.iter().map(|name| fields[*name].as_str()).collect();
    assert_eq!(values, ["_cart", "1", "A", "5.00", "1", "B", "2.50", "3", "0.95"]);

    let (_, taxed) = form(&checkout(eur, vec![line("A", 2, 500, eur)], 95));
    assert_eq!((taxed["cmd"].as_str(), taxed["tax_cart"].as_str()), ("_cart", "0.95"));
}

#[test]
fn amounts_are_written_as_paypal_wants_them() {
    let amount = |code: &str, minor| {
        let currency = Currency::parse(code).unwrap();
        form(&checkout(currency, vec![line("A", 1, minor, currency)], 0)).1["amount"].clone()
    };
    assert_eq!(amount("JPY", 1980), "1980");
    assert_eq!(amount("HUF", 490_000), "4900");
    assert_eq!(amount("TWD", 30_000), "300");
    assert_eq!(amount("USD", 5), "0.05");
}

#[test]
fn a_price_that_paypal_would_round_opens_nothing() {
    let forint = Currency::parse("HUF").unwrap();
    let wanted = checkout(forint, vec![line("A", 1, 490_050, forint)], 0);
    assert!(matches!(PaypalStandard.checkout(&wanted, &sandbox(), &[]), Err(Unsupported { .. })));
}

#[test]
fn a_long_name_is_cut_between_characters() {
    let mut wanted = checkout(Currency::EUR, vec![line("A", 1, 500, Currency::EUR)], 0);
    wanted.lines[0].name = "ß".repeat(300);
    assert_eq!(form(&wanted).1["item_name"], "ß".repeat(127));
}

#[test]
fn a_live_connection_opens_paypal_itself() {
    let live = connection(Mode::Live, &[(RECEIVER, SELLER), (ENDPOINT, "http://127.0.0.1:9")]);
    let wanted = checkout(Currency::EUR, vec![line("A", 1, 500, Currency::EUR)], 0);
    let opened = PaypalStandard.checkout(&wanted, &live, &[]);
    let Ok(Step::Done(Opening::Form { action, .. })) = opened else { panic!("no form") };
    assert_eq!(action, "https://www.paypal.com/cgi-bin/webscr");
}
