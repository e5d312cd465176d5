//! Any order, any repetition: a payment's notices end in the same state.

use app::fulfillment::GrantStatus;
use app::invoices::{Invoice, InvoiceKind};
use app::orders::{Order, OrderStatus};
use app::payments::PaymentStatus;
use app::reviews::ReviewKind;
use kernel::Money;
use paysim::ipn::{Body, Item, Means, Movement, Sale, txn_id};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, TestRunner};

use crate::support::goods::eur;
use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    the_notices_of_an_order_end_in_the_same_state_in_any_order,
    the_notices_of_a_button_end_in_the_same_state_in_any_order,
}

/// Enough that every pair of the statements below changes places.
const CASES: u32 = 16;

/// What PayPal can say of one payment beside that it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Pending,
    Failed,
    Completed,
    RefundedTen,
    RefundedFive,
    RefundedRest,
    Reversed,
    ReversalCanceled,
    Case,
}

const ALL: [Said; 8] = [
    Said::Pending,
    Said::Failed,
    Said::RefundedTen,
    Said::RefundedFive,
    Said::RefundedRest,
    Said::Reversed,
    Said::ReversalCanceled,
    Said::Case,
];

impl Said {
    fn body(self, sale: &Sale, t: &TestApp) -> Body {
        let moved = |minor: i64| Movement {
            txn_id: txn_id(&format!("{} {self:?}", sale.txn_id)),
            amount: eur(minor),
            reason: "test".to_owned(),
            at: t.now(),
        };
        match self {
            Self::Pending => Body::pending(sale, Means::Echeck, "echeck"),
            Self::Failed => Body::with_status(sale, Means::Echeck, "Failed"),
            Self::Completed => Body::completed(sale, Means::Echeck),
            Self::RefundedTen => Body::refunded(sale, &moved(10_00)),
            Self::RefundedFive => Body::refunded(sale, &moved(5_00)),
            Self::RefundedRest => Body::refunded(sale, &moved(34_00)),
            Self::Reversed => Body::reversed(sale, &moved(49_00)),
            Self::ReversalCanceled => Body::canceled_reversal(sale, &moved(49_00)),
            Self::Case => Body::new_case(sale, &format!("PP-{}", sale.txn_id), "dispute", t.now()),
        }
    }
}

/// What is said, in the order of the calendar, and the same shuffled with repetitions.
fn tellings() -> impl Strategy<Value = (Vec<Said>, Vec<Said>)> {
    subsequence(ALL.to_vec(), 1..=5).prop_flat_map(|mut said| {
        let at = said.iter().take_while(|one| matches!(one, Said::Pending | Said::Failed)).count();
        said.insert(at, Said::Completed);
        let repeated = subsequence(said.clone(), 0..=2);
        let shuffled = repeated.prop_flat_map({
            let said = said.clone();
            move |repeated| Just([said.clone(), repeated].concat()).prop_shuffle()
        });
        (Just(said), shuffled)
    })
}

/// Everything about an order that must not depend on when it was heard.
#[derive(Debug, PartialEq, Eq)]
struct End {
    status: OrderStatus,
    payments: Vec<(PaymentStatus, i64, i64)>,
    settled_and_returned: (i64, i64),
    open_units: usize,
    receipts_while_paid: Option<usize>,
    invoiced: Option<Money>,
    /// Credit notes less what was invoiced again: where movements overlap, which of them a document
    /// tells of depends on what was told first.
    credited_minor: i64,
    part_refund_is_asked: bool,
    disputes: usize,
}

fn end(t: &TestApp, order: &Order) -> End {
    let order = t.look(order);
    let (first, later): (Vec<_>, Vec<_>) =
        t.invoices(&order).into_iter().partition(|one| one.cause == "paid");
    let signed = |one: &Invoice| match one.kind {
        InvoiceKind::CreditNote => one.gross.minor,
        InvoiceKind::Invoice => -one.gross.minor,
    };
    let reviews = t.review_kinds(&order);
    let payments = t.payments(&order).into_iter();
    End {
        status: order.status,
        payments: payments.map(|one| (one.status, one.settled_minor, one.returned_minor)).collect(),
        settled_and_returned: (order.settled_minor, order.returned_minor),
        open_units: t.access(&order).iter().filter(|status| **status == GrantStatus::Active).count(),
        // Whose money came and went before anything was delivered was told nothing.
        receipts_while_paid: (order.status == OrderStatus::Paid).then(|| t.receipts(&order)),
        invoiced: first.first().map(|one| one.gross),
        credited_minor: later.iter().map(signed).sum(),
        // While the order is paid and part of it is gone, somebody has to say which part.
        part_refund_is_asked: order.status == OrderStatus::Paid && reviews.contains(&ReviewKind::PartRefund),
        disputes: reviews.iter().filter(|kind| **kind == ReviewKind::Dispute).count(),
    }
}

fn hear(t: &TestApp, sale: &Sale, said: &[Said]) {
    for (number, one) in said.iter().enumerate() {
        t.deliver_and_run(&one.body(sale, t).set("ipn_track_id", &number.to_string()));
    }
}

fn for_all_tellings(mut ends: impl FnMut(u32, &[Said]) -> End) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut number = 0;
    let ends = std::cell::RefCell::new(|said: &[Said]| {
        number += 1;
        ends(number, said)
    });
    let held = TestRunner::new(config).run(&tellings(), |(calendar, shuffled)| {
        let told = ends.borrow_mut()(&calendar);
        let heard = ends.borrow_mut()(&shuffled);
        prop_assert_eq!(heard, told);
        Ok(())
    });
    held.unwrap_or_else(|failure| panic!("{failure}"));
}

fn the_notices_of_an_order_end_in_the_same_state_in_any_order(t: TestApp) {
    let font = t.product(NewGood::of("FONT"));

    for_all_tellings(|_, said| {
        let order = t.order(&[(&font, 1)]);
        hear(&t, &t.sale_of(&order), said);
        end(&t, &order)
    });
}

fn the_notices_of_a_button_end_in_the_same_state_in_any_order(t: TestApp) {
    t.product(NewGood::of("FONT"));

    for_all_tellings(|number, said| {
        let sale = t.button_sale(&format!("buyer{number}"), vec![Item::one("FONT", eur(49_00))]);
        hear(&t, &sale, said);
        end(&t, &t.newest_order(&t.shop.merchant))
    });
}
