//! What a keyed link leads on to beside files: streams, tickets, and the form for the buyer's own key.

use std::collections::BTreeMap;

use db::Source;
use ui::delivery::{DoorKind, LinkDoor, OwnKey};

use crate::encryption;
use crate::fulfillment::Grant;
use crate::orders::Line;
use crate::problem::Flow;
use crate::products;
use crate::ring::Ring;
use crate::streams;
use crate::tickets::staff_view::TO_READ;
use crate::tickets::{self, code, form::local};

/// Letters of a key that are shown: enough to recognize it.
const KEY_SHOWN: usize = 24;

/// What of a grant has a page of its own.
pub fn doors(source: &mut impl Source, ring: &Ring, grant: &Grant, line: &Line) -> Flow<Vec<LinkDoor>> {
    let mut doors = Vec::new();
    doors.extend(ticket(source, ring, grant, line)?);
    doors.extend(stream(source, ring, grant, line)?);
    Ok(doors)
}

fn ticket(source: &mut impl Source, ring: &Ring, grant: &Grant, line: &Line) -> Flow<Option<LinkDoor>> {
    if line.deliverables.ticket.is_none() {
        return Ok(None);
    }
    let Some(hold) = tickets::store::hold(source, grant.merchant, line.id)? else { return Ok(None) };
    let Some(event) = tickets::store::by_id(source, grant.merchant, hold.event)? else { return Ok(None) };
    let starts = local(event.starts_at, &event.time_zone, TO_READ);
    let place = event.place.lines().next().map(|place| format!(", {place}")).unwrap_or_default();
    Ok(code::page_path(ring, &hold, grant.id, grant.unit_no).map(|path| LinkDoor {
        kind: DoorKind::Ticket,
        title: event.title,
        about: format!("{starts}{place}"),
        path,
    }))
}

fn stream(source: &mut impl Source, ring: &Ring, grant: &Grant, line: &Line) -> Flow<Option<LinkDoor>> {
    let Some(sold) = &line.deliverables.stream else { return Ok(None) };
    let product = match line.product {
        Some(product) => products::store::by_id(source, grant.merchant, product)?,
        None => None,
    };
    let present = product.and_then(|product| product.deliverables.stream);
    let title = present.map_or_else(|| sold.title.clone(), |present| present.title);
    let door = |path| LinkDoor { kind: DoorKind::Stream, title, about: String::new(), path };
    Ok(streams::path(ring, grant).map(door))
}

/// The form for the buyer's own key, where files are encrypted to it.
pub fn own_key(
    source: &mut impl Source,
    token: &str,
    grant: &Grant,
    line: &Line,
    making: bool,
) -> Flow<Option<OwnKey>> {
    if line.deliverables.encryption.is_none() {
        return Ok(None);
    }
    let key = encryption::store::key(source, grant.merchant, line.id)?;
    let lacking = !making && !encryption::store::missing(source, grant)?.is_empty();
    let changeable = key.is_none() || !encryption::store::any_download(source, grant.merchant, line.id)?;
    Ok(Some(OwnKey {
        post_path: format!("/d/{token}/key"),
        given: key.as_deref().map(short),
        again: key.filter(|_| lacking),
        changeable,
        typed: String::new(),
        errors: BTreeMap::new(),
    }))
}

fn short(key: &str) -> String {
    let letters: String = key.chars().take(KEY_SHOWN).collect();
    if letters.len() < key.len() { format!("{letters}…") } else { letters }
}
