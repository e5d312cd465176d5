//! Tickets on their pages: the buyer's, the list of who comes, the door.

use http::StatusCode;
use kernel::Span;
use paysim::ipn::Body as Ipn;

use super::landing;
use crate::buyer::{BUYER, attribute, hidden};
use crate::support::TestApp;
use crate::support::goods::eur;

testkit::both_engines! {
    a_ticket_is_shown_with_its_code_and_a_picture_that_leads_to_the_door,
    a_ticket_outlives_its_link,
    a_refunded_ticket_shows_no_code,
    the_address_of_a_ticket_cannot_be_guessed,
    an_event_is_made_and_changed_in_the_back_office,
    a_package_sells_the_tickets_of_the_event_that_is_chosen,
    who_comes_stands_in_the_list_and_in_the_file,
    a_ticket_is_scanned_looked_at_and_let_in_once,
    who_was_let_in_by_mistake_is_taken_back_at_the_door,
    looking_at_a_ticket_lets_nobody_in,
}

/// The path of the ticket on an order's landing page.
fn ticket(t: &TestApp, order: &app::orders::Order) -> String {
    attribute(&landing(t, order), "href=\"/k/", "href").expect("the landing page leads to the ticket")
}

fn a_ticket_is_shown_with_its_code_and_a_picture_that_leads_to_the_door(t: TestApp) {
    let event = t.ticket_event(10);
    let order = t.bought("one", &t.seat("SEAT", &event));

    let page = t.get(&ticket(&t, &order));

    let text = page.text();
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        text.contains("Evening of Charts") && text.contains("Jo Buyer") && text.contains("No. 1"),
        "{text}"
    );
    assert!(text.contains(&t.ticket_code(&order, 1)) && text.contains("<svg viewBox"), "{text}");
    let mail = t.mails_to(BUYER).remove(0).text;
    assert!(mail.contains(&ticket(&t, &order)), "the receipt leads to the ticket: {mail}");
}

fn a_ticket_outlives_its_link(t: TestApp) {
    let event = t.ticket_event(10);
    let order = t.bought("one", &t.seat("SEAT", &event));
    let path = ticket(&t, &order);
    let before = t.get(&path).text();
    t.advance(Span::days(5));
    let id = order.id;
    t.write(move |cx| app::orders::flow::reissue(cx, id)).expect("new links");

    let after = t.get(&path);

    let code = t.ticket_code(&order, 1);
    assert!(before.contains(&code) && after.text().contains(&code), "it may have been printed");
    t.run_jobs();
}

fn a_refunded_ticket_shows_no_code(t: TestApp) {
    let event = t.ticket_event(10);
    let order = t.order(&[(&t.seat("SEAT", &event), 1)]);
    let sale = t.pay(&order);
    let path = ticket(&t, &order);

    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("back", eur(49_00))));

    let page = t.get(&path).text();
    assert!(page.contains("refunded or taken back") && !page.contains(&t.ticket_code(&order, 1)), "{page}");
    assert!(!page.contains("<svg viewBox=\"0 0 4"), "no picture to scan");
}

fn the_address_of_a_ticket_cannot_be_guessed(t: TestApp) {
    let event = t.ticket_event(10);
    let order = t.bought("one", &t.seat("SEAT", &event));
    let path = ticket(&t, &order);
    let last = if path.ends_with('A') { 'B' } else { 'A' };
    let wrong = [
        format!("{}{last}", &path[..path.len() - 1]),
        format!("/k/{}", t.link(&t.grant(&order))),
        "/k/x".to_owned(),
    ];

    let answers = wrong.map(|path| t.get(&path).status);

    assert_eq!(answers, [StatusCode::NOT_FOUND; 3]);
}

fn an_event_is_made_and_changed_in_the_back_office(t: TestApp) {
    let (_, owner) = t.owner();
    owner.get("/admin/tickets/new");
    let fields = |capacity| {
        [
            ("title", "Evening of Charts"),
            ("place", "Pier 4"),
            ("starts", "2027-05-01T19:30"),
            ("ends", "2027-05-01T22:00"),
            ("time_zone", "Europe/Berlin"),
            ("capacity", capacity),
        ]
    };

    let wrong = owner.post("/admin/tickets", &fields("many"));
    let made = owner.post("/admin/tickets", &fields("120"));

    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text().contains("Write a whole number") && wrong.text().contains("Pier 4"),
        "{}",
        wrong.text()
    );
    let path = made.location().to_owned();
    let page = owner.get(&path).text();
    assert!(page.contains("2027-05-01 19:30") && page.contains("120"), "{page}");
    let version = hidden(&owner.get(&format!("{path}/edit")), "version");
    let again = [fields("80").as_slice(), &[("version", version.as_str())]].concat();
    assert_eq!(owner.post(&path, &again).status, StatusCode::SEE_OTHER);
    assert_eq!(owner.post(&path, &again).status, StatusCode::CONFLICT, "somebody has changed it meanwhile");
    assert!(owner.get("/admin/tickets").text().contains("0 / 80"));
    t.run_jobs();
}

fn a_package_sells_the_tickets_of_the_event_that_is_chosen(t: TestApp) {
    let event = t.ticket_event(10);
    let product = t.product(super::good("SEAT", app::deliverables::Deliverables::default()));
    let (_, owner) = t.owner();
    let path = format!("/admin/products/{}/ticket", product.id);
    let page = owner.get(&path);
    assert!(page.text().contains("Evening of Charts"), "{}", page.text());
    let version = hidden(&page, "version");

    let saved = owner.post(&path, &[("version", &version), ("event", &event.id.to_string())]);

    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    let order = t.bought("one", &product);
    assert!(t.get(&ticket(&t, &order)).text().contains("Evening of Charts"));
    assert!(owner.get(&format!("/admin/tickets/{}", event.id)).text().contains("The SEAT"));
}

fn who_comes_stands_in_the_list_and_in_the_file(t: TestApp) {
    let event = t.ticket_event(10);
    let seat = t.seat("SEAT", &event);
    let order = t.order(&[(&seat, 2)]);
    t.pay(&order);
    let (_, owner) = t.owner();
    let path = format!("/admin/tickets/{}", event.id);

    let list = owner.get(&path).text();
    let found = owner.get(&format!("{path}?q=JO+BUY")).text();
    let nobody = owner.get(&format!("{path}?q=ada")).text();
    let file = owner.get(&format!("{path}/attendees.csv"));

    assert_eq!(list.matches("Jo Buyer").count(), 2, "{list}");
    assert!(found.contains("Jo Buyer") && !nobody.contains("Jo Buyer"));
    let text = file.text();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert!(
        rows[1].starts_with("1,Jo Buyer,buyer@example.com,The SEAT,")
            && rows[1].contains(&t.ticket_code(&order, 1))
    );
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'list.exported'"), 1);
    t.run_jobs();
}

fn a_ticket_is_scanned_looked_at_and_let_in_once(t: TestApp) {
    let event = t.ticket_event(10);
    let order = t.bought("one", &t.seat("SEAT", &event));
    let code = t.ticket_code(&order, 1);
    let (_, owner) = t.owner();
    let path = format!("/admin/tickets/{}/check-in", event.id);

    let scanned = owner.get(&format!("{path}?code={code}")).text();
    let entered = owner.post(&path, &[("code", &code)]);
    let again = owner.post(&path, &[("code", &code.to_lowercase())]);
    let unknown = owner.post(&path, &[("code", "1-AAAAA-AAAAA")]);

    assert!(scanned.contains("Good ticket") && scanned.contains("Jo Buyer"), "{scanned}");
    assert!(entered.text().contains("Come in"), "{}", entered.text());
    assert_eq!(entered.status, StatusCode::OK);
    assert!(again.text().contains("Is in already"), "{}", again.text());
    assert!(unknown.text().contains("No ticket of this event"), "{}", unknown.text());
    assert_eq!([again.status, unknown.status], [StatusCode::UNPROCESSABLE_ENTITY; 2]);
    t.run_jobs();
}

fn who_was_let_in_by_mistake_is_taken_back_at_the_door(t: TestApp) {
    let event = t.ticket_event(10);
    let order = t.bought("one", &t.seat("SEAT", &event));
    let (code, grant) = (t.ticket_code(&order, 1), t.grant(&order).id.to_string());
    let (_, owner) = t.owner();
    let path = format!("/admin/tickets/{}", event.id);
    owner.get(&path);
    owner.post(&format!("{path}/check-in"), &[("code", &code)]);

    let undone = owner.post(&format!("{path}/undo"), &[("grant", &grant), ("door", "yes")]);

    assert_eq!(undone.location(), format!("{path}/check-in"));
    assert_eq!(owner.post(&format!("{path}/check-in"), &[("code", &code)]).status, StatusCode::OK);
    t.run_jobs();
}

fn looking_at_a_ticket_lets_nobody_in(t: TestApp) {
    let event = t.ticket_event(10);
    let order = t.bought("one", &t.seat("SEAT", &event));
    let (_, owner) = t.owner();

    owner.get(&format!("/admin/tickets/{}/check-in?code={}", event.id, t.ticket_code(&order, 1)));
    t.get(&ticket(&t, &order));

    assert_eq!(t.count("SELECT count(*) AS n FROM ticket_check_ins"), 0);
    t.run_jobs();
}
