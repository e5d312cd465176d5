//! The customer portal: getting in by mail, and seeing one's own things only.

use app::orders::Order;
use http::StatusCode;
use kernel::Span;
use paysim::ipn::{Body, Means, txn_id};

use super::{BUYER, hidden, path_of};
use crate::support::http::Visitor;
use crate::support::{NewGood, Shop, TestApp};

testkit::both_engines! {
    a_mailed_link_signs_in_once,
    opening_the_mailed_link_spends_nothing,
    a_link_is_too_old_after_a_quarter_of_an_hour,
    known_and_unknown_addresses_get_the_same_answer,
    the_database_alone_signs_nobody_in,
    a_session_that_was_planted_is_worth_nothing,
    sign_in_is_limited,
    the_portal_is_closed_to_strangers_and_leads_back,
    one_sees_ones_own_purchases_only,
    fresh_links_replace_the_old_ones,
    a_profile_stands_on_the_next_invoice,
    sessions_are_listed_and_ended,
    signing_out_ends_the_session,
    another_merchants_portal_is_another_account,
    a_sign_in_form_from_elsewhere_is_refused,
    a_deleted_letter_or_a_staff_link_signs_nobody_in,
}

const OTHER: &str = "other@example.com";

fn bought_by(t: &TestApp, shop: &Shop, sku: &str, buyer: &str) -> Order {
    let product = t.product_at(shop, NewGood::of(sku));
    let order = t.order_at(shop, &[(&product, 1)], kernel::Currency::EUR);
    let (id, address) = (order.id, buyer.to_owned());
    t.write_for(shop.merchant.id, move |cx| {
        let renamed = db::sql("UPDATE orders SET buyer_email = $1 WHERE id = $2").bind(&address).bind(id);
        Ok(renamed.change_one(cx.tx)?)
    })
    .expect("another buyer");
    let mut sale = t.sale_at(shop, &order);
    sale.txn_id = txn_id(sku);
    t.deliver_to(shop, &Body::completed(&sale, Means::Instant));
    t.run_jobs();
    t.advance(Span::minutes(1));
    order
}

fn bought(t: &TestApp) -> Order {
    bought_by(t, &t.shop.clone(), "FONT", BUYER)
}

/// Asks for a sign-in mail and answers the path of its link.
fn mailed_link(t: &TestApp, visitor: &Visitor<'_>, base: &str, email: &str) -> String {
    visitor.get(&format!("{base}/portal/sign-in"));
    let asked = visitor.post(&format!("{base}/portal/sign-in"), &[("email", email)]);
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    t.run_jobs();
    let mail = t.mails_to(email).pop().expect("a mail").text;
    let url = mail.split_whitespace().find(|word| word.contains("/portal/confirm?token="));
    path_of(url.unwrap_or_else(|| panic!("no link in\n{mail}")))
}

fn sign_in(t: &TestApp, visitor: &Visitor<'_>, email: &str) {
    let link = mailed_link(t, visitor, "", email);
    let page = visitor.get(&link);
    let signed_in = visitor.post("/portal/confirm", &[("token", &hidden(&page, "token"))]);
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", signed_in.text());
}

fn a_mailed_link_signs_in_once(t: TestApp) {
    bought(&t);
    let (visitor, second) = (t.visitor(), t.visitor());
    let link = mailed_link(&t, &visitor, "", BUYER);
    let page = visitor.get(&link);
    let token = hidden(&page, "token");

    let first = visitor.post("/portal/confirm", &[("token", &token)]);
    second.get("/portal/sign-in");
    let again = second.post("/portal/confirm", &[("token", &token)]);

    assert!(page.text().contains(BUYER));
    assert_eq!((first.status, first.location()), (StatusCode::SEE_OTHER, "/portal"));
    assert!(visitor.get("/portal").text().contains("The FONT"));
    assert_eq!(again.status, StatusCode::GONE);
    assert!(again.text().contains("used already or is too old"));
    assert_eq!(visitor.get(&link).status, StatusCode::GONE);
}

fn opening_the_mailed_link_spends_nothing(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    let link = mailed_link(&t, &visitor, "", BUYER);

    (0..5).for_each(|_| drop(t.get(&link)));
    let page = visitor.get(&link);

    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        visitor.post("/portal/confirm", &[("token", &hidden(&page, "token"))]).status,
        StatusCode::SEE_OTHER
    );
}

fn a_link_is_too_old_after_a_quarter_of_an_hour(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    let link = mailed_link(&t, &visitor, "", BUYER);
    t.advance(Span::minutes(15));

    assert_eq!(visitor.get(&link).status, StatusCode::GONE);
    let token = link.split("token=").nth(1).expect("a token").to_owned();
    assert_eq!(visitor.post("/portal/confirm", &[("token", &token)]).status, StatusCode::GONE);
}

fn known_and_unknown_addresses_get_the_same_answer(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    visitor.get("/portal/sign-in");

    let known = visitor.post("/portal/sign-in", &[("email", BUYER)]);
    let unknown = visitor.post("/portal/sign-in", &[("email", "other@example.com")]);
    t.run_jobs();

    assert_eq!(known.text().replace(BUYER, "X"), unknown.text().replace("other@example.com", "X"));
    assert_eq!((known.status, &known.headers), (unknown.status, &unknown.headers));
    assert_eq!(t.mailbox().len(), 2, "a receipt and one sign-in mail");
}

fn the_database_alone_signs_nobody_in(t: TestApp) {
    bought(&t);
    let link = mailed_link(&t, &t.visitor(), "", BUYER);
    let token = link.split("token=").nth(1).expect("a token").to_owned();

    let everything = t.read(|snapshot| {
        let mut rows = String::new();
        for table in db::dump::tables(snapshot)? {
            let page = db::dump::page(snapshot, &table, None, db::dump::PAGE_ROWS_MAX)?;
            page.iter().for_each(|row| rows.push_str(&format!("{row:?}")));
        }
        Ok(rows)
    });

    assert!(everything.contains(BUYER) && !everything.contains(&token));
}

fn a_session_that_was_planted_is_worth_nothing(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    let planted = app::sessions::Token::of([7; 16]).expose().to_owned();
    visitor.set_cookie("customer", &planted);
    sign_in(&t, &visitor, BUYER);

    let attacker = t.visitor();
    attacker.set_cookie("customer", &planted);

    assert_ne!(visitor.cookie("customer"), Some(planted));
    assert_eq!(visitor.get("/portal").status, StatusCode::OK);
    assert_eq!(attacker.get("/portal").status, StatusCode::SEE_OTHER);
}

fn sign_in_is_limited(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    visitor.get("/portal/sign-in");

    let mailbox: Vec<u16> =
        (0..6).map(|_| visitor.post("/portal/sign-in", &[("email", BUYER)]).status.as_u16()).collect();
    let nobodys: Vec<u16> = (0..5)
        .map(|_| visitor.post("/portal/sign-in", &[("email", "nobody@example.com")]).status.as_u16())
        .collect();
    t.run_jobs();

    assert_eq!(mailbox, [200, 200, 200, 200, 200, 429]);
    assert_eq!(nobodys, [200, 200, 200, 200, 429]);
}

fn the_portal_is_closed_to_strangers_and_leads_back(t: TestApp) {
    let order = bought(&t);
    let invoice = format!("/portal/invoices/{}", t.invoices(&order)[0].id);
    let visitor = t.visitor();
    let closed = visitor.get(&invoice);
    visitor.get(closed.location());
    let link = mailed_link_after(&t, &visitor);
    let page = visitor.get(&link);

    let signed_in = visitor.post("/portal/confirm", &[("token", &hidden(&page, "token"))]);
    let elsewhere = t.get("/portal/sign-in?next=//evil.example/");

    assert_eq!(closed.status, StatusCode::SEE_OTHER);
    assert_eq!(signed_in.location(), invoice);
    assert!(visitor.get(&invoice).text().contains("INV-000001"));
    assert!(!elsewhere.headers.get_all("set-cookie").iter().any(|line| line.as_bytes().starts_with(b"next")));
}

fn mailed_link_after(t: &TestApp, visitor: &Visitor<'_>) -> String {
    visitor.post("/portal/sign-in", &[("email", BUYER)]);
    t.run_jobs();
    let mail = t.mails_to(BUYER).pop().expect("a mail").text;
    path_of(mail.split_whitespace().find(|word| word.contains("/portal/confirm?token=")).expect("a link"))
}

fn one_sees_ones_own_purchases_only(t: TestApp) {
    let ours = bought(&t);
    let theirs = bought_by(&t, &t.shop.clone(), "MAP", OTHER);
    let visitor = t.visitor();
    sign_in(&t, &visitor, BUYER);
    let (our_invoice, their_invoice) = (t.invoices(&ours)[0].id, t.invoices(&theirs)[0].id);

    let list = visitor.get("/portal").text();
    let own = [format!("/portal/purchases/{}", ours.id), format!("/portal/invoices/{our_invoice}")]
        .map(|path| visitor.get(&path).status.as_u16());
    let foreign = [
        format!("/portal/purchases/{}", theirs.id),
        format!("/portal/invoices/{their_invoice}"),
        "/portal/purchases/ord_00000000000000000000000000".to_owned(),
        "/portal/purchases/x".to_owned(),
        "/portal/invoices/x".to_owned(),
    ]
    .map(|path| visitor.get(&path).status.as_u16());
    let renewed = visitor.post(&format!("/portal/purchases/{}/renew", theirs.id), &[]);

    assert!(list.contains("The FONT") && !list.contains("The MAP"), "{list}");
    assert_eq!(own, [200, 200]);
    assert_eq!(foreign, [404; 5]);
    assert_eq!(renewed.status, StatusCode::NOT_FOUND);
    let page = visitor.get(&format!("/portal/purchases/{}", ours.id)).text();
    assert!(page.contains(&t.landing_of(&ours)) && page.contains("5 downloads left per file"), "{page}");
    assert!(page.contains(&t.files(&t.grant(&ours))[0].sha256));
}

fn fresh_links_replace_the_old_ones(t: TestApp) {
    let order = bought(&t);
    let before = t.landing_of(&order);
    let visitor = t.visitor();
    sign_in(&t, &visitor, BUYER);
    let purchase = format!("/portal/purchases/{}", order.id);
    visitor.get(&purchase);

    let answers: Vec<u16> =
        (0..4).map(|_| visitor.post(&format!("{purchase}/renew"), &[]).status.as_u16()).collect();
    t.run_jobs();

    assert_eq!(answers, [303, 303, 303, 429]);
    assert_eq!(t.get(&before).status, StatusCode::NOT_FOUND);
    assert!(visitor.get(&purchase).text().contains(&t.landing_of(&order)));
    assert!(t.mails_to(BUYER).pop().expect("a mail").text.contains(&t.landing_of(&order)));
}

fn a_profile_stands_on_the_next_invoice(t: TestApp) {
    let first = bought(&t);
    let visitor = t.visitor();
    sign_in(&t, &visitor, BUYER);
    visitor.get("/portal/profile");
    let profile = [
        ("name", "Ada Lovelace"),
        ("address", "Analytical Ltd\r\n12 St James’s Square"),
        ("country", "GB"),
        ("vat_id", "gb 123456789"),
    ];

    let saved = visitor.post("/portal/profile", &profile);
    let wrong = visitor.post("/portal/profile", &[("country", "XX"), ("name", "<b>")]);
    let second = bought_by(&t, &t.shop.clone(), "MAP", BUYER);

    assert_eq!((saved.status, wrong.status), (StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY));
    assert!(wrong.text().contains("value=\"&lt;b&gt;\""), "{}", wrong.text());
    let page = |order: &Order| visitor.get(&format!("/portal/invoices/{}", t.invoices(order)[0].id)).text();
    assert!(page(&second).contains("Analytical Ltd") && page(&second).contains("GB123456789"));
    assert!(page(&second).contains("United Kingdom"));
    assert!(!page(&first).contains("Analytical Ltd"), "a written invoice changed");
}

fn sessions_are_listed_and_ended(t: TestApp) {
    bought(&t);
    let (here, library) = (t.visitor(), t.visitor());
    sign_in(&t, &here, BUYER);
    sign_in(&t, &library, BUYER);
    let page = here.get("/portal/sessions");
    let other = hidden(&page, "session");

    let ended = here.post("/portal/sessions/end", &[("session", &other)]);
    let strange = here.post("/portal/sessions/end", &[("session", "ses_00000000000000000000000000")]);

    assert_eq!((ended.status, strange.status), (StatusCode::SEE_OTHER, StatusCode::NOT_FOUND));
    assert_eq!(library.get("/portal").status, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/portal").status, StatusCode::OK);
}

fn signing_out_ends_the_session(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    sign_in(&t, &visitor, BUYER);
    let token = visitor.cookie("customer").expect("a session");
    visitor.get("/portal");

    let out = visitor.post("/portal/sign-out", &[]);
    visitor.set_cookie("customer", &token);

    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert_eq!(visitor.get("/portal").status, StatusCode::SEE_OTHER);
}

fn another_merchants_portal_is_another_account(t: TestApp) {
    let other = t.later_shop();
    bought(&t);
    bought_by(&t, &other, "SONG", BUYER);
    let visitor = t.visitor();
    sign_in(&t, &visitor, BUYER);

    let closed = visitor.get("/m/other/portal");
    let link = mailed_link(&t, &visitor, "/m/other", BUYER);
    let crossed = visitor.get(link.strip_prefix("/m/other").expect("a prefix"));
    let page = visitor.get(&link);
    let signed_in = visitor.post("/m/other/portal/confirm", &[("token", &hidden(&page, "token"))]);

    assert!(closed.location().starts_with("/m/other/portal/sign-in"), "{}", closed.location());
    assert_eq!(crossed.status, StatusCode::GONE);
    assert_eq!(signed_in.location(), "/m/other/portal");
    let list = visitor.get("/m/other/portal").text();
    assert!(list.contains("The SONG") && !list.contains("The FONT"), "{list}");
    assert!(list.contains("href=\"/m/other/portal/purchases/"), "{list}");
}

fn a_sign_in_form_from_elsewhere_is_refused(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    let link = mailed_link(&t, &visitor, "", BUYER);
    let token = link.split("token=").nth(1).expect("a token").to_owned();

    // Signing a victim in to the attacker's account would need the victim's form token.
    assert_eq!(t.post("/portal/confirm", &[("token", &token)]).status, StatusCode::FORBIDDEN);
    assert_eq!(t.post("/portal/sign-in", &[("email", BUYER)]).status, StatusCode::FORBIDDEN);
}

fn a_deleted_letter_or_a_staff_link_signs_nobody_in(t: TestApp) {
    bought(&t);
    let visitor = t.visitor();
    let link = mailed_link(&t, &visitor, "", BUYER);
    let token = link.split("token=").nth(1).expect("a token").to_owned();
    visitor.get(&link);

    let wrong = [&token[1..], "", "x", &format!("{token}x")]
        .map(|token| visitor.post("/portal/confirm", &[("token", token)]).status.as_u16());

    assert_eq!(wrong, [410; 4]);
    assert_eq!(visitor.post("/portal/confirm", &[("token", &token)]).status, StatusCode::SEE_OTHER);
}
