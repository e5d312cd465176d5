//! What comes in, what goes out, what waits for a person, and the documents.

use app::fulfillment::GrantStatus;
use app::messages::{MessageKind, MessageState};
use app::notices::NoticeState;
use app::orders::{Order, OrderStatus};
use app::staff::Role;
use http::StatusCode;
use kernel::Span;
use mail::SendError;
use paysim::ipn::{Body as Ipn, Means};

use crate::support::goods::eur;
use crate::support::{NewGood, Reply, TestApp};

testkit::both_engines! {
    a_quarantined_notice_says_why_and_is_accepted,
    a_quarantined_notice_is_refused_for_good,
    a_decision_about_a_notice_is_made_once,
    a_notice_is_shown_byte_for_byte,
    what_was_applied_can_be_judged_again_and_changes_nothing,
    forged_notices_are_listed_and_change_nothing,
    mail_that_failed_says_why_and_is_sent_again,
    a_mail_is_sent_again_once_per_form,
    a_mail_that_signs_somebody_in_is_not_sent_again,
    a_part_refund_waits_for_somebody_who_says_what_it_is_for,
    an_answer_without_words_is_asked_for_again,
    invoices_are_listed_found_and_taken_along,
    an_invoice_names_its_credit_notes,
    empty_lists_say_what_to_do,
}

#[track_caller]
fn holds(page: &Reply, all: &[&str]) {
    let text = page.text();
    assert_eq!(page.status, StatusCode::OK, "{text}");
    let missing: Vec<_> = all.iter().filter(|wanted| !text.contains(**wanted)).collect();
    assert!(missing.is_empty(), "{missing:?} is not in\n{text}");
}

fn bought(t: &TestApp) -> Order {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.pay(&order);
    order
}

/// An order, and a notice that pays too little for it.
fn short_paid(t: &TestApp) -> Order {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(1_00);
    t.deliver_and_run(&Ipn::completed(&sale, Means::Instant));
    assert_eq!(t.notice_states(), [NoticeState::Quarantined]);
    order
}

fn a_quarantined_notice_says_why_and_is_accepted(t: TestApp) {
    let order = short_paid(&t);
    let notice = t.last_notice();
    let (person, owner) = t.owner();
    let path = format!("/admin/notices/{}", notice.id);

    let list = owner.get("/admin/notices");
    holds(&list, &[&notice.reason, &format!("{path}/accept"), &format!("{path}/refuse"), "€1.00"]);
    holds(&owner.get("/admin/notices?state=quarantined"), &[&path]);
    holds(&owner.get(&path), &[&notice.reason, "mc_gross"]);
    let reply = owner.act(&format!("{path}/accept"), &[]);
    let told = owner.told(&reply);
    t.run_jobs();

    assert!(told == "Accepted and applied.", "{told}");
    assert_eq!(t.status(&order), OrderStatus::Paid);
    assert_eq!(t.notice_states(), [NoticeState::Applied]);
    assert!(!owner.get("/admin/notices").text().contains(&format!("{path}/accept")));
    holds(&owner.get("/admin/events?kind=notice"), &["Notice accepted", person.label()]);
}

fn a_quarantined_notice_is_refused_for_good(t: TestApp) {
    let order = short_paid(&t);
    let (_, owner) = t.owner();
    let path = format!("/admin/notices/{}", t.last_notice().id);

    let reply = owner.act(&format!("{path}/refuse"), &[("reason", "not for us")]);

    assert_eq!(owner.told(&reply), "Refused.");
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
    assert_eq!(t.last_notice().state, NoticeState::Refused);
    holds(&owner.get(&path), &["not for us"]);
    holds(&owner.get("/admin/notices?state=refused"), &[&path]);
    t.run_jobs();
}

fn a_decision_about_a_notice_is_made_once(t: TestApp) {
    let order = short_paid(&t);
    let (_, owner) = t.owner();
    let path = format!("/admin/notices/{}", t.last_notice().id);
    owner.get(&format!("{path}/accept"));

    let [first, second] = ["accept", "accept"].map(|act| owner.post(&format!("{path}/{act}"), &[]).status);
    t.run_jobs();
    let late = owner.post(&format!("{path}/refuse"), &[("reason", "too late")]).status;

    assert_eq!((first, second, late), (StatusCode::SEE_OTHER, StatusCode::CONFLICT, StatusCode::CONFLICT));
    assert_eq!((t.status(&order), t.messages(&order).len()), (OrderStatus::Paid, 1));
    assert_eq!(t.count("SELECT count(*) AS n FROM events WHERE kind = 'notice.accepted'"), 1);
}

fn a_notice_is_shown_byte_for_byte(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Ipn::completed(&sale, Means::Instant).set("memo", "<script>alert(1)</script>"));
    let (_, owner) = t.owner();

    let page = owner.get(&format!("/admin/notices/{}", t.last_notice().id));

    holds(
        &page,
        &["POST /hooks/", "PayPal IPN ( https:", "%3Cscript%3Ealert%281%29%3C%2Fscript%3E", &sale.txn_id],
    );
    assert!(!page.text().contains("<script>alert"));
    let found = owner.get(&format!("/admin/notices?q={}", sale.txn_id));
    holds(&found, &[&format!("/admin/notices/{}", t.last_notice().id)]);
    holds(&owner.get("/admin/notices?q=NOTHING"), &["Nothing fits"]);
    t.run_jobs();
}

fn what_was_applied_can_be_judged_again_and_changes_nothing(t: TestApp) {
    let order = bought(&t);
    let (_, owner) = t.owner();
    t.run_jobs();
    let before = t.business_state();

    let reply = owner.act(&format!("/admin/notices/{}/replay", t.last_notice().id), &[]);
    let told = owner.told(&reply);
    t.run_jobs();

    assert!(told.starts_with("Judged again."), "{told}");
    assert_eq!((t.business_state(), t.messages(&order).len()), (before, 1));
}

fn forged_notices_are_listed_and_change_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    // PayPal never sent these bytes.
    t.post_notice(Ipn::completed(&t.sale_of(&order), Means::Instant).encode());
    t.run_jobs();
    let (_, owner) = t.owner();

    holds(&owner.get("/admin/notices?state=forged"), &[&format!("/admin/notices/{}", t.last_notice().id)]);
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
    t.run_jobs();
}

fn mail_that_failed_says_why_and_is_sent_again(t: TestApp) {
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    t.run_jobs();
    t.mailer.fail_next(SendError::Permanent { why: "550 no such mailbox".to_owned() });
    let order = bought(&t);
    let failed = t.messages(&order).remove(0);
    assert_eq!(failed.state, MessageState::Failed);
    let path = format!("/admin/messages/{}", failed.id);

    holds(&support.get("/admin/messages?state=failed"), &[&path, "550 no such mailbox"]);
    holds(&support.get("/admin/messages?q=buyer@example.com"), &[&path]);
    holds(&support.get(&path), &["550 no such mailbox", &format!("{path}/resend")]);
    let reply = support.act(&format!("{path}/resend"), &[]);
    let told = support.told(&reply);
    t.run_jobs();

    assert_eq!(told, "It is on its way again, as this new mail.");
    assert_eq!(t.mails_to("buyer@example.com").len(), 1);
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt, MessageKind::Receipt]);
    t.leaves_violation("I7");
}

fn a_mail_is_sent_again_once_per_form(t: TestApp) {
    let order = bought(&t);
    let (_, support) = t.signed_in_as(&t.shop, Role::Support);
    let path = format!("/admin/messages/{}/resend", t.messages(&order)[0].id);
    let turn = support.turn(&path);

    let first = support.post(&path, &[("turn", &turn)]);
    let second = support.post(&path, &[("turn", &turn)]);
    let second = support.told(&second);
    t.run_jobs();

    assert_eq!(first.status, StatusCode::SEE_OTHER);
    assert!(second.starts_with("You had done this already"), "{second}");
    assert_eq!(t.messages(&order).len(), 2);
}

fn a_mail_that_signs_somebody_in_is_not_sent_again(t: TestApp) {
    let (_, owner) = t.owner();
    t.run_jobs();
    let id: String = t.read(|snapshot| {
        let invitation = db::sql("SELECT id FROM messages WHERE kind = 'staff_invitation'");
        Ok(invitation.one(snapshot, |row| row.get("id"))?)
    });

    let page = owner.get(&format!("/admin/messages/{id}"));
    let reply = owner.post(&format!("/admin/messages/{id}/resend"), &[]);

    holds(&page, &["(hidden)"]);
    assert!(!page.text().contains("/resend"));
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_eq!(t.mailbox().len(), 1);
}

fn part_refunded(t: &TestApp) -> Order {
    let (font, song) = (t.product(NewGood::of("FONT")), t.product(NewGood::of("SONG")));
    let order = t.order(&[(&font, 1), (&song, 1)]);
    let sale = t.pay(&order);
    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("part", eur(49_00))));
    order
}

fn a_part_refund_waits_for_somebody_who_says_what_it_is_for(t: TestApp) {
    let order = part_refunded(&t);
    let (person, owner) = t.owner();
    let path = format!("/admin/reviews/{}", t.reviews(&order)[0].id);
    let grant = t.grants(&order).remove(0);
    let line = grant.line.to_string();

    holds(&owner.get("/admin/reviews"), &[&path, "buyer@example.com"]);
    holds(&owner.get(&path), &["The FONT", "The SONG", &line]);
    let fields = [("resolution", "the first one was refunded"), ("revoke", line.as_str())];
    let reply = owner.post(&path, &fields);
    let told = owner.told(&reply);
    let again = owner.post(&path, &fields);

    assert_eq!(told, "Resolved.");
    assert_eq!(again.status, StatusCode::CONFLICT);
    let revoked = |grant: &app::fulfillment::Grant| grant.status == GrantStatus::Revoked;
    let taken: Vec<_> = t.grants(&order).into_iter().filter(revoked).map(|grant| grant.line).collect();
    assert_eq!(taken, [grant.line]);
    holds(&owner.get(&path), &["the first one was refunded", person.label()]);
    holds(&owner.get("/admin/reviews?state=resolved"), &[&path]);
    assert!(!owner.get("/admin/reviews").text().contains(&path));
    t.run_jobs();
}

fn an_answer_without_words_is_asked_for_again(t: TestApp) {
    let order = part_refunded(&t);
    let (_, owner) = t.owner();
    let path = format!("/admin/reviews/{}", t.reviews(&order)[0].id);
    let line = t.grants(&order)[0].line.to_string();
    owner.get(&path);

    let reply = owner.post(&path, &[("resolution", "  "), ("revoke", &line)]);

    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("write what was decided") && reply.text().contains("checked"));
    assert!(t.reviews(&order)[0].resolved_at.is_none());
    assert!(t.grants(&order).iter().all(|grant| grant.status == GrantStatus::Active));
    t.run_jobs();
}

fn invoices_are_listed_found_and_taken_along(t: TestApp) {
    let order = bought(&t);
    let invoice = t.invoices(&order).remove(0);
    let (_, owner) = t.owner();
    let path = format!("/admin/invoices/{}", invoice.id);
    let label = invoice.label();

    holds(&owner.get("/admin/invoices"), &[&path, &label, "€49.00"]);
    holds(&owner.get(&format!("/admin/invoices?q={label}")), &[&path]);
    holds(&owner.get("/admin/invoices?q=buyer@example.com&kind=invoice"), &[&path]);
    holds(&owner.get("/admin/invoices?kind=credit_note"), &["Nothing fits"]);
    holds(&owner.get("/admin/invoices?to=2026-01-01"), &["Nothing fits"]);
    holds(&owner.get("/admin/invoices?sort=-gross"), &["aria-sort=\"descending\""]);
    holds(&owner.get(&path), &[&label, "The FONT", "Jo Buyer", "€49.00"]);
    let file = owner.get("/admin/invoices.csv").text();
    assert!(file.contains(&format!("{label},invoice,")) && file.contains(",EUR,"), "{file}");
    t.run_jobs();
}

fn an_invoice_names_its_credit_notes(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    let sale = t.pay(&order);
    t.deliver_and_run(&Ipn::refunded(&sale, &t.movement("whole", eur(49_00))));
    let documents = t.invoices(&order);
    let (_, owner) = t.owner();
    let [invoice, note] = documents.as_slice() else { panic!("two documents were expected: {documents:?}") };

    let page = owner.get(&format!("/admin/invoices/{}", invoice.id));
    holds(&page, &[&format!("/admin/invoices/{}", note.id), &note.label()]);
    holds(&owner.get(&format!("/admin/invoices/{}", note.id)), &[&note.label(), &invoice.label()]);
    holds(&owner.get("/admin/invoices?kind=credit_note"), &[&note.label(), "\u{2212}€49.00"]);
    let file = owner.get("/admin/invoices.csv?kind=credit_note").text();
    assert!(file.contains(&note.label()), "{file}");
    t.run_jobs();
}

fn empty_lists_say_what_to_do(t: TestApp) {
    let connection = t.shop.connection.id;
    t.write(move |cx| {
        let none = db::sql("DELETE FROM connections WHERE id = $1").bind(connection);
        Ok(none.change_one(cx.tx)?)
    })
    .expect("a shop that is connected to nothing");
    let (_, owner) = t.owner();
    let (_, reader) = t.signed_in_as(&t.shop, Role::ReadOnly);
    t.run_jobs();
    let lists = [
        ("orders", "No transactions yet", Some("/admin/connections")),
        ("invoices", "No invoices yet", Some("/admin/settings")),
        ("notices", "Nothing has come in", Some("/admin/connections")),
        ("reviews", "No questions", None),
        ("jobs", "Nothing was given up", None),
        ("connections", "Not connected yet", Some("/admin/connections/new")),
        ("api-keys", "No API keys yet", Some("/admin/api-keys/new")),
    ];

    for (list, title, way) in lists {
        let page = owner.get(&format!("/admin/{list}"));
        let text = page.text();
        assert_eq!(page.status, StatusCode::OK, "{text}");
        let empty =
            text.split("class=\"empty\"").nth(1).unwrap_or_else(|| panic!("{list} is not empty:\n{text}"));
        let empty = empty.split("</div>").next().unwrap_or_default();
        assert!(empty.contains(title) && empty.contains("<p>"), "{list}: {empty}");
        assert!(way.is_none_or(|way| empty.contains(&format!("href=\"{way}\""))), "{list}: {empty}");
    }
    // Nobody is sent where they may not go.
    let page = reader.get("/admin/invoices").text();
    assert!(page.contains("No invoices yet") && !page.contains("/admin/settings"), "{page}");
    assert!(!reader.get("/admin/connections").text().contains("/admin/connections/new"));
    let narrowed = owner.get("/admin/orders?q=somebody").text();
    assert!(narrowed.contains("Nothing fits") && narrowed.contains("href=\"/admin/orders\""), "{narrowed}");
    t.advance(Span::seconds(1));
    t.run_jobs();
}
