//! The gateways through their contract, as the product uses them.

mod cassettes;
mod hostile;
mod judging;
mod opening;
mod samples;
mod translating;

use std::collections::BTreeMap;

use gateways::paypal_standard::{POSTBACK, PaypalStandard, RECEIVER};
use gateways::{Connection, Exchange, Gateway, Judgment, Mode, Notice, RawPost};
use kernel::{ConnectionId, Timestamp};

const SELLER: &str = "seller@example.com";

/// A one-off purchase as PayPal tells it, with an invented buyer.
const PAID: &str = "mc_gross=12.34&invoice=ord_01HZX3&protection_eligibility=Eligible&address_status=confirmed\
    &payer_id=LPLWNMTBWMFAY&tax=0.00&address_street=1+Main+St&payment_date=20%3A12%3A59+Jan+13%2C+2026+PST\
    &payment_status=Completed&charset=windows-1252&address_zip=95131&first_name=J%F6rg&mc_fee=0.88\
    &address_country_code=US&address_name=J%F6rg+Beispiel&notify_version=3.9&custom=ord_01HZX3\
    &payer_status=verified&business=seller%40example.com&address_country=United+States&address_city=San+Jose\
    &quantity=1&verify_sign=AtkOfCXbDm2hu0ZELryHFjY-Vb7PAUvS6nMXgysbElEn9v-1XcmSoGtf\
    &payer_email=Buyer%40example.com&txn_id=61E67681CH3238416&payment_type=instant&last_name=Beispiel\
    &address_state=CA&receiver_email=seller%40example.com&payment_fee=0.88&receiver_id=S8XGHLYDW9T3S\
    &txn_type=web_accept&item_name=Vector+Gold+5.9&mc_currency=USD&item_number=VL59GOLD&residence_country=US\
    &test_ipn=1&transaction_subject=&payment_gross=12.34&ipn_track_id=7fc2298c7ab92";

fn connection(mode: Mode, settings: &[(&str, &str)]) -> Connection {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Connection { id: ConnectionId::from_bits(1), mode, settings, secrets: BTreeMap::new() }
}

fn sandbox() -> Connection {
    connection(Mode::Test, &[(RECEIVER, SELLER)])
}

fn post(body: &[u8]) -> RawPost {
    RawPost {
        method: "POST".to_owned(),
        target: "/hooks/con_1".to_owned(),
        headers: vec![("Content-Type".to_owned(), b"application/x-www-form-urlencoded".to_vec())],
        body: body.to_vec(),
        received_at: Timestamp::from_seconds(1_768_000_000),
    }
}

fn answer(status: u16, body: &str) -> Vec<Exchange> {
    vec![Exchange { purpose: POSTBACK, status, body: body.as_bytes().to_vec() }]
}

fn judge(body: &[u8], earlier: &[Exchange]) -> Judgment {
    PaypalStandard.judge(&post(body), &sandbox(), earlier)
}

/// What a body states once PayPal has confirmed it.
fn verified(body: &str) -> Vec<Notice> {
    match judge(body.as_bytes(), &answer(200, "VERIFIED")) {
        Judgment::Authentic(notices) => notices,
        other => panic!("a confirmed body was judged {other:?}"),
    }
}

fn one(body: &str) -> Notice {
    let mut notices = verified(body);
    assert_eq!(notices.len(), 1, "{notices:?}");
    notices.remove(0)
}

/// The purchase with some fields changed, added (`name=value`) or taken out (`-name`).
fn paid_but(changes: &[&str]) -> String {
    let mut fields: Vec<String> = PAID.split('&').map(str::to_owned).collect();
    for change in changes {
        let name = change.trim_start_matches('-').split('=').next();
        fields.retain(|field| field.split('=').next() != name);
        fields.extend((!change.starts_with('-')).then(|| (*change).to_owned()));
    }
    fields.join("&")
}
