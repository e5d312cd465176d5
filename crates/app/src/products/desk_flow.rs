//! What staff do with products: make and change them by a form, and manage their files.

use kernel::{PriceId, ProductFileId, ProductId};

use super::flow::{self, NewProduct, StoredFile};
use super::form::{self, Moment, Typed, Wanted, WantedPrice, Wrong};
use super::{Product, ProductStatus, change, price_at, store};
use crate::cx::Cx;
use crate::problem::{Flow, Problem};
use crate::web::stale::differing;

/// What became of a posted form.
#[derive(Debug)]
pub enum Saved {
    /// It is in force.
    Done(ProductId),
    /// These fields are wrong; nothing was saved.
    Wrong(Wrong),
    /// Somebody else has saved since the form was loaded.
    Stale {
        /// The version now.
        version: i64,
        /// What differs from what was typed, by field.
        theirs: Typed,
    },
}

/// Makes a product as it was typed.
pub fn create(cx: &mut Cx<'_, '_>, typed: &Typed, zone: &str) -> Flow<Saved> {
    let wanted = match form::read(typed, None, &moment(cx, zone)) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(Saved::Wrong(wrong)),
    };
    let new = NewProduct {
        sku: wanted.change.sku.clone().unwrap_or_default(),
        name: wanted.change.name.clone().unwrap_or_default(),
        description: wanted.change.description.clone().unwrap_or_default(),
        prices: Vec::new(),
    };
    let made = flow::create(cx, &new)?;
    let product = change::change(cx, made.id, &wanted.change)?;
    set_prices(cx, &product, &wanted.prices)?;
    Ok(Saved::Done(product.id))
}

/// Changes a product to what was typed over the version that was looked at.
pub fn save(cx: &mut Cx<'_, '_>, id: ProductId, version: i64, typed: &Typed, zone: &str) -> Flow<Saved> {
    let product = held(cx, id)?;
    if product.version != version {
        let theirs = form::typed_of(&product, &store::prices(cx.tx, cx.merchant, id)?, cx.now);
        return Ok(Saved::Stale { version: product.version, theirs: differing(theirs, typed) });
    }
    let Wanted { change, prices } = match form::read(typed, Some(&product), &moment(cx, zone)) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(Saved::Wrong(wrong)),
    };
    let product = change::change(cx, id, &change)?;
    set_prices(cx, &product, &prices)?;
    Ok(Saved::Done(id))
}

fn moment(cx: &Cx<'_, '_>, zone: &str) -> Moment {
    Moment { now: cx.now, zone: zone.to_owned() }
}

fn held(cx: &mut Cx<'_, '_>, id: ProductId) -> Flow<Product> {
    Ok(store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("product"))?)
}

/// What differs from the prices there are begins or ends; a currency whose row was emptied ends.
fn set_prices(cx: &mut Cx<'_, '_>, product: &Product, wanted: &[WantedPrice]) -> Flow<()> {
    let prices = store::prices(cx.tx, cx.merchant, product.id)?;
    for row in wanted {
        let from = row.from.unwrap_or(cx.now);
        let then = price_at(&prices, row.currency, from).map(|price| price.minor);
        match row.minor {
            same if same == then => {}
            None => change::end_price(cx, product, row.currency, from)?,
            Some(minor) => flow::set_price(cx, product, kernel::Money::new(minor, row.currency), from)?,
        }
    }
    for price in form::in_force(&prices, cx.now) {
        if wanted.iter().all(|row| row.currency != price.currency) {
            change::end_price(cx, product, price.currency, cx.now)?;
        }
    }
    Ok(())
}

/// Takes back a price before it comes into force.
pub fn withdraw_price(cx: &mut Cx<'_, '_>, id: ProductId, price: PriceId) -> Flow<()> {
    let product = held(cx, id)?;
    change::withdraw_price(cx, &product, price)
}

/// Puts a product on sale, or takes it off.
pub fn set_status(cx: &mut Cx<'_, '_>, id: ProductId, status: ProductStatus) -> Flow<()> {
    let wanted = change::Change { status: Some(status), ..change::Change::default() };
    change::change(cx, id, &wanted)?;
    Ok(())
}

/// Adds the files of one form, all or none. One with the name of a known file is its new version.
pub fn add_files(cx: &mut Cx<'_, '_>, id: ProductId, files: &[StoredFile]) -> Flow<()> {
    let product = held(cx, id)?;
    for stored in files {
        change::put_file(cx, &product, stored)?;
    }
    Ok(())
}

/// Puts a content in the place of a file's. The same once more changes nothing.
pub fn replace_file(
    cx: &mut Cx<'_, '_>,
    id: ProductId,
    file: ProductFileId,
    stored: &StoredFile,
) -> Flow<()> {
    let product = held(cx, id)?;
    let known = store::files(cx.tx, cx.merchant, id)?.into_iter().find(|known| known.file == file);
    let known = known.ok_or_else(|| Problem::not_found("file"))?;
    if known.sha256 != stored.sha256 || known.name != stored.name {
        flow::replace_file(cx, &product, &known, stored)?;
    }
    Ok(())
}

/// Takes a file off a product.
pub fn remove_file(cx: &mut Cx<'_, '_>, id: ProductId, file: ProductFileId) -> Flow<()> {
    let product = held(cx, id)?;
    change::remove_file(cx, &product, file)
}
