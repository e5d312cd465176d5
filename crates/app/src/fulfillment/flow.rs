//! Granting what a paid order is owed, and taking it back.

use db::{DbError, Inserted};
use kernel::{CustomerId, GrantChangeId, GrantId, Span, Timestamp};

use super::{Grant, GrantChange, GrantStatus, store, units_of};
use crate::cx::Cx;
use crate::downloads;
use crate::orders::{Line, LineKind, Order};
use crate::products::PendingPolicy;

/// Whether the money is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounds {
    /// It is.
    Paid,
    /// It is on its way: only lines whose product gives provisional access.
    Pending,
}

/// Gives every unit of the order its grant, once, and confirms what was provisional.
///
/// Answers how many grants are new or confirmed.
pub fn grant_units(
    cx: &mut Cx<'_, '_>,
    order: &Order,
    customer: CustomerId,
    lines: &[Line],
    grounds: Grounds,
    cause: &str,
) -> Result<u32, DbError> {
    let mut given = 0;
    let mut known = false;
    for line in lines.iter().filter(|line| line.kind == LineKind::Product) {
        if grounds == Grounds::Pending && line.pending_policy == PendingPolicy::Nothing {
            continue;
        }
        let (units, capacity) = units_of(line.quantity);
        for unit_no in 1..=units {
            if store::insert_unit(cx.tx, line, unit_no, capacity, cx.now)? == Inserted::New {
                grant(cx, line, unit_no, customer, grounds, cause)?;
                given += 1;
            } else {
                known = true;
            }
        }
    }
    if known && grounds == Grounds::Paid && order.paid_at.is_none() {
        given += confirm(cx, order, cause)?;
    }
    Ok(given)
}

fn grant(
    cx: &mut Cx<'_, '_>,
    line: &Line,
    unit_no: u32,
    customer: CustomerId,
    grounds: Grounds,
    cause: &str,
) -> Result<(), DbError> {
    let (status, change) = match grounds {
        Grounds::Paid => (GrantStatus::Active, GrantChange::Granted),
        Grounds::Pending => (GrantStatus::Provisional, GrantChange::MadeProvisional),
    };
    let grant = Grant {
        id: GrantId::mint(cx.draws),
        merchant: cx.merchant,
        order: line.order,
        line: line.id,
        unit_no,
        customer,
        status,
        nonce: cx.draws.nonce(),
        ring_key: cx.ring.newest(),
        generation: 1,
        download_limit: line.download_limit,
        expires_at: cx.now + line.link_life,
        created_at: cx.now,
    };
    store::insert_grant(cx.tx, &grant)?;
    note(cx, &grant, change, cause)
}

fn confirm(cx: &mut Cx<'_, '_>, order: &Order, cause: &str) -> Result<u32, DbError> {
    let mut confirmed = 0;
    for mut grant in store::of_order(cx.tx, cx.merchant, order.id)? {
        // Suspended before the first money: provisional access whose payment had failed.
        if matches!(grant.status, GrantStatus::Provisional | GrantStatus::Suspended) {
            grant.status = GrantStatus::Active;
            store::save_grant(cx.tx, &grant)?;
            note(cx, &grant, GrantChange::Confirmed, cause)?;
            confirmed += 1;
        }
    }
    Ok(confirmed)
}

/// Why access ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The payment failed: what was provisional is withdrawn, until late money comes.
    Failed,
    /// The money was pulled back and may come again.
    PulledBack,
    /// The money was sent back.
    Refunded,
}

/// Takes back what an order gave. What is revoked already stays as it is.
pub fn take_back(cx: &mut Cx<'_, '_>, order: &Order, ending: Ending, cause: &str) -> Result<(), DbError> {
    for mut grant in store::of_order(cx.tx, cx.merchant, order.id)? {
        let next = match (ending, grant.status) {
            (_, GrantStatus::Revoked) => None,
            (Ending::Failed, GrantStatus::Provisional) => {
                Some((GrantStatus::Suspended, GrantChange::Withdrawn))
            }
            (Ending::Failed, GrantStatus::Active | GrantStatus::Suspended) => None,
            (Ending::PulledBack, GrantStatus::Suspended) => None,
            (Ending::PulledBack, GrantStatus::Active | GrantStatus::Provisional) => {
                Some((GrantStatus::Suspended, GrantChange::Suspended))
            }
            (Ending::Refunded, GrantStatus::Active | GrantStatus::Provisional | GrantStatus::Suspended) => {
                Some((GrantStatus::Revoked, GrantChange::Revoked))
            }
        };
        if let Some((status, change)) = next {
            grant.status = status;
            store::save_grant(cx.tx, &grant)?;
            note(cx, &grant, change, cause)?;
        }
    }
    Ok(())
}

/// Gives back what was suspended, because the money is back.
pub fn reinstate(cx: &mut Cx<'_, '_>, order: &Order, cause: &str) -> Result<(), DbError> {
    for mut grant in store::of_order(cx.tx, cx.merchant, order.id)? {
        if grant.status == GrantStatus::Suspended {
            grant.status = GrantStatus::Active;
            store::save_grant(cx.tx, &grant)?;
            note(cx, &grant, GrantChange::Reinstated, cause)?;
        }
    }
    Ok(())
}

/// Replaces a grant's links: those of the old generation are dead at once, and the places that
/// they used up are free again.
pub fn reissue(cx: &mut Cx<'_, '_>, grant: &mut Grant, life: Span, cause: &str) -> Result<(), DbError> {
    grant.generation += 1;
    grant.nonce = cx.draws.nonce();
    grant.ring_key = cx.ring.newest();
    grant.expires_at = grant.expires_at.max(cx.now + life);
    grant.status = GrantStatus::Active;
    store::save_grant(cx.tx, grant)?;
    downloads::store::forget_places(cx.tx, grant)?;
    note(cx, grant, GrantChange::Reissued, cause)
}

/// Prolongs a grant's links.
pub fn extend(cx: &mut Cx<'_, '_>, grant: &mut Grant, until: Timestamp, cause: &str) -> Result<(), DbError> {
    grant.expires_at = grant.expires_at.max(until);
    store::save_grant(cx.tx, grant)?;
    note(cx, grant, GrantChange::Extended, cause)
}

/// Takes one grant back, by staff or because its line was refunded.
pub fn revoke(cx: &mut Cx<'_, '_>, grant: &mut Grant, cause: &str) -> Result<(), DbError> {
    grant.status = GrantStatus::Revoked;
    store::save_grant(cx.tx, grant)?;
    note(cx, grant, GrantChange::Revoked, cause)
}

/// Gives one grant back, by staff.
pub fn restore(cx: &mut Cx<'_, '_>, grant: &mut Grant, cause: &str) -> Result<(), DbError> {
    grant.status = GrantStatus::Active;
    store::save_grant(cx.tx, grant)?;
    note(cx, grant, GrantChange::Reinstated, cause)
}

fn note(cx: &mut Cx<'_, '_>, grant: &Grant, change: GrantChange, cause: &str) -> Result<(), DbError> {
    let id = GrantChangeId::mint(cx.draws);
    let actor = cx.actor.to_string();
    store::insert_change(cx.tx, id, grant, change, cause, (&actor, cx.now))
}
