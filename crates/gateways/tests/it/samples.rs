//! Bodies recorded by others, where their folder lies beside the checkout; nothing without it.

use std::path::Path;

use gateways::NoticeKind::{PaymentPaid, PaymentPending};
use kernel::{Currency, Money};

use crate::one;

fn sample(name: &str) -> Option<String> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().ok()?;
    let beside = |place: &Path| {
        std::fs::read_to_string(place.join("shared/provider-samples/paypal-ipn").join(name)).ok()
    };
    checkout.ancestors().skip(1).find_map(beside)
}

#[test]
fn an_express_checkout_in_windows_1252_is_read() {
    let Some(body) = sample("django-paypal-express_checkout-windows1252.form") else { return };
    let notice = one(body.trim_end());
    assert_eq!((notice.kind, notice.amount), (PaymentPaid, Some(Money::new(1000, Currency::USD))));
    assert_eq!(notice.buyer.name.as_deref(), Some("Jörg User"));
    assert_eq!(notice.occurred_at.unwrap().to_string(), "2009-02-03T07:04:06Z");
    assert_eq!(notice.merchant_ref.as_deref(), Some("0004"));
}

#[test]
fn the_simulators_purchase_is_read() {
    let Some(body) = sample("django-paypal-simulator-valid_webaccept.form") else { return };
    let notice = one(body.trim_end());
    assert_eq!((notice.kind, notice.amount), (PaymentPaid, Some(Money::new(1234, Currency::USD))));
    assert_eq!(notice.shipping, Some(Money::new(304, Currency::USD)));
    assert_eq!(notice.receivers, ["seller@paypalsandbox.com"]);
}

#[test]
fn the_simulators_word_for_refused_is_no_word_of_paypals() {
    let Some(body) = sample("django-paypal-simulator-declined.form") else { return };
    assert_eq!(one(body.trim_end()).kind, PaymentPending);
}
