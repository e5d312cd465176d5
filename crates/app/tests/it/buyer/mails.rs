//! What every mail says, and that it says it once.

use app::archives::{PasswordRule, Terms as Packing};
use app::deliverables::Deliverables;
use app::messages::{MessageKind, compose};
use app::orders::Order;
use app::products::Product;
use kernel::Span;
use paysim::ipn::{Body, Means};

use super::{BUYER, change_merchant};
use crate::support::goods::eur;
use crate::support::{BASE_URL, NewGood, TestApp};

testkit::both_engines! {
    the_receipt_has_link_size_checksums_texts_and_support,
    a_second_text_is_a_mail_of_its_own,
    every_act_on_an_order_is_told_in_its_own_words,
    a_refund_says_how_much,
    a_reversal_and_its_end_are_told,
    a_failed_payment_is_told_to_who_was_told_it_was_pending,
    the_same_message_gives_the_same_bytes,
    a_hundred_units_fit_into_one_mail_and_more_are_in_the_portal,
    a_name_cannot_write_headers_or_markup,
    a_text_that_was_broken_later_does_not_hold_up_the_receipt,
    every_kind_of_message_can_be_composed,
}

fn texts(t: &TestApp, product: &Product, standard: &'static str, support: &'static str) {
    let product = product.clone();
    let saved = t.write(move |cx| {
        let mut product = product.clone();
        product.standard_text = standard.to_owned();
        product.support_text = support.to_owned();
        Ok(app::products::store::save(cx.tx, &product, cx.now)?)
    });
    saved.expect("texts are saved");
}

fn bought(t: &TestApp) -> Order {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    order
}

fn last_subject(t: &TestApp) -> String {
    t.mails_to(BUYER).pop().expect("a mail").subject
}

fn the_receipt_has_link_size_checksums_texts_and_support(t: TestApp) {
    change_merchant(&t, &t.shop.merchant, |merchant| {
        merchant.support_text = "We answer on working days.".to_owned();
    });
    let font = t.product(NewGood::of("FONT"));
    let standard = "Dear {name}, {product} is yours for {total}. Order {order}; until {expires}.";
    texts(&t, &font, standard, "Write to {support} or read https://help.example.");
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);

    let mail = t.mails_to(BUYER).remove(0);

    let (html, file) = (mail.html.clone().expect("an HTML part"), t.files(&t.grant(&order)).remove(0));
    let link = format!("{BASE_URL}{}", t.landing_of(&order));
    for part in [&mail.text, &html] {
        for wanted in
            [link.as_str(), "font.zip", &file.sha256, &file.md5, "1\u{a0}kB", "Dear Jo Buyer", "€49.00"]
        {
            assert!(part.contains(wanted), "{wanted} is missing in\n{part}");
        }
        assert!(part.contains("Write to seller@example.com") && part.contains("We answer on working days."));
        assert!(part.contains("Jan 18, 2027"), "when the link ends is missing in\n{part}");
    }
    assert_eq!(mail.subject, "Your download: The FONT");
    assert_eq!(mail.header("reply-to"), Some("seller@example.com"));
    let message = &t.messages(&order)[0];
    assert_eq!(mail.header("message-id"), Some(format!("<{}@example.com>", message.id).as_str()));
}

fn a_second_text_is_a_mail_of_its_own(t: TestApp) {
    let font =
        t.product(NewGood::of("FONT").with_other_text("{name}: our forum is at https://forum.example."));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);

    let mails = t.mails_to(BUYER);

    assert_eq!(mails.len(), 2);
    let note = mails.iter().find(|mail| mail.text.contains("forum")).expect("a second mail");
    assert!(note.text.contains("Jo Buyer: our forum is at https://forum.example."), "{}", note.text);
    assert!(!note.text.contains("/d/"));
}

fn every_act_on_an_order_is_told_in_its_own_words(t: TestApp) {
    let order = bought(&t);
    let id = order.id;
    let act = |work: fn(&mut app::cx::Cx<'_, '_>, kernel::OrderId) -> app::problem::Flow<()>| {
        t.write(move |cx| work(cx, id)).expect("an act of staff");
        t.run_jobs();
        last_subject(&t)
    };

    let subjects = [
        act(app::orders::flow::resend),
        act(|cx, id| app::orders::flow::extend(cx, id, 7)),
        act(app::orders::flow::reissue),
        act(app::orders::flow::regenerate),
    ];

    let expected = ["Your links once more", "More time for your download", "New links", "Delivered again"];
    assert_eq!(subjects, expected.map(|words| format!("{words}: The FONT")));
    assert!(t.mails_to(BUYER).pop().expect("a mail").text.contains(&t.landing_of(&order)));
}

fn a_refund_says_how_much(t: TestApp) {
    let order = bought(&t);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(49_00))));

    let mail = t.mails_to(BUYER).pop().expect("a mail");

    assert!(mail.subject.starts_with("Your money has been sent back"), "{}", mail.subject);
    assert!(mail.text.contains("€49.00") && mail.text.contains("The FONT") && !mail.text.contains("/d/"));
}

fn a_reversal_and_its_end_are_told(t: TestApp) {
    let order = bought(&t);
    let sale = t.sale_of(&order);
    let movement = t.movement("pulled", eur(49_00));
    t.deliver_and_run(&Body::reversed(&sale, &movement));
    let taken = last_subject(&t);
    t.deliver_and_run(&Body::canceled_reversal(&sale, &t.movement("again", eur(49_00))));

    let mail = t.mails_to(BUYER).pop().expect("a mail");

    assert!(taken.starts_with("Your payment was taken back"), "{taken}");
    assert_eq!(mail.subject, "Open again: The FONT");
    assert!(mail.text.contains(&t.landing_of(&order)), "{}", mail.text);
}

fn a_failed_payment_is_told_to_who_was_told_it_was_pending(t: TestApp) {
    let font = t.product(NewGood::of("FONT").provisional());
    let order = t.order(&[(&font, 1)]);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::pending(&sale, Means::Echeck, "echeck"));
    t.deliver_and_run(&Body::with_status(&sale, Means::Echeck, "Failed"));

    let mail = t.mails_to(BUYER).pop().expect("a mail");

    assert!(mail.subject.starts_with("Your payment did not go through"), "{}", mail.subject);
    assert!(mail.text.contains("Access that was open in the meantime has ended."), "{}", mail.text);
    assert!(mail.text.contains(&format!("{BASE_URL}{}", t.page_of(&order))), "{}", mail.text);
}

fn the_same_message_gives_the_same_bytes(t: TestApp) {
    let order = bought(&t);
    let message = t.messages(&order).remove(0);
    let (ring, now) = (t.app.ring_arc(), t.now());
    let bytes = || {
        let (ring, message) = (ring.clone(), message.clone());
        let gathered = message.clone();
        let material =
            t.read(move |snapshot| Ok(compose::gather(snapshot, &ring, BASE_URL, &gathered, now)?));
        let composed = compose::compose(t.app.renderer(), &message, &material).expect("a mail");
        mail::compose(&composed).expect("bytes")
    };

    let first = bytes();
    t.advance(Span::hours(5));

    assert_eq!(first, bytes());
}

fn a_hundred_units_fit_into_one_mail_and_more_are_in_the_portal(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 120)]);
    t.pay(&order);

    let mail = t.mails_to(BUYER).remove(0);

    assert_eq!(mail.text.matches("/d/").count(), 100);
    assert!(mail.text.contains(&format!("{BASE_URL}/portal")));
}

fn a_name_cannot_write_headers_or_markup(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    texts(&t, &font, "Dear {name}", "");
    let order = t.order(&[(&font, 1)]);
    let id = order.id;
    t.write(move |cx| {
        let name = "Jo\r\nBcc: evil@example.com\r\n\r\n<b>{links}</b>\u{202e}";
        Ok(db::sql("UPDATE orders SET buyer_name = $1 WHERE id = $2")
            .bind(name)
            .bind(id)
            .change_one(cx.tx)?)
    })
    .expect("an odd name");
    t.pay(&order);

    let mail = t.mails_to(BUYER).remove(0);

    assert_eq!(mail.header("bcc"), None);
    assert_eq!(t.mailbox()[0].to.len(), 1);
    let html = mail.html.expect("an HTML part");
    assert!(!html.contains("<b>{links}") && html.contains("&lt;b&gt;{links}"), "{html}");
}

fn a_text_that_was_broken_later_does_not_hold_up_the_receipt(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    texts(&t, &font, "Dear {nobody {", "");
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);

    assert!(t.mails_to(BUYER).remove(0).text.contains("Dear {nobody {"));
}

fn every_kind_of_message_can_be_composed(t: TestApp) {
    let packing = Packing { password: Some(PasswordRule::Mail) };
    let deliverables = Deliverables { archive: Some(packing), ..Deliverables::default() };
    let font = NewGood { deliverables, ..NewGood::of("FONT").with_other_text("Hello {name}") };
    let font = t.product(font);
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    let template = t.messages(&order).remove(0);
    let customer = template.customer.expect("a customer");
    let (ring, nonce) = (t.app.ring_arc(), [9; 24]);
    let link = t
        .write(move |cx| {
            Ok(app::sessions::flow::make_link(cx, app::sessions::Holder::Customer(customer))?
                .sealed(&ring, nonce))
        })
        .expect("a link");
    let context = serde_json::json!({
        "product": font.id.to_string(), "path": "/x", "link": link, "inviter": "Ada", "role": "support", "hours": 48,
        "alarms": [{ "kind": "not_verified", "count": 2, "since": null, "path": "/admin/notices" }],
    });

    let (ring, now) = (t.app.ring_arc(), t.now());
    let subjects: Vec<String> = MessageKind::ALL
        .iter()
        .map(|kind| {
            let message =
                app::messages::Message { kind: *kind, context: context.clone(), ..template.clone() };
            let (ring, gathered) = (ring.clone(), message.clone());
            let material =
                t.read(move |snapshot| Ok(compose::gather(snapshot, &ring, BASE_URL, &gathered, now)?));
            compose::compose(t.app.renderer(), &message, &material).expect("a mail").subject
        })
        .collect();

    assert_eq!(subjects.len(), MessageKind::ALL.len());
    assert!(subjects.iter().all(|subject| !subject.is_empty()), "{subjects:?}");
}
