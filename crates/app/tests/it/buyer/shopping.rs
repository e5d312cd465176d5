//! Shop window, product pages, cart.

use app::products::{Product, ProductStatus};
use http::StatusCode;
use kernel::Span;

use super::{hidden, place};
use crate::support::goods::{eur, usd};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    an_empty_shop_says_so,
    the_shop_window_shows_what_is_on_sale_with_todays_price,
    a_product_is_found_by_item_number_and_by_id,
    the_chosen_currency_is_carried_on_and_unknown_ones_are_ignored,
    a_cart_survives_and_adds_up,
    a_price_in_the_form_is_nobodys_business,
    quantities_that_are_no_plain_numbers_are_refused,
    a_cart_pays_in_one_currency,
    what_was_withdrawn_leaves_the_cart_with_a_word,
    a_changed_price_is_shown_before_paying,
    a_cart_cookie_of_ones_own_making_is_no_cart,
    two_merchants_on_one_host_have_a_cart_each,
    a_description_is_text_and_never_markup,
    names_from_right_to_left_and_odd_item_numbers_work,
}

/// Withdraws a product from sale.
pub fn withdraw(t: &TestApp, product: &Product) {
    let product = product.clone();
    let withdrawn = t.write_for(product.merchant, move |cx| {
        let product = Product { status: ProductStatus::Archived, ..product.clone() };
        Ok(app::products::store::save(cx.tx, &product, cx.now)?)
    });
    withdrawn.expect("a product is withdrawn");
}

fn an_empty_shop_says_so(t: TestApp) {
    let index = t.get("/");
    assert_eq!(index.status, StatusCode::OK);
    assert!(index.text().contains("Nothing on sale yet"));
}

fn the_shop_window_shows_what_is_on_sale_with_todays_price(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.set_price(&font, eur(59_00), t.now() + Span::days(1));
    withdraw(&t, &t.product(NewGood::of("OLD")));

    let today = t.get("/").text();
    t.advance(Span::days(2));
    let later = t.get("/").text();

    assert!(today.contains("The FONT") && today.contains("€49.00") && !today.contains("The OLD"));
    assert!(later.contains("€59.00") && !later.contains("€49.00"));
}

fn a_product_is_found_by_item_number_and_by_id(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let old = t.product(NewGood::of("OLD"));
    withdraw(&t, &old);

    let statuses = [
        t.get("/p/FONT"),
        t.get(&format!("/p/{}", font.id)),
        t.get("/p/font"),
        t.get("/p/OLD"),
        t.get(&format!("/p/{}", old.id)),
    ]
    .map(|reply| reply.status.as_u16());

    assert_eq!(statuses, [200, 200, 404, 404, 404]);
}

fn the_chosen_currency_is_carried_on_and_unknown_ones_are_ignored(t: TestApp) {
    t.product(NewGood::of("FONT").priced(&[eur(49_00), usd(55_00)]));
    t.product(NewGood::of("MAP").priced(&[eur(10_00)]));

    let dollars = t.get("/?currency=USD").text();
    let page = t.get("/p/FONT?currency=USD").text();
    let strange = ["IDR", "xxx", "usd%20", "usd", "%00", "EUREUR"]
        .map(|code| t.get(&format!("/p/FONT?currency={code}")).text());

    assert!(dollars.contains("$55.00") && dollars.contains("Not on sale in this currency"));
    assert!(dollars.contains("/p/FONT?currency=USD"));
    assert!(page.contains("$55.00") && page.contains("name=\"currency\" value=\"USD\""));
    assert_eq!(strange.map(|page| page.contains("€49.00") && !page.contains("$55.00")), [true; 6]);
}

fn a_cart_survives_and_adds_up(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let map = t.product(NewGood::of("MAP").priced(&[eur(10_50)]));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/cart/lines", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    visitor.post("/cart/lines", &[("sku", "MAP"), ("currency", "EUR"), ("quantity", "2")]);

    let both = visitor.get("/cart").text();
    visitor.post("/cart/lines/update", &[("line", &map.id.to_string()), ("quantity", "4")]);
    let more = visitor.get("/cart").text();
    visitor.post("/cart/lines/remove", &[("line", &map.id.to_string())]);
    let one = visitor.get("/cart").text();

    assert!(both.contains("€70.00"), "{both}");
    assert!(more.contains("€91.00"), "{more}");
    assert!(one.contains("€49.00") && !one.contains("The MAP"), "{one}");
}

fn a_price_in_the_form_is_nobodys_business(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    let tampered =
        [("sku", "FONT"), ("currency", "EUR"), ("quantity", "1"), ("price", "0.01"), ("price_id", "prc_1")];
    visitor.post("/buy", &tampered);
    let connection = hidden(&visitor.get("/cart"), "connection");
    let fields = [
        ("email", "buyer@example.com"),
        ("connection", connection.as_str()),
        ("amount", "0.01"),
        ("total", "1"),
        ("items", "[]"),
    ];
    let placed = visitor.post("/checkout", &fields);

    assert_eq!(placed.status, StatusCode::SEE_OTHER);
    assert_eq!(t.newest_order(&t.shop.merchant).due(), eur(49_00));
    assert_eq!(hidden(&visitor.get(placed.location()), "amount"), "49.00");
}

fn quantities_that_are_no_plain_numbers_are_refused(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    let wrong = [
        "-1",
        "0",
        "1.5",
        "1e3",
        "0x10",
        "1 ",
        "+1",
        "٣",
        "１",
        "2147483648",
        "9223372036854775808",
        "",
        "1001",
        "NaN",
    ];

    let statuses = wrong.map(|quantity| {
        let fields = [("sku", "FONT"), ("currency", "EUR"), ("quantity", quantity)];
        visitor.post("/cart/lines", &fields).status.as_u16()
    });
    let twice = [("sku", "FONT"), ("currency", "EUR"), ("quantity", "-1"), ("quantity", "2")];

    assert_eq!(statuses, [422; 14]);
    assert_eq!(visitor.post("/cart/lines", &twice).status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(visitor.get("/cart").text().contains("Your cart is empty"));
}

fn a_cart_pays_in_one_currency(t: TestApp) {
    t.product(NewGood::of("BOTH").priced(&[eur(49_00), usd(55_00)]));
    t.product(NewGood::of("DOLLARS").priced(&[usd(10_00)]));
    t.product(NewGood::of("EUROS").priced(&[eur(20_00)]));
    let visitor = t.visitor();
    visitor.get("/p/BOTH");
    visitor.post("/cart/lines", &[("sku", "BOTH"), ("currency", "EUR"), ("quantity", "1")]);
    visitor.post("/cart/lines", &[("sku", "DOLLARS"), ("currency", "USD"), ("quantity", "1")]);

    let dollars = visitor.get("/cart").text();
    let refused = visitor.post("/cart/lines", &[("sku", "EUROS"), ("currency", "EUR"), ("quantity", "1")]);

    assert!(dollars.contains("$65.00"), "{dollars}");
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("not sold in the same currency"));
}

fn what_was_withdrawn_leaves_the_cart_with_a_word(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.product(NewGood::of("MAP").priced(&[eur(10_00)]));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/cart/lines", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    visitor.post("/cart/lines", &[("sku", "MAP"), ("currency", "EUR"), ("quantity", "1")]);
    let connection = hidden(&visitor.get("/cart"), "connection");
    withdraw(&t, &font);

    let fields = [("email", "buyer@example.com"), ("connection", connection.as_str())];
    let refused = visitor.post("/checkout", &fields);
    let cart = visitor.get("/cart").text();

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("taken out of your cart: The FONT"), "{}", refused.text());
    assert!(cart.contains("€10.00") && !cart.contains("The FONT"), "{cart}");
    assert!(t.orders().is_empty());
}

fn a_changed_price_is_shown_before_paying(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    t.advance(Span::minutes(1));
    t.set_price(&font, eur(60_00), t.now());

    let cart = visitor.get("/cart").text();
    place(&visitor, "");

    assert!(cart.contains("€60.00"));
    assert_eq!(t.newest_order(&t.shop.merchant).due(), eur(60_00));
}

fn a_cart_cookie_of_ones_own_making_is_no_cart(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    let ours = visitor.cookie("cart-shop").expect("a cart cookie");
    let (head, tail) = ours.split_at(ours.len() / 2);

    let flipped = if tail.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{head}{flipped}{}", &tail[1..]);
    let shown = ["x".to_owned(), tampered, ours.repeat(40)].map(|cookie| {
        visitor.set_cookie("cart-shop", &cookie);
        visitor.get("/cart").text().contains("Your cart is empty")
    });

    assert_eq!(shown, [true; 3]);
}

fn two_merchants_on_one_host_have_a_cart_each(t: TestApp) {
    let other = t.later_shop();
    t.product(NewGood::of("FONT"));
    t.product_at(&other, NewGood::of("SONG"));
    let visitor = t.visitor();
    visitor.get("/p/FONT");
    visitor.post("/buy", &[("sku", "FONT"), ("currency", "EUR"), ("quantity", "1")]);
    let index = visitor.get("/m/other/").text();
    let product = visitor.get("/m/other/p/SONG").text();

    let cart = visitor.get("/m/other/cart").text();

    assert!(index.contains("href=\"/m/other/p/SONG\""), "{index}");
    assert!(product.contains("action=\"/m/other/cart/lines\"") && product.contains("/m/other/buy"));
    assert!(cart.contains("Your cart is empty"));
    assert_eq!(t.get("/p/SONG").status, StatusCode::NOT_FOUND);
    assert_eq!(t.get("/m/other/p/FONT").status, StatusCode::NOT_FOUND);
    assert_eq!(t.get("/m/nobody/").status, StatusCode::NOT_FOUND);
}

fn a_description_is_text_and_never_markup(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.write(move |cx| {
        let text = "One <script>alert(1)</script>.\n\nTwo & \"three\".";
        let product = Product { description: text.to_owned(), ..font.clone() };
        Ok(app::products::store::save(cx.tx, &product, cx.now)?)
    })
    .expect("a description is saved");

    let page = t.get("/p/FONT").text();

    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"), "{page}");
    assert!(page.contains("Two &amp;"), "{page}");
}

fn names_from_right_to_left_and_odd_item_numbers_work(t: TestApp) {
    let odd = t.product(NewGood::of("غلاف/١ \"x\"").with_file("كتاب.pdf", b"x"));
    let visitor = t.visitor();

    let index = visitor.get("/").text();
    let page = visitor.get(&format!("/p/{}", odd.id));
    visitor.post("/buy", &[("sku", "غلاف/١ \"x\""), ("currency", "EUR"), ("quantity", "1")]);

    assert!(index.contains(&format!("href=\"/p/{}\"", odd.id)), "{index}");
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(hidden(&page, "sku"), "غلاف/١ \"x\"");
    assert!(visitor.get("/cart").text().contains("غلاف"));
}
