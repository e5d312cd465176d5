//! The transaction page: everything that happened to an order, and what staff can do about it.

use app::fulfillment::GrantStatus;
use app::messages::MessageKind;
use app::orders::{Order, OrderStatus};
use app::staff::Role;
use axum::body::Body;
use http::{Request, StatusCode};
use kernel::Span;
use paysim::ipn::{Body as Ipn, Sale};

use crate::buyer::attribute;
use crate::support::goods::eur;
use crate::support::http::Visitor;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    every_component_of_a_transaction_is_on_its_page,
    what_is_secret_is_not_shown_to_who_only_reads,
    a_long_timeline_goes_on_on_the_next_page,
    links_are_sent_again_and_stay_the_same,
    links_are_prolonged_by_the_days_that_were_typed,
    days_that_make_no_sense_are_told_beside_the_field,
    a_reissued_link_replaces_the_old_one,
    a_transaction_is_made_again_as_a_whole,
    a_receipt_is_sent_again,
    a_form_that_is_sent_twice_acts_once,
    a_form_that_is_sent_twice_at_once_acts_once,
    a_form_that_is_opened_anew_acts_again,
    colleagues_with_the_same_question_open_each_act,
    a_line_taken_back_is_given_back,
    what_money_took_back_is_not_given_back_by_hand,
    an_order_that_is_not_paid_offers_no_acts,
    each_act_says_before_what_it_will_do,
}

fn bought(t: &TestApp) -> (Order, Sale) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let sale = t.pay(&order);
    (order, sale)
}

fn page_of(order: &Order) -> String {
    format!("/admin/orders/{}", order.id)
}

fn act_on(order: &Order, act: &str) -> String {
    format!("/admin/orders/{}/{act}", order.id)
}

fn download(t: &TestApp, order: &Order) {
    let landing = t.get(&format!("/d/{}", t.link(&t.grant(order))));
    let button = attribute(&landing.text(), "data-again", "action").expect("a button");
    let started = t.request(Request::post(button).body(Body::empty()).expect("a request"));
    assert_eq!(t.get(started.location()).status, StatusCode::OK);
    t.watch_transfers();
}

/// What staff did to an order, oldest first.
fn acts(t: &TestApp, order: &Order) -> Vec<String> {
    let events = t.events(order).into_iter();
    events.filter(|event| event.actor.starts_with("stf_")).map(|event| event.kind).collect()
}

fn opens(t: &TestApp, token: &str) -> bool {
    t.get(&format!("/d/{token}")).status == StatusCode::OK
}

#[track_caller]
fn holds(page: &Reply, all: &[&str]) {
    let text = page.text();
    let missing: Vec<_> = all.iter().filter(|wanted| !text.contains(**wanted)).collect();
    assert!(missing.is_empty(), "{missing:?} is not in\n{text}");
}

fn every_component_of_a_transaction_is_on_its_page(t: TestApp) {
    let (order, sale) = bought(&t);
    download(&t, &order);
    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("part", eur(1_00))));
    let (person, owner) = t.owner();
    let line = t.grant(&order).line;
    owner.act(&act_on(&order, "resend"), &[]);
    owner.act(&act_on(&order, &format!("lines/{line}/revoke")), &[("reason", "asked for by mail")]);
    t.run_jobs();
    let download = t.downloads(&t.grant(&order)).remove(0);
    let messages = t.messages(&order);

    let page = owner.get(&page_of(&order));

    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    // The notice: as it came, confirmed when, from where.
    holds(&page, &["Notice from ", &format!("txn_id={}", sale.txn_id), "mc_gross=49.00", "Confirmed"]);
    // What it said: money, by whose transaction; and what the payment has come to.
    holds(&page, &["Money arrived", "Money was sent back", &sale.txn_id, "€49.00", "€1.00"]);
    // What was owed and given.
    holds(
        &page,
        &["Unit 1 of The FONT made", "Link made for The FONT", "Link taken back for The FONT", "font.zip"],
    );
    // Who fetched how much of it.
    holds(&page, &["Download of font.zip", &download.address, "1\u{a0}kB of 1\u{a0}kB"]);
    // What was said to the buyer.
    holds(&page, &[messages[0].subject.as_str(), messages[1].subject.as_str(), "buyer@example.com"]);
    messages.iter().for_each(|message| holds(&page, &[&format!("/admin/messages/{}", message.id)]));
    // Documents, a question, and what staff did, by name and with the reason.
    holds(&page, &[&t.invoices(&order)[0].label(), &format!("/admin/reviews/{}", t.reviews(&order)[0].id)]);
    holds(&page, &["Links sent again", "Line taken back", "asked for by mail", person.label()]);
    holds(&page, &["Order over €49.00 made"]);
    let raw: Vec<_> = t.events(&order).into_iter().map(|event| format!(">{}<", event.kind)).collect();
    assert!(raw.iter().all(|kind| !page.text().contains(kind)), "no entry is named as the program names it");
}

fn what_is_secret_is_not_shown_to_who_only_reads(t: TestApp) {
    let (order, sale) = bought(&t);
    let token = t.link(&t.grant(&order));
    let raw = format!("txn_id={}", sale.txn_id);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let (_, reader) = t.signed_in_as(&t.shop, Role::ReadOnly);

    holds(&support.get(&page_of(&order)), &[&token, &raw]);
    let page = reader.get(&page_of(&order)).text();
    assert!(!page.contains(&token) && !page.contains(&raw) && !page.contains("/reissue"), "{page}");
    let notice = reader.get(&format!("/admin/notices/{}", t.last_notice().id)).text();
    assert!(!notice.contains("mc_gross"), "{notice}");
    let mail = reader.get(&format!("/admin/messages/{}", t.messages(&order)[0].id)).text();
    assert!(mail.contains("(hidden)") && !mail.contains(&token), "{mail}");
    t.run_jobs();
}

fn a_long_timeline_goes_on_on_the_next_page(t: TestApp) {
    let (order, _) = bought(&t);
    let id = order.id;
    (0..80).for_each(|_| t.write(move |cx| app::orders::flow::resend(cx, id)).expect("sent again"));
    let (_, owner) = t.owner();

    let first = owner.get(&page_of(&order)).text();
    let next = attribute(&first, "?before=", "href").expect("older entries");
    let second = owner.get(&next).text();

    let entries = |page: &str| page.matches("class=\"entry\"").count();
    assert_eq!(entries(&first), 150);
    assert!(!first.contains("Order over €49.00 made") && second.contains("Order over €49.00 made"));
    assert!(entries(&second) > 10 && !second.contains("?before="));
    t.run_jobs();
}

fn links_are_sent_again_and_stay_the_same(t: TestApp) {
    let (order, _) = bought(&t);
    let token = t.link(&t.grant(&order));
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    let reply = support.act(&act_on(&order, "resend"), &[]);
    t.run_jobs();

    assert_eq!(reply.location(), page_of(&order));
    assert_eq!(support.told(&reply), "The links are on their way again.");
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt, MessageKind::LinksResent]);
    assert!(t.mails_to("buyer@example.com")[1].text.contains(&token));
    assert!(opens(&t, &token));
    assert_eq!(acts(&t, &order), ["order.links_resent"]);
}

fn links_are_prolonged_by_the_days_that_were_typed(t: TestApp) {
    let (order, _) = bought(&t);
    let token = t.link(&t.grant(&order));
    t.advance(Span::days(30));
    assert!(!t.get(&format!("/d/{token}")).text().contains("data-again"));
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    let reply = support.act(&act_on(&order, "extend"), &[("days", "10")]);
    let until = t.now() + Span::days(10);
    t.run_jobs();

    assert_eq!(support.told(&reply), "The links live longer; the buyer is told.");
    let grant = t.grant(&order);
    assert!(grant.expires_at > until - Span::minutes(1) && grant.expires_at <= until, "{grant:?}");
    assert!(t.get(&format!("/d/{token}")).text().contains("data-again"), "the same link works again");
    assert_eq!(t.message_kinds(&order).pop(), Some(MessageKind::LinkExtended));
    assert_eq!(acts(&t, &order), ["order.links_extended"]);
}

fn days_that_make_no_sense_are_told_beside_the_field(t: TestApp) {
    let (order, _) = bought(&t);
    let before = t.grant(&order).expires_at;
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let tries = ["0", "-3", "many", "", "3651", "99999999999999999999"];

    let replies = tries.map(|days| support.act(&act_on(&order, "extend"), &[("days", days)]));

    assert_eq!(replies.each_ref().map(|reply| reply.status.as_u16()), [422; 6]);
    holds(&replies[2], &["an extension is 1 to 3650 days", "value=\"many\"", "aria-invalid"]);
    assert_eq!(t.grant(&order).expires_at, before);
    assert_eq!(acts(&t, &order), [""; 0]);
    // The page with the error is as good as the first.
    let turn = attribute(&replies[5].text(), "name=\"turn\"", "value").expect("a turn");
    let fields = [("turn", turn.as_str()), ("days", "3")];
    assert_eq!(support.post(&act_on(&order, "extend"), &fields).status, StatusCode::SEE_OTHER);
    t.run_jobs();
}

fn a_reissued_link_replaces_the_old_one(t: TestApp) {
    let (order, _) = bought(&t);
    let old = t.link(&t.grant(&order));
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    let reply = support.act(&act_on(&order, "reissue"), &[]);
    t.run_jobs();

    assert_eq!(support.told(&reply), "New links are on their way; the old ones are dead.");
    let new = t.link(&t.grant(&order));
    assert_eq!((opens(&t, &old), opens(&t, &new)), (false, true));
    assert!(t.mails_to("buyer@example.com")[1].text.contains(&new));
    assert_eq!(acts(&t, &order), ["order.links_reissued"]);
    holds(&support.get(&page_of(&order)), &["New link for The FONT; the old one is dead", &new]);
}

fn a_transaction_is_made_again_as_a_whole(t: TestApp) {
    let (order, _) = bought(&t);
    download(&t, &order);
    let old = t.link(&t.grant(&order));
    t.advance(Span::days(30));
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    let reply = support.act(&act_on(&order, "regenerate"), &[]);
    t.run_jobs();

    assert!(support.told(&reply).starts_with("Made again"));
    let grant = t.grant(&order);
    assert_eq!((opens(&t, &old), opens(&t, &t.link(&grant))), (false, true));
    assert_eq!(t.files(&grant).iter().map(|file| file.taken).sum::<u32>(), 0, "its places are free again");
    assert!(grant.expires_at > t.now() + Span::days(2));
    assert_eq!(t.look(&order).generation, order.generation + 1);
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt, MessageKind::Regenerated]);
    assert_eq!(t.invoices(&order).len(), 1, "nothing is invoiced again");
    assert_eq!(acts(&t, &order), ["order.regenerated"]);
}

fn a_receipt_is_sent_again(t: TestApp) {
    let (order, _) = bought(&t);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    let reply = support.act(&act_on(&order, "receipt"), &[]);
    t.run_jobs();

    assert_eq!(support.told(&reply), "The receipt is on its way again.");
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt, MessageKind::Receipt]);
    assert_eq!(acts(&t, &order), ["order.receipt_resent"]);
}

const ACTS: [&str; 5] = ["resend", "receipt", "extend", "reissue", "regenerate"];

fn twice(visitor: &Visitor<'_>, path: &str) -> [Reply; 2] {
    let turn = visitor.turn(path);
    let fields = [("turn", turn.as_str()), ("days", "5")];
    [visitor.post(path, &fields), visitor.post(path, &fields)]
}

fn a_form_that_is_sent_twice_acts_once(t: TestApp) {
    let (order, _) = bought(&t);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    let told = ACTS.map(|act| {
        let [first, second] = twice(&support, &act_on(&order, act));
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text());
        support.told(&second)
    });
    t.run_jobs();

    assert!(told.iter().all(|told| told.starts_with("You had done this already")), "{told:?}");
    assert_eq!(acts(&t, &order).len(), ACTS.len());
    assert_eq!(t.messages(&order).len(), 1 + ACTS.len());
}

fn a_form_that_is_sent_twice_at_once_acts_once(t: TestApp) {
    let (order, _) = bought(&t);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let path = act_on(&order, "reissue");
    let asked = support.get(&path);
    let field = |name: &str| crate::buyer::hidden(&asked, name);
    let body = format!("_csrf={}&turn={}", field("_csrf"), field("turn"));
    let cookie = |name: &str| format!("{name}={}", support.cookie(name).unwrap_or_default());
    let request = || {
        Request::post(&path)
            .header("cookie", format!("{}; {}", cookie("staff"), cookie("visitor")))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.clone()))
            .expect("a request")
    };

    let replies = t.requests_at_once((0..10).map(|_| request()).collect());
    t.run_jobs();

    assert!(replies.iter().all(|reply| reply.status == StatusCode::SEE_OTHER));
    assert_eq!(acts(&t, &order), ["order.links_reissued"]);
    assert_eq!((t.grant(&order).generation, t.messages(&order).len()), (2, 2));
}

fn a_form_that_is_opened_anew_acts_again(t: TestApp) {
    let (order, _) = bought(&t);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    support.act(&act_on(&order, "resend"), &[]);
    let reply = support.act(&act_on(&order, "resend"), &[]);
    t.run_jobs();

    assert_eq!(support.told(&reply), "The links are on their way again.");
    assert_eq!(acts(&t, &order), ["order.links_resent", "order.links_resent"]);
    assert_eq!(t.messages(&order).len(), 3);
}

fn colleagues_with_the_same_question_open_each_act(t: TestApp) {
    let (order, _) = bought(&t);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let (_, owner) = t.owner();
    let path = act_on(&order, "resend");
    let (one, other) = (support.turn(&path), owner.turn(&path));

    support.post(&path, &[("turn", &one)]);
    owner.post(&path, &[("turn", &other)]);
    t.run_jobs();

    assert_eq!(t.messages(&order).len(), 3);
}

fn a_line_taken_back_is_given_back(t: TestApp) {
    let (font, song) = (t.product(NewGood::of("FONT")), t.product(NewGood::of("SONG")));
    let order = t.order(&[(&font, 1), (&song, 2)]);
    t.pay(&order);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let of = |name: &str| {
        let (merchant, id) = (order.merchant, order.id);
        let lines = t.read(move |snapshot| Ok(app::orders::store::lines(snapshot, merchant, id)?));
        lines.into_iter().find(|line| line.sku == name).expect("a line").id
    };
    let song_line = of("SONG");
    let states = || {
        let grants = t.grants(&order);
        let (mut song, font): (Vec<_>, Vec<_>) =
            grants.into_iter().partition(|grant| grant.line == song_line);
        song.sort_by_key(|grant| grant.unit_no);
        (font[0].status, song.iter().map(|grant| grant.status).collect::<Vec<_>>())
    };
    let token = t.link(t.grants(&order).iter().find(|grant| grant.line == song_line).expect("a grant"));
    let line_act = |act: &str| act_on(&order, &format!("lines/{song_line}/{act}"));

    let taken = support.act(&line_act("revoke"), &[("reason", "sold by mistake")]);
    let told = support.told(&taken);
    let after_taking = (states(), t.get(&format!("/d/{token}")).text().contains("data-again"));
    let again = support.post(&line_act("revoke"), &[("turn", "0")]);
    let again = support.told(&again);
    let given = support.act(&line_act("reinstate"), &[("reason", "it was none")]);
    let given = support.told(&given);

    use GrantStatus::{Active, Revoked};
    assert_eq!(told, "Taken back.");
    assert_eq!(after_taking, ((Active, vec![Revoked, Revoked]), false));
    assert!(again.starts_with("You had done this already"), "{again}");
    assert_eq!(given, "Given back.");
    assert_eq!(states(), (Active, vec![Active, Active]));
    assert!(t.get(&format!("/d/{token}")).text().contains("data-again"), "the very link works again");
    assert_eq!(acts(&t, &order), ["order.line_revoked", "order.line_reinstated"]);
    let page = support.get(&page_of(&order));
    holds(
        &page,
        &["sold by mistake", "it was none", "Link taken back for The SONG", "Link works again for The SONG"],
    );
    t.run_jobs();
}

fn what_money_took_back_is_not_given_back_by_hand(t: TestApp) {
    let (order, sale) = bought(&t);
    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("whole", eur(49_00))));
    assert_eq!(t.status(&order), OrderStatus::Refunded);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let line = t.grant(&order).line;

    let page = support.get(&page_of(&order)).text();
    let reply = support.post(&act_on(&order, &format!("lines/{line}/reinstate")), &[]);

    assert!(!page.contains("/reinstate"), "{page}");
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_eq!(t.grant(&order).status, GrantStatus::Revoked);
    t.run_jobs();
}

fn an_order_that_is_not_paid_offers_no_acts(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);

    let page = support.get(&page_of(&order)).text();
    let asked = ACTS.map(|act| support.get(&act_on(&order, act)).status);
    support.get("/admin/account");
    let done = ACTS.map(|act| support.post(&act_on(&order, act), &[("days", "5")]).status);

    assert!(ACTS.iter().all(|act| !page.contains(&act_on(&order, act))), "{page}");
    assert_eq!((asked, done), ([StatusCode::CONFLICT; 5], [StatusCode::CONFLICT; 5]));
    assert_eq!(acts(&t, &order), [""; 0]);
    assert_eq!(support.get(&act_on(&order, "explode")).status, StatusCode::NOT_FOUND);
    assert_eq!(support.post(&act_on(&order, "explode"), &[]).status, StatusCode::NOT_FOUND);
    t.run_jobs();
}

fn each_act_says_before_what_it_will_do(t: TestApp) {
    let (order, _) = bought(&t);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let before = t.business_state();
    let page = support.get(&page_of(&order)).text();

    let asked = ACTS.map(|act| support.get(&act_on(&order, act)));

    assert!(ACTS.iter().all(|act| page.contains(&act_on(&order, act))), "{page}");
    asked.iter().for_each(|asked| {
        let back = format!("href=\"{}\"", page_of(&order));
        holds(asked, &["buyer@example.com", "audit log", "method=\"post\"", "name=\"_csrf\"", &back]);
    });
    assert_eq!((t.business_state(), acts(&t, &order).len()), (before, 0));
    t.run_jobs();
}
