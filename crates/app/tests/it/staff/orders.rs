//! The list of transactions: found, narrowed, sorted, in pages that stand still, and as a file.

use app::carts::CartItem;
use app::cx::Actor;
use app::orders::flow::Wanted;
use app::orders::{self, Order};
use app::products::Product;
use app::staff::Role;
use http::StatusCode;
use kernel::{Currency, Span};
use paysim::ipn::{Body, Item, Means};

use crate::buyer::attribute;
use crate::support::goods::{email, eur};
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a_transaction_is_found_by_whatever_is_at_hand,
    a_search_for_a_wildcard_finds_only_the_letter,
    filters_narrow_the_list,
    the_list_is_sorted_by_age_and_by_amount,
    pages_stand_still_while_transactions_arrive,
    the_way_back_shows_the_same_pages,
    the_file_holds_every_row_of_the_list,
    a_name_that_is_a_formula_is_only_text_in_the_file,
    taking_a_list_along_is_written_down,
    a_bookmark_that_nobody_understands_shows_the_list,
}

/// Places an order of somebody's.
fn placed(t: &TestApp, product: &Product, address: &str, name: &str) -> Order {
    many(t, product, 1, address, name).remove(0)
}

/// Places many orders of somebody's in one transaction.
fn many(t: &TestApp, product: &Product, count: usize, address: &str, name: &str) -> Vec<Order> {
    let (merchant, connection) = (t.shop.merchant.clone(), t.shop.connection.id);
    let wanted = Wanted {
        items: vec![CartItem { product: product.id, choice: None, quantity: 1 }],
        currency: Currency::EUR,
        connection,
        email: Some(email(address)),
        name: name.to_owned(),
        country: Some("DE".to_owned()),
        consented: false,
    };
    t.tick();
    let made = t.app.write_blocking(merchant.id, Actor::Visitor, move |cx| {
        (0..count).map(|_| orders::flow::place(cx, &merchant, &wanted)).collect()
    });
    made.expect("orders are placed")
}

/// The ids of the rows on a page, in their order.
fn ids(page: &Reply) -> Vec<String> {
    let text = page.text();
    let rows = text.split("<tr data-href=\"/admin/orders/").skip(1);
    rows.filter_map(|row| row.split('"').next()).map(str::to_owned).collect()
}

fn list(visitor: &Visitor<'_>, query: &str) -> Vec<String> {
    let page = visitor.get(&format!("/admin/orders?{query}"));
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    ids(&page)
}

/// Where the page's link to the next or the previous page leads.
fn turned(page: &Reply, way: &str) -> Option<String> {
    attribute(&page.text(), &format!("rel=\"{way}\""), "href")
}

/// The list from this page on, to its end.
fn all_from(visitor: &Visitor<'_>, first: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let page = visitor.get(&path);
        found.extend(ids(&page));
        next = turned(&page, "next");
    }
    found
}

fn text(order: &Order) -> String {
    order.id.to_string()
}

fn a_transaction_is_found_by_whatever_is_at_hand(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = placed(&t, &font, "grace@example.org", "Grace Hopper");
    let sale = t.pay(&order);
    t.advance(Span::minutes(1));
    placed(&t, &font, "ada@example.org", "Ada Lovelace");
    let (_, owner) = t.owner();
    let handles = [
        text(&order),
        sale.txn_id,
        t.payments(&order)[0].id.to_string(),
        t.last_notice().id.to_string(),
        t.messages(&order)[0].id.to_string(),
        t.invoices(&order)[0].id.to_string(),
        t.invoices(&order)[0].label(),
        t.grant(&order).id.to_string(),
        "grace@example.org".to_owned(),
        "GRACE@".to_owned(),
        "hopper".to_owned(),
        "Grace".to_owned(),
    ];

    let found = handles.each_ref().map(|handle| list(&owner, &format!("q={handle}")));

    assert_eq!(found, std::array::from_fn(|_| vec![text(&order)]));
    assert!(list(&owner, "q=nobody").is_empty());
    assert!(owner.get("/admin/orders?q=nobody").text().contains("Nothing fits"));
    t.run_jobs();
}

fn a_search_for_a_wildcard_finds_only_the_letter(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = placed(&t, &font, "a_b@example.org", "100% Ltd");
    placed(&t, &font, "axb@example.org", "1000 Ltd");
    let (_, owner) = t.owner();

    assert_eq!(list(&owner, "q=a_b"), [text(&order)]);
    assert_eq!(list(&owner, "q=00%25"), [text(&order)]);
    t.run_jobs();
    let mails = |words: &str| {
        let page = owner.get(&format!("/admin/messages?q={words}")).text();
        page.contains("data-href=\"/admin/messages/")
    };
    assert_eq!((mails("owner%40"), mails("owner_"), mails("%25")), (true, false, false));
}

fn filters_narrow_the_list(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let first = placed(&t, &font, "grace@example.org", "");
    t.pay(&first);
    t.advance(Span::days(2));
    let second = placed(&t, &font, "ada@example.org", "");
    t.deliver_and_run(&Body::completed(
        &t.button_sale("button", vec![Item::one("FONT", eur(49_00))]),
        Means::Instant,
    ));
    let button = t.orders().pop().expect("an order of the button");
    let (_, owner) = t.owner();
    let connection = t.shop.connection.id;

    assert_eq!(list(&owner, "status=awaiting_payment"), [text(&second)]);
    assert_eq!(list(&owner, "status=paid"), [text(&button), text(&first)]);
    assert_eq!(list(&owner, "source=button"), [text(&button)]);
    assert_eq!(list(&owner, "source=button&status=awaiting_payment"), [""; 0]);
    assert_eq!(list(&owner, &format!("connection={connection}")).len(), 3);
    // Every test begins on 2027-01-15.
    assert_eq!(list(&owner, "to=2027-01-15"), [text(&first)]);
    assert_eq!(list(&owner, "from=2027-01-16"), [text(&button), text(&second)]);
    assert_eq!(list(&owner, "from=2027-01-17&to=2027-01-17&sort=total").len(), 2);
    assert_eq!(list(&owner, "q=example.org&status=paid"), [text(&first)]);
    t.run_jobs();
}

fn the_list_is_sorted_by_age_and_by_amount(t: TestApp) {
    let prices = [("B", 20_00), ("A", 30_00), ("C", 10_00)];
    let orders = prices.map(|(sku, price)| {
        let product = t.product(NewGood::of(sku).priced(&[eur(price)]));
        t.advance(Span::seconds(1));
        text(&placed(&t, &product, "ada@example.org", ""))
    });
    let [middle, dearest, cheapest] = &orders;
    let (_, owner) = t.owner();

    assert_eq!(list(&owner, ""), [cheapest, dearest, middle].map(Clone::clone));
    assert_eq!(list(&owner, "sort=created"), orders);
    assert_eq!(list(&owner, "sort=-total"), [dearest, middle, cheapest].map(Clone::clone));
    assert_eq!(list(&owner, "sort=total&q=ada"), [cheapest, middle, dearest].map(Clone::clone));
    t.run_jobs();
}

fn pages_stand_still_while_transactions_arrive(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let mut there: Vec<String> = many(&t, &font, 120, "ada@example.org", "").iter().map(text).collect();
    t.advance(Span::seconds(1));
    let (_, owner) = t.owner();
    let first = owner.get("/admin/orders");
    let dear = owner.get("/admin/orders?sort=-total");

    many(&t, &font, 30, "late@example.org", "");
    let rest = all_from(&owner, &turned(&first, "next").expect("a second page"));

    let mut seen = ids(&first);
    seen.extend(rest);
    there.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(seen, there);
    // All amounts are alike: the page goes on in the middle of them, and nobody is left out.
    let mut seen = ids(&dear);
    seen.extend(all_from(&owner, &turned(&dear, "next").expect("a second page")));
    seen.sort_unstable_by(|a, b| b.cmp(a));
    seen.dedup();
    assert!(there.iter().all(|id| seen.contains(id)));
    t.run_jobs();
}

fn the_way_back_shows_the_same_pages(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    many(&t, &font, 120, "ada@example.org", "");
    let (_, owner) = t.owner();
    let first = owner.get("/admin/orders");
    let second = owner.get(&turned(&first, "next").expect("a second page"));
    let third = owner.get(&turned(&second, "next").expect("a third page"));

    let back = owner.get(&turned(&third, "prev").expect("a way back"));
    let start = owner.get(&turned(&back, "prev").expect("a way back"));

    assert_eq!((ids(&first).len(), ids(&third).len()), (50, 20));
    assert_eq!((ids(&back), ids(&start)), (ids(&second), ids(&first)));
    assert_eq!(turned(&third, "next"), None);
    t.run_jobs();
}

/// The rows of a file, without its head.
fn rows(file: &Reply) -> Vec<String> {
    assert_eq!(file.status, StatusCode::OK, "{}", file.text());
    assert_eq!(file.broken, None);
    file.text().split_terminator("\r\n").skip(1).map(str::to_owned).collect()
}

fn the_file_holds_every_row_of_the_list(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let mut there: Vec<String> = many(&t, &font, 1_030, "ada@example.org", "").iter().map(text).collect();
    let paid = placed(&t, &font, "grace@example.org", "Grace");
    t.pay(&paid);
    there.push(text(&paid));
    let (_, owner) = t.owner();

    let file = owner.get("/admin/orders.csv");
    let narrowed = rows(&owner.get("/admin/orders.csv?status=paid"));
    let searched = rows(&owner.get("/admin/orders.csv?q=grace"));

    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").contains("orders.csv"));
    let mut ids: Vec<String> =
        rows(&file).iter().filter_map(|row| row.split(',').next()).map(str::to_owned).collect();
    ids.sort_unstable();
    there.sort_unstable();
    assert_eq!(ids, there);
    assert_eq!(narrowed.len(), 1);
    assert!(
        narrowed[0].contains("paid,checkout,grace@example.org,Grace,The FONT,EUR,49.00,0.00"),
        "{narrowed:?}"
    );
    assert_eq!(searched, narrowed);
    t.run_jobs();
}

fn a_name_that_is_a_formula_is_only_text_in_the_file(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    placed(&t, &font, "ada@example.org", "=HYPERLINK(\"http://evil.example\",\"x\")");
    let (_, owner) = t.owner();

    let rows = rows(&owner.get("/admin/orders.csv"));

    assert!(rows[0].contains(",\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\","), "{rows:?}");
    t.run_jobs();
}

fn taking_a_list_along_is_written_down(t: TestApp) {
    let (person, owner) = t.owner();
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    assert_eq!(support.get("/admin/orders.csv").status, StatusCode::FORBIDDEN);
    assert!(!support.get("/admin/orders").text().contains("orders.csv"));
    assert_eq!(owner.get("/admin/orders.csv").status, StatusCode::OK);

    let log = owner.get("/admin/events?actor=staff&kind=list").text();
    assert!(log.contains("List taken along") && log.contains(person.label()), "{log}");
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'list.exported'"), 1);
    t.run_jobs();
}

fn a_bookmark_that_nobody_understands_shows_the_list(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = placed(&t, &font, "ada@example.org", "");
    let (_, owner) = t.owner();
    let odd = [
        "status=lost",
        "sort=-mood",
        "after=%27%3B--",
        "before=~",
        "sort=total&after=x~y",
        "from=yesterday",
        "connection=none",
        "page=7",
    ];

    assert_eq!(odd.map(|query| list(&owner, query)), odd.map(|_| vec![text(&order)]));
    t.run_jobs();
}
