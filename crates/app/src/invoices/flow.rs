//! Numbering and issuing documents.

use db::DbError;
use kernel::{InvoiceId, Money};

use super::store::{self, CreditDue};
use super::{Document, DocumentLine, Invoice, InvoiceKind};
use crate::customers;
use crate::cx::Cx;
use crate::events;
use crate::merchants;
use crate::orders::{self, Line, Order};
use crate::payments;
use crate::problem::Flow;
use crate::sales;

/// How many documents one transaction issues; the rest waits for the next.
const ISSUED_AT_ONCE: u32 = 100;
/// What an order's invoice is issued for.
pub const CAUSE_PAID: &str = "paid";

/// Issues what is due of the merchant. Answers whether some is left.
pub fn issue_due(cx: &mut Cx<'_, '_>) -> Flow<bool> {
    // One issuer at a time per merchant: what is due is read under this lock.
    events::store::lock_chain(cx.tx, cx.merchant)?;
    let due = store::orders_due(cx.tx, cx.merchant, ISSUED_AT_ONCE)?;
    let mut reached = Vec::with_capacity(due.len());
    for id in &due {
        let order = orders::store::by_id(cx.tx, cx.merchant, *id)?;
        let order = order.ok_or_else(|| DbError::NotFound(id.to_string()))?;
        if !store::exists(cx.tx, cx.merchant, order.id, CAUSE_PAID)? {
            issue_invoice(cx, &order)?;
        }
        orders::store::set_invoiced(cx.tx, cx.merchant, order.id, cx.now)?;
        reached.push(order);
    }
    sales::flow::count(cx, &reached)?;
    let credits = store::credits_due(cx.tx, cx.merchant, ISSUED_AT_ONCE)?;
    for credit in &credits {
        issue_correction(cx, credit)?;
        store::clear_credit_due(cx.tx, cx.merchant, credit.fact)?;
    }
    let full = usize::try_from(ISSUED_AT_ONCE).unwrap_or(usize::MAX);
    Ok(due.len() == full || credits.len() == full)
}

fn issue_invoice(cx: &mut Cx<'_, '_>, order: &Order) -> Flow<()> {
    let lines = orders::store::lines(cx.tx, cx.merchant, order.id)?;
    let document =
        document(cx, order, lines.iter().map(document_line).collect(), order.paid_at.unwrap_or(cx.now))?;
    let money = |minor| Money::new(minor, order.currency);
    let amounts = (money(order.net_minor), money(order.tax_minor), money(order.net_minor + order.tax_minor));
    issue(cx, InvoiceKind::Invoice, order, CAUSE_PAID, None, amounts, document)
}

/// A credit note for money that went back, or an invoice for money that came again.
///
/// An invoice claims what was due, so that much can be credited and no more: a surplus, or a second
/// payment, that goes back was never invoiced. What stands credited is what the money that is left
/// lacks of the invoice, and a movement's document makes up the difference.
fn issue_correction(cx: &mut Cx<'_, '_>, due: &CreditDue) -> Flow<()> {
    let order = orders::store::by_id(cx.tx, cx.merchant, due.order)?;
    let order = order.ok_or_else(|| DbError::NotFound(due.order.to_string()))?;
    let cause = due.fact.to_string();
    if store::exists(cx.tx, cx.merchant, order.id, &cause)? {
        return Ok(());
    }
    let earlier = store::of_order(cx.tx, cx.merchant, order.id)?;
    let invoiced_minor =
        earlier.iter().find(|document| document.cause == CAUSE_PAID).map_or(0, |i| i.gross.minor);
    let lacking = invoiced_minor.saturating_sub(kept_minor(cx, &order, due)?).max(0);
    let missing = lacking.saturating_sub(credited_minor(&earlier));
    let kind = match missing {
        0 => return Ok(()),
        more if more > 0 => InvoiceKind::CreditNote,
        _ => InvoiceKind::Invoice,
    };
    let corrects = match kind {
        InvoiceKind::CreditNote => earlier.into_iter().find(|document| document.cause == CAUSE_PAID),
        InvoiceKind::Invoice => {
            earlier.into_iter().rfind(|document| document.kind == InvoiceKind::CreditNote)
        }
    };
    let gross = Money::new(missing.saturating_abs(), order.currency);
    // Tax goes back in the proportion in which it was charged.
    let parts = gross.allocate(&[order.net_minor, order.tax_minor]);
    let parts = parts.unwrap_or_else(|_| vec![gross, Money::zero(order.currency)]);
    let net = parts.first().copied().unwrap_or(gross);
    let tax = parts.get(1).copied().unwrap_or(Money::zero(order.currency));
    let line = DocumentLine {
        sku: String::new(),
        name: corrects.as_ref().map(Invoice::label).unwrap_or_default(),
        quantity: 1,
        unit_minor: net.minor,
        net_minor: net.minor,
        tax_minor: tax.minor,
        gross_minor: gross.minor,
        tax_rate_ppm: 0,
    };
    let document = document(cx, &order, vec![line], due.occurred_at)?;
    let corrects = corrects.map(|invoice| invoice.id);
    issue(cx, kind, &order, &cause, corrects, (net, tax, gross), document)
}

/// What credit notes have taken back, and further invoices have not claimed again.
fn credited_minor(documents: &[Invoice]) -> i64 {
    let signed = |document: &Invoice| match document.kind {
        InvoiceKind::CreditNote => document.gross.minor,
        InvoiceKind::Invoice if document.cause == CAUSE_PAID => 0,
        InvoiceKind::Invoice => -document.gross.minor,
    };
    documents.iter().map(signed).fold(0, i64::saturating_add)
}

/// What is left of an order's money after this movement and those that were looked at before it.
fn kept_minor(cx: &mut Cx<'_, '_>, order: &Order, due: &CreditDue) -> Result<i64, DbError> {
    let waiting = store::due_of_order(cx.tx, cx.merchant, order.id)?;
    let mut known = payments::store::of_order(cx.tx, cx.merchant, order.id)?;
    for payment in &mut known {
        let mut facts = payments::store::facts(cx.tx, cx.merchant, payment.id)?;
        facts.retain(|fact| fact.id == due.fact || !waiting.contains(&fact.id));
        let amounts = payments::sum(&facts);
        payment.settled_minor = amounts.settled_minor;
        payment.returned_minor = amounts.returned_minor();
    }
    let standing = payments::standing(order.due(), &known);
    Ok(standing.settled_minor.saturating_sub(standing.returned_minor))
}

fn issue(
    cx: &mut Cx<'_, '_>,
    kind: InvoiceKind,
    order: &Order,
    cause: &str,
    corrects: Option<InvoiceId>,
    (net, tax, gross): (Money, Money, Money),
    document: Document,
) -> Flow<()> {
    let next = store::next_number(cx.tx, cx.merchant, kind.series())?;
    let invoice = Invoice {
        id: InvoiceId::mint(cx.draws),
        merchant: cx.merchant,
        kind,
        series: kind.series().to_owned(),
        number: next.number,
        order: order.id,
        cause: cause.to_owned(),
        corrects,
        net,
        tax,
        gross,
        document,
        // Another node's clock may be ahead; a later number never has an earlier time.
        issued_at: next.not_before.map_or(cx.now, |before| before.max(cx.now)),
    };
    store::insert(cx.tx, &invoice)?;
    let detail = serde_json::json!({ "number": invoice.label(), "amount": gross.to_string() });
    events::flow::record(cx, Some(order.id), invoice.id, &format!("{kind}.issued"), detail)?;
    Ok(())
}

fn document(
    cx: &mut Cx<'_, '_>,
    order: &Order,
    lines: Vec<DocumentLine>,
    occurred_at: kernel::Timestamp,
) -> Flow<Document> {
    let seller = merchants::store::by_id(cx.tx, cx.merchant)?;
    let buyer = match order.customer {
        Some(id) => customers::store::by_id(cx.tx, cx.merchant, id)?,
        None => None,
    };
    // Who wrote a profile wants it on the invoice; who did not is named as the gateway told.
    let written = buyer.as_ref().filter(|buyer| !buyer.address.is_empty() || buyer.vat_id.is_some());
    let name = written.map(|buyer| &buyer.name).filter(|name| !name.is_empty());
    let country = written.and_then(|buyer| buyer.country.clone());
    let vat_id = written.and_then(|buyer| buyer.vat_id.clone());
    Ok(Document {
        seller_name: seller.legal_name,
        seller_address: seller.legal_address,
        seller_country: seller.country,
        seller_vat_id: seller.vat_id,
        buyer_name: name.unwrap_or(&order.buyer_name).clone(),
        buyer_address: written.map(|buyer| buyer.address.clone()).unwrap_or_default(),
        buyer_company: order.buyer_company.clone(),
        buyer_email: buyer.as_ref().map(|buyer| buyer.email.to_string()).unwrap_or_default(),
        buyer_country: country.or_else(|| order.buyer_country.clone()),
        buyer_vat_id: vat_id.or_else(|| order.buyer_vat_id.clone()),
        time_zone: seller.time_zone,
        occurred_at,
        lines,
    })
}

fn document_line(line: &Line) -> DocumentLine {
    DocumentLine {
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_minor: line.unit_minor,
        net_minor: line.net_minor,
        tax_minor: line.tax_minor,
        gross_minor: line.gross_minor,
        tax_rate_ppm: line.tax_rate_ppm,
    }
}
