//! Telling buyers their access data, and filling the lists that it is taken from.

use db::{DbError, Inserted};
use kernel::{AccessEntryId, ProductId};
use ui::texts::{Placeholder, Text, Values};

use super::list::{Form, Read, read};
use super::store::{NewEntry, Sealed};
use super::{LOW_WATER_DEFAULT, LOW_WATER_MAX, PLACEHOLDERS, Source, Terms, desk_store, sealed_for, store};
use crate::cx::Cx;
use crate::deliverables;
use crate::fulfillment::Grant;
use crate::orders::Line;
use crate::parts::{self, Made, MadeText, Part, PartKey, PartState, UnitPart};
use crate::problem::{Flow, Problem};
use crate::{customers, events, merchants, orders, products};

/// So many units are served in one transaction.
const SERVED_AT_ONCE: u32 = 200;
/// What staff read while a unit waits.
pub const EMPTY: &str =
    "the list of access data is empty; import more on the package's page, and it is delivered by itself";

/// Tells a unit's buyer in the transaction that gives the unit, where that can be.
pub fn tell(cx: &mut Cx<'_, '_>, line: &Line, grant: &Grant, key: &PartKey) -> Result<(), DbError> {
    let Some(terms) = &line.deliverables.access else { return Ok(()) };
    let Some(part) = parts::store::find(cx.tx, cx.merchant, key)? else { return Ok(()) };
    match &terms.source {
        Source::Template(text) => {
            let told = filled(cx, line, grant, text)?;
            let texts = vec![MadeText { label: terms.label.clone(), text: told }];
            parts::flow::record(cx, &part, &Made::Done { files: Vec::new(), texts })
        }
        Source::List => match line.product {
            Some(product) => {
                serve(cx, product)?;
                wait(cx, key)
            }
            None => Ok(()),
        },
    }
}

/// Whoever was not served now is tried again by a job, which says so if the list is empty.
fn wait(cx: &mut Cx<'_, '_>, key: &PartKey) -> Result<(), DbError> {
    let part = parts::store::find(cx.tx, cx.merchant, key)?;
    if part.is_some_and(|part| part.state == PartState::Waiting) {
        parts::flow::enqueue(cx, key.clone())?;
    }
    Ok(())
}

/// The text with its placeholders filled in. One that cannot be read (another version of the program
/// wrote it) is told as it stands: the buyer has paid for it.
fn filled(cx: &mut Cx<'_, '_>, line: &Line, grant: &Grant, text: &str) -> Result<String, DbError> {
    let Ok(parsed) = Text::parse(text, &PLACEHOLDERS) else { return Ok(text.to_owned()) };
    let merchant = merchants::store::by_id(cx.tx, cx.merchant)?;
    let customer = customers::store::by_id(cx.tx, cx.merchant, grant.customer)?;
    let (name, email) =
        customer.map(|customer| (customer.name, customer.email.to_string())).unwrap_or_default();
    let name = if name.is_empty() { email.clone() } else { name };
    let values = Values::new()
        .with(Placeholder::Product, &line.name)
        .with(Placeholder::Sku, &line.sku)
        .with(Placeholder::Name, &name)
        .with(Placeholder::Email, &email)
        .with(Placeholder::Order, &grant.order.to_string())
        .with(Placeholder::Support, merchant.support_email.as_str())
        .with(Placeholder::Shop, &merchant.name);
    Ok(parsed.fill(&values).text().to_owned())
}

/// What a round of serving came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Nobody waits any more.
    All,
    /// The list is empty.
    Empty,
    /// There is more for others.
    Some,
}

/// Gives the entries of a product's list to those who wait, who paid first at the top.
pub fn serve(cx: &mut Cx<'_, '_>, product: ProductId) -> Result<Served, DbError> {
    if !store::lock(cx.tx, cx.merchant, product)? {
        return Ok(Served::Empty);
    }
    let waiting = store::waiting(cx.tx, cx.merchant, product, SERVED_AT_ONCE)?;
    let full = waiting.len() >= usize::try_from(SERVED_AT_ONCE).unwrap_or(usize::MAX);
    for part in &waiting {
        let of_unit = (part.key.line, part.key.unit_no);
        let taken = store::take(cx.tx, (cx.merchant, product), of_unit.0, of_unit.1, cx.now)?;
        let Some(sealed) = taken else { return Ok(Served::Empty) };
        give(cx, part, &sealed)?;
    }
    Ok(if full { Served::Some } else { Served::All })
}

fn give(cx: &mut Cx<'_, '_>, part: &UnitPart, sealed: &Sealed) -> Result<(), DbError> {
    let made = match cx.ring.open(&sealed_for(sealed.id), &sealed.text) {
        Ok(plain) => {
            let text = String::from_utf8_lossy(&plain).into_owned();
            let lines = orders::store::lines(cx.tx, cx.merchant, part.order)?;
            let line = lines.into_iter().find(|line| line.id == part.key.line);
            let label = line.and_then(|line| line.deliverables.access).map(|terms| terms.label);
            let texts = vec![MadeText { label: label.unwrap_or_default(), text }];
            Made::Done { files: Vec::new(), texts }
        }
        // The entry stays with this unit: with the old key file it can be opened.
        Err(error) => Made::Held(format!("the entry of the list cannot be opened: {error}")),
    };
    parts::flow::record(cx, part, &made)
}

/// Says what access a product gives; `None` gives none. The entries of its list stay.
pub fn change(
    cx: &mut Cx<'_, '_>,
    product: ProductId,
    version: i64,
    terms: Option<&Terms>,
    low_water: u32,
) -> Flow<()> {
    if low_water > LOW_WATER_MAX {
        let text = format!("write a whole number from 0 to {LOW_WATER_MAX}");
        return Err(Problem::invalid("low_water", text).into());
    }
    let wanted = terms.cloned();
    deliverables::flow::change(cx, product, version, "access", move |all| all.access = wanted)?;
    if terms.is_some_and(|terms| terms.source == Source::List) {
        store::set_list(cx.tx, cx.merchant, product, low_water)?;
    }
    Ok(())
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries that are new.
    pub added: u32,
    /// Lines that repeat an earlier one of the same list.
    pub repeated: Vec<u64>,
    /// Lines that the product's list has, or had: what was given away is not given again.
    pub known: Vec<u64>,
}

/// Adds entries to a product's list, and serves who has waited for them.
///
/// # Errors
/// When there is no such product, or a line is wrong: then nothing is added.
pub fn import(cx: &mut Cx<'_, '_>, product: ProductId, form: Form, bytes: &[u8]) -> Flow<Imported> {
    let known = products::store::by_id(cx.tx, cx.merchant, product)?;
    known.ok_or_else(|| Problem::not_found("product"))?;
    let Read { entries, repeated } = read(form, bytes)?;
    if !store::lock(cx.tx, cx.merchant, product)? {
        store::set_list(cx.tx, cx.merchant, product, LOW_WATER_DEFAULT)?;
    }
    let mut imported = Imported { repeated, ..Imported::default() };
    for entry in entries {
        let id = AccessEntryId::mint(cx.draws);
        let new = NewEntry {
            id,
            sealed: cx.ring.seal(&sealed_for(id), cx.draws.nonce(), entry.text.as_bytes()),
            code: code(cx, product, &entry.text),
        };
        match store::insert(cx.tx, cx.merchant, product, &new, cx.now)? {
            Inserted::New => imported.added = imported.added.saturating_add(1),
            Inserted::Existing => imported.known.push(entry.line),
        }
    }
    let detail = serde_json::json!({
        "added": imported.added, "repeated": imported.repeated.len(), "known": imported.known.len(),
    });
    events::flow::record(cx, None, product, "access.imported", detail)?;
    if serve(cx, product)? == Served::Some {
        parts::flow::resume_waiting(cx, Part::Access, SERVED_AT_ONCE)?;
    }
    Ok(imported)
}

/// Tells one text from another without telling it. Under the oldest key, so that a rotation does not
/// make an entry look new.
fn code(cx: &Cx<'_, '_>, product: ProductId, text: &str) -> [u8; 16] {
    let oldest = cx.ring.keys().next().map_or(cx.ring.newest(), |(number, _)| number);
    let product = product.bits().to_be_bytes();
    cx.ring.code(oldest, "access entry", &[&product, text.as_bytes()]).unwrap_or_default()
}

/// Shows staff an entry. Who looked is written down.
pub fn reveal(cx: &mut Cx<'_, '_>, product: ProductId, id: AccessEntryId) -> Flow<String> {
    let entry = desk_store::find(cx.tx, cx.merchant, product, id)?;
    let entry = entry.ok_or_else(|| Problem::not_found("entry of this list"))?;
    let sealed = desk_store::sealed(cx.tx, cx.merchant, id)?;
    let plain =
        cx.ring.open(&sealed_for(id), &sealed).map_err(|error| Problem::conflict(error.to_string()))?;
    events::flow::record(cx, entry.order, product, "access.viewed", serde_json::json!({ "entry": id }))?;
    Ok(String::from_utf8_lossy(&plain).into_owned())
}

/// Takes a free entry out of the list: it is no longer good. It never comes back.
pub fn remove(cx: &mut Cx<'_, '_>, product: ProductId, id: AccessEntryId) -> Flow<()> {
    store::lock(cx.tx, cx.merchant, product)?;
    let entry = desk_store::find(cx.tx, cx.merchant, product, id)?;
    entry.ok_or_else(|| Problem::not_found("entry of this list"))?;
    if !desk_store::remove(cx.tx, cx.merchant, id, cx.now)? {
        return Err(Problem::conflict("this entry has been given away or removed already").into());
    }
    events::flow::record(cx, None, product, "access.removed", serde_json::json!({ "entry": id }))?;
    Ok(())
}
