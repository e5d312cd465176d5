//! What others hand over: plug-ins asked by `@`, and the drop-ship list of `#`.

use app::deliverables::Deliverables;
use app::orders::Order;
use app::parts::{Part, PartState};
use app::payloads::Terms;
use app::reviews::ReviewKind;
use kernel::Span;
use paysim::ipn::{Body as Ipn, Means};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_plug_in_is_asked_once_paid_and_its_answer_reaches_the_buyer,
    a_request_is_signed_and_keeps_its_id_however_often_it_is_sent,
    a_refusal_is_held_for_a_person_with_its_words,
    what_nobody_hands_over_is_held,
    rubbish_for_an_answer_is_held_and_not_asked_again,
    nothing_is_asked_before_the_money_is_there,
    an_inner_address_is_not_asked,
    what_staff_send_waits_on_the_list_and_the_buyer_is_told,
    the_list_is_a_file_too,
}

fn sold(t: &TestApp, spec: &str) -> Order {
    let terms = Terms::read(spec, "", "").expect("terms");
    let deliverables = Deliverables { payload: Some(terms), ..Deliverables::default() };
    let product = t.product(NewGood::of("SHIRT").delivering(deliverables));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    order
}

fn plugin(t: &TestApp, name: &'static str) {
    let url = t.partner.url();
    t.write(move |cx| app::plugins::flow::add(cx, name, &url)).expect("a plug-in");
}

fn state(t: &TestApp, order: &Order, part: Part) -> (PartState, String) {
    let found = t.parts(order).into_iter().find(|found| found.key.part == part).expect("a part");
    (found.state, found.detail)
}

fn a_plug_in_is_asked_once_paid_and_its_answer_reaches_the_buyer(t: TestApp) {
    plugin(&t, "printer");
    let answer = r#"{"files":[{"name":"voucher.txt","base64":"aGVsbG8="}],"texts":[{"label":"Serial","text":"K-17"}]}"#;
    t.partner.answers(200, answer);
    let order = sold(&t, "@printer: A4");
    assert_eq!(state(&t, &order, Part::Plugin).0, PartState::Done);
    let body: serde_json::Value = serde_json::from_slice(&t.partner.asked()[0].body).expect("JSON");
    assert_eq!(body["parameter"], "A4");
    assert_eq!(body["order"], order.id.to_string());
    let page = t.get(&t.landing_of(&order)).text();
    assert!(page.contains("K-17") && page.contains("voucher.txt"), "{page}");
    let mails = t.mails_to("buyer@example.com");
    assert!(mails.iter().any(|mail| mail.text.contains("K-17")), "the serial is mailed, too");
}

fn a_request_is_signed_and_keeps_its_id_however_often_it_is_sent(t: TestApp) {
    plugin(&t, "default");
    t.partner.answers(503, "");
    t.partner.answers(200, "");
    let order = sold(&t, "@anything");
    t.advance(Span::hours(1));
    t.run_jobs();
    assert_eq!(state(&t, &order, Part::Plugin).0, PartState::Done);
    let asked = t.partner.asked();
    assert_eq!(asked.len(), 2);
    let header = |at: usize, name: &str| asked[at].headers[name].to_str().expect("text").to_owned();
    assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
    assert_eq!(header(0, "idempotency-key"), header(0, "webhook-id"));
    assert!(header(0, "webhook-signature").starts_with("v1,"));
    assert_ne!(header(0, "webhook-timestamp"), header(1, "webhook-timestamp"));
}

fn a_refusal_is_held_for_a_person_with_its_words(t: TestApp) {
    plugin(&t, "default");
    t.partner.answers(422, "no such motif");
    let order = sold(&t, "@motif 9");
    let (held, why) = state(&t, &order, Part::Plugin);
    assert_eq!(held, PartState::Held);
    assert!(why.contains("no such motif"), "{why}");
    assert_eq!(t.review_kinds(&order), [ReviewKind::PartHeld]);
}

fn what_nobody_hands_over_is_held(t: TestApp) {
    let order = sold(&t, "@printer: A4");
    let (held, why) = state(&t, &order, Part::Plugin);
    assert_eq!(held, PartState::Held);
    assert!(why.contains("no plug-in"), "{why}");
}

fn rubbish_for_an_answer_is_held_and_not_asked_again(t: TestApp) {
    plugin(&t, "default");
    t.partner.answers(200, "<html>thanks!</html>");
    let order = sold(&t, "@x");
    t.advance(Span::days(1));
    t.run_jobs();
    assert_eq!(state(&t, &order, Part::Plugin).0, PartState::Held);
    assert_eq!(t.partner.asked().len(), 1);
}

fn nothing_is_asked_before_the_money_is_there(t: TestApp) {
    plugin(&t, "default");
    let terms = Terms::read("@x", "", "").expect("terms");
    let deliverables = Deliverables { payload: Some(terms), ..Deliverables::default() };
    let product = t.product(NewGood::of("SHIRT").delivering(deliverables).provisional());
    let order = t.order(&[(&product, 1)]);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Ipn::pending(&sale, Means::Echeck, "echeck"));
    assert_eq!(t.partner.asked().len(), 0);
    t.partner.answers(200, "");
    t.deliver_and_run(&Ipn::completed(&sale, Means::Echeck));
    assert_eq!(state(&t, &order, Part::Plugin).0, PartState::Done);
}

fn an_inner_address_is_not_asked(t: TestApp) {
    t.write(move |cx| app::plugins::flow::add(cx, "default", "https://127.0.0.1:1/hook")).expect("added");
    let order = sold(&t, "@x");
    let (held, why) = state(&t, &order, Part::Plugin);
    assert_eq!(held, PartState::Held);
    assert!(why.contains("refused by the outbound policy"), "{why}");
}

fn what_staff_send_waits_on_the_list_and_the_buyer_is_told(t: TestApp) {
    let order = sold(&t, "#T-shirt in L");
    assert_eq!(state(&t, &order, Part::DropShip).0, PartState::Waiting);
    let (_, owner) = t.owner();
    t.run_jobs();
    let list = owner.get("/admin/drop-ship");
    assert!(list.text().contains("T-shirt"), "{}", list.text());
    let key = t.parts(&order).into_iter().find(|part| part.key.part == Part::DropShip).expect("a part").key;
    let (line, id) = (key.line.to_string(), order.id.to_string());
    let fields = [
        ("order", id.as_str()),
        ("line", &line),
        ("unit", "1"),
        ("subject", &key.subject),
        ("note", "1Z 999"),
    ];
    let sent = owner.post("/admin/drop-ship/sent", &fields);
    assert!(sent.status.is_redirection(), "{}", sent.text());
    t.run_jobs();
    assert_eq!(state(&t, &order, Part::DropShip).0, PartState::Done);
    assert!(t.get(&t.landing_of(&order)).text().contains("1Z 999"));
    let again = owner.post("/admin/drop-ship/sent", &fields);
    assert!(again.status.is_redirection() || again.status.is_client_error());
    let told =
        t.mails_to("buyer@example.com").into_iter().filter(|mail| mail.text.contains("1Z 999")).count();
    assert_eq!(told, 1);
}

fn the_list_is_a_file_too(t: TestApp) {
    sold(&t, "#=cmd()");
    let (_, owner) = t.owner();
    t.run_jobs();
    let file = owner.get("/admin/drop-ship.csv");
    assert!(file.text().contains("SHIRT") && file.text().contains("'=cmd()"), "{}", file.text());
    assert!(file.header("content-disposition").contains("drop-ship.csv"));
}
