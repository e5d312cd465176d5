//! Placing orders and the way to the gateway.

use app::connections::{Connection, store};
use app::cx::Actor;
use http::StatusCode;
use kernel::{ConnectionId, Span};

use super::{attribute, change_merchant, check_out, hidden, path_of, place};
use crate::support::goods::eur;
use crate::support::{BASE_URL, NewGood, TestApp};

testkit::both_engines! {
    the_gateways_form_carries_the_order_and_our_addresses,
    the_policy_of_the_handoff_names_that_one_gateway,
    a_frozen_price_stays_however_often_the_gateway_is_opened,
    a_paid_order_does_not_lead_to_the_gateway_again,
    an_old_order_is_not_taken_to_the_gateway,
    nothing_is_placed_without_an_address,
    nothing_is_placed_without_a_consent_that_is_asked_for,
    a_connection_that_is_not_offered_is_refused,
    a_connection_that_was_switched_off_takes_no_payment,
    a_test_connection_says_so_on_every_step,
    orders_are_limited_per_network,
    a_form_from_elsewhere_places_nothing,
    the_cart_stays_until_its_order_is_back,
    another_merchants_checkout_stays_in_its_shop,
    a_poisoned_host_header_gets_into_no_address,
}

fn disable(t: &TestApp, connection: &Connection) {
    let (id, merchant) = (connection.id, connection.merchant);
    t.app
        .write_blocking(merchant, Actor::Shell, move |cx| {
            let off = db::sql("UPDATE connections SET disabled_at = $1 WHERE id = $2").bind(cx.now).bind(id);
            Ok(off.change_one(cx.tx)?)
        })
        .expect("a connection is switched off");
}

fn the_gateways_form_carries_the_order_and_our_addresses(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");

    let handoff = visitor.get(&format!("{page}/pay"));

    let order = t.newest_order(&t.shop.merchant);
    assert_eq!(handoff.status, StatusCode::OK);
    assert_eq!(hidden(&handoff, "business"), "seller@example.com");
    assert_eq!(hidden(&handoff, "amount"), "49.00");
    assert_eq!(hidden(&handoff, "currency_code"), "EUR");
    assert_eq!(hidden(&handoff, "item_number"), "FONT");
    assert_eq!(hidden(&handoff, "custom"), order.id.to_string());
    assert_eq!(hidden(&handoff, "notify_url"), format!("{BASE_URL}/hooks/{}", t.shop.connection.id));
    assert_eq!(hidden(&handoff, "return"), format!("{BASE_URL}{page}"));
    assert_eq!(hidden(&handoff, "cancel_return"), format!("{BASE_URL}{page}?canceled=1"));
    assert!(!handoff.text().contains("name=\"_csrf\""), "our token goes to the gateway");
}

fn the_policy_of_the_handoff_names_that_one_gateway(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");

    let handoff = visitor.get(&format!("{page}/pay"));

    let expected = format!("form-action 'self' {}", t.paypal.url());
    assert!(handoff.header("content-security-policy").ends_with(&expected));
    assert!(visitor.get(&page).header("content-security-policy").ends_with("form-action 'self'"));
    let action = attribute(&handoff.text(), "data-autosubmit", "action").expect("a form");
    assert!(action.starts_with(&t.paypal.url()), "{action}");
}

fn a_frozen_price_stays_however_often_the_gateway_is_opened(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let first = visitor.get(&format!("{page}/pay"));
    t.advance(Span::minutes(5));
    t.set_price(&font, eur(99_00), t.now());

    let again = visitor.get(&format!("{page}/pay"));

    assert_eq!(hidden(&first, "amount"), "49.00");
    assert_eq!(first.body, again.body);
    assert_eq!(t.orders().len(), 1);
}

fn a_paid_order_does_not_lead_to_the_gateway_again(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    t.pay(&t.newest_order(&t.shop.merchant));

    let again = visitor.get(&format!("{page}/pay"));

    assert_eq!((again.status, again.location()), (StatusCode::SEE_OTHER, page.as_str()));
}

fn an_old_order_is_not_taken_to_the_gateway(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    t.advance(Span::hours(25));

    assert_eq!(visitor.get(&format!("{page}/pay")).location(), page);
}

fn nothing_is_placed_without_an_address(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    let connection = hidden(&visitor.get("/cart"), "connection");

    let wrong = ["", "ada", "ada@", "ada@example.com\r\nBcc: x@example.com", "ａda@example.com"];
    let refused =
        wrong.map(|email| visitor.post("/checkout", &[("email", email), ("connection", &connection)]));

    assert_eq!(refused.each_ref().map(|reply| reply.status.as_u16()), [422; 5]);
    assert!(
        refused[1].text().contains("has the form name@domain") && refused[1].text().contains("value=\"ada\"")
    );
    assert!(t.orders().is_empty());
}

fn nothing_is_placed_without_a_consent_that_is_asked_for(t: TestApp) {
    change_merchant(&t, &t.shop.merchant, |merchant| {
        merchant.consent_text = "I lose my right of withdrawal.".to_owned();
    });
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    let cart = visitor.get("/cart");
    let connection = hidden(&cart, "connection");
    let fields = [("email", "buyer@example.com"), ("connection", connection.as_str())];

    let refused = visitor.post("/checkout", &fields);
    let placed = visitor.post("/checkout", &[fields[0], fields[1], ("consent", "yes")]);

    assert!(cart.text().contains("I lose my right of withdrawal."));
    assert!(!cart.text().contains(" checked"), "a consent is not given in advance");
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Please agree to this"));
    assert_eq!(placed.status, StatusCode::SEE_OTHER);
    let order = t.newest_order(&t.shop.merchant);
    assert_eq!(order.consent_text.as_deref(), Some("I lose my right of withdrawal."));
    assert_eq!(order.consent_at, Some(t.now()));
}

fn a_connection_that_is_not_offered_is_refused(t: TestApp) {
    let other = t.later_shop();
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    visitor.get("/cart");

    let strange = [other.connection.id.to_string(), ConnectionId::from_bits(7).to_string(), "x".to_owned()];
    let refused = strange.map(|connection| {
        visitor.post("/checkout", &[("email", "buyer@example.com"), ("connection", &connection)])
    });

    assert_eq!(refused.map(|reply| reply.status.as_u16()), [422; 3]);
    assert!(t.orders().is_empty());
}

fn a_connection_that_was_switched_off_takes_no_payment(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    disable(&t, &t.shop.connection);

    let handoff = visitor.get(&format!("{page}/pay"));
    let cart = visitor.get("/cart");

    assert_eq!(handoff.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(cart.text().contains("cannot take payments right now"), "{}", cart.text());
    let listed = t.read({
        let merchant = t.shop.merchant.id;
        move |snapshot| Ok(store::list(snapshot, merchant)?)
    });
    assert_eq!(listed.len(), 1);
}

fn a_test_connection_says_so_on_every_step(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");

    let shown = [visitor.get("/cart"), visitor.get(&format!("{page}/pay")), visitor.get(&page)];

    assert_eq!(shown.map(|reply| reply.text().contains("no real money moves")), [true; 3]);
}

fn orders_are_limited_per_network(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    (0..30).for_each(|_| drop(place(&visitor, "")));
    let connection = hidden(&visitor.get("/cart"), "connection");

    let refused = visitor.post("/checkout", &[("email", "buyer@example.com"), ("connection", &connection)]);

    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "20");
    assert!(refused.text().contains("Too many attempts"));
}

fn a_form_from_elsewhere_places_nothing(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let victim = t.visitor();
    victim.get("/p/FONT");
    victim.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    let attacker = t.visitor();
    let theirs = hidden(&attacker.get("/p/FONT"), "_csrf");

    // The victim's browser sends its cookies with the attacker's form.
    let forged = [("_csrf", theirs.as_str()), ("email", "evil@example.com")];
    let without = t.post("/checkout", &[("email", "evil@example.com")]);
    let with_theirs = t.post("/checkout", &forged);

    assert_eq!((without.status, with_theirs.status), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    assert!(t.orders().is_empty());
}

fn the_cart_stays_until_its_order_is_back(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");

    visitor.get(&format!("{page}?canceled=1"));
    let turned_back = visitor.get("/cart").text();
    visitor.get(&page);
    let back = visitor.get("/cart").text();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    visitor.get(&page);
    let next = visitor.get("/cart").text();

    assert!(turned_back.contains("€49.00"), "{turned_back}");
    assert!(back.contains("Your cart is empty"), "{back}");
    assert!(next.contains("€49.00"), "an old order's page emptied a new cart");
}

fn another_merchants_checkout_stays_in_its_shop(t: TestApp) {
    let other = t.later_shop();
    t.product_at(&other, NewGood::of("SONG"));
    let visitor = t.visitor();

    let page = check_out(&visitor, "/m/other", "SONG");
    let handoff = visitor.get(&format!("{page}/pay"));

    assert!(page.starts_with("/m/other/o/"), "{page}");
    assert_eq!(hidden(&handoff, "return"), format!("{BASE_URL}{page}"));
    assert_eq!(hidden(&handoff, "business"), "other-seller@example.com");
    assert!(t.orders().is_empty() && t.orders_of(other.merchant.id).len() == 1);
    // Without its prefix the page still leads to its own shop.
    let bare = visitor.get(page.strip_prefix("/m/other").expect("a prefix"));
    assert!(bare.text().contains("The other") && bare.text().contains("/m/other/cart"));
}

fn a_poisoned_host_header_gets_into_no_address(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let request = http::Request::get(format!("{page}/pay"))
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example")
        .body(axum::body::Body::empty())
        .expect("a request");

    let handoff = t.request(request);

    assert!(!handoff.text().contains("evil.example"));
    assert_eq!(path_of(&hidden(&handoff, "return")), page);
}
