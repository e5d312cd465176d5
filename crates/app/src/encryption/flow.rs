//! Taking a buyer's key, and wanting copies for it.

use db::DbError;
use encrypt::{KeyKind, Recipient};
use kernel::ProductId;

use super::{FIELD, Terms, store};
use crate::cx::Cx;
use crate::downloads::flow::{no_such_link, open_link};
use crate::fulfillment::{Grant, GrantStatus};
use crate::orders::Line;
use crate::orders::view;
use crate::parts::{self, Part, PartKey};
use crate::problem::{Code, Flow, Problem};
use crate::{deliverables, events, fulfillment, orders};
use ui::shop::LinkState;

/// Wants the copies of a unit, if its buyer has given a key.
pub fn want(cx: &mut Cx<'_, '_>, line: &Line, grant: &Grant) -> Result<(), DbError> {
    if line.deliverables.encryption.is_none() {
        return Ok(());
    }
    let Some(text) = store::key(cx.tx, cx.merchant, line.id)? else { return Ok(()) };
    // It was checked when it was given.
    let Ok(key) = Recipient::parse(&text) else { return Ok(()) };
    parts::flow::want_one(cx, grant.order, of_unit(grant, &key))
}

fn of_unit(grant: &Grant, key: &Recipient) -> PartKey {
    PartKey { line: grant.line, unit_no: grant.unit_no, part: Part::Encrypt, subject: key.fingerprint() }
}

/// Takes a key from whoever holds a link, and wants copies for it. The same key once more has copies
/// made of files that have a newer version since.
///
/// # Errors
/// When the link opens nothing, the text is no sound public key, or it is too late for another one.
pub fn give_key(cx: &mut Cx<'_, '_>, token: &str, pasted: &str) -> Flow<()> {
    let grant = open_link(cx.tx, cx.ring, token)?;
    cx.merchant = grant.merchant;
    orders::store::lock(cx.tx, cx.merchant, grant.order)?.ok_or_else(no_such_link)?;
    let lines = orders::store::lines(cx.tx, cx.merchant, grant.order)?;
    let line = lines.into_iter().find(|line| line.id == grant.line).ok_or_else(no_such_link)?;
    if line.deliverables.encryption.is_none() {
        return Err(no_such_link().into());
    }
    if !matches!(view::link_state(&grant, &[], cx.now), LinkState::Open | LinkState::UsedUp) {
        return Err(Problem::new(Code::Expired, "this link no longer works").into());
    }
    let key = Recipient::parse(pasted).map_err(|error| Problem::invalid(FIELD, error))?;
    store::lock_grants(cx.tx, cx.merchant, line.id)?;
    let before = store::key(cx.tx, cx.merchant, line.id)?;
    if before.as_deref() != Some(key.as_str()) {
        change_key(cx, &line, before.is_some(), &key)?;
    }
    let units = fulfillment::store::of_line(cx.tx, cx.merchant, grant.order, line.id)?;
    let open = |grant: &&Grant| matches!(grant.status, GrantStatus::Active | GrantStatus::Provisional);
    for unit in units.iter().filter(open) {
        want_again(cx, unit, &key)?;
    }
    Ok(())
}

fn change_key(cx: &mut Cx<'_, '_>, line: &Line, had_one: bool, key: &Recipient) -> Flow<()> {
    if had_one && store::any_download(cx.tx, cx.merchant, line.id)? {
        let text = "the key cannot be changed any more: a file has been downloaded that it opens";
        return Err(Problem::conflict(text).at(FIELD).into());
    }
    store::set_key(cx.tx, cx.merchant, line.id, key.as_str(), cx.now)?;
    store::forget_others(cx.tx, cx.merchant, line.id, &key.fingerprint())?;
    let kind = match key.kind() {
        KeyKind::Age => "age",
        KeyKind::SshEd25519 => "ssh-ed25519",
        KeyKind::SshRsa => "ssh-rsa",
    };
    let detail = serde_json::json!({ "line": line.id, "kind": kind, "fingerprint": key.fingerprint() });
    events::flow::record(cx, Some(line.order), line.order, "order.key_given", detail)?;
    Ok(())
}

fn want_again(cx: &mut Cx<'_, '_>, unit: &Grant, key: &Recipient) -> Flow<()> {
    let part = of_unit(unit, key);
    parts::flow::want_one(cx, unit.order, part.clone())?;
    if store::missing(cx.tx, unit)?.is_empty() {
        return Ok(());
    }
    if store::begin_again(cx.tx, cx.merchant, &part, cx.now)? {
        parts::flow::enqueue(cx, part)?;
    }
    Ok(())
}

/// Says whether a product's files are handed out for the buyer's key alone.
pub fn change(cx: &mut Cx<'_, '_>, product: ProductId, version: i64, terms: Option<Terms>) -> Flow<()> {
    deliverables::flow::change(cx, product, version, "encryption", move |all| all.encryption = terms)?;
    Ok(())
}
