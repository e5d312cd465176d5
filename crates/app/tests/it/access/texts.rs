//! Access data: a text for everybody, or one entry of a list for each.

use app::access::list::Form;
use app::access::{Source, Terms, flow};
use app::deliverables::Deliverables;
use app::messages::MessageKind;
use app::orders::Order;
use app::parts::PartState;
use app::products::Product;
use http::StatusCode;
use kernel::Span;
use paysim::ipn::Body as Ipn;

use super::{good, landing};
use crate::buyer::BUYER;
use crate::support::TestApp;
use crate::support::goods::eur;

testkit::both_engines! {
    a_text_is_told_on_the_page_and_in_the_receipt,
    each_buyer_gets_the_next_entry_and_no_two_the_same,
    fifty_payments_at_once_share_three_entries_without_a_double,
    who_waits_for_an_entry_is_served_in_the_order_of_payment,
    a_refunded_entry_goes_to_nobody_else,
    what_was_given_away_is_not_imported_again,
    a_refunded_buyer_who_waits_takes_nothing,
    an_entry_lies_sealed_and_whoever_looks_is_written_down,
    a_list_is_imported_and_reported_on_its_page,
    a_list_that_runs_low_raises_an_alarm,
    access_data_is_not_told_before_the_money,
    a_removed_entry_is_given_to_nobody,
    an_entry_that_lies_free_while_somebody_waits_is_i20,
}

fn terms(source: Source) -> Deliverables {
    let access = Terms::read("Webcast login", source).expect("terms");
    Deliverables { access: Some(access), ..Deliverables::default() }
}

fn listed(t: &TestApp, entries: &str) -> Product {
    let product = t.product(good("CAST", terms(Source::List)));
    t.set_low_water(&product, 1);
    if !entries.is_empty() {
        t.import(&product, entries);
    }
    product
}

impl TestApp {
    fn set_low_water(&self, product: &Product, low_water: u32) {
        let (id, merchant) = (product.id, product.merchant);
        self.write(move |cx| Ok(app::access::store::set_list(cx.tx, merchant, id, low_water)?))
            .expect("a list is made");
    }

    fn import(&self, product: &Product, entries: &str) -> flow::Imported {
        let (id, entries) = (product.id, entries.to_owned());
        let imported = self.write(move |cx| flow::import(cx, id, Form::Lines, entries.as_bytes()));
        self.run_jobs();
        imported.expect("entries are imported")
    }
}

fn told(t: &TestApp, order: &Order) -> Option<String> {
    let page = landing(t, order);
    ["entry-1", "entry-2", "entry-3"].into_iter().find(|entry| page.contains(entry)).map(ToOwned::to_owned)
}

fn a_text_is_told_on_the_page_and_in_the_receipt(t: TestApp) {
    let text = Source::Template("Dear {name},\nuser {email}, order {order}".to_owned());
    let product = t.product(good("CAST", terms(text)));

    let order = t.bought("one", &product);

    let expected = format!("user buyer@example.com, order {}", order.id);
    assert!(landing(&t, &order).contains("Webcast login") && landing(&t, &order).contains(&expected));
    let receipt = t.mails_to(BUYER).remove(0);
    let written = receipt.text;
    assert!(written.contains("Jo Buyer") && written.contains("user buyer@example.com"), "{written}");
    assert_eq!(t.parts_of(&order)[0].state, PartState::Done);
}

fn each_buyer_gets_the_next_entry_and_no_two_the_same(t: TestApp) {
    let product = listed(&t, "entry-1\nentry-2\nentry-3");

    let orders = ["one", "two"].map(|seed| t.bought(seed, &product));

    assert_eq!(
        orders.map(|order| told(&t, &order)),
        [Some("entry-1".to_owned()), Some("entry-2".to_owned())]
    );
    let receipt = t.mails_to(BUYER).remove(0);
    assert!(receipt.text.contains("entry-1"));
}

fn fifty_payments_at_once_share_three_entries_without_a_double(t: TestApp) {
    let product = listed(&t, "entry-1\nentry-2\nentry-3");
    let orders: Vec<Order> = (0..50).map(|_| t.order(&[(&product, 1)])).collect();
    let hooks = orders.iter().enumerate().map(|(number, order)| {
        let mut sale = t.sale_of(order);
        sale.txn_id = paysim::ipn::txn_id(&format!("sale-{number}"));
        let body = Ipn::completed(&sale, paysim::ipn::Means::Instant).encode();
        t.paypal.issue(&body);
        t.note_acknowledged(&t.shop, t.transport_key(&t.shop, &body));
        TestApp::hook_request(&t.shop, body)
    });
    let hooks = hooks.collect();

    t.requests_in_parallel(hooks);
    t.run_jobs();

    let mut given: Vec<String> = orders.iter().filter_map(|order| told(&t, order)).collect();
    given.sort();
    assert_eq!(given, ["entry-1", "entry-2", "entry-3"]);
    let waiting = orders.iter().filter(|order| t.parts_of(order)[0].state == PartState::Waiting).count();
    assert_eq!(waiting, 47);
}

fn who_waits_for_an_entry_is_served_in_the_order_of_payment(t: TestApp) {
    let product = listed(&t, "");
    let late = t.order(&[(&product, 1)]);
    let first = t.bought("first", &product);
    t.advance(Span::minutes(1));
    t.pay_by("late", &late);
    assert_eq!([&first, &late].map(|order| told(&t, order)), [None, None]);
    assert!(
        landing(&t, &first).contains("still being made") || t.parts_of(&first)[0].detail.contains("empty")
    );

    t.import(&product, "entry-1");
    assert_eq!([&first, &late].map(|order| told(&t, order)), [Some("entry-1".to_owned()), None]);
    t.import(&product, "entry-2\nentry-3");

    assert_eq!(told(&t, &late), Some("entry-2".to_owned()));
    assert_eq!(t.message_kinds(&first), [MessageKind::Receipt, MessageKind::Ready]);
    let written = t.mails_to(BUYER).into_iter().map(|mail| mail.text);
    assert_eq!(written.filter(|text| text.contains("entry-1")).count(), 1);
}

fn a_refunded_entry_goes_to_nobody_else(t: TestApp) {
    let product = listed(&t, "entry-1\nentry-2");
    let order = t.order(&[(&product, 1)]);
    let sale = t.pay_by("one", &order);

    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("back", eur(49_00))));
    let next = t.bought("two", &product);

    assert_eq!(told(&t, &next), Some("entry-2".to_owned()));
    assert!(!landing(&t, &order).contains("entry-1"));
}

fn what_was_given_away_is_not_imported_again(t: TestApp) {
    let product = listed(&t, "entry-1\nentry-2");
    t.bought("one", &product);

    let again = t.import(&product, "entry-1\nentry-3\nentry-3\nentry-2");

    assert_eq!((again.added, again.repeated, again.known), (1, vec![3], vec![1, 4]));
}

fn a_refunded_buyer_who_waits_takes_nothing(t: TestApp) {
    let product = listed(&t, "");
    let order = t.order(&[(&product, 1)]);
    let sale = t.pay_by("one", &order);
    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("back", eur(49_00))));
    let next = t.bought("two", &product);

    t.import(&product, "entry-1");

    assert_eq!(told(&t, &next), Some("entry-1".to_owned()));
    assert_eq!(t.parts_of(&order)[0].state, PartState::Waiting);
}

fn an_entry_lies_sealed_and_whoever_looks_is_written_down(t: TestApp) {
    let product = listed(&t, "entry-1\nentry-2");
    let kept = t.read(|snapshot| {
        let mut kept = String::new();
        for table in db::dump::tables(snapshot)? {
            for row in db::dump::page(snapshot, &table, None, db::dump::PAGE_ROWS_MAX)? {
                kept.push_str(&format!("{row:?}\n"));
            }
        }
        Ok(kept)
    });
    assert!(kept.contains("The CAST") && !kept.contains("entry-1"), "the entry lies there in clear");
    let (_, owner) = t.owner();
    let page = owner.get(&format!("/admin/products/{}/access", product.id));
    assert!(!page.text().contains("entry-1"), "entries are not shown unasked");
    let path = page.text().split('"').find(|text| text.ends_with("/show")).expect("a button").to_owned();

    let shown = owner.post(&path, &[]);

    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text().contains("entry-1") || shown.text().contains("entry-2"), "{}", shown.text());
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'access.viewed'"), 1);
    t.run_jobs();
}

fn a_list_is_imported_and_reported_on_its_page(t: TestApp) {
    let product = t.product(good("CAST", Deliverables::default()));
    let (_, owner) = t.owner();
    let path = format!("/admin/products/{}/access", product.id);
    let version = crate::buyer::hidden(&owner.get(&path), "version");
    let fields = [("version", version.as_str()), ("source", "list"), ("label", "Login"), ("low_water", "5")];
    let saved = owner.post(&path, &fields);
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    let import = |form: &str, entries: &str| {
        owner.post(&format!("{path}/import"), &[("form", form), ("entries", entries)])
    };

    let first = import("csv", "User,Password\nada,1815\ngrace,1906\nada,1815\n");
    let wrong = import("lines", "good\nbad \u{7}\n");

    assert!(
        first.text().contains("2 entries are new.") && first.text().contains("line 4"),
        "{}",
        first.text()
    );
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("Line 2 holds a control character"), "{}", wrong.text());
    assert_eq!(t.count("SELECT count(*) AS n FROM access_entries"), 2);
    let order = t.bought("one", &product);
    assert!(landing(&t, &order).contains("User: ada"), "{}", landing(&t, &order));
}

fn a_list_that_runs_low_raises_an_alarm(t: TestApp) {
    let product = listed(&t, "entry-1\nentry-2\nentry-3");
    let (_, owner) = t.owner();
    assert!(!owner.get("/admin").text().contains("list of access data runs out"));
    t.bought("one", &product);
    t.bought("two", &product);

    let front = owner.get("/admin").text();

    assert!(front.contains("1 list of access data runs out") && front.contains("The CAST"), "{front}");
    t.run_jobs();
}

fn access_data_is_not_told_before_the_money(t: TestApp) {
    let product = t.product(good("CAST", terms(Source::List)).provisional());
    t.set_low_water(&product, 0);
    t.import(&product, "entry-1");
    let order = t.order(&[(&product, 1)]);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Ipn::pending(&sale, paysim::ipn::Means::Echeck, "echeck"));
    assert_eq!(told(&t, &order), None);

    t.deliver_and_run(&Ipn::completed(&sale, paysim::ipn::Means::Echeck));

    assert_eq!(told(&t, &order), Some("entry-1".to_owned()));
}

fn a_removed_entry_is_given_to_nobody(t: TestApp) {
    let product = listed(&t, "entry-1\nentry-2");
    let (id, merchant) = (product.id, product.merchant);
    let oldest = t.read(move |snapshot| {
        let entries = app::access::desk_store::page(snapshot, (merchant, id), None, 10)?;
        Ok(entries.last().expect("an entry").id)
    });

    t.write(move |cx| flow::remove(cx, id, oldest)).expect("removed");

    assert_eq!(told(&t, &t.bought("one", &product)), Some("entry-2".to_owned()));
}

fn an_entry_that_lies_free_while_somebody_waits_is_i20(t: TestApp) {
    let product = listed(&t, "entry-1");
    t.bought("one", &product);
    t.bought("two", &product);
    assert_eq!(t.broken_checks(), Vec::<&str>::new());

    let damage = "UPDATE access_entries SET line_id = NULL, unit_no = NULL, taken_at = NULL";
    t.write(move |cx| Ok(db::sql(damage).execute(cx.tx)?)).expect("the damage is done");

    assert_eq!(t.broken_checks(), ["I20"]);
    t.leaves_violation("I20");
}
