//! The thank-you page in all its states.

use http::StatusCode;
use kernel::Span;
use paysim::ipn::{Body, Means};

use super::check_out;
use crate::support::goods::eur;
use crate::support::{BASE_URL, NewGood, TestApp};

testkit::both_engines! {
    the_page_waits_and_fills_in_when_the_money_is_there,
    a_buyer_who_turned_back_is_told_so_and_can_try_again,
    money_that_takes_days_is_told_and_mailed,
    provisional_access_is_open_while_the_money_is_on_its_way,
    a_failed_payment_offers_another_try,
    a_quarantined_payment_is_held_and_not_waited_for,
    a_refund_is_told_and_shows_no_link,
    a_part_refund_leaves_the_links,
    a_reversal_is_being_looked_at,
    several_units_and_files_are_all_there,
    a_replaced_link_is_not_shown_on_a_page_that_others_may_know,
    an_expired_link_is_not_shown_as_open,
    a_wrong_token_and_an_unknown_one_are_the_same_page,
    the_invoice_is_there_without_an_account,
    how_the_buyer_came_back_means_nothing,
}

fn the_page_waits_and_fills_in_when_the_money_is_there(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);

    let waiting = visitor.get(&page);
    let nothing_new = visitor.get(&format!("{page}/state"));
    t.pay(&order);
    let part = visitor.get(&format!("{page}/state"));
    let paid = visitor.get(&page);

    assert!(waiting.text().contains(&format!("hx-get=\"{page}/state\"")), "{}", waiting.text());
    assert_eq!((nothing_new.status, nothing_new.body.len()), (StatusCode::NO_CONTENT, 0));
    let link = format!("{BASE_URL}{}", t.landing_of(&order));
    let file = &t.files(&t.grant(&order))[0];
    for shown in [part.text(), paid.text()] {
        assert!(shown.contains(&link) && !shown.contains("hx-trigger"), "{shown}");
        assert!(shown.contains(&format!("data-copy=\"{}\"", file.sha256)), "{shown}");
        assert!(shown.contains(&format!("data-copy=\"{}\"", file.md5)), "{shown}");
    }
    assert!(!part.text().contains("<html"), "a part is not a page");
}

fn a_buyer_who_turned_back_is_told_so_and_can_try_again(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");

    let canceled = visitor.get(&format!("{page}?canceled=1"));
    t.pay(&t.newest_order(&t.shop.merchant));
    let after_all = visitor.get(&format!("{page}?canceled=1"));

    assert!(canceled.text().contains("The payment was canceled"));
    assert!(canceled.text().contains(&format!("href=\"{page}/pay\"")), "{}", canceled.text());
    assert!(after_all.text().contains("Your download is ready"));
}

fn money_that_takes_days_is_told_and_mailed(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::pending(&sale, Means::Echeck, "echeck"));

    let pending = visitor.get(&page).text();
    let mail = t.mails_to("buyer@example.com").pop().expect("a mail");
    t.advance(Span::days(4));
    t.deliver_and_run(&Body::completed(&sale, Means::Echeck));
    let paid = visitor.get(&page).text();

    assert!(pending.contains("Your payment is on its way") && !pending.contains("/d/"), "{pending}");
    assert!(mail.text.contains(&format!("{BASE_URL}{page}")), "{}", mail.text);
    assert!(paid.contains(&t.landing_of(&order)), "{paid}");
}

fn provisional_access_is_open_while_the_money_is_on_its_way(t: TestApp) {
    t.product(NewGood::of("FONT").provisional());
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::pending(&sale, Means::Echeck, "echeck"));

    let pending = visitor.get(&page).text();
    let landing = visitor.get(&t.landing_of(&order));
    t.deliver_and_run(&Body::with_status(&sale, Means::Echeck, "Failed"));
    let failed = visitor.get(&page).text();
    let closed = visitor.get(&t.landing_of(&order));

    assert!(pending.contains("Until the payment arrives") && pending.contains("/d/"), "{pending}");
    assert_eq!(landing.status, StatusCode::OK);
    assert!(landing.text().contains("Your payment is still on its way"));
    assert!(failed.contains("The payment did not go through") && !failed.contains("/d/"), "{failed}");
    assert_eq!(closed.status, StatusCode::GONE);
}

fn a_failed_payment_offers_another_try(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);
    t.deliver_and_run(&Body::with_status(&t.sale_of(&order), Means::Echeck, "Failed"));

    let failed = visitor.get(&page).text();
    let again = visitor.get(&format!("{page}/pay"));

    assert!(failed.contains(&format!("href=\"{page}/pay\"")), "{failed}");
    assert_eq!(again.status, StatusCode::OK);
}

fn a_quarantined_payment_is_held_and_not_waited_for(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant).set("mc_gross", "1.00"));

    let held = visitor.get(&page).text();

    assert!(held.contains("We are looking at your payment") && !held.contains("/d/"), "{held}");
}

fn a_refund_is_told_and_shows_no_link(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);
    let sale = t.pay(&order);
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(49_00))));

    let refunded = visitor.get(&page).text();

    assert!(refunded.contains("Your money has been sent back"), "{refunded}");
    assert!(refunded.contains("€49.00 went back") && !refunded.contains("/d/"), "{refunded}");
}

fn a_part_refund_leaves_the_links(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);
    let sale = t.pay(&order);
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("part", eur(9_00))));

    let refunded = visitor.get(&page).text();

    assert!(refunded.contains("€9.00 went back") && refunded.contains("/d/"), "{refunded}");
}

fn a_reversal_is_being_looked_at(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let order = t.newest_order(&t.shop.merchant);
    let sale = t.pay(&order);
    t.deliver_and_run(&Body::reversed(&sale, &t.movement("pulled", eur(49_00))));

    let page = visitor.get(&page).text();

    assert!(page.contains("We are looking at your payment") && !page.contains("/d/"), "{page}");
}

fn several_units_and_files_are_all_there(t: TestApp) {
    let mut good = NewGood::of("SET");
    good.files = vec![("a.pdf".to_owned(), vec![1; 10]), ("empty.txt".to_owned(), Vec::new())];
    let set = t.product(good);
    let order = t.order(&[(&set, 3)]);
    t.pay(&order);

    let page = t.get(&t.page_of(&order)).text();

    let links = t.grants(&order).iter().filter(|grant| page.contains(&t.link(grant))).count();
    assert_eq!(links, 3);
    assert!(page.contains("1 of 3") && page.contains("3 of 3"), "{page}");
    assert_eq!((page.matches("a.pdf").count(), page.matches("empty.txt").count()), (3, 3));
}

fn a_replaced_link_is_not_shown_on_a_page_that_others_may_know(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let id = order.id;
    t.write(move |cx| app::orders::flow::reissue(cx, id)).expect("links are replaced");
    t.run_jobs();

    let page = t.get(&t.page_of(&order)).text();

    assert!(!page.contains("/d/"), "{page}");
    assert!(t.mails_to("buyer@example.com").pop().expect("a mail").text.contains(&t.landing_of(&order)));
}

fn an_expired_link_is_not_shown_as_open(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    t.advance(Span::days(4));

    let page = t.get(&t.page_of(&order)).text();

    assert!(page.contains("Expired") && !page.contains("/d/"), "{page}");
}

fn a_wrong_token_and_an_unknown_one_are_the_same_page(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let genuine = t.page_of(&order);
    let wrong = format!("{}A", &genuine[..genuine.len() - 1]);
    let unknown = format!("/o/{}", app::links::join(7, [7; 16]));
    let grants_code = format!("/o/{}", "A".repeat(43));
    let visitor = t.visitor();
    visitor.get("/");

    let answers = [wrong, unknown, grants_code, "/o/x".to_owned(), format!("{genuine}A")].map(|path| {
        [path.clone(), format!("{path}/state"), format!("{path}/pay"), format!("{path}/invoices/1")]
            .map(|path| visitor.get(&path))
    });

    let first = &answers[0][0];
    assert_eq!(first.status, StatusCode::NOT_FOUND);
    let same = answers.iter().flatten().filter(|reply| {
        reply.status == first.status && reply.body == first.body && reply.headers == first.headers
    });
    assert_eq!(same.count(), 20);
}

fn the_invoice_is_there_without_an_account(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let (order, other) = (t.order(&[(&font, 2)]), t.order(&[(&font, 1)]));
    t.pay(&order);
    t.advance(Span::minutes(1));
    let sale = t.sale_of(&other);
    let mut sale = sale.clone();
    sale.txn_id = paysim::ipn::txn_id("other");
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));
    let (ours, theirs) = (&t.invoices(&order)[0], &t.invoices(&other)[0]);

    let page = t.get(&t.page_of(&order)).text();
    let invoice = t.get(&format!("{}/invoices/{}", t.page_of(&order), ours.id));
    let not_ours = t.get(&format!("{}/invoices/{}", t.page_of(&order), theirs.id));

    assert!(page.contains(&format!("/invoices/{}", ours.id)), "{page}");
    assert!(invoice.text().contains(&ours.label()) && invoice.text().contains("€98.00"));
    assert_eq!(not_ours.status, StatusCode::NOT_FOUND);
}

fn how_the_buyer_came_back_means_nothing(t: TestApp) {
    t.product(NewGood::of("FONT"));
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "FONT");
    let before = t.business_state();

    let shown = visitor.get(&format!("{page}?st=Completed&tx=ABC&amt=49.00&payment_status=Completed"));

    assert!(shown.text().contains("One moment, please"));
    assert_eq!(t.business_state(), before);
}
