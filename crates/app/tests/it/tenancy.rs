//! Two merchants in one house: what one has, no room, file, link or page of the other shows.

use app::orders::Order;
use app::staff::Role;
use axum::body::Body;
use http::{Request, StatusCode, header};
use paysim::ipn::{Body as Ipn, Means};

use crate::support::{NewGood, Reply, Shop, TestApp};

testkit::both_engines! {
    what_one_merchant_has_is_nowhere_at_the_other,
    both_may_use_the_same_item_numbers_and_count_their_own_invoices,
    a_payment_told_to_one_merchants_hook_pays_nothing_of_the_others,
}

/// Something bought at each merchant, under the same item number.
fn bought_at(t: &TestApp, shop: &Shop, name: &str) -> Order {
    let product = t.product_at(shop, NewGood::of("FONT").with_file(name, b"content"));
    let order = t.order_at(shop, &[(&product, 1)], kernel::Currency::EUR);
    t.deliver_to(shop, &Ipn::completed(&t.sale_at(shop, &order), Means::Instant));
    t.run_jobs();
    order
}

/// What the second merchant's owner gets under their prefix.
fn at_other(t: &TestApp, cookie: &str, path: &str) -> Reply {
    let request = Request::get(format!("/m/other{path}")).header(header::COOKIE, cookie);
    t.request(request.body(Body::empty()).expect("a request"))
}

fn traces(t: &TestApp, order: &Order) -> Vec<String> {
    vec![
        order.id.to_string(),
        t.grant(order).id.to_string(),
        t.invoices(order)[0].id.to_string(),
        t.messages(order)[0].id.to_string(),
        t.payments(order)[0].id.to_string(),
        t.payments(order)[0].gateway_ref.clone(),
        t.link(&t.grant(order)),
    ]
}

const ROOMS: [&str; 13] = [
    "/admin/orders",
    "/admin/orders.csv",
    "/admin/invoices",
    "/admin/invoices.csv",
    "/admin/notices",
    "/admin/messages",
    "/admin/reviews",
    "/admin/jobs",
    "/admin/stores",
    "/admin/connections",
    "/admin/events",
    "/admin/api-keys",
    "/admin/staff",
];

fn what_one_merchant_has_is_nowhere_at_the_other(t: TestApp) {
    let other = t.later_shop();
    let ours = bought_at(&t, &t.shop.clone(), "ours.zip");
    let theirs = bought_at(&t, &other, "theirs.zip");
    let (_, visitor) = t.signed_in_as(&other, Role::Owner);
    let cookie = format!("staff-other={}", visitor.cookie("staff").expect("a session"));
    let program = t.program_at(&other);
    let (ours_traces, theirs_traces) = (traces(&t, &ours), traces(&t, &theirs));

    let mut seen: Vec<Reply> = ROOMS.map(|room| at_other(&t, &cookie, room)).to_vec();
    assert!(seen.iter().all(|reply| reply.status == StatusCode::OK));
    seen.extend(ours_traces.iter().map(|trace| at_other(&t, &cookie, &format!("/admin/orders?q={trace}"))));
    let lists =
        ["orders", "products", "customers", "invoices", "messages", "notices", "connections", "events"];
    seen.extend(lists.map(|list| program.get(&format!("/v1/{list}")).reply));
    seen.push(t.get("/m/other/p/FONT"));

    let text: String = seen.iter().map(Reply::text).collect();
    // A search repeats its words in its own field, and nowhere else.
    let told = |trace: &&String| {
        text.matches(trace.as_str()).count() > text.matches(&format!("?q={trace}")).count() + 2
    };
    let leaked: Vec<_> = ours_traces.iter().filter(told).collect();
    assert!(leaked.is_empty(), "{leaked:?} of the first merchant is told at the second");
    assert!(!text.contains("ours.zip") && !text.contains(&t.shop.connection.id.to_string()));
    assert!(text.contains(&theirs_traces[0]), "the second merchant sees their own");
    t.run_jobs();
}

fn both_may_use_the_same_item_numbers_and_count_their_own_invoices(t: TestApp) {
    let other = t.later_shop();
    let ours = bought_at(&t, &t.shop.clone(), "ours.zip");
    let theirs = bought_at(&t, &other, "theirs.zip");

    assert_eq!((t.invoices(&ours)[0].number, t.invoices(&theirs)[0].number), (1, 1));
    assert!(t.get("/p/FONT").text().contains("The shop"));
    assert!(t.get("/m/other/p/FONT").text().contains("The other"));
    let landing = |order: &Order| t.get(&format!("/d/{}", t.link(&t.grant(order)))).text();
    assert!(landing(&ours).contains("ours.zip") && !landing(&ours).contains("theirs.zip"));
    assert!(landing(&theirs).contains("theirs.zip") && !landing(&theirs).contains("ours.zip"));
}

fn a_payment_told_to_one_merchants_hook_pays_nothing_of_the_others(t: TestApp) {
    let other = t.later_shop();
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);

    t.deliver_to(&other, &Ipn::completed(&t.sale_of(&order), Means::Instant));
    t.run_jobs();

    assert_eq!(t.status(&order), app::orders::OrderStatus::AwaitingPayment);
    assert!(t.grants(&order).is_empty() && t.orders_of(other.merchant.id).is_empty());
}
