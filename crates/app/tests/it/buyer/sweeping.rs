//! Copies whose links have been over for long: cleared away, and made again when they are wanted.

use app::orders::Order;
use app::parts::PartState;
use app::products::jobs::Cleaner;
use app::stamps::Unfit;
use kernel::Span;

use super::stamps::{pdf, stamping};
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_copy_is_cleared_away_long_after_its_link_and_made_again_when_that_is_prolonged,
    a_clock_that_was_wrong_for_a_moment_takes_nothing,
    what_is_still_owed_stays_and_so_does_what_cannot_be_made_again,
}

fn bought(t: &TestApp) -> Order {
    let good = NewGood { deliverables: stamping(Unfit::Ask), ..NewGood::of("BOOK") };
    let product = t.product(good.with_file("book.pdf", &pdf("% the book")));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    order
}

/// Beyond the times that the file system gave the files of this test.
const LONG_AFTER: Span = Span::days(100 * 365);

fn turn(t: &TestApp, cleaner: &mut Cleaner) -> u64 {
    t.block_on(cleaner.turn(&t.app)).expect("it is cleaned").copies
}

fn state(t: &TestApp, order: &Order) -> PartState {
    t.parts(order)[0].state
}

fn a_copy_is_cleared_away_long_after_its_link_and_made_again_when_that_is_prolonged(t: TestApp) {
    let order = bought(&t);
    let copy = t.delivered_file(&order);
    let sha256 = t.files(&t.grant(&order)).remove(0).sha256;
    t.advance(Span::days(40));
    t.keep_house();
    let mut cleaner = Cleaner::default();
    assert_eq!([turn(&t, &mut cleaner), turn(&t, &mut cleaner)], [0, 1]);
    assert_eq!(state(&t, &order), PartState::Swept);
    let digest = sha256.parse().expect("a digest");
    t.advance(LONG_AFTER);
    turn(&t, &mut cleaner);
    turn(&t, &mut cleaner);
    let size = t.app.blobs().size(&digest).expect("the store is asked");
    assert_eq!(size, None, "its bytes are gone");
    assert_eq!(t.broken_checks(), Vec::<&str>::new());

    let id = order.id;
    t.write(move |cx| app::orders::flow::extend(cx, id, 3)).expect("prolonged");
    t.run_jobs();
    assert_eq!(state(&t, &order), PartState::Done);
    assert_eq!(t.delivered_file(&order), copy, "the same bytes");
}

fn a_clock_that_was_wrong_for_a_moment_takes_nothing(t: TestApp) {
    let order = bought(&t);
    let mut cleaner = Cleaner::default();
    t.advance(Span::days(400));
    assert_eq!(turn(&t, &mut cleaner), 0);
    t.advance(Span::days(-400));
    assert_eq!(turn(&t, &mut cleaner), 0);
    assert_eq!(state(&t, &order), PartState::Done);
}

fn what_is_still_owed_stays_and_so_does_what_cannot_be_made_again(t: TestApp) {
    let order = bought(&t);
    let mut cleaner = Cleaner::default();
    t.advance(Span::days(20));
    assert_eq!([turn(&t, &mut cleaner), turn(&t, &mut cleaner)], [0, 0]);
    let id = order.id;
    t.write(move |cx| app::orders::flow::extend(cx, id, 90)).expect("prolonged");
    t.advance(Span::days(60));
    assert_eq!([turn(&t, &mut cleaner), turn(&t, &mut cleaner)], [0, 0]);
    assert_eq!(state(&t, &order), PartState::Done);
    t.run_jobs();
}
