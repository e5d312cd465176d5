//! Wanting parts, and recording what came of them.

use db::{DbError, Inserted, Source};
use kernel::{FileVersionId, OrderId};

use super::{Made, MadeFile, MadeText, Part, PartKey, PartState, UnitPart, any_unfinished, store};
use crate::cx::Cx;
use crate::fulfillment::{Grant, GrantStatus};
use crate::jobs::{self, Work};
use crate::messages::flow::Recipient;
use crate::messages::{self, MessageKind};
use crate::orders::Line;
use crate::problem::{Flow, Problem};
use crate::reviews::{self, ReviewKind};
use crate::ring::Ring;
use crate::{access, encryption, events, orders, products, stamps};

/// Wants the parts of a unit as far as its grant allows, each once.
pub fn want(cx: &mut Cx<'_, '_>, line: &Line, grant: &Grant) -> Result<(), DbError> {
    if line.deliverables.is_empty() {
        return Ok(());
    }
    for part in line.deliverables.parts() {
        if grant.status == GrantStatus::Active || part.before_money() {
            let key = PartKey { line: line.id, unit_no: grant.unit_no, part, subject: String::new() };
            if store::insert(cx.tx, cx.merchant, line.order, &key, cx.now)? == Inserted::New {
                match part {
                    // The receipt is to have it.
                    Part::Access => access::flow::tell(cx, line, grant, &key)?,
                    Part::Payload
                    | Part::Artwork
                    | Part::Plugin
                    | Part::DropShip
                    | Part::Stamp
                    | Part::Encrypt => enqueue(cx, key)?,
                }
            }
        }
    }
    if line.deliverables.stamp.is_some() {
        stamps::flow::want(cx, grant)?;
    }
    encryption::flow::want(cx, line, grant)
}

/// Wants one part, once.
pub fn want_one(cx: &mut Cx<'_, '_>, order: OrderId, key: PartKey) -> Result<(), DbError> {
    if store::insert(cx.tx, cx.merchant, order, &key, cx.now)? == Inserted::New {
        enqueue(cx, key)?;
    }
    Ok(())
}

/// Has the parts of a unit made that still wait, after its grant opened again.
pub fn resume(cx: &mut Cx<'_, '_>, line: &Line, grant: &Grant) -> Result<(), DbError> {
    if line.deliverables.is_empty() {
        return Ok(());
    }
    want(cx, line, grant)?;
    for part in store::of_unit(cx.tx, cx.merchant, line.id, grant.unit_no)? {
        match part.state {
            PartState::Waiting => enqueue(cx, part.key)?,
            PartState::Swept => make_again(cx, part.key)?,
            PartState::Done | PartState::Held | PartState::LeftOut => {}
        }
    }
    Ok(())
}

/// Has what was cleared away made again, after a link was prolonged or replaced.
pub fn revive(cx: &mut Cx<'_, '_>, grant: &Grant) -> Result<(), DbError> {
    for part in store::of_unit(cx.tx, cx.merchant, grant.line, grant.unit_no)? {
        if part.state == PartState::Swept {
            make_again(cx, part.key)?;
        }
    }
    Ok(())
}

fn make_again(cx: &mut Cx<'_, '_>, key: PartKey) -> Result<(), DbError> {
    store::save(cx.tx, cx.merchant, &key, (PartState::Waiting, ""), cx.now)?;
    enqueue(cx, key)
}

/// Has the parts of a unit made that staff gave back.
pub fn resume_given_back(cx: &mut Cx<'_, '_>, grant: &Grant) -> Result<(), DbError> {
    let lines = orders::store::lines(cx.tx, cx.merchant, grant.order)?;
    lines.iter().find(|line| line.id == grant.line).map_or(Ok(()), |line| resume(cx, line, grant))
}

/// Has parts made that waited for a stock to be refilled, those that were paid first.
pub fn resume_waiting(cx: &mut Cx<'_, '_>, part: Part, most: u32) -> Result<(), DbError> {
    for waiting in store::waiting(cx.tx, cx.merchant, part, most)? {
        enqueue(cx, waiting.key)?;
    }
    Ok(())
}

/// Has a part made as soon as this transaction is committed.
pub fn enqueue(cx: &mut Cx<'_, '_>, key: PartKey) -> Result<(), DbError> {
    jobs::flow::enqueue(cx, &Work::MakePart { merchant: cx.merchant, part: key })
}

/// Records what came of making a part. Made twice, the second changes nothing.
pub fn record(cx: &mut Cx<'_, '_>, part: &UnitPart, made: &Made) -> Result<(), DbError> {
    let key = &part.key;
    match made {
        Made::Done { files, texts } => done(cx, part, files, texts, &[])?,
        Made::Leads { files, further } => done(cx, part, files, &[], further)?,
        Made::Held(why) => {
            if part.state != PartState::Held
                && store::save(cx.tx, cx.merchant, key, (PartState::Held, why), cx.now)?
            {
                reviews::flow::ask(cx, ReviewKind::PartHeld, part.order, None, why.clone())?;
                events::flow::record(cx, Some(part.order), part.order, "unit.part_held", about(key))?;
            }
        }
        Made::AsItIs(version, why) => {
            if store::save(cx.tx, cx.merchant, key, (PartState::Done, why), cx.now)? {
                store::insert_file(cx.tx, cx.merchant, key, *version, Some(*version), cx.now)?;
                events::flow::record(cx, Some(part.order), part.order, "unit.part_as_it_is", about(key))?;
                tell_if_ready(cx, part.order)?;
            }
        }
        Made::Kept(why) => {
            if store::save(cx.tx, cx.merchant, key, (PartState::Held, why), cx.now)? {
                events::flow::record(cx, Some(part.order), part.order, "unit.part_held", about(key))?;
            }
        }
        Made::Waits(why) => {
            store::save(cx.tx, cx.merchant, key, (PartState::Waiting, why), cx.now)?;
        }
    }
    Ok(())
}

/// Tells the buyer once nothing of an order is still to come, if a mail that left before had them
/// wait. Whichever comes last, that mail's end or the last part, tells; under the order's lock, so
/// that one of them does.
pub fn tell_if_ready(cx: &mut Cx<'_, '_>, id: OrderId) -> Result<(), DbError> {
    let Some(order) = orders::store::lock(cx.tx, cx.merchant, id)? else { return Ok(()) };
    let parts = store::of_order(cx.tx, cx.merchant, id)?;
    let (Some(customer), Some(email)) = (order.customer, order.buyer_email.clone()) else { return Ok(()) };
    if any_unfinished(&parts) || !messages::store::any_delivery_sent(cx.tx, cx.merchant, id)? {
        return Ok(());
    }
    // More may be wanted later, such as a copy of a new version: that is another reason.
    let reason = parts.len().to_string();
    let to = Recipient { customer, email };
    messages::flow::about_order(cx, MessageKind::Ready, &order, &to, &reason, serde_json::json!({}))
}

/// Records what was made, unless it is there already.
fn done(
    cx: &mut Cx<'_, '_>,
    part: &UnitPart,
    files: &[MadeFile],
    texts: &[MadeText],
    further: &[(Part, String)],
) -> Result<(), DbError> {
    let key = &part.key;
    if !store::save(cx.tx, cx.merchant, key, (PartState::Done, ""), cx.now)? {
        return Ok(());
    }
    for file in files {
        let stored = &file.stored;
        let (sha256, size, crc32) = (&stored.sha256, stored.size, stored.crc32);
        products::store::insert_blob(cx.tx, sha256, size, crc32, &stored.md5, cx.now)?;
        let version = FileVersionId::mint(cx.draws);
        store::insert_version(cx.tx, cx.merchant, version, &stored.name, sha256, cx.now)?;
        store::insert_file(cx.tx, cx.merchant, key, version, file.replaces, cx.now)?;
    }
    tell(cx, key, texts)?;
    if matches!(key.part, Part::Payload | Part::Plugin) {
        stamps::flow::want_for_unit(cx, part)?;
    }
    for (more, subject) in further {
        let key = PartKey { part: *more, subject: subject.clone(), ..key.clone() };
        want_one(cx, part.order, key)?;
    }
    events::flow::record(cx, Some(part.order), part.order, "unit.part_made", about(key))?;
    tell_if_ready(cx, part.order)
}

fn about(key: &PartKey) -> serde_json::Value {
    serde_json::json!({ "part": key.part, "line": key.line, "unit": key.unit_no })
}

fn tell(cx: &mut Cx<'_, '_>, key: &PartKey, texts: &[MadeText]) -> Result<(), DbError> {
    let told = if texts.is_empty() { 0 } else { store::last_text(cx.tx, cx.merchant, key)? };
    for (position, text) in (told.saturating_add(1)..).zip(texts) {
        let nonce = cx.draws.nonce();
        let sealed = cx.ring.seal(&sealed_for(key, position), nonce, text.text.as_bytes());
        store::insert_text(cx.tx, cx.merchant, key, (position, &text.label), &sealed, cx.now)?;
    }
    Ok(())
}

fn sealed_for(key: &PartKey, position: u32) -> String {
    format!("unit text {} {} {} {position}", key.line, key.unit_no, key.part)
}

/// What a grant's buyer is told, in clear.
pub fn texts(
    source: &mut impl Source,
    ring: &Ring,
    grant: &Grant,
    line: &Line,
) -> Result<Vec<MadeText>, DbError> {
    if line.deliverables.is_empty() {
        return Ok(Vec::new());
    }
    Ok(open_texts(ring, store::texts(source, grant)?))
}

/// Opens sealed texts. One that cannot be opened is logged and left out: the others are still of
/// use.
pub fn open_texts(ring: &Ring, sealed: Vec<store::SealedText>) -> Vec<MadeText> {
    let open = |text: store::SealedText| {
        let key = PartKey { line: text.line, unit_no: text.unit_no, part: text.part, subject: String::new() };
        match ring.open(&sealed_for(&key, text.position), &text.sealed) {
            Ok(plain) => {
                Some(MadeText { label: text.label, text: String::from_utf8_lossy(&plain).into_owned() })
            }
            Err(error) => {
                tracing::error!(%error, line = %text.line, "what a buyer is told cannot be opened");
                None
            }
        }
    };
    sealed.into_iter().filter_map(open).collect()
}

/// Staff have a held or waiting part tried again.
pub fn try_again(cx: &mut Cx<'_, '_>, order: OrderId, key: &PartKey) -> Flow<()> {
    let part = of_order(cx, order, key)?;
    if !matches!(part.state, PartState::Held | PartState::Waiting) {
        return Err(Problem::conflict("this part is there already; there is nothing to try again").into());
    }
    store::save(cx.tx, cx.merchant, key, (PartState::Waiting, ""), cx.now)?;
    enqueue(cx, key.clone())?;
    note(cx, order, key, "unit.part_tried_again")
}

/// Staff deliver a unit without a part that is held.
pub fn leave_out(cx: &mut Cx<'_, '_>, order: OrderId, key: &PartKey) -> Flow<()> {
    let part = of_order(cx, order, key)?;
    if part.state != PartState::Held {
        return Err(Problem::conflict("only a part that is held can be left out").into());
    }
    store::save(cx.tx, cx.merchant, key, (PartState::LeftOut, &part.detail), cx.now)?;
    if key.part == Part::Stamp {
        stamps::flow::hand_out_unstamped(cx, key)?;
    }
    note(cx, order, key, "unit.part_left_out")
}

fn of_order(cx: &mut Cx<'_, '_>, order: OrderId, key: &PartKey) -> Flow<UnitPart> {
    orders::store::lock(cx.tx, cx.merchant, order)?.ok_or_else(|| Problem::not_found("order"))?;
    let part = store::find(cx.tx, cx.merchant, key)?.filter(|part| part.order == order);
    part.ok_or_else(|| Problem::not_found("part of this order").into())
}

fn note(cx: &mut Cx<'_, '_>, order: OrderId, key: &PartKey, kind: &str) -> Flow<()> {
    events::flow::record(cx, Some(order), order, kind, about(key))?;
    Ok(())
}
