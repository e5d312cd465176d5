//! What is invoiced can be credited, and no more.

use app::invoices::InvoiceKind;
use app::orders::{Order, OrderStatus};
use kernel::Money;
use paysim::ipn::{Body, Means, txn_id};

use crate::support::TestApp;
use crate::support::goods::eur;

testkit::both_engines! {
    a_surplus_that_goes_back_is_not_credited,
    a_second_payment_that_goes_back_is_not_credited,
    what_goes_back_beyond_a_surplus_is_credited,
    money_that_comes_again_after_a_refund_is_invoiced_again,
    a_refund_and_its_failure_cancel_each_other_out,
    a_refund_that_was_told_before_its_payment_is_credited_once,
}

fn documents(t: &TestApp, order: &Order) -> Vec<(InvoiceKind, Money)> {
    t.invoices(order).iter().map(|document| (document.kind, document.gross)).collect()
}

const INVOICE: InvoiceKind = InvoiceKind::Invoice;
const CREDIT: InvoiceKind = InvoiceKind::CreditNote;

fn overpaid(t: &TestApp) -> (Order, paysim::ipn::Sale) {
    let order = t.font_order();
    let mut sale = t.sale_of(&order);
    sale.items[0].unit = eur(59_00);
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));
    (order, sale)
}

fn a_surplus_that_goes_back_is_not_credited(t: TestApp) {
    let (order, sale) = overpaid(&t);

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("surplus", eur(10_00))));

    assert_eq!(documents(&t, &order), [(INVOICE, eur(49_00))]);
    assert_eq!(t.review_kinds(&order).len(), 1, "only the surplus itself was asked about");
}

fn a_second_payment_that_goes_back_is_not_credited(t: TestApp) {
    let order = t.font_order();
    let mut sale = t.pay(&order);
    sale.txn_id = txn_id("once more");
    t.deliver_and_run(&Body::completed(&sale, Means::Instant));

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("back", eur(49_00))));

    assert_eq!(documents(&t, &order), [(INVOICE, eur(49_00))]);
    assert_eq!((t.status(&order), t.grants(&order).len()), (OrderStatus::Paid, 1));
}

fn what_goes_back_beyond_a_surplus_is_credited(t: TestApp) {
    let (order, sale) = overpaid(&t);

    t.deliver_and_run(&Body::refunded(&sale, &t.movement("part", eur(25_00))));
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("rest", eur(34_00))));

    assert_eq!(documents(&t, &order), [(INVOICE, eur(49_00)), (CREDIT, eur(15_00)), (CREDIT, eur(34_00))]);
    assert_eq!(t.status(&order), OrderStatus::Refunded);
}

fn money_that_comes_again_after_a_refund_is_invoiced_again(t: TestApp) {
    let order = t.font_order();
    let first = t.pay(&order);
    t.deliver_and_run(&Body::refunded(&first, &t.movement("all", eur(49_00))));
    let mut second = first.clone();
    second.txn_id = txn_id("on second thought");

    t.deliver_and_run(&Body::completed(&second, Means::Instant));

    assert_eq!(documents(&t, &order), [(INVOICE, eur(49_00)), (CREDIT, eur(49_00)), (INVOICE, eur(49_00))]);
    assert_eq!(t.status(&order), OrderStatus::Paid);
}

fn a_refund_and_its_failure_cancel_each_other_out(t: TestApp) {
    let order = t.font_order();
    let sale = t.pay(&order);
    t.deliver_and_run(&Body::reversed(&sale, &t.movement("pulled", eur(49_00))));
    t.deliver_and_run(&Body::canceled_reversal(&sale, &t.movement("let go", eur(49_00))));

    assert_eq!(documents(&t, &order), [(INVOICE, eur(49_00)), (CREDIT, eur(49_00)), (INVOICE, eur(49_00))]);
}

fn a_refund_that_was_told_before_its_payment_is_credited_once(t: TestApp) {
    let order = t.font_order();
    let sale = t.sale_of(&order);
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("early", eur(9_00))));

    t.deliver_and_run(&Body::completed(&sale, Means::Instant));
    t.deliver_and_run(&Body::refunded(&sale, &t.movement("late", eur(10_00))));

    assert_eq!(documents(&t, &order), [(INVOICE, eur(49_00)), (CREDIT, eur(9_00)), (CREDIT, eur(10_00))]);
}
