//! "A new version is out": who hears of it, how often, and with which links.

use app::messages::MessageKind;
use app::products::change::{self, Change};
use app::products::{FilePolicy, Product, ProductFile};
use kernel::Span;
use paysim::ipn::{Body as Ipn, Item, Means, Sale};

use super::path_of;
use crate::support::goods::{content, eur};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    who_is_entitled_hears_once_and_nobody_else_does,
    the_links_in_the_mail_work_however_old_the_order_is,
    a_version_is_told_once_whoever_asks_again,
    many_buyers_are_told_step_by_step,
    a_step_that_was_killed_is_done_once,
    whose_access_ended_meanwhile_is_not_told,
    a_restored_shop_does_not_tell_what_may_have_been_told,
}

const PRICE: i64 = 49_00;

/// Somebody buys, by a button on another site.
fn buys(t: &TestApp, product: &Product, who: &str) -> Sale {
    let mut sale = t.button_sale(who, vec![Item::one(&product.sku, eur(PRICE))]);
    sale.txn_id = paysim::ipn::txn_id(&format!("{who} {}", t.now()));
    t.deliver_and_run(&Ipn::completed(&sale, Means::Instant));
    sale
}

fn policy(t: &TestApp, product: &Product, file_policy: FilePolicy, update_days: Option<u32>) {
    let (id, wanted) =
        (product.id, Change { file_policy: Some(file_policy), update_days, ..Change::default() });
    t.write(move |cx| change::change(cx, id, &wanted)).expect("the policy is changed");
}

/// A new version comes out and is told. Answers how many are entitled.
fn announced(t: &TestApp, product: &Product, number: u8) -> (ProductFile, u64) {
    let file = t.new_version(product, &content(&format!("version {number}"), 900));
    let (id, slot) = (product.id, file.file);
    let entitled = t.write(move |cx| app::announcements::flow::announce(cx, id, slot));
    (file, entitled.expect("it is announced"))
}

fn told(t: &TestApp, who: &str) -> usize {
    let mails = t.mails_to(&format!("{who}@example.com"));
    mails.iter().filter(|mail| mail.subject.contains("A new version")).count()
}

fn who_is_entitled_hears_once_and_nobody_else_does(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    let other = t.product(NewGood::of("OTHER").always_newest());
    buys(&t, &font, "ada");
    buys(&t, &font, "ada");
    let refunded = buys(&t, &font, "ben");
    t.deliver_and_run(&Ipn::refunded(&refunded, &t.movement("back", eur(PRICE))));
    buys(&t, &other, "cleo");
    policy(&t, &font, FilePolicy::AsBought, None);
    buys(&t, &font, "dan");
    policy(&t, &font, FilePolicy::UpdatesUntil, Some(30));
    buys(&t, &font, "eve");
    t.advance(Span::days(29));
    buys(&t, &font, "fay");
    t.advance(Span::days(1));

    let (_, entitled) = announced(&t, &font, 2);
    t.run_jobs();

    assert_eq!(entitled, 2);
    let heard = ["ada", "ben", "cleo", "dan", "eve", "fay"].map(|who| told(&t, who));
    assert_eq!(heard, [1, 0, 0, 0, 0, 1]);
}

fn the_links_in_the_mail_work_however_old_the_order_is(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest().limited_to(1));
    buys(&t, &font, "ada");
    let order = t.orders().remove(0);
    let grant = t.grant(&order);
    t.advance(Span::days(400));
    let dead = t.get(&format!("/d/{}", t.link(&grant))).status;

    let (file, _) = announced(&t, &font, 2);
    t.run_jobs();

    let mail = t.mails_to("ada@example.com").pop().expect("a mail");
    let line = mail.text.lines().find(|line| line.contains("/d/")).expect("a link").trim().to_owned();
    let page = t.get(&path_of(&line));
    assert_eq!(dead, http::StatusCode::GONE);
    assert!(mail.text.contains(&file.name) && mail.text.contains(&file.sha256), "{}", mail.text);
    assert_eq!(page.status, http::StatusCode::OK);
    assert!(page.text().contains(&file.sha256), "the link gives the new version");
    let prolonged = t.grant(&order);
    assert!(prolonged.expires_at > t.now() + Span::days(2), "for its whole time");
    assert_eq!(prolonged.generation, grant.generation, "and is the one that the buyer has");
}

fn a_version_is_told_once_whoever_asks_again(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    buys(&t, &font, "ada");
    let (file, _) = announced(&t, &font, 2);
    t.run_jobs();

    let (id, slot) = (font.id, file.file);
    let again = t.write(move |cx| app::announcements::flow::announce(cx, id, slot)).expect("asked again");
    t.run_jobs();
    let heard = told(&t, "ada");
    announced(&t, &font, 3);
    t.run_jobs();

    assert_eq!((again, heard), (1, 1));
    assert_eq!(told(&t, "ada"), 2, "of the next version too");
}

fn many_buyers_are_told_step_by_step(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    for number in 0..5 {
        buys(&t, &font, &format!("buyer{number}"));
    }

    let (_, entitled) = announced(&t, &font, 2);
    let first = t.claim_jobs().remove(0);
    let mut steps = Vec::new();
    let mut job = Some(first);
    // As a step does, with fewer lines: the next one is queued with the mails of this one.
    while let Some(step) = job {
        t.write(move |cx| app::announcements::flow::step(cx, &step, 2)).expect("a step");
        steps.push(t.count("SELECT count(*) AS n FROM messages WHERE kind = 'new_version'"));
        job = t.claim_jobs().into_iter().find(|job| job.work.kind() == app::jobs::Kind::TellOfVersion);
    }
    t.advance(Span::minutes(5));
    t.run_jobs();

    assert_eq!(entitled, 5);
    assert_eq!(steps, [2, 4, 5]);
    assert_eq!([0, 1, 2, 3, 4].map(|number| told(&t, &format!("buyer{number}"))), [1; 5]);
}

fn a_step_that_was_killed_is_done_once(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    buys(&t, &font, "ada");
    announced(&t, &font, 2);
    let claimed = t.claim_jobs();
    assert_eq!(claimed.len(), 1);

    // Its worker died; another takes it, and the first wakes up late.
    t.advance(Span::minutes(5));
    t.run_jobs();
    claimed.into_iter().for_each(|job| t.perform(job));
    t.run_jobs();

    assert_eq!(told(&t, "ada"), 1);
}

fn whose_access_ended_meanwhile_is_not_told(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    let sale = buys(&t, &font, "ada");
    announced(&t, &font, 2);
    let step = t.claim_jobs().remove(0);
    t.perform(step);

    t.deliver(&Ipn::refunded(&sale, &t.movement("back", eur(PRICE))));
    t.finish_handed_over();
    t.run_jobs();

    assert_eq!(told(&t, "ada"), 0);
}

fn a_restored_shop_does_not_tell_what_may_have_been_told(t: TestApp) {
    let font = t.product(NewGood::of("FONT").always_newest());
    buys(&t, &font, "ada");
    announced(&t, &font, 2);

    t.write(|cx| Ok(app::installation::store::drop_waiting_messages(cx.tx, "restored")?)).expect("dropped");
    t.run_jobs();

    assert_eq!(told(&t, "ada"), 0);
    let order = t.orders().remove(0);
    assert!(!t.message_kinds(&order).contains(&MessageKind::NewVersion));
}
