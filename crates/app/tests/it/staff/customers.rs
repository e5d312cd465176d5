//! Accounts in the back office: found, looked at, changed.

use app::carts::CartItem;
use app::customers::{self, Customer};
use app::messages::MessageKind;
use app::orders::flow::Wanted;
use app::orders::{self, Order};
use app::products::Product;
use app::sessions::{self, Holder, Origin};
use app::staff::Role;
use http::StatusCode;
use kernel::{Currency, CustomerId, Span};
use paysim::ipn::Body;

use crate::support::goods::{NewGood, email, eur, usd};
use crate::support::http::Visitor;
use crate::support::{Reply, TestApp};

testkit::both_engines! {
    an_account_is_found_by_address_name_company_and_id,
    the_list_is_narrowed_by_country_and_day,
    the_list_is_sorted_by_address_and_by_name,
    pages_of_the_list_join_without_gaps_and_without_doubles,
    the_list_tells_what_each_account_brought,
    the_file_of_accounts_holds_no_formula,
    only_who_may_export_gets_the_file_and_the_log_says_so,
    another_merchants_account_is_not_found,
    an_account_shows_purchases_links_mails_invoices_and_acts,
    what_staff_did_to_an_order_stands_at_its_account,
    staff_change_an_accounts_name_and_the_log_keeps_both,
    a_new_address_is_told_to_the_old_one_and_ends_what_it_could_open,
    mail_about_an_order_goes_to_the_new_address,
    an_address_that_another_account_has_is_refused,
    a_wrong_address_is_shown_beside_its_field,
    nothing_is_logged_when_nothing_was_changed,
    a_sign_in_link_goes_to_the_accounts_own_address,
    a_customer_is_signed_out_everywhere,
    signing_out_who_is_signed_in_nowhere_is_refused,
    who_only_reads_cannot_act_and_sees_no_buttons,
    support_can_act_on_accounts,
}

impl TestApp {
    fn north(&self) -> Product {
        self.product(NewGood::of("NORTH").priced(&[eur(49_00), usd(55_00)]))
    }

    /// An order by this buyer, not paid yet.
    fn order_of(&self, good: &Product, address: &str, name: &str, country: &str) -> Order {
        let wanted = Wanted {
            items: vec![CartItem { product: good.id, choice: None, quantity: 1 }],
            currency: Currency::EUR,
            connection: self.shop.connection.id,
            email: Some(email(address)),
            name: name.to_owned(),
            country: Some(country.to_owned()),
            consented: false,
        };
        let merchant = self.shop.merchant.clone();
        self.write(move |cx| orders::flow::place(cx, &merchant, &wanted)).expect("an order is placed")
    }

    /// An account of this buyer, made by a first payment.
    fn buyer(&self, good: &Product, address: &str, name: &str, country: &str) -> Customer {
        let order = self.order_of(good, address, name, country);
        self.pay(&order);
        self.account(self.look(&order).customer.expect("an account"))
    }

    fn account(&self, id: CustomerId) -> Customer {
        let merchant = self.shop.merchant.id;
        let found = self.read(move |snapshot| Ok(customers::store::by_id(snapshot, merchant, id)?));
        found.expect("the account is there")
    }

    /// A browser of the buyer's that is signed in to the portal.
    fn at_home(&self, customer: &Customer) -> Visitor<'_> {
        let id = customer.id;
        let opened = self.write(move |cx| {
            let origin =
                Origin { address: "192.0.2.9".to_owned(), user_agent: "test".to_owned(), replaces: None };
            Ok(sessions::flow::open(cx, Holder::Customer(id), &origin)?)
        });
        let visitor = self.visitor();
        visitor.set_cookie("customer", opened.expect("a session").token.expose());
        visitor
    }

    /// The kinds of the events about an account.
    fn told_of(&self, customer: &Customer) -> Vec<(String, String)> {
        let subject = customer.id.to_string();
        self.read(move |snapshot| {
            let events =
                db::sql("SELECT kind, detail FROM events WHERE subject = $1 ORDER BY id").bind(&subject);
            Ok(events.all(snapshot, |row| Ok((row.get("kind")?, row.get("detail")?)))?)
        })
    }
}

fn path(customer: &Customer) -> String {
    format!("/admin/customers/{}", customer.id)
}

/// The addresses in a list, from its first row to its last.
fn rows(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, StatusCode::OK);
    let text = reply.text();
    let cells = text.split("class=\"row-link\"").skip(1);
    cells.filter_map(|cell| Some(cell.split_once('>')?.1.split('<').next()?.to_owned())).collect()
}

fn an_account_is_found_by_address_name_company_and_id(t: TestApp) {
    let good = t.north();
    let ada = t.buyer(&good, "ada@engines.example", "Ada Lovelace", "GB");
    t.buyer(&good, "bob@example.com", "Bob Builder", "US");
    let (_, owner) = t.owner();
    let found = |words: &str| rows(&owner.get(&format!("/admin/customers?q={words}")));

    assert_eq!(found("ada%40eng"), ["ada@engines.example"]);
    assert_eq!(found("engines"), ["ada@engines.example"]);
    assert_eq!(found("LOVELACE"), ["ada@engines.example"]);
    assert_eq!(found(&ada.id.to_string()), ["ada@engines.example"]);
    assert_eq!(found("%25"), [""; 0]);
    owner.get(&format!("{}/edit", path(&ada)));
    owner.post(
        &format!("{}/edit", path(&ada)),
        &[("email", "ada@engines.example"), ("company", "Difference Ltd")],
    );
    assert_eq!(found("difference"), ["ada@engines.example"]);
    t.run_jobs();
}

fn the_list_is_narrowed_by_country_and_day(t: TestApp) {
    let good = t.north();
    t.buyer(&good, "ada@example.com", "Ada", "GB");
    t.advance(Span::days(1));
    t.buyer(&good, "bob@example.com", "Bob", "US");
    let (_, owner) = t.owner();
    let listed = |query: &str| rows(&owner.get(&format!("/admin/customers?{query}")));

    assert_eq!(listed("country=GB"), ["ada@example.com"]);
    assert_eq!(listed("country=GB&q=bob"), [""; 0]);
    assert_eq!(listed("from=2027-01-16"), ["bob@example.com"]);
    assert_eq!(listed("to=2027-01-15"), ["ada@example.com"]);
    assert_eq!(listed("country=Nowhere"), ["bob@example.com", "ada@example.com"]);
    t.run_jobs();
}

fn the_list_is_sorted_by_address_and_by_name(t: TestApp) {
    let good = t.north();
    t.buyer(&good, "b@example.com", "Zoe", "GB");
    t.buyer(&good, "a@example.com", "yves", "GB");
    t.buyer(&good, "c@example.com", "Xaver", "GB");
    let (_, owner) = t.owner();
    let listed = |query: &str| rows(&owner.get(&format!("/admin/customers?{query}")));

    assert_eq!(listed(""), ["c@example.com", "a@example.com", "b@example.com"]);
    assert_eq!(listed("sort=email"), ["a@example.com", "b@example.com", "c@example.com"]);
    assert_eq!(listed("sort=-name"), ["b@example.com", "a@example.com", "c@example.com"]);
    assert_eq!(listed("sort=name&q=example"), ["c@example.com", "a@example.com", "b@example.com"]);
    t.run_jobs();
}

fn pages_of_the_list_join_without_gaps_and_without_doubles(t: TestApp) {
    let merchant = t.shop.merchant.id;
    t.write(move |cx| {
        for number in 0..120 {
            let customer = Customer {
                id: CustomerId::mint(cx.draws),
                merchant,
                email: email(&format!("b{number:03}@example.com")),
                name: format!("Buyer {}", number % 7),
                company: String::new(),
                address: String::new(),
                country: None,
                vat_id: None,
                locale: "en".to_owned(),
                created_at: cx.now,
            };
            customers::store::insert_or_find(cx.tx, &customer)?;
        }
        Ok(())
    })
    .expect("accounts");
    let (_, owner) = t.owner();
    let next = |page: &Reply| {
        let text = page.text().replace("&amp;", "&");
        let link = text.split("href=\"").filter_map(|rest| rest.split('"').next());
        link.filter(|link| link.contains("after=")).map(str::to_owned).next()
    };

    let walk = |sort: &str| {
        let first = owner.get(&format!("/admin/customers?sort={sort}"));
        let second = owner.get(&next(&first).expect("a second page"));
        let third = owner.get(&next(&second).expect("a third page"));
        assert_eq!(next(&third), None);
        [rows(&first), rows(&second), rows(&third)].concat()
    };

    let all: Vec<String> = (0..120).map(|number| format!("b{number:03}@example.com")).collect();
    assert_eq!(walk("email"), all);
    let mut by_name = walk("name");
    by_name.sort();
    assert_eq!(by_name, all);
    t.run_jobs();
}

fn the_list_tells_what_each_account_brought(t: TestApp) {
    let good = t.north();
    let ada = t.buyer(&good, "ada@example.com", "Ada", "GB");
    let second = t.order_of(&good, "ada@example.com", "Ada", "GB");
    let sale = t.pay(&second);
    t.order_of(&good, "ada@example.com", "Ada", "GB");
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("some", eur(9_00))));
    let (_, owner) = t.owner();

    let list = owner.get("/admin/customers").text();

    assert!(list.contains("89.00"), "two paid, nine back");
    assert!(owner.get(&path(&ada)).text().contains("89.00"));
    t.run_jobs();
}

fn the_file_of_accounts_holds_no_formula(t: TestApp) {
    t.buyer(&t.north(), "ada@example.com", "=HYPERLINK(\"http://evil.example\")", "GB");
    let (_, owner) = t.owner();

    let reply = owner.get("/admin/customers.csv?sort=email");

    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    let text = reply.text();
    assert!(text.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""), "{text}");
    assert!(text.contains("ada@example.com") && text.contains("49.00 EUR"));
    t.run_jobs();
}

fn only_who_may_export_gets_the_file_and_the_log_says_so(t: TestApp) {
    let ask = |role| t.signed_in_as(&t.shop, role).1.get("/admin/customers.csv").status;

    assert_eq!(ask(Role::Support), StatusCode::FORBIDDEN);
    assert_eq!(ask(Role::ReadOnly), StatusCode::FORBIDDEN);
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'list.exported'"), 0);
    assert_eq!(ask(Role::Owner), StatusCode::OK);
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'list.exported'"), 1);
    t.run_jobs();
}

fn another_merchants_account_is_not_found(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let other = t.second_shop();
    let stranger = t.signed_in(&t.person_at(other.merchant.id, "mallory@staff.example", Role::Owner));
    // Merchants that share a host have cookies of their own.
    stranger.set_cookie("staff-other", &stranger.cookie("staff").expect("a session"));
    let at = |rest: &str| format!("/m/other{}{rest}", path(&ada));

    assert_eq!(stranger.get(&at("")).status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.get(&at("/edit")).status, StatusCode::NOT_FOUND);
    stranger.get("/m/other/admin/account");
    let fields = [("email", "thief@example.com")];
    assert_eq!(stranger.post(&at("/edit"), &fields).status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.post(&at("/sign-in-link"), &[]).status, StatusCode::NOT_FOUND);
    assert_eq!(t.account(ada.id).email, ada.email);
    t.run_jobs();
}

fn an_account_shows_purchases_links_mails_invoices_and_acts(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada Lovelace", "GB");
    t.at_home(&ada);
    let order = t.orders().pop().expect("an order");
    let invoice = t.invoices(&order).pop().expect("an invoice");
    let (_, owner) = t.owner();

    let page = owner.get(&path(&ada)).text();

    assert!(page.contains(&format!("/admin/orders/{}", order.id)));
    assert!(page.contains(&format!("/admin/invoices/{}", invoice.id)));
    assert!(page.contains("/admin/messages/msg_") && page.contains("Receipt with links"));
    assert!(page.contains("The NORTH") && page.contains("until "));
    assert!(page.contains("Signed in") && page.contains("192.0.2.9"));
    t.run_jobs();
}

fn what_staff_did_to_an_order_stands_at_its_account(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let order = t.orders().pop().expect("an order");
    let (_, owner) = t.owner();
    let extend = format!("/admin/orders/{}/extend", order.id);
    owner.get(&extend);
    assert_eq!(owner.post(&extend, &[("days", "9")]).status, StatusCode::SEE_OTHER);
    t.run_jobs();

    let page = owner.get(&path(&ada)).text();

    assert!(page.contains("Links prolonged"));
    assert!(!page.contains("Order placed"));
    t.run_jobs();
}

fn change(visitor: &Visitor<'_>, customer: &Customer, fields: &[(&str, &str)]) -> Reply {
    let edit = format!("{}/edit", path(customer));
    assert_eq!(visitor.get(&edit).status, StatusCode::OK);
    visitor.post(&edit, fields)
}

fn staff_change_an_accounts_name_and_the_log_keeps_both(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let home = t.at_home(&ada);
    let (_, owner) = t.owner();

    let fields = [("email", "ada@example.com"), ("name", " Ada King "), ("company", "")];
    let reply = change(&owner, &ada, &fields);

    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, path(&ada).as_str()));
    assert_eq!(t.account(ada.id).name, "Ada King");
    let told = t.told_of(&ada);
    let (_, detail) = told.iter().find(|(kind, _)| kind == "customer.changed").expect("a line in the log");
    assert_eq!(detail, r#"{"name":"Ada King","name_was":"Ada"}"#);
    assert_eq!(home.get("/portal").status, StatusCode::OK);
    t.run_jobs();
}

fn a_new_address_is_told_to_the_old_one_and_ends_what_it_could_open(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@old.example", "Ada", "GB");
    let home = t.at_home(&ada);
    let id = ada.id;
    let link = t.write(move |cx| Ok(sessions::flow::make_link(cx, Holder::Customer(id))?)).expect("a link");
    let (_, owner) = t.owner();
    t.run_jobs();
    t.mailbox.clear();

    let reply = change(&owner, &ada, &[("email", "Ada@New.example"), ("name", "Ada")]);
    t.run_jobs();

    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(t.account(ada.id).email.as_str(), "ada@new.example");
    let mails = t.mailbox.all();
    assert_eq!(mails.len(), 1);
    let mail = String::from_utf8_lossy(&mails[0].raw).into_owned();
    assert!(mail.contains("ada@old.example") && !mail.contains("ada@new.example"));
    assert_eq!(home.get("/portal").status, StatusCode::SEE_OTHER);
    let confirm = format!("/portal/confirm?token={}", link.token.expose());
    assert_eq!(t.get(&confirm).status, StatusCode::GONE);
}

fn mail_about_an_order_goes_to_the_new_address(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@old.example", "Ada", "GB");
    let order = t.orders().pop().expect("an order");
    let (_, owner) = t.owner();
    change(&owner, &ada, &[("email", "ada@new.example"), ("name", "Ada")]);
    let resend = format!("/admin/orders/{}/resend", order.id);
    owner.get(&resend);
    owner.post(&resend, &[]);
    t.run_jobs();

    let sent = t.messages(&order).pop().expect("a message");

    assert_eq!((sent.kind, sent.to.as_str()), (MessageKind::LinksResent, "ada@new.example"));
    assert!(owner.get(&path(&ada)).text().contains("Receipt with links"), "older mails stay in sight");
    t.run_jobs();
}

fn an_address_that_another_account_has_is_refused(t: TestApp) {
    let good = t.north();
    let ada = t.buyer(&good, "ada@example.com", "Ada", "GB");
    t.buyer(&good, "bob@example.com", "Bob", "GB");
    let (_, owner) = t.owner();

    let reply = change(&owner, &ada, &[("email", "bob@example.com"), ("name", "Ada")]);

    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("another account has this mail address"));
    assert_eq!(t.account(ada.id).email.as_str(), "ada@example.com");
    t.run_jobs();
}

fn a_wrong_address_is_shown_beside_its_field(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let (_, owner) = t.owner();

    let reply = change(&owner, &ada, &[("email", "ada at example"), ("name", "Countess")]);

    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("this is no mail address") && reply.text().contains("Countess"));
    t.run_jobs();
}

fn nothing_is_logged_when_nothing_was_changed(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let (_, owner) = t.owner();

    change(&owner, &ada, &[("email", "ada@example.com"), ("name", "Ada")]);

    assert!(t.told_of(&ada).iter().all(|(kind, _)| kind != "customer.changed"));
    t.run_jobs();
}

fn a_sign_in_link_goes_to_the_accounts_own_address(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let (_, owner) = t.owner();
    t.run_jobs();
    t.mailbox.clear();
    let link = format!("{}/sign-in-link", path(&ada));
    assert!(owner.get(&link).text().contains("ada@example.com"));

    let reply = owner.post(&link, &[("email", "thief@example.com")]);
    t.run_jobs();

    assert_eq!(reply.location(), path(&ada));
    let mails = t.mailbox.all();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, [email("ada@example.com")]);
    assert!(t.told_of(&ada).iter().any(|(kind, _)| kind == "customer.link_made"));
    t.run_jobs();
}

fn a_customer_is_signed_out_everywhere(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let (desk, phone) = (t.at_home(&ada), t.at_home(&ada));
    let (_, owner) = t.owner();
    let out = format!("{}/sign-out", path(&ada));
    assert!(owner.get(&out).text().contains("2 browsers are signed out"));

    assert_eq!(owner.post(&out, &[]).status, StatusCode::SEE_OTHER);

    assert_eq!(desk.get("/portal").status, StatusCode::SEE_OTHER);
    assert_eq!(phone.get("/portal").status, StatusCode::SEE_OTHER);
    assert!(t.told_of(&ada).iter().any(|(kind, _)| kind == "customer.sessions_revoked"));
    t.run_jobs();
}

fn signing_out_who_is_signed_in_nowhere_is_refused(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let (_, owner) = t.owner();

    assert_eq!(owner.get(&format!("{}/sign-out", path(&ada))).status, StatusCode::CONFLICT);
    assert_eq!(owner.post(&format!("{}/sign-out", path(&ada)), &[]).status, StatusCode::CONFLICT);
    t.run_jobs();
}

fn who_only_reads_cannot_act_and_sees_no_buttons(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let (_, reader) = t.signed_in_as(&t.shop, Role::ReadOnly);

    let page = reader.get(&path(&ada));

    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text().contains("/sign-in-link") && !page.text().contains("/edit\""));
    assert_eq!(reader.get(&format!("{}/edit", path(&ada))).status, StatusCode::FORBIDDEN);
    reader.get("/admin/account");
    assert_eq!(reader.post(&format!("{}/sign-in-link", path(&ada)), &[]).status, StatusCode::FORBIDDEN);
    assert_eq!(
        reader.post(&format!("{}/edit", path(&ada)), &[("email", "x@y.example")]).status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(t.account(ada.id).email.as_str(), "ada@example.com");
    t.run_jobs();
}

fn support_can_act_on_accounts(t: TestApp) {
    let ada = t.buyer(&t.north(), "ada@example.com", "Ada", "GB");
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    assert!(support.get(&path(&ada)).text().contains("/sign-in-link"));
    assert_eq!(
        change(&support, &ada, &[("email", "ada@example.com"), ("name", "A")]).status,
        StatusCode::SEE_OTHER
    );
    t.run_jobs();
}
