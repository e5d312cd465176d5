//! Places of events: never more than there are, and money decides.

use app::deliverables::Deliverables;
use app::fulfillment::GrantStatus;
use app::orders::{Order, OrderStatus};
use app::products::Product;
use app::reviews::ReviewKind;
use app::tickets::check_in::{self, Entry, Standing};
use app::tickets::{Hold, HoldState, Ticket, TicketEvent, code, flow, form, store};
use axum::body::Body;
use http::{Request, StatusCode, header};
use kernel::Span;
use paysim::ipn::{Body as Ipn, Item, Means};

use super::good;
use crate::buyer::{BUYER, check_out, hidden};
use crate::support::TestApp;
use crate::support::goods::eur;

testkit::both_engines! {
    fifty_checkouts_at_once_for_three_places_are_exactly_three,
    fifty_payments_by_buttons_for_three_places_admit_exactly_three,
    a_checkout_that_is_not_paid_gives_its_places_back,
    money_that_comes_late_keeps_its_place_while_there_is_one,
    money_that_comes_after_the_last_place_is_delivered_and_asked_about,
    who_goes_to_pay_late_and_finds_no_place_is_not_sent_to_the_gateway,
    a_refund_gives_the_place_to_somebody_else,
    a_refund_that_is_undone_is_counted_again,
    money_on_its_way_keeps_the_place,
    money_that_fails_gives_the_place_back,
    two_packages_share_the_places_of_their_event,
    an_event_that_is_over_sells_nothing,
    each_ticket_lets_in_once,
    a_refunded_ticket_lets_nobody_in,
    an_entry_is_taken_back,
    tickets_are_numbered_and_none_is_another,
    the_buyer_of_a_sold_out_event_reads_why,
    an_event_that_counts_too_few_is_i19,
    a_paid_ticket_without_a_place_is_i19,
}

impl TestApp {
    /// An event in a week with so many places.
    pub fn ticket_event(&self, capacity: u32) -> TicketEvent {
        let day = |days: i64| form::local(self.now() + Span::days(days), "UTC", "%Y-%m-%dT%H:%M");
        let (starts, ends, capacity) = (day(7), day(8), capacity.to_string());
        let typed: form::Typed = [
            ("title", "Evening of Charts"),
            ("place", "Pier 4"),
            ("starts", starts.as_str()),
            ("ends", ends.as_str()),
            ("time_zone", "UTC"),
            ("capacity", capacity.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let merchant = self.shop.merchant.id;
        let made = self.write(move |cx| form::create(cx, &typed)).expect("an event is made");
        let form::Saved::Done(id) = made else { panic!("the form is right: {made:?}") };
        self.read(move |snapshot| Ok(store::by_id(snapshot, merchant, id)?)).expect("the event is there")
    }

    /// A product that sells an event's tickets.
    pub fn seat(&self, sku: &str, event: &TicketEvent) -> Product {
        self.product(good(sku, seat_of(event)))
    }

    pub fn hold(&self, order: &Order) -> Hold {
        let (merchant, id) = (order.merchant, order.id);
        let holds = self.read(move |snapshot| Ok(store::holds_of(snapshot, merchant, id)?));
        assert_eq!(holds.len(), 1, "{holds:?}");
        holds.into_iter().next().expect("a hold")
    }

    fn places(&self, event: &TicketEvent) -> u32 {
        let (merchant, id) = (event.merchant, event.id);
        self.read(move |snapshot| Ok(store::counted(snapshot, merchant, id)?))
    }

    pub fn ticket_code(&self, order: &Order, unit: u32) -> String {
        code::of(self.app.ring(), &self.hold(order), unit).expect("a code")
    }

    fn enter(&self, event: &TicketEvent, code: &str) -> Entry {
        let (event, code) = (event.clone(), code.to_owned());
        self.write(move |cx| check_in::enter(cx, &event, &code)).expect("the door answers")
    }
}

pub fn seat_of(event: &TicketEvent) -> Deliverables {
    Deliverables { ticket: Some(Ticket { event: event.id }), ..Deliverables::default() }
}

/// A peer in a network of its own.
fn from_network(number: usize) -> net::serve::Peer {
    let addr = std::net::IpAddr::from([10, 0, u8::try_from(number).expect("a small number"), 1]);
    net::serve::Peer { addr, socket: (addr, 0).into(), scheme: net::serve::Scheme::Http, host: None }
}

fn refused(t: &TestApp, seat: &Product) -> bool {
    let shop = t.shop.clone();
    let tried = t.try_order(&shop, &[(seat, 1)], kernel::Currency::EUR, shop.connection.id);
    tried.is_err_and(|failure| failure.into_problem().pointer.as_deref() == Some(flow::PLACES))
}

fn fifty_checkouts_at_once_for_three_places_are_exactly_three(t: TestApp) {
    let event = t.ticket_event(3);
    t.seat("SEAT", &event);
    let visitors: Vec<_> = (0..50).map(|_| t.visitor()).collect();
    let posts = visitors.iter().enumerate().map(|(number, visitor)| {
        visitor.get("/p/SEAT");
        visitor.post("/buy", &[("sku", "SEAT"), ("currency", "EUR"), ("quantity", "1")]);
        let cart = visitor.get("/cart");
        let (token, connection) = (hidden(&cart, "_csrf"), hidden(&cart, "connection"));
        let fields = [("_csrf", token.as_str()), ("email", BUYER), ("connection", connection.as_str())];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Request::post("/checkout")
            .header(header::COOKIE, visitor.cookie_line())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            // Checkouts are limited per network.
            .extension(from_network(number))
            .body(Body::from(body))
            .expect("a request")
    });
    let posts = posts.collect();

    let answers = t.requests_in_parallel(posts);

    let count = |status: StatusCode| answers.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(StatusCode::SEE_OTHER), count(StatusCode::UNPROCESSABLE_ENTITY)), (3, 47));
    assert_eq!((t.orders().len(), t.places(&event)), (3, 3));
}

fn fifty_payments_by_buttons_for_three_places_admit_exactly_three(t: TestApp) {
    let event = t.ticket_event(3);
    t.seat("SEAT", &event);
    let hooks = (0..50).map(|number| {
        let sale = t.button_sale(&format!("b{number}"), vec![Item::one("SEAT", eur(49_00))]);
        let body = Ipn::completed(&sale, Means::Instant).encode();
        t.paypal.issue(&body);
        t.note_acknowledged(&t.shop, t.transport_key(&t.shop, &body));
        TestApp::hook_request(&t.shop, body)
    });
    let hooks = hooks.collect();

    t.requests_in_parallel(hooks);
    t.run_jobs();

    let orders = t.orders();
    let kept = orders.iter().filter(|order| t.hold(order).state == HoldState::Kept).count();
    let asked = orders.iter().filter(|order| t.review_kinds(order) == [ReviewKind::OverCapacity]).count();
    assert_eq!((orders.len(), kept, asked, t.places(&event)), (50, 3, 47, 3));
    assert!(orders.iter().all(|order| order.status == OrderStatus::Paid), "no money is dropped");
}

fn a_checkout_that_is_not_paid_gives_its_places_back(t: TestApp) {
    let event = t.ticket_event(1);
    let seat = t.seat("SEAT", &event);
    let left = t.order(&[(&seat, 1)]);
    assert!(refused(&t, &seat));
    t.advance(Span::minutes(31));

    let next = t.order(&[(&seat, 1)]);

    assert_eq!((t.hold(&left).state, t.hold(&next).state), (HoldState::Released, HoldState::Held));
}

fn money_that_comes_late_keeps_its_place_while_there_is_one(t: TestApp) {
    let event = t.ticket_event(2);
    let seat = t.seat("SEAT", &event);
    let late = t.order(&[(&seat, 1)]);
    t.advance(Span::hours(3));
    t.order(&[(&seat, 1)]);
    assert!(!refused(&t, &seat), "what lapsed can be had again");
    t.advance(Span::hours(3));

    t.pay(&late);

    assert_eq!((t.hold(&late).state, t.review_kinds(&late)), (HoldState::Kept, Vec::new()));
}

fn money_that_comes_after_the_last_place_is_delivered_and_asked_about(t: TestApp) {
    let event = t.ticket_event(1);
    let seat = t.seat("SEAT", &event);
    let late = t.order(&[(&seat, 1)]);
    t.advance(Span::hours(3));
    let quick = t.bought("quick", &seat);

    t.pay_by("late", &late);

    assert_eq!((t.status(&late), t.review_kinds(&late)), (OrderStatus::Paid, vec![ReviewKind::OverCapacity]));
    assert_eq!((t.hold(&quick).state, t.hold(&late).state), (HoldState::Kept, HoldState::Over));
    let code = t.ticket_code(&late, 1);
    assert!(matches!(t.enter(&event, &code), Entry::Refused(known) if known.standing == Standing::NoPlace));
    let (id, line) = (event.id, t.hold(&late).line);
    t.write(move |cx| flow::admit(cx, id, line)).expect("a person makes room");
    assert!(matches!(t.enter(&event, &code), Entry::Admitted(_)));
    assert_eq!(t.places(&event), 2);
}

fn who_goes_to_pay_late_and_finds_no_place_is_not_sent_to_the_gateway(t: TestApp) {
    let event = t.ticket_event(1);
    let seat = t.seat("SEAT", &event);
    let visitor = t.visitor();
    let page = check_out(&visitor, "", "SEAT");
    t.advance(Span::minutes(20));
    assert_eq!(visitor.get(&format!("{page}/pay")).status, StatusCode::OK);
    t.advance(Span::minutes(20));
    assert!(refused(&t, &seat), "who goes to pay holds the place anew");
    t.advance(Span::minutes(20));
    t.bought("quick", &seat);

    let turned_away = visitor.get(&format!("{page}/pay"));

    assert_eq!(turned_away.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(turned_away.text().contains("Evening of Charts"), "{}", turned_away.text());
}

fn a_refund_gives_the_place_to_somebody_else(t: TestApp) {
    let event = t.ticket_event(1);
    let seat = t.seat("SEAT", &event);
    let order = t.order(&[(&seat, 1)]);
    let sale = t.pay(&order);
    assert!(refused(&t, &seat));

    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("back", eur(49_00))));

    assert_eq!(t.places(&event), 0);
    assert!(!refused(&t, &seat));
}

fn a_refund_that_is_undone_is_counted_again(t: TestApp) {
    let event = t.ticket_event(2);
    let seat = t.seat("SEAT", &event);
    let order = t.bought("one", &seat);
    let line = t.hold(&order).line;
    let id = order.id;
    t.write(move |cx| app::orders::flow::revoke_line(cx, id, line, "a mistake")).expect("revoked");
    t.order(&[(&seat, 1)]);
    t.order(&[(&seat, 1)]);

    t.write(move |cx| app::orders::flow::reinstate_line(cx, id, line, "was one")).expect("reinstated");

    assert_eq!((t.grant(&order).status, t.places(&event)), (GrantStatus::Active, 3));
    assert!(refused(&t, &seat));
    t.run_jobs();
}

fn money_on_its_way_keeps_the_place(t: TestApp) {
    let event = t.ticket_event(1);
    let seat = t.seat("SEAT", &event);
    let order = t.order(&[(&seat, 1)]);
    let sale = t.sale_of(&order);

    t.deliver_and_run(&Ipn::pending(&sale, Means::Echeck, "echeck"));
    t.advance(Span::days(3));

    assert!(refused(&t, &seat));
    t.deliver_and_run(&Ipn::completed(&sale, Means::Echeck));
    assert_eq!((t.hold(&order).state, t.review_kinds(&order)), (HoldState::Kept, Vec::new()));
}

fn money_that_fails_gives_the_place_back(t: TestApp) {
    let event = t.ticket_event(1);
    let seat = t.seat("SEAT", &event);
    let order = t.order(&[(&seat, 1)]);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Ipn::pending(&sale, Means::Echeck, "echeck"));

    t.deliver_and_run(&Ipn::with_status(&sale, Means::Echeck, "Failed"));

    assert_eq!(t.hold(&order).state, HoldState::Released);
    assert!(!refused(&t, &seat));
}

fn two_packages_share_the_places_of_their_event(t: TestApp) {
    let event = t.ticket_event(3);
    let (seat, balcony) = (t.seat("SEAT", &event), t.seat("BALCONY", &event));

    t.order(&[(&seat, 1), (&balcony, 2)]);

    assert!(refused(&t, &seat) && refused(&t, &balcony));
}

fn an_event_that_is_over_sells_nothing(t: TestApp) {
    let event = t.ticket_event(3);
    let seat = t.seat("SEAT", &event);
    t.advance(Span::days(9));

    let shop = t.shop.clone();
    let tried = t.try_order(&shop, &[(&seat, 1)], kernel::Currency::EUR, shop.connection.id);

    assert!(tried.is_err_and(|failure| failure.into_problem().detail.contains("is over")));
}

fn each_ticket_lets_in_once(t: TestApp) {
    let event = t.ticket_event(10);
    let seat = t.seat("SEAT", &event);
    let order = t.order(&[(&seat, 2)]);
    t.pay(&order);
    let codes = [1, 2].map(|unit| t.ticket_code(&order, unit));

    let entered = [&codes[0], &codes[1], &codes[0]].map(|code| t.enter(&event, code));

    assert!(matches!(&entered, [Entry::Admitted(_), Entry::Admitted(_), Entry::Already(_)]), "{entered:?}");
    let other = t.ticket_event(10);
    assert!(matches!(t.enter(&other, &codes[1]), Entry::Unknown), "a ticket of another event");
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'ticket.checked_in'"), 2);
}

fn a_refunded_ticket_lets_nobody_in(t: TestApp) {
    let event = t.ticket_event(10);
    let seat = t.seat("SEAT", &event);
    let order = t.order(&[(&seat, 1)]);
    let sale = t.pay(&order);
    let code = t.ticket_code(&order, 1);

    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("back", eur(49_00))));

    assert!(matches!(t.enter(&event, &code), Entry::Refused(known) if known.standing == Standing::Revoked));
    assert_eq!(t.count("SELECT count(*) AS n FROM ticket_check_ins"), 0);
}

fn an_entry_is_taken_back(t: TestApp) {
    let event = t.ticket_event(10);
    let seat = t.seat("SEAT", &event);
    let order = t.bought("one", &seat);
    let (code, grant) = (t.ticket_code(&order, 1), t.grant(&order).id);
    t.enter(&event, &code);

    let known = event.clone();
    t.write(move |cx| check_in::undo(cx, &known, grant)).expect("undone");

    assert!(matches!(t.enter(&event, &code), Entry::Admitted(_)));
}

fn tickets_are_numbered_and_none_is_another(t: TestApp) {
    let event = t.ticket_event(10);
    let seat = t.seat("SEAT", &event);
    let (one, two) = (t.order(&[(&seat, 2)]), t.order(&[(&seat, 1)]));
    t.pay_by("one", &one);
    t.pay_by("two", &two);

    let codes = [t.ticket_code(&one, 1), t.ticket_code(&one, 2), t.ticket_code(&two, 1)];

    let numbers = codes.each_ref().map(|code| code.split('-').next().unwrap_or_default().to_owned());
    assert_eq!(numbers, ["1", "2", "3"]);
    let crossed = codes[0].replacen('1', "2", 1);
    assert!(matches!(t.enter(&event, &crossed), Entry::Unknown));
}

fn the_buyer_of_a_sold_out_event_reads_why(t: TestApp) {
    let event = t.ticket_event(0);
    t.seat("SEAT", &event);
    let visitor = t.visitor();
    visitor.get("/p/SEAT");
    visitor.post("/buy", &[("sku", "SEAT"), ("currency", "EUR"), ("quantity", "1")]);
    let connection = hidden(&visitor.get("/cart"), "connection");

    let placed = visitor.post("/checkout", &[("email", BUYER), ("connection", &connection)]);

    assert_eq!(placed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(placed.text().contains("not so many places left"), "{}", placed.text());
    assert_eq!(t.orders().len(), 0);
}

fn broken_after(t: &TestApp, damage: &'static str) -> Vec<&'static str> {
    let event = t.ticket_event(10);
    let seat = t.seat("SEAT", &event);
    t.bought("one", &seat);
    assert_eq!(t.broken_checks(), Vec::<&str>::new());
    t.write(move |cx| Ok(db::sql(damage).execute(cx.tx)?)).expect("the damage is done");
    let broken = t.broken_checks();
    broken.iter().for_each(|check| t.leaves_violation(check));
    broken
}

fn an_event_that_counts_too_few_is_i19(t: TestApp) {
    assert_eq!(broken_after(&t, "UPDATE ticket_events SET taken = 0"), ["I19"]);
}

fn a_paid_ticket_without_a_place_is_i19(t: TestApp) {
    assert_eq!(broken_after(&t, "UPDATE ticket_holds SET state = 'released'"), ["I19"]);
}
