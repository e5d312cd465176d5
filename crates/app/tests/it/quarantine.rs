//! In a quarantine nothing leaves the house; lifting it lets out what waits, or drops it.

use app::installation::flow::{self, WaitingMail, Witnessed};
use app::installation::{Mark, Quarantine, store};
use app::notices::NoticeState;
use app::orders::OrderStatus;
use http::StatusCode;
use paysim::ipn::{Body, Means};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_quarantined_shop_stores_notices_but_calls_nobody_and_sends_nothing,
    what_was_held_back_in_the_moment_of_its_making_leaves_when_the_quarantine_is_lifted,
    mail_that_waited_can_be_dropped,
    an_older_database_than_its_witness_is_quarantined,
    a_copy_is_quarantined,
    another_node_is_not_quarantined,
    a_quarantine_stands_until_it_is_lifted,
}

fn quarantine(t: &TestApp) {
    t.write(|cx| {
        let quarantine = Quarantine { why: "a test".to_owned(), since: cx.now };
        Ok(store::save_quarantine(cx.tx, &quarantine, cx.now)?)
    })
    .expect("quarantined");
}

fn lift(t: &TestApp, mail: WaitingMail) -> u64 {
    t.write(move |cx| flow::lift(cx, "here", &Witnessed::new(), mail)).expect("lifted").1
}

fn arrive(t: &TestApp, place: &'static str, witnessed: Witnessed) -> flow::Arrival {
    t.write(move |cx| flow::arrive(cx, place, &witnessed)).expect("it starts")
}

fn a_quarantined_shop_stores_notices_but_calls_nobody_and_sends_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    quarantine(&t);

    let reply = t.deliver(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.advance(kernel::Span::hours(1));
    assert!(t.claim_jobs().is_empty());
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(t.notice_states(), [NoticeState::Received]);
    assert_eq!(t.status(&order), OrderStatus::AwaitingPayment);
    assert_eq!(t.mailbox().len(), 0);

    lift(&t, WaitingMail::Send);
    t.run_jobs();
    assert_eq!(t.status(&order), OrderStatus::Paid);
    assert_eq!(t.mailbox().len(), 1);
}

fn what_was_held_back_in_the_moment_of_its_making_leaves_when_the_quarantine_is_lifted(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    quarantine(&t);
    t.deliver(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.run_jobs();
    assert_eq!(t.jobs_in("ready"), 1);

    lift(&t, WaitingMail::Send);
    t.run_jobs();

    assert_eq!(t.status(&order), OrderStatus::Paid);
    assert_eq!(t.mailbox().len(), 1);
}

fn mail_that_waited_can_be_dropped(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.deliver(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.run_jobs();
    quarantine(&t);
    let id = order.id;
    t.write(move |cx| app::orders::flow::resend(cx, id)).expect("resent");
    assert!(t.claim_jobs().is_empty());

    assert_eq!(lift(&t, WaitingMail::Drop), 1);
    t.run_jobs();
    assert_eq!((t.jobs_in("ready"), t.mailbox().len()), (0, 1));
    // Dropped on purpose, by a person: the audit still shows that it never left.
    t.leaves_violation("I7");
}

fn an_older_database_than_its_witness_is_quarantined(t: TestApp) {
    let first = arrive(&t, "here", Witnessed::new());
    assert_eq!((first.quarantine, first.identity.mark), (None, Mark::FIRST));
    let newer = Mark { epoch: 1, sequence: 9 };
    let second = arrive(&t, "here", [(first.identity.id.clone(), newer)].into());
    let why = second.quarantine.expect("a quarantine").why;
    assert!(why.contains("older than its witness"), "{why}");

    let (true_one, _) = t
        .write({
            let witnessed: Witnessed = [(first.identity.id, newer)].into();
            move |cx| flow::lift(cx, "here", &witnessed, WaitingMail::Send)
        })
        .expect("lifted");
    assert!(true_one.mark > newer);
    let third = arrive(&t, "here", [(true_one.id, true_one.mark)].into());
    assert_eq!(third.quarantine, None);
}

fn a_copy_is_quarantined(t: TestApp) {
    let first = arrive(&t, "here", Witnessed::new());
    let witnessed: Witnessed = [(first.identity.id, first.identity.mark)].into();
    let second = arrive(&t, "there", witnessed);
    assert!(second.quarantine.is_some_and(|quarantine| quarantine.why.contains("a copy")));
}

fn another_node_is_not_quarantined(t: TestApp) {
    let first = arrive(&t, "here", Witnessed::new());
    let second = arrive(&t, "here", Witnessed::new());
    assert_eq!(second.quarantine, None);
    assert_eq!(second.identity.mark, first.identity.mark.advanced());
}

fn a_quarantine_stands_until_it_is_lifted(t: TestApp) {
    let first = arrive(&t, "here", Witnessed::new());
    quarantine(&t);
    let second = arrive(&t, "here", Witnessed::new());
    assert!(second.quarantine.is_some());
    assert_eq!(second.identity.mark, first.identity.mark, "it is not vouched for meanwhile");
    assert_eq!(t.write(flow::advance).expect("nothing"), None);
    lift(&t, WaitingMail::Send);
    let again = t.write(|cx| flow::lift(cx, "here", &Witnessed::new(), WaitingMail::Send));
    assert!(again.is_err());
}
