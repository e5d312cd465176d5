//! Merchants side by side, currencies, taxes, and what a line carries.

use app::notices::NoticeState;
use app::orders::OrderStatus;
use http::StatusCode;
use kernel::{Currency, Money};
use paysim::ipn::{Body, Item, Means, txn_id};

use crate::support::goods::{eur, usd};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    one_item_number_is_another_product_at_each_merchant,
    money_for_one_merchant_pays_nothing_at_another,
    an_order_of_one_merchant_is_unknown_at_another,
    one_transaction_number_at_two_merchants_is_two_payments,
    a_buyer_of_two_merchants_has_two_accounts_and_two_series_of_invoices,
    a_product_is_sold_in_every_currency_that_it_has_a_price_in,
    yen_have_no_cents,
    taxes_of_a_cart_go_to_its_lines_and_its_documents,
    the_choices_of_a_cart_stay_with_their_lines,
}

fn one_item_number_is_another_product_at_each_merchant(t: TestApp) {
    let other = t.second_shop();
    t.product(NewGood::of("FONT"));
    t.product_at(&other, NewGood::of("FONT").priced(&[eur(5_00)]));
    let mut sale = t.button_sale("ann", vec![Item::one("FONT", eur(5_00))]);
    sale.business.clone_from(&other.receiver);

    t.deliver_to(&other, &Body::completed(&sale, Means::Instant));
    t.run_jobs();

    let theirs = t.orders_of(other.merchant.id);
    assert_eq!((theirs.len(), t.orders().len()), (1, 0));
    assert_eq!((theirs[0].status, theirs[0].due_minor), (OrderStatus::Paid, 5_00));
    let mail = t.mails_to("ann@example.com").pop().expect("a receipt");
    assert!(mail.text.contains("/m/other/d/"), "{}", mail.text);
}

fn money_for_one_merchant_pays_nothing_at_another(t: TestApp) {
    let other = t.second_shop();
    let order = t.font_order();
    let sale = t.sale_of(&order);
    t.product_at(&other, NewGood::of("FONT"));
    let before = t.business_state();

    let reply = t.deliver_to(&other, &Body::completed(&sale, Means::Instant));
    t.run_jobs();

    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(t.business_state(), before, "the money went to the first merchant's account");
    assert_eq!(t.count("SELECT count(*) AS n FROM notices WHERE state = 'quarantined'"), 1);
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
}

fn an_order_of_one_merchant_is_unknown_at_another(t: TestApp) {
    let other = t.second_shop();
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.business.clone_from(&other.receiver);

    t.deliver_to(&other, &Body::completed(&sale, Means::Instant));
    t.run_jobs();

    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
    assert_eq!((t.orders_of(other.merchant.id).len(), t.mailbox().len()), (0, 0));
    assert_eq!(t.count("SELECT count(*) AS n FROM notices WHERE state = 'quarantined'"), 1);
}

fn one_transaction_number_at_two_merchants_is_two_payments(t: TestApp) {
    let other = t.second_shop();
    let order = t.font_order();
    let font = t.product_at(&other, NewGood::of("FONT"));
    let theirs = t.order_at(&other, &[(&font, 1)], Currency::EUR);
    let (mut one, mut two) = (t.sale_of(&order), t.sale_at(&other, &theirs));
    one.txn_id = txn_id("one number");
    two.txn_id = txn_id("one number");

    t.deliver(&Body::completed(&one, Means::Instant));
    t.deliver_to(&other, &Body::completed(&two, Means::Instant));
    t.run_jobs();
    t.deliver(&Body::refunded(&one, &t.movement("back", eur(49_00))));
    t.run_jobs();

    assert_eq!((t.status(&order), t.status(&theirs)), (OrderStatus::Refunded, OrderStatus::Paid));
}

fn a_buyer_of_two_merchants_has_two_accounts_and_two_series_of_invoices(t: TestApp) {
    let other = t.second_shop();
    let order = t.font_order();
    let font = t.product_at(&other, NewGood::of("FONT"));
    let theirs = t.order_at(&other, &[(&font, 1)], Currency::EUR);

    t.pay(&order);
    t.deliver_to(&other, &Body::completed(&t.sale_at(&other, &theirs), Means::Instant));
    t.run_jobs();

    let (ours, theirs_now) = (t.look(&order), t.look(&theirs));
    assert_ne!(ours.customer, theirs_now.customer);
    let numbers = [&order, &theirs].map(|order| t.invoices(order)[0].label());
    assert_eq!(numbers, ["INV-000001", "INV-000001"]);
}

fn a_product_is_sold_in_every_currency_that_it_has_a_price_in(t: TestApp) {
    let font = t.product(NewGood::of("FONT").priced(&[eur(49_00), usd(55_00)]));
    let (euros, dollars) = (
        t.order_at(&t.shop, &[(&font, 1)], Currency::EUR),
        t.order_at(&t.shop, &[(&font, 1)], Currency::USD),
    );
    let (in_euros, in_dollars) = (t.sale_of(&euros), t.sale_of(&dollars));

    // 49 dollars are not 49 euros, and 55 euros more than is asked in dollars.
    let mut swapped = in_dollars.clone();
    swapped.items[0].unit = eur(55_00);
    swapped.tax = eur(0);
    let why = t.set_aside(&Body::completed(&swapped, Means::Instant));
    t.deliver_and_run(&Body::completed(&in_euros, Means::Instant));
    t.deliver_and_run(&Body::completed(&in_dollars, Means::Instant));

    assert!(why.contains("it is in EUR, and the order is in USD"), "{why}");
    assert_eq!((t.status(&euros), t.status(&dollars)), (OrderStatus::Paid, OrderStatus::Paid));
    assert_eq!([&euros, &dollars].map(|order| t.invoices(order)[0].gross), [eur(49_00), usd(55_00)]);
}

fn yen_have_no_cents(t: TestApp) {
    let yen = Currency::parse("JPY").expect("a currency");
    let price = Money::new(4_900, yen);
    let font = t.product(NewGood::of("FONT").priced(&[price]));
    let order = t.order_at(&t.shop, &[(&font, 1)], yen);
    let body = Body::completed(&t.sale_of(&order), Means::Instant);

    let hundredth = t.set_aside(&body.clone().set("mc_gross", "49"));
    let with_cents = t.set_aside(&body.clone().set("mc_gross", "4900.50"));
    t.deliver_and_run(&body);

    assert!(hundredth.contains("is less than"), "{hundredth}");
    assert_eq!(with_cents, "it names no amount");
    assert_eq!((t.status(&order), t.look(&order).settled_minor), (OrderStatus::Paid, 4_900));
}

fn taxes_of_a_cart_go_to_its_lines_and_its_documents(t: TestApp) {
    t.product(NewGood::of("FONT").priced(&[eur(10_00)]));
    t.product(NewGood::of("MAP").priced(&[eur(20_00)]));
    let mut sale = t.button_sale("ann", vec![Item::one("FONT", eur(10_00)), Item::one("MAP", eur(20_00))]);
    sale.tax = eur(5_71);

    t.deliver_and_run(&Body::completed(&sale, Means::Instant));
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("half", eur(17_85))));

    let order = t.only_order();
    let taxes: Vec<i64> = t.lines(&order).iter().map(|line| line.tax_minor).collect();
    assert_eq!((taxes.iter().sum::<i64>(), taxes.len()), (5_71, 2), "{taxes:?}");
    assert_eq!((order.net_minor, order.tax_minor, order.due_minor), (30_00, 5_71, 35_71));
    let documents: Vec<_> = t.invoices(&order).into_iter().map(|one| (one.net, one.tax, one.gross)).collect();
    assert_eq!(documents[0], (eur(30_00), eur(5_71), eur(35_71)));
    assert_eq!(documents[1].0.plus(documents[1].1).expect("a sum"), eur(17_85));
    assert!(documents[1].1.minor > 0, "tax goes back with the money: {documents:?}");
}

fn the_choices_of_a_cart_stay_with_their_lines(t: TestApp) {
    t.product(NewGood::of("FONT").priced(&[eur(10_00)]));
    t.product(NewGood::of("MAP").priced(&[eur(20_00)]));
    let (mut font, mut map) = (Item::one("FONT", eur(10_00)), Item::one("MAP", eur(20_00)));
    font.options = vec![("Name".to_owned(), "Jörg".to_owned()), ("Size".to_owned(), "12".to_owned())];
    map.options = vec![("Size".to_owned(), "A0".to_owned())];

    t.deliver_and_run(&Body::completed(&t.button_sale("ann", vec![font, map]), Means::Instant));

    let attributes: Vec<_> = t.lines(&t.only_order()).into_iter().map(|line| line.attributes).collect();
    assert_eq!(
        attributes,
        [serde_json::json!({ "Name": "Jörg", "Size": "12" }), serde_json::json!({ "Size": "A0" })]
    );
    assert_eq!(t.notice_states(), [NoticeState::Applied]);
}
