//! Granting what a paid order is owed, and taking it back.

use db::{DbError, Inserted};
use kernel::{CustomerId, GrantChangeId, GrantId, Span, Timestamp};

use super::{Access, Grant, GrantChange, GrantStatus, RevokedBy, store, units_of};
use crate::cx::Cx;
use crate::downloads;
use crate::orders::{Line, LineKind, Order};
use crate::products::{self, PendingPolicy};
use crate::{archives, parts};

/// What was done for an order's access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Units that are new.
    pub given: u32,
    /// Grants that were there and changed.
    pub changed: u32,
}

/// Gives every unit of the order its grant, once, where the access allows that.
pub fn give(
    cx: &mut Cx<'_, '_>,
    customer: CustomerId,
    lines: &[Line],
    access: Access,
    cause: &str,
) -> Result<Done, DbError> {
    let (status, change) = match access {
        Access::Open => (GrantStatus::Active, GrantChange::Granted),
        Access::Provisional => (GrantStatus::Provisional, GrantChange::MadeProvisional),
        Access::Withheld | Access::OnHold | Access::Ended => return Ok(Done::default()),
    };
    let mut done = Done::default();
    for line in lines.iter().filter(|line| line.kind == LineKind::Product) {
        if access == Access::Provisional && line.pending_policy == PendingPolicy::Nothing {
            continue;
        }
        let (units, capacity) = units_of(line.quantity);
        for unit_no in 1..=units {
            if store::insert_unit(cx.tx, line, unit_no, capacity, cx.now)? == Inserted::New {
                grant(cx, line, unit_no, customer, (status, change), cause)?;
                done.given += 1;
            }
        }
    }
    Ok(done)
}

fn grant(
    cx: &mut Cx<'_, '_>,
    line: &Line,
    unit_no: u32,
    customer: CustomerId,
    (status, change): (GrantStatus, GrantChange),
    cause: &str,
) -> Result<(), DbError> {
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
    note(cx, &grant, change, cause)?;
    archives::flow::prepare(cx, line.deliverables.archive.as_ref(), &grant)?;
    parts::flow::want(cx, line, &grant)
}

/// Brings the grants that an order has into line with what its money entitles to.
///
/// Links that open again live their full time from now: an eCheck takes days, and what was
/// given in advance would otherwise be confirmed with a dead link.
pub fn align(
    cx: &mut Cx<'_, '_>,
    order: &Order,
    lines: &[Line],
    access: Access,
    cause: &str,
) -> Result<Done, DbError> {
    let grants = store::of_order(cx.tx, cx.merchant, order.id)?;
    let by_money = if grants.iter().any(|grant| grant.status == GrantStatus::Revoked) {
        store::revoked_by_money(cx.tx, cx.merchant, order.id)?
    } else {
        Vec::new()
    };
    let mut done = Done::default();
    for mut grant in grants {
        let by = if by_money.contains(&grant.id) { RevokedBy::Money } else { RevokedBy::Staff };
        let Some((status, change)) = access.change(grant.status, by) else { continue };
        grant.status = status;
        if status == GrantStatus::Active {
            let line = lines.iter().find(|line| line.id == grant.line);
            let life = line.map_or(products::LINK_LIFE_DEFAULT, |line| line.link_life);
            grant.expires_at = grant.expires_at.max(cx.now + life);
        }
        store::save_grant(cx.tx, &grant)?;
        note(cx, &grant, change, cause)?;
        if let Some(line) = lines.iter().find(|line| line.id == grant.line)
            && status == GrantStatus::Active
        {
            parts::flow::resume(cx, line, &grant)?;
        }
        done.changed += 1;
    }
    Ok(done)
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

/// Gives one revoked grant back, by staff. Its links work again for as long as they did.
pub fn give_back(cx: &mut Cx<'_, '_>, grant: &mut Grant, cause: &str) -> Result<(), DbError> {
    grant.status = GrantStatus::Active;
    store::save_grant(cx.tx, grant)?;
    parts::flow::resume_given_back(cx, grant)?;
    note(cx, grant, GrantChange::Reinstated, cause)
}

fn note(cx: &mut Cx<'_, '_>, grant: &Grant, change: GrantChange, cause: &str) -> Result<(), DbError> {
    let id = GrantChangeId::mint(cx.draws);
    let actor = cx.actor.to_string();
    store::insert_change(cx.tx, id, grant, change, cause, (&actor, cx.now))
}
