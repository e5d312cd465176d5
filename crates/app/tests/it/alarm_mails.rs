//! The mail that calls a seller who is not looking: when, to whom, and how seldom.

use app::alarms::find::House;
use app::alarms::flow;
use app::installation::{self, Quarantine};
use app::orders::Order;
use app::staff::Role;
use kernel::Span;
use mail::SendError;
use paysim::ipn::{Body, Means};

use crate::buyer::{BUYER, change_merchant};
use crate::support::goods::email;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    an_alarm_calls_the_first_owner_once_and_again_a_day_later_while_it_stands,
    a_shop_where_all_is_well_calls_nobody,
    alarms_go_where_the_settings_say_in_the_merchants_language,
    what_is_new_within_the_hour_waits_for_one_mail_that_tells_all,
    nodes_that_look_at_the_same_time_send_one_mail,
    another_merchants_owner_is_not_called,
    no_second_alarm_is_written_while_the_first_has_not_left,
    without_a_mail_server_nobody_is_called_until_there_is_one,
    in_a_quarantine_nobody_is_called_until_it_is_lifted,
    an_alarm_is_not_sent_again_by_hand,
}

const OWNER: &str = "owner@staff.example";
const NOT_VERIFIED: &str = "1 notice of a payment is not verified";

/// An owner, and a payment that PayPal announces and does not confirm.
fn unverified(t: &TestApp) -> Order {
    t.person(OWNER, Role::Owner);
    let order = t.order(&[(&t.product(NewGood::of("NORTH")), 1)]);
    t.paypal.set_postback(paysim::Postback::Unavailable);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.mailbox.clear();
    order
}

/// Lets time pass as it does: the house is kept every few minutes.
fn pass(t: &TestApp, minutes: i64) {
    (0..minutes.div_euclid(5)).for_each(|_| {
        t.advance(Span::minutes(5));
        t.run_jobs();
    });
}

fn all_is_well_again(t: &TestApp) {
    t.paypal.set_postback(paysim::Postback::Honest);
    t.advance(Span::hours(5));
    t.run_jobs();
}

fn subjects(t: &TestApp, to: &str) -> Vec<String> {
    t.mails_to(to).into_iter().map(|mail| mail.subject).collect()
}

fn an_alarm_calls_the_first_owner_once_and_again_a_day_later_while_it_stands(t: TestApp) {
    unverified(&t);

    pass(&t, 5);
    let early = t.mails_to(OWNER).len();
    pass(&t, 23 * 60);
    let (first, within_a_day) = (t.mails_to(OWNER).remove(0), t.mails_to(OWNER).len());
    pass(&t, 2 * 60);
    let after_a_day = t.mails_to(OWNER).len();
    all_is_well_again(&t);
    pass(&t, 25 * 60);

    assert_eq!((early, within_a_day, after_a_day), (0, 1, 2));
    assert_eq!(t.mails_to(OWNER).len(), 2, "nothing is said when all is well again");
    assert_eq!(first.subject, format!("[The shop] {NOT_VERIFIED}"));
    let html = first.html.expect("an HTML part");
    for part in [&first.text, &html] {
        for wanted in [
            NOT_VERIFIED,
            "they are tried again by themselves",
            "http://shop.test/admin/notices?state=received",
            "08:00",
        ] {
            assert!(part.to_lowercase().contains(&wanted.to_lowercase()), "{wanted} is missing in\n{part}");
        }
        assert!(!part.contains(BUYER), "alarms are forwarded");
    }
}

fn a_shop_where_all_is_well_calls_nobody(t: TestApp) {
    t.person(OWNER, Role::Owner);
    t.pay(&t.order(&[(&t.product(NewGood::of("NORTH")), 1)]));
    t.mailbox.clear();

    pass(&t, 3 * 60);

    assert_eq!(t.mailbox().len(), 0);
}

fn alarms_go_where_the_settings_say_in_the_merchants_language(t: TestApp) {
    change_merchant(&t, &t.shop.merchant, |merchant| {
        merchant.alarm_email = Some(email("on-call@shop.example"));
        merchant.locale = "de".to_owned();
    });
    unverified(&t);

    pass(&t, 15);

    assert_eq!(subjects(&t, OWNER), [""; 0]);
    let told = subjects(&t, "on-call@shop.example");
    assert_eq!(told, ["[The shop] 1 Meldung einer Zahlung ist nicht bestätigt"]);
    all_is_well_again(&t);
}

fn what_is_new_within_the_hour_waits_for_one_mail_that_tells_all(t: TestApp) {
    unverified(&t);
    pass(&t, 15);
    let first = subjects(&t, OWNER);
    t.paypal.set_postback(paysim::Postback::Honest);
    let bare = t.product(NewGood { files: Vec::new(), ..NewGood::of("BARE") });
    let order = t.order(&[(&bare, 1)]);
    t.pay(&order);
    t.paypal.set_postback(paysim::Postback::Unavailable);

    pass(&t, 50);
    let within_the_hour = subjects(&t, OWNER).len();
    let again = t.order(&[(&bare, 1)]);
    t.deliver_and_run(&Body::completed(&t.sale_of(&again), Means::Instant));
    pass(&t, 20);

    let mails = t.mails_to(OWNER);
    assert_eq!((first.len(), within_the_hour, mails.len()), (1, 1, 2));
    assert_eq!(mails[1].subject, "[The shop] 2 things need attention");
    assert!(mails[1].text.contains("1 transaction is paid, but not delivered"), "{}", mails[1].text);
    assert!(mails[1].text.contains("not verified"), "{}", mails[1].text);
    all_is_well_again(&t);
}

fn nodes_that_look_at_the_same_time_send_one_mail(t: TestApp) {
    unverified(&t);
    t.advance(Span::minutes(11));
    let (merchant, now) = (t.shop.merchant.id, t.now());
    let look = || {
        t.read(move |snapshot| {
            flow::look(snapshot, merchant, &House { quarantine: None, has_mail: true, now })
        })
    };
    let (one, other) = (look(), look());

    t.write(move |cx| flow::record(cx, &one)).expect("the first records");
    t.write(move |cx| flow::record(cx, &other)).expect("the second finds that it is late");
    t.run_jobs();

    assert_eq!(subjects(&t, OWNER).len(), 1);
    all_is_well_again(&t);
}

fn another_merchants_owner_is_not_called(t: TestApp) {
    let other = t.second_shop();
    t.person_at(other.merchant.id, "other@staff.example", Role::Owner);
    unverified(&t);

    pass(&t, 60);

    assert_eq!((subjects(&t, "other@staff.example").len(), subjects(&t, OWNER).len()), (0, 1));
    all_is_well_again(&t);
}

fn no_second_alarm_is_written_while_the_first_has_not_left(t: TestApp) {
    unverified(&t);
    (0..200).for_each(|_| t.mailer.fail_next(SendError::Retry { why: "451 busy".to_owned() }));

    pass(&t, 3 * 24 * 60);
    let written = t.count("SELECT count(*) AS n FROM messages WHERE kind = 'alarm'");
    t.mailer.work_again();
    all_is_well_again(&t);

    assert_eq!((written, subjects(&t, OWNER).len()), (1, 1));
}

fn without_a_mail_server_nobody_is_called_until_there_is_one(t: TestApp) {
    unverified(&t);
    t.mailer.remove_server();

    pass(&t, 60);
    let written = t.count("SELECT count(*) AS n FROM messages WHERE kind = 'alarm'");
    t.mailer.work_again();
    pass(&t, 5);

    assert_eq!((written, subjects(&t, OWNER).len()), (0, 1));
    all_is_well_again(&t);
}

fn in_a_quarantine_nobody_is_called_until_it_is_lifted(t: TestApp) {
    unverified(&t);
    let begun = Quarantine { why: "a test".to_owned(), since: t.now() };
    let kept = begun.clone();
    t.write(move |cx| Ok(installation::store::save_quarantine(cx.tx, &begun, cx.now)?)).expect("quarantined");
    t.app.note_quarantine(Some(kept));

    t.advance(Span::hours(1));
    t.keep_house();
    let written = t.count("SELECT count(*) AS n FROM messages WHERE kind = 'alarm'");
    t.write(|cx| Ok(installation::store::remove(cx.tx, installation::store::QUARANTINE)?)).expect("lifted");
    t.app.note_quarantine(None);
    pass(&t, 5);

    assert_eq!((written, subjects(&t, OWNER).len()), (0, 1));
    all_is_well_again(&t);
}

fn an_alarm_is_not_sent_again_by_hand(t: TestApp) {
    unverified(&t);
    pass(&t, 15);
    let id: kernel::MessageId = t.read(|snapshot| {
        let alarm = db::sql("SELECT id FROM messages WHERE kind = 'alarm'");
        Ok(alarm.one(snapshot, |row| row.get("id"))?)
    });

    let again = t.write(move |cx| app::messages::flow::resend(cx, id));

    assert!(again.is_err());
    all_is_well_again(&t);
}
