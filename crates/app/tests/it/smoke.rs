//! One paid order, end to end.

use app::messages::MessageKind;
use app::notices::NoticeState;
use app::orders::OrderStatus;
use http::StatusCode;
use paysim::ipn::{Body, Means};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_verified_payment_delivers,
}

fn a_verified_payment_delivers(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));
    let order = t.order(&[(&font, 1)]);

    let reply = t.deliver(&Body::completed(&t.sale_of(&order), Means::Instant));
    t.run_jobs();

    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(t.notice_states(), [NoticeState::Applied]);
    assert_eq!(t.status(&order), OrderStatus::Paid);
    assert_eq!(t.message_kinds(&order), [MessageKind::Receipt]);
    assert_eq!(t.mailbox().len(), 1);
    assert_eq!(t.invoices(&order).len(), 1);
}
