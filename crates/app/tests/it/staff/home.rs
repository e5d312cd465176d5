//! The front page: what came in, what needs a person, what a new shop lacks.

use app::installation::{self, Quarantine};
use app::products::Product;
use app::staff::{self, Role};
use db::sql;
use http::StatusCode;
use kernel::{Currency, Span};
use mail::SendError;
use paysim::ipn::{Body, Item, Means};

use crate::support::TestApp;
use crate::support::goods::{NewGood, email, eur, usd};

testkit::both_engines! {
    nobody_sees_the_front_page_without_signing_in,
    every_role_sees_the_front_page,
    a_new_shop_is_told_what_it_lacks,
    a_shop_that_sells_is_told_nothing,
    the_days_sales_stand_in_each_currency_with_the_merchants_own_first,
    a_sale_counts_at_once_and_only_once_when_its_invoice_is_issued,
    a_sale_counts_on_the_merchants_day,
    yesterday_is_compared_up_to_the_same_time,
    money_that_went_back_does_not_change_what_the_day_brought,
    another_merchants_sales_and_alarms_are_not_shown,
    all_is_well_where_nothing_is_wrong,
    a_paid_order_without_its_goods_is_an_alarm_that_leads_to_the_list_and_to_the_remedy,
    a_refunded_order_that_is_still_open_is_an_alarm_that_leads_to_the_list,
    a_quarantined_notice_is_an_alarm,
    mail_that_does_not_leave_is_an_alarm,
    mail_that_was_refused_is_an_alarm_for_a_week,
    a_quarantine_of_the_installation_stands_above_all,
    work_that_was_given_up_is_an_alarm,
}

impl TestApp {
    /// The front page as an owner sees it.
    pub fn front_page(&self) -> String {
        let (merchant, address) = (self.shop.merchant.id, email("front@staff.example"));
        let known = self.read(move |snapshot| Ok(staff::store::by_email(snapshot, merchant, &address)?));
        let person = known.unwrap_or_else(|| self.person("front@staff.example", Role::Owner));
        let reply = self.signed_in(&person).get("/admin");
        assert_eq!(reply.status, StatusCode::OK);
        reply.text()
    }

    fn good(&self) -> Product {
        self.product(NewGood::of("NORTH").priced(&[eur(49_00), usd(55_00)]))
    }
}

/// The figure on the tile with this label.
fn tile(page: &str, label: &str) -> String {
    let rest = page.split(label).nth(1).expect("the tile");
    let figure = rest.split("class=\"figure num\">").nth(1).and_then(|rest| rest.split("</p>").next());
    let plain = figure.expect("a figure").split('<').filter_map(|piece| piece.split_once('>'));
    let text: String = plain.map(|(_, text)| text).collect();
    let text = if text.is_empty() { figure.expect("a figure").to_owned() } else { text };
    text.replace('\u{a0}', " ").trim().to_owned()
}

fn nobody_sees_the_front_page_without_signing_in(t: TestApp) {
    let reply = t.get("/admin");

    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/admin/sign-in?next=%2Fadmin"));
}

fn every_role_sees_the_front_page(t: TestApp) {
    let see = |role| t.signed_in_as(&t.shop, role).1.get("/admin").status;

    assert_eq!([Role::Owner, Role::Support, Role::ReadOnly].map(see), [StatusCode::OK; 3]);
    t.run_jobs();
}

fn a_new_shop_is_told_what_it_lacks(t: TestApp) {
    let page = t.front_page();

    // The connection is there already; the mail server takes what comes.
    assert!(page.contains("Open your shop"));
    assert!(page.contains("href=\"/admin/products/new\""));
    assert!(!page.contains("href=\"/admin/connections/new\""));
    assert!(!page.contains("Waiting mails"));
    assert!(!page.contains("Sales today"));
    t.run_jobs();
}

fn a_shop_that_sells_is_told_nothing(t: TestApp) {
    t.pay(&t.order(&[(&t.good(), 1)]));

    let page = t.front_page();

    assert!(!page.contains("Open your shop"));
    assert!(page.contains("Sales today"));
    t.run_jobs();
}

fn the_days_sales_stand_in_each_currency_with_the_merchants_own_first(t: TestApp) {
    let good = t.good();
    t.pay(&t.order_at(&t.shop, &[(&good, 1)], Currency::USD));
    t.pay(&t.order(&[(&good, 2)]));
    t.order(&[(&good, 1)]);

    let page = t.front_page();

    let sums = tile(&page, "Sales today");
    let (own, other) = (sums.find("98.00").expect("euros"), sums.find("55.00").expect("dollars"));
    assert!(own < other, "{sums}");
    assert_eq!(tile(&page, "Paid today"), "2");
    assert_eq!(page.matches("<figure class=\"chart\">").count(), 2);
    t.run_jobs();
}

fn a_sale_counts_at_once_and_only_once_when_its_invoice_is_issued(t: TestApp) {
    let order = t.order(&[(&t.good(), 1)]);
    let sale = t.sale_of(&order);
    t.deliver(&Body::completed(&sale, Means::Instant));
    for job in t.claim_jobs() {
        t.perform(job);
    }
    assert_eq!(t.count("SELECT count(*) AS n FROM sales"), 0);
    assert_eq!(tile(&t.front_page(), "Paid today"), "1");

    t.run_jobs();
    t.keep_house();

    assert_eq!(t.count("SELECT count(*) AS n FROM sales WHERE subject LIKE 'mer_%'"), 1);
    assert_eq!(tile(&t.front_page(), "Paid today"), "1");
    t.run_jobs();
}

fn a_sale_counts_on_the_merchants_day(t: TestApp) {
    t.write(|cx| Ok(sql("UPDATE merchants SET time_zone = 'Asia/Tokyo'").execute(cx.tx)?)).expect("a zone");
    let good = t.good();
    // 08:00 UTC is 17:00 in Tokyo; eight hours later it is tomorrow there and still today here.
    t.pay(&t.order(&[(&good, 1)]));
    t.advance(Span::hours(8));

    assert_eq!(tile(&t.front_page(), "Paid today"), "0");
    t.pay(&t.order(&[(&good, 1)]));
    assert_eq!(tile(&t.front_page(), "Paid today"), "1");
    t.run_jobs();
}

fn yesterday_is_compared_up_to_the_same_time(t: TestApp) {
    let good = t.good();
    t.pay(&t.order(&[(&good, 1)]));
    t.advance(Span::hours(4));
    t.pay(&t.order(&[(&good, 1)]));
    t.advance(Span::hours(22));

    // It is 10:00: of yesterday's two orders one had been paid by then.
    let page = t.front_page();

    assert_eq!(tile(&page, "Paid today"), "0");
    assert!(page.contains("1 by this time yesterday"));
    t.run_jobs();
}

fn money_that_went_back_does_not_change_what_the_day_brought(t: TestApp) {
    let sale = t.pay(&t.order(&[(&t.good(), 1)]));
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(49_00))));

    assert!(tile(&t.front_page(), "Sales today").contains("49.00"));
    t.run_jobs();
}

fn another_merchants_sales_and_alarms_are_not_shown(t: TestApp) {
    t.tick();
    let other = t.second_shop();
    let good = t.product_at(&other, NewGood::of("SOUTH"));
    let order = t.order_at(&other, &[(&good, 1)], Currency::EUR);
    let sale = t.sale_at(&other, &order);
    t.deliver_to(&other, &Body::completed(&sale, Means::Instant));
    t.run_jobs();
    t.pay(&t.order(&[(&t.good(), 1)]));
    let id = order.id;
    t.write(move |cx| take_goods(cx, id)).expect("the goods are gone");
    t.leaves_violation("I1");

    let page = t.front_page();

    assert_eq!(tile(&page, "Paid today"), "1");
    assert!(page.contains("All is well"));
    t.run_jobs();
}

fn all_is_well_where_nothing_is_wrong(t: TestApp) {
    t.pay(&t.order(&[(&t.good(), 3)]));

    let page = t.front_page();

    assert!(page.contains("All is well"));
    assert!(!page.contains("class=\"alarms\""));
    t.run_jobs();
}

/// What no order should ever be: paid, and without what was bought.
fn take_goods(cx: &mut app::cx::Cx<'_, '_>, order: kernel::OrderId) -> app::problem::Flow<()> {
    let tables = [
        "DELETE FROM grant_changes WHERE grant_id IN (SELECT id FROM grants WHERE order_id = $1)",
        "DELETE FROM grant_files WHERE grant_id IN (SELECT id FROM grants WHERE order_id = $1)",
        "DELETE FROM grants WHERE order_id = $1",
        "DELETE FROM units WHERE order_id = $1",
    ];
    for table in tables {
        sql(table).bind(order).execute(cx.tx)?;
    }
    Ok(())
}

fn a_paid_order_without_its_goods_is_an_alarm_that_leads_to_the_list_and_to_the_remedy(t: TestApp) {
    let good = t.good();
    let order = t.order(&[(&good, 1)]);
    t.pay(&order);
    let well = t.order(&[(&good, 1)]);
    t.pay(&well);
    let id = order.id;
    t.write(move |cx| take_goods(cx, id)).expect("the goods are gone");
    let (_, owner) = t.owner();

    let page = owner.get("/admin").text();
    assert!(page.contains("1 transaction is paid, but not delivered"));
    assert!(page.contains("href=\"/admin/orders?alarm=paid_not_delivered\""));

    let list = owner.get("/admin/orders?alarm=paid_not_delivered").text();
    assert!(list.contains(&order.id.to_string()) && !list.contains(&well.id.to_string()));

    let remedy = format!("/admin/orders/{id}/regenerate");
    assert!(owner.get(&format!("/admin/orders/{id}")).text().contains(&remedy));
    owner.get(&remedy);
    assert_eq!(owner.post(&remedy, &[]).status, StatusCode::SEE_OTHER);
    t.run_jobs();
    assert_eq!(t.grants(&order).len(), 1);
    assert!(!owner.get("/admin").text().contains("paid, but not delivered"));
}

fn a_refunded_order_that_is_still_open_is_an_alarm_that_leads_to_the_list(t: TestApp) {
    let order = t.order(&[(&t.good(), 1)]);
    let sale = t.pay(&order);
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(49_00))));
    let (_, owner) = t.owner();
    assert!(owner.get("/admin").text().contains("All is well"));

    t.write(|cx| Ok(sql("UPDATE grants SET status = 'active'").execute(cx.tx)?)).expect("a grant opens");

    assert!(owner.get("/admin").text().contains("1 transaction is refunded, but still open"));
    let list = owner.get("/admin/orders?alarm=refunded_still_open").text();
    assert!(list.contains(&order.id.to_string()));
    t.write(|cx| Ok(sql("UPDATE grants SET status = 'revoked'").execute(cx.tx)?)).expect("a grant closes");
    t.run_jobs();
}

fn a_quarantined_notice_is_an_alarm(t: TestApp) {
    let order = t.order(&[(&t.good(), 1)]);
    let mut sale = t.sale_of(&order);
    sale.items = vec![Item::one("NORTH", eur(1_00))];
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    let page = t.front_page();

    assert!(page.contains("1 notice is in quarantine"));
    assert!(page.contains("href=\"/admin/notices?state=quarantined\""));
    assert!(page.contains(&sale.txn_id));
    t.run_jobs();
}

fn mail_that_does_not_leave_is_an_alarm(t: TestApp) {
    t.mailer.fail_next(SendError::Retry { why: "421 come again".to_owned() });
    t.pay(&t.order(&[(&t.good(), 1)]));

    let page = t.front_page();

    assert!(page.contains("1 mail does not leave"));
    assert!(page.contains("href=\"/admin/messages?state=waiting\""));
    assert!(page.contains("421 come again"));
    t.advance(Span::hours(1));
    t.run_jobs();
    assert!(!t.front_page().contains("421 come again"));
}

fn mail_that_was_refused_is_an_alarm_for_a_week(t: TestApp) {
    let (_, owner) = t.owner();
    t.pay(&t.order(&[(&t.good(), 1)]));
    let refuse = "UPDATE messages SET state = 'failed', last_error = '550 no such mailbox', sent_at = NULL";
    t.write(move |cx| Ok(sql(refuse).execute(cx.tx)?)).expect("a mail is refused");

    let page = owner.get("/admin").text();
    assert!(page.contains("href=\"/admin/messages?state=failed\"") && page.contains("550 no such mailbox"));

    t.advance(Span::days(8));
    assert!(!t.front_page().contains("550 no such mailbox"));
    t.leaves_violation("I7");
    t.run_jobs();
}

fn a_quarantine_of_the_installation_stands_above_all(t: TestApp) {
    let now = t.now();
    t.write(move |cx| {
        let begun = Quarantine { why: "an older copy was put in its place".to_owned(), since: now };
        Ok(installation::store::save_quarantine(cx.tx, &begun, now)?)
    })
    .expect("a quarantine");
    t.app.note_quarantine(Some(Quarantine {
        why: "an older copy was put in its place".to_owned(),
        since: now,
    }));

    let page = t.front_page();

    assert!(page.contains("nothing leaves the house") && page.contains("an older copy was put in its place"));
    t.write(|cx| Ok(installation::store::remove(cx.tx, installation::store::QUARANTINE)?)).expect("lifted");
    t.app.note_quarantine(None);
    t.run_jobs();
}

fn work_that_was_given_up_is_an_alarm(t: TestApp) {
    t.mailer.fail_next(SendError::Retry { why: "421 come again".to_owned() });
    t.pay(&t.order(&[(&t.good(), 1)]));
    let bury = "UPDATE jobs SET state = 'dead', last_error = 'given up' WHERE kind = 'send_message'";
    t.write(move |cx| Ok(sql(bury).execute(cx.tx)?)).expect("a job is buried");

    let page = t.front_page();

    assert!(page.contains("1 job was given up") && page.contains("href=\"/admin/jobs\""));
    t.leaves_jobs();
    t.leaves_violation("I7");
}
