//! What goes wrong around a shop: mail servers, workers, clocks, disks, databases.

use std::sync::mpsc;

use app::installation::Quarantine;
use app::messages::{MessageKind, MessageState};
use app::notices::NoticeState;
use app::orders::{Order, OrderStatus};
use app::problem::Flow;
use app::products::jobs::Cleaner;
use db::{Db, DbError, MIGRATIONS, Options, Tuning};
use http::StatusCode;
use kernel::Span;
use mail::SendError;
use paysim::ipn::{Body, Means};
use testkit::pg::{Cluster, Durability, Stop};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_mail_server_that_is_busy_gets_the_same_mail_later,
    a_mail_that_is_refused_for_good_is_shown_and_not_tried_again,
    an_answer_that_was_lost_makes_at_most_the_same_mail_twice,
    links_that_left_three_days_late_live_their_whole_time,
    a_mail_server_that_is_away_for_weeks_loses_no_receipt_silently,
    a_worker_that_slept_past_its_lease_sends_nothing,
    a_worker_that_slept_past_its_lease_applies_nothing,
    a_worker_that_died_gives_its_notice_to_another,
    a_job_that_kills_every_worker_ends_with_a_person,
    a_job_done_twice_is_done_once,
    a_write_that_failed_wakes_no_worker,
    a_clock_that_was_set_back_keeps_numbers_and_links_in_order,
    a_clock_that_jumped_ten_years_takes_nothing_for_good,
    a_full_disk_takes_no_file_and_still_serves_what_is_sold,
    a_content_without_a_row_goes_after_a_day_and_what_is_sold_stays,
    a_quarantined_shop_removes_no_content,
}

fn paid_without_mail(t: &TestApp) -> Order {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    order
}

fn state(t: &TestApp, order: &Order) -> MessageState {
    t.messages(order)[0].state
}

fn busy() -> SendError {
    SendError::Retry { why: "451 busy".to_owned() }
}

fn message_ids(t: &TestApp) -> Vec<String> {
    let id = |mail: &std::sync::Arc<mail::Received>| mail.parse().header("message-id").map(str::to_owned);
    t.mailbox().iter().filter_map(id).collect()
}

fn keyed_links(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| word.contains("/d/")).map(str::to_owned).collect()
}

fn a_mail_server_that_is_busy_gets_the_same_mail_later(t: TestApp) {
    t.mailer.fail_next(busy());
    t.mailer.fail_next(busy());
    let order = paid_without_mail(&t);
    assert_eq!((state(&t, &order), t.mailbox().len()), (MessageState::Waiting, 0));
    assert!(t.messages(&order)[0].last_error.contains("451 busy"));

    t.advance(Span::minutes(1));
    t.run_jobs();
    t.advance(Span::minutes(1));
    t.run_jobs();

    assert_eq!((state(&t, &order), t.mailbox().len()), (MessageState::Sent, 1));
    assert_eq!(t.messages(&order)[0].attempts, 3);
}

fn a_mail_that_is_refused_for_good_is_shown_and_not_tried_again(t: TestApp) {
    t.mailer.fail_next(SendError::Permanent { why: "550 no such mailbox".to_owned() });
    let order = paid_without_mail(&t);

    t.advance(Span::days(10));
    t.run_jobs();

    assert_eq!((state(&t, &order), t.mailbox().len()), (MessageState::Failed, 0));
    assert!(t.events(&order).iter().any(|event| event.kind == "message.not_delivered"));
    assert_eq!(t.status(&order), OrderStatus::Paid, "a mail that bounced takes nothing back");
}

fn an_answer_that_was_lost_makes_at_most_the_same_mail_twice(t: TestApp) {
    t.mailer.fail_next(SendError::Unknown { why: "the line went dead after the last dot".to_owned() });
    let order = paid_without_mail(&t);
    assert_eq!(state(&t, &order), MessageState::Waiting);

    t.advance(Span::minutes(1));
    t.run_jobs();

    let ids = message_ids(&t);
    assert_eq!((state(&t, &order), ids.len(), &ids[0]), (MessageState::Sent, 2, &ids[1]));
    let links: Vec<Vec<String>> = t.mailbox().iter().map(|mail| keyed_links(&mail.parse().text)).collect();
    assert_eq!((links[0].len(), &links[0]), (1, &links[1]), "the same link");
}

fn links_that_left_three_days_late_live_their_whole_time(t: TestApp) {
    (0..100).for_each(|_| t.mailer.fail_next(busy()));
    let order = paid_without_mail(&t);

    while t.now().since(order.created_at) <= Span::days(3) {
        t.advance(Span::hours(4));
        t.run_jobs();
    }
    t.mailer.work_again();
    t.advance(Span::hours(12));
    t.run_jobs();

    let sent = t.messages(&order)[0].sent_at.expect("it has left");
    assert!(sent.since(order.created_at) > Span::days(3));
    assert!(t.grant(&order).expires_at >= sent + Span::days(3));
    assert_eq!(t.mailbox().len(), 1);
}

fn a_mail_server_that_is_away_for_weeks_loses_no_receipt_silently(t: TestApp) {
    (0..100).for_each(|_| t.mailer.fail_next(busy()));
    let order = paid_without_mail(&t);

    (0..60).for_each(|_| {
        t.advance(Span::hours(6));
        t.run_jobs();
    });

    assert_eq!(state(&t, &order), MessageState::Expired);
    assert!(t.events(&order).iter().any(|event| event.kind == "message.not_delivered"));
    let id = order.id;
    t.write(move |cx| app::orders::flow::resend(cx, id)).expect("it is sent again by hand");
    t.leaves_jobs();
}

fn a_worker_that_slept_past_its_lease_sends_nothing(t: TestApp) {
    let order = paid_without_mail(&t);
    let id = order.id;
    t.write(move |cx| app::orders::flow::resend(cx, id)).expect("links are sent again");
    let asleep = t.claim_jobs();
    assert_eq!(asleep.len(), 1);

    t.advance(Span::minutes(2));
    t.run_jobs();
    assert_eq!(t.mailbox().len(), 2, "another worker has sent it");
    asleep.into_iter().for_each(|job| t.perform(job));

    assert_eq!(t.mailbox().len(), 2);
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt, MessageKind::LinksResent]);
}

fn a_worker_that_slept_past_its_lease_applies_nothing(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.paypal.set_postback(paysim::Postback::Unavailable);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.paypal.set_postback(paysim::Postback::Honest);
    t.advance(Span::minutes(1));
    let asleep = t.claim_jobs();
    assert_eq!(asleep.len(), 1);

    t.advance(Span::minutes(2));
    t.run_jobs();
    let before = t.business_state();
    asleep.into_iter().for_each(|job| t.perform(job));
    t.run_jobs();

    assert_eq!((t.status(&order), t.mailbox().len()), (OrderStatus::Paid, 1));
    assert_eq!(t.business_state(), before);
}

fn a_worker_that_died_gives_its_notice_to_another(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.paypal.set_postback(paysim::Postback::Unavailable);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.paypal.set_postback(paysim::Postback::Honest);
    t.advance(Span::minutes(1));
    drop(t.claim_jobs());

    t.advance(Span::seconds(60));
    assert_eq!(t.claim_jobs().len(), 0, "it is still held");
    t.advance(Span::seconds(31));
    t.run_jobs();

    assert_eq!((t.status(&order), t.mailbox().len()), (OrderStatus::Paid, 1));
}

fn a_job_that_kills_every_worker_ends_with_a_person(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);
    t.paypal.set_postback(paysim::Postback::Unavailable);
    t.deliver_and_run(&Body::completed(&t.sale_of(&order), Means::Instant));

    let begun: usize = (0..150)
        .map(|_| {
            t.advance(Span::minutes(5));
            t.claim_jobs().len()
        })
        .sum();

    assert_eq!(begun, 99, "a hundred times in all");
    assert_eq!((t.jobs_in("dead"), t.jobs_in("running")), (1, 0));
    // Shown as a job that was given up, and as a notice that waits: a copy would begin it anew.
    t.leaves_jobs();
    t.leaves_violation("I6");
}

fn a_job_done_twice_is_done_once(t: TestApp) {
    let order = paid_without_mail(&t);
    let id = order.id;
    t.write(move |cx| app::orders::flow::resend(cx, id)).expect("links are sent again");
    let jobs = t.claim_jobs();

    jobs.iter().for_each(|job| t.perform(job.clone()));
    let before = t.business_state();
    jobs.into_iter().for_each(|job| t.perform(job));

    assert_eq!((t.mailbox().len(), t.business_state()), (2, before));
}

fn a_write_that_failed_wakes_no_worker(t: TestApp) {
    let woken = |t: &TestApp| {
        t.block_on(async {
            tokio::time::timeout(std::time::Duration::ZERO, t.app.job_waiting().notified()).await.is_ok()
        })
    };
    assert!(woken(&t), "the shop was made");
    let failed = t.write(|_| -> Flow<()> { Err(DbError::DiskFull.into()) });
    assert!(failed.is_err() && !woken(&t));
    t.write(|_| Ok(())).expect("it writes");
    assert!(woken(&t));
}

fn a_clock_that_was_set_back_keeps_numbers_and_links_in_order(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    t.advance(Span::days(2));
    let first = t.order(&[(&font, 1)]);
    t.pay(&first);

    t.advance(Span::hours(-24));
    let second = t.order(&[(&font, 1)]);
    t.pay(&second);

    let (one, two) = (t.invoices(&first).remove(0), t.invoices(&second).remove(0));
    assert_eq!((one.number, two.number), (1, 2));
    assert!(two.issued_at >= one.issued_at, "a later number has no earlier date");
    assert_eq!((t.status(&second), t.mailbox().len()), (OrderStatus::Paid, 2));
    let landing = |order: &Order| t.get(&format!("/d/{}", t.link(&t.grant(order)))).status;
    assert_eq!((landing(&first), landing(&second)), (StatusCode::OK, StatusCode::OK));
}

fn a_clock_that_jumped_ten_years_takes_nothing_for_good(t: TestApp) {
    let order = paid_without_mail(&t);
    let landing = format!("/d/{}", t.link(&t.grant(&order)));

    t.advance(Span::days(3_650));
    t.run_jobs();
    assert_eq!(t.get(&landing).status, StatusCode::GONE);
    t.advance(Span::days(-3_650));
    t.run_jobs();

    assert_eq!((t.get(&landing).status, t.mailbox().len()), (StatusCode::OK, 1));
    assert_eq!(t.status(&order), OrderStatus::Paid);
}

fn a_full_disk_takes_no_file_and_still_serves_what_is_sold(t: TestApp) {
    let order = paid_without_mail(&t);
    let product = t.count("SELECT count(*) AS n FROM products");
    assert_eq!(product, 1);
    let id: String = t.read(|snapshot| {
        Ok(db::sql("SELECT id FROM products").one(snapshot, |row| row.get::<String>("id"))?)
    });
    let program = t.program();
    t.disk.leave_room(100);

    let refused = program.upload(&format!("/v1/products/{id}/files/new.bin"), &[7; 1_000]);
    let links = format!("/d/{}", t.link(&t.grant(&order)));
    let served = t.get(&links);
    let sold = t.order_again();
    t.disk.leave_room(u64::MAX);
    let taken = program.upload(&format!("/v1/products/{id}/files/new.bin"), &[7; 1_000]);

    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.reply.text());
    assert!(refused.reply.text().contains("disk of the blob store is full"), "{}", refused.reply.text());
    assert_eq!((served.status, t.status(&sold)), (StatusCode::OK, OrderStatus::Paid));
    assert!(taken.status.is_success(), "{}", taken.reply.text());
}

/// Beyond the times that the file system gave the files of this test.
const A_DAY_LATER: Span = Span::days(100 * 365);

fn a_content_without_a_row_goes_after_a_day_and_what_is_sold_stays(t: TestApp) {
    let order = paid_without_mail(&t);
    t.store("broken-off.bin", b"its row was never committed");
    let stored = t.contents();
    let mut cleaner = Cleaner::default();
    t.advance(A_DAY_LATER);

    let seen = t.block_on(cleaner.turn(&t.app)).expect("a turn");
    let removed = t.block_on(cleaner.turn(&t.app)).expect("a turn");
    let again = t.block_on(cleaner.turn(&t.app)).expect("a turn");

    assert_eq!((seen.contents, removed.contents, again.contents), (0, 1, 0));
    assert_eq!(t.contents(), stored - 1);
    assert_eq!(t.status(&order), OrderStatus::Paid);
    // The audit at the end finds every content that a row knows.
}

fn a_quarantined_shop_removes_no_content(t: TestApp) {
    t.store("newer-than-this-copy.bin", b"a row of the newer database knows it");
    let quarantine = Quarantine { why: "a test".to_owned(), since: t.now() };
    t.write(move |cx| Ok(app::installation::store::save_quarantine(cx.tx, &quarantine, cx.now)?))
        .expect("quarantined");
    let mut cleaner = Cleaner::default();
    t.advance(A_DAY_LATER);

    for _ in 0..3 {
        t.block_on(cleaner.turn(&t.app)).expect("a turn");
    }

    assert_eq!(t.contents(), 1);
}

impl TestApp {
    /// How many contents the blob store has.
    fn contents(&self) -> usize {
        (0..=u8::MAX).map(|shelf| self.app.blobs().list(shelf).expect("a list").len()).sum()
    }

    /// The product that is there is bought once more.
    fn order_again(&self) -> Order {
        let merchant = self.shop.merchant.id;
        let product = self.read(move |snapshot| {
            Ok(app::products::store::by_sku(snapshot, merchant, "FONT")?.expect("it is on sale"))
        });
        let order = self.order(&[(&product, 1)]);
        self.pay(&order);
        order
    }
}

/// Holds the one place to write to a SQLite file, as another process would.
struct Writing {
    end: mpsc::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Writing {
    fn begin(options: &Options) -> Self {
        let db = Db::open_with(options, MIGRATIONS, Tuning::default()).expect("it opens");
        let (begun, is_begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let held = db.write_blocking(move |tx| {
                db::sql("UPDATE settings SET value = value").execute(tx)?;
                begun.send(()).expect("somebody listens");
                let _ = ended.recv();
                Ok::<_, db::DbError>(())
            });
            held.expect("it is committed");
            db.close();
        });
        is_begun.recv().expect("it writes");
        Self { end, thread }
    }

    fn end(self) {
        drop(self.end);
        self.thread.join().expect("it has written");
    }
}

#[test]
fn a_notice_that_finds_the_database_held_by_another_process_is_sent_again() {
    testkit::run_on(db::Engine::Sqlite, |place: testkit::Place| {
        let tuning = Tuning { busy_wait: std::time::Duration::from_millis(50), ..Tuning::default() };
        let t = TestApp::at(&place.0, tuning, 1);
        let font = t.product(NewGood::of("FONT"));
        let order = t.order(&[(&font, 1)]);
        let body = Body::completed(&t.sale_of(&order), Means::Instant);
        let other = Writing::begin(&place.0);

        let refused = t.deliver(&body);
        let page = t.get("/p/FONT");
        other.end();
        t.deliver_and_run(&body);

        assert_eq!((refused.status, page.status), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
        assert_eq!((t.status(&order), t.mailbox().len()), (OrderStatus::Paid, 1));
    });
}

#[test]
fn a_server_that_was_cut_off_and_came_back_has_lost_nothing_and_repeats_nothing() {
    let cluster = Cluster::private(Durability::Safe);
    let database = cluster.database(MIGRATIONS);
    let tuning =
        Tuning { postgres_writers: 2, postgres_readers: 2, reconnect_attempts_max: 2, ..Tuning::default() };
    let t = TestApp::at(&Options::Postgres(database.url()), tuning, 1);
    let font = t.product(NewGood::of("FONT"));
    let (before, during) = (t.order(&[(&font, 1)]), t.order(&[(&font, 1)]));
    t.deliver(&Body::completed(&t.sale_of(&before), Means::Instant));
    let body = Body::completed(&t.sale_of(&during), Means::Instant);

    cluster.stop(Stop::Cut);
    let refused = t.deliver(&body);
    cluster.start().expect("it comes back");
    assert_eq!(t.deliver(&body).status, StatusCode::OK);
    t.advance(Span::minutes(2));
    t.run_jobs();

    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(t.notice_states(), [NoticeState::Applied; 2]);
    assert_eq!((t.status(&before), t.status(&during)), (OrderStatus::Paid, OrderStatus::Paid));
    assert_eq!(t.mailbox().len(), 2);
}
