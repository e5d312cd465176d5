//! A transaction as staff see it: everything about one order on one page.

use std::collections::HashMap;

use db::Source;
use kernel::{Money, Timestamp};
use ui::admin::{
    AlarmKind, Buyer, InvoiceRef, LineRow, LinkFileRow, LinkRow, LinkState, OrderActions, OrderPage,
    OrderSums, PartRow, PaymentRow, ReviewRef, Terms, UnitRow,
};

use super::timeline::{self, Raw};
use super::wrong::{self, Among, Wrong};
use super::{Line, LineKind, Order, OrderStatus, store};
use crate::connections::{self, Connection};
use crate::downloads::store::Places;
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::merchants::Address;
use crate::parts::UnitPart;
use crate::payments::Payment;
use crate::problem::{Flow, Problem};
use crate::ring::Ring;
use crate::web::listing::word;
use crate::{artworks, downloads, invoices, links, parts, payments, reviews};

/// Units of one line that are shown; the page says how many more there are.
const UNITS_SHOWN_MAX: usize = 25;

/// What the page needs beside the database.
pub struct Looking<'a> {
    /// For links and raw notices.
    pub ring: &'a Ring,
    /// Where links lead.
    pub address: &'a Address,
    /// Whether this person may see them.
    pub raw: Raw,
    /// The time.
    pub now: Timestamp,
    /// Where the timeline begins.
    pub before: u128,
}

impl std::fmt::Debug for Looking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looking").field("raw", &self.raw).finish_non_exhaustive()
    }
}

/// The page of an order.
pub fn page(source: &mut impl Source, order: &Order, looking: &Looking<'_>) -> Flow<OrderPage> {
    let merchant = order.merchant;
    let lines = store::lines(source, merchant, order.id)?;
    let grants = fulfillment::store::of_order(source, merchant, order.id)?;
    let connections = connections::store::list(source, merchant)?;
    let told = timeline::page(source, looking.ring, (order, &lines), looking.before, looking.raw)?;
    let older = told.older.map(|place| format!("/admin/orders/{}?before={place}", order.id));
    let money = |minor| Money::new(minor, order.currency);
    let open = reviews::store::of_order(source, merchant, order.id)?;
    let open = open.into_iter().filter(|review| review.resolved_at.is_none());
    Ok(OrderPage {
        id: order.id,
        status: word(order.status.as_str()),
        source: word(order.source.as_str()),
        buyer: buyer(order),
        connection: order.connection.and_then(|id| connections::view::find(&connections, id)),
        sums: OrderSums {
            net: money(order.net_minor),
            tax: money(order.tax_minor),
            due: order.due(),
            settled: money(order.settled_minor),
            returned: money(order.returned_minor),
        },
        created_at: order.created_at,
        paid_at: order.paid_at,
        generation: order.generation,
        consent: order.consent_text.clone().zip(order.consent_at),
        alarms: alarms(source, order, looking.now)?,
        reviews: open
            .map(|review| ReviewRef {
                id: review.id,
                kind: word(review.kind.as_str()),
                detail: review.detail,
            })
            .collect(),
        can: actions(order, &lines, &grants),
        lines: line_rows(source, order, &lines, &grants, looking)?,
        payments: payment_rows(payments::store::of_order(source, merchant, order.id)?, &connections),
        invoices: documents(source, order)?,
        timeline: told.entries,
        timeline_older: older,
    })
}

/// The order with this id at the merchant's, or a refusal.
pub fn find(source: &mut impl Source, merchant: kernel::MerchantId, id: kernel::OrderId) -> Flow<Order> {
    let order = store::by_id(source, merchant, id)?;
    order.ok_or_else(|| Problem::not_found("transaction").into())
}

fn buyer(order: &Order) -> Buyer {
    Buyer {
        customer: order.customer,
        email: order.buyer_email.as_ref().map(ToString::to_string),
        name: order.buyer_name.clone(),
        company: order.buyer_company.clone(),
        country: order.buyer_country.clone(),
        vat_id: order.buyer_vat_id.clone(),
        locale: order.locale.clone(),
    }
}

/// What the standing checks say of this one.
fn alarms(source: &mut impl Source, order: &Order, now: Timestamp) -> Flow<Vec<AlarmKind>> {
    let checks = [
        (Wrong::PaidNotDelivered, AlarmKind::PaidNotDelivered),
        (Wrong::PaidNotReached, AlarmKind::PaidNotReached),
        (Wrong::RefundedStillOpen, AlarmKind::RefundedStillOpen),
    ];
    let mut found = Vec::new();
    for (what, kind) in checks {
        if !wrong::find(source, order.merchant, what, (Among::One(order.id), now), 1)?.is_empty() {
            found.push(kind);
        }
    }
    Ok(found)
}

/// Whether less was given than was bought.
fn lacks_units(lines: &[Line], grants: &[Grant]) -> bool {
    let owed = lines.iter().filter(|line| line.kind == LineKind::Product);
    let units = owed.map(|line| fulfillment::units_of(line.quantity).0);
    let units = units.map(|units| usize::try_from(units).unwrap_or(usize::MAX));
    units.fold(0, usize::saturating_add) > grants.len()
}

fn actions(order: &Order, lines: &[Line], grants: &[Grant]) -> OrderActions {
    let paid = order.status == OrderStatus::Paid;
    let live = paid && grants.iter().any(|grant| grant.status == GrantStatus::Active);
    // Regenerating is also what delivers when nothing was delivered.
    let regenerate = live || (paid && lacks_units(lines, grants));
    OrderActions { resend: live, receipt: paid, extend: live, reissue: live, regenerate }
}

fn line_rows(
    source: &mut impl Source,
    order: &Order,
    lines: &[Line],
    grants: &[Grant],
    looking: &Looking<'_>,
) -> Flow<Vec<LineRow>> {
    let made = lines.iter().any(|line| !line.deliverables.is_empty());
    let parts = if made { parts::store::of_order(source, order.merchant, order.id)? } else { Vec::new() };
    let mut rows = Vec::new();
    for line in lines {
        let own: Vec<&Grant> = grants.iter().filter(|grant| grant.line == line.id).collect();
        let mut units = Vec::new();
        for grant in own.iter().take(UNITS_SHOWN_MAX) {
            let link = Some(link_row(source, grant, looking)?);
            let capacity = fulfillment::units_of(line.quantity).1;
            let parts =
                parts.iter().filter(|part| (part.key.line, part.key.unit_no) == (line.id, grant.unit_no));
            let parts = parts.map(part_row).collect();
            units.push(UnitRow { number: grant.unit_no, capacity, link, parts });
        }
        let taken = |grant: &&Grant| matches!(grant.status, GrantStatus::Revoked | GrantStatus::Suspended);
        rows.push(LineRow {
            id: line.id,
            product: line.product,
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: Money::new(line.unit_minor, order.currency),
            gross: Money::new(line.gross_minor, order.currency),
            tax: Money::new(line.tax_minor, order.currency),
            tax_rate_ppm: line.tax_rate_ppm,
            inputs: inputs(line),
            artwork: line.inputs.get(artworks::INPUT).is_some(),
            terms: terms(line),
            more_units: u32::try_from(own.len().saturating_sub(UNITS_SHOWN_MAX)).unwrap_or(u32::MAX),
            units,
            can_revoke: own.iter().any(|grant| grant.status != GrantStatus::Revoked),
            can_reinstate: order.status == OrderStatus::Paid && own.iter().any(taken),
        });
    }
    Ok(rows)
}

fn part_row(part: &UnitPart) -> PartRow {
    let key = &part.key;
    let fields = [
        ("line", key.line.to_string()),
        ("unit", key.unit_no.to_string()),
        ("part", key.part.to_string()),
        ("subject", key.subject.clone()),
    ];
    PartRow {
        part: word(key.part.as_str()),
        // An id says nothing to a person.
        subject: if key.subject.parse::<kernel::FileVersionId>().is_ok() {
            String::new()
        } else {
            key.subject.clone()
        },
        state: word(part.state.as_str()),
        detail: part.detail.clone(),
        wanted_at: part.created_at,
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

fn terms(line: &Line) -> Terms {
    Terms {
        link_life_days: days(line.link_life),
        download_limit: line.download_limit,
        file_policy: word(line.file_policy.as_str()),
        update_days: line.update_days,
        pending_policy: word(line.pending_policy.as_str()),
    }
}

/// A length of time in days, rounded up: half a day is not none.
pub fn days(span: kernel::Span) -> u32 {
    const DAY_SECONDS: i64 = 86_400;
    let days = span.as_seconds().saturating_add(DAY_SECONDS - 1).div_euclid(DAY_SECONDS);
    u32::try_from(days).unwrap_or(u32::MAX)
}

fn inputs(line: &Line) -> Vec<(String, String)> {
    let of = |value: &serde_json::Value| crate::events::names::pairs(value);
    let mut inputs = line.inputs.clone();
    if let Some(inputs) = inputs.as_object_mut() {
        inputs.remove(artworks::INPUT);
    }
    let filled = artworks::view::pairs(line.deliverables.artwork.as_ref(), &line.inputs);
    of(&line.attributes).into_iter().chain(of(&inputs)).chain(filled).collect()
}

fn link_row(source: &mut impl Source, grant: &Grant, looking: &Looking<'_>) -> Flow<LinkRow> {
    let files = downloads::store::files(source, grant)?;
    let places = downloads::store::places(source, grant.merchant, grant.id)?;
    let places: HashMap<_, Places> = places.into_iter().map(|places| (places.file, places)).collect();
    let files: Vec<LinkFileRow> = files
        .into_iter()
        .map(|file| {
            let places = places.get(&file.version);
            LinkFileRow {
                name: file.name,
                bytes: file.size,
                spent: places.map_or(0, |places| places.spent),
                open: places.map_or(0, |places| places.open),
                limit: grant.download_limit,
                sent_bytes: places.map_or(0, |places| places.bytes),
            }
        })
        .collect();
    let token = (looking.raw == Raw::Shown).then(|| links::grant_token(looking.ring, grant)).flatten();
    Ok(LinkRow {
        grant: grant.id,
        state: link_state(grant, &files, looking.now),
        generation: grant.generation,
        expires_at: grant.expires_at,
        url: token.map(|token| looking.address.url(&format!("/d/{token}"))),
        files,
    })
}

fn link_state(grant: &Grant, files: &[LinkFileRow], now: Timestamp) -> LinkState {
    let used_up =
        !files.is_empty() && files.iter().all(|file| file.spent.saturating_add(file.open) >= file.limit);
    match grant.status {
        GrantStatus::Revoked => LinkState::Revoked,
        GrantStatus::Suspended => LinkState::Suspended,
        GrantStatus::Active | GrantStatus::Provisional if now >= grant.expires_at => LinkState::Expired,
        GrantStatus::Active | GrantStatus::Provisional if used_up => LinkState::UsedUp,
        GrantStatus::Provisional => LinkState::Provisional,
        GrantStatus::Active => LinkState::Open,
    }
}

/// Whether a line's links work, in one word, for pages that show no more of them.
pub fn line_state(grants: &[Grant], line: kernel::LineId, now: Timestamp) -> LinkState {
    let mut own = grants.iter().filter(|grant| grant.line == line);
    let best = own.clone().find(|grant| grant.status == GrantStatus::Active).or_else(|| own.next());
    best.map_or(LinkState::Revoked, |grant| link_state(grant, &[], now))
}

fn payment_rows(payments: Vec<Payment>, connections: &[Connection]) -> Vec<PaymentRow> {
    let row = |payment: Payment| {
        let money = |minor| Money::new(minor, payment.currency);
        Some(PaymentRow {
            id: payment.id,
            connection: connections::view::find(connections, payment.connection)?,
            gateway_url: None,
            status: word(payment.status.as_str()),
            settled: money(payment.settled_minor),
            returned: (payment.returned_minor > 0).then(|| money(payment.returned_minor)),
            fee: payment.fee_minor.map(money),
            created_at: payment.created_at,
            gateway_ref: payment.gateway_ref,
        })
    };
    payments.into_iter().filter_map(row).collect()
}

fn documents(source: &mut impl Source, order: &Order) -> Flow<Vec<InvoiceRef>> {
    let all = invoices::store::of_order(source, order.merchant, order.id)?;
    Ok(all.iter().map(invoices::staff_pages::reference).collect())
}

/// How many links an act concerns, for the page that asks whether it is meant.
pub fn count(grants: &[Grant], wanted: impl Fn(&Grant) -> bool) -> u32 {
    u32::try_from(grants.iter().filter(|grant| wanted(grant)).count()).unwrap_or(u32::MAX)
}
