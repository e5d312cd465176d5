//! Keeping templates and pictures.

use db::DbError;
use kernel::ProductId;
use stores::Digests;

use super::{Filled, KeptPicture, Terms, store};
use crate::cx::Cx;
use crate::deliverables;
use crate::problem::{Code, Flow, Problem};
use crate::products::{self, Product};

/// Bytes of pictures that a shop's visitors may leave without ordering. Beyond it nobody can
/// upload until some are forgotten or ordered: the disk is there for what is sold.
pub const UNORDERED_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Gives a product artwork, or other artwork.
pub fn set_template(
    cx: &mut Cx<'_, '_>,
    id: ProductId,
    version: i64,
    terms: &Terms,
    stored: &Digests,
) -> Flow<Product> {
    keep_template(cx, stored)?;
    change(cx, id, version, Some(terms))
}

/// Keeps a drawing for good: orders that were sold with it need it as long as they are there.
pub fn keep_template(cx: &mut Cx<'_, '_>, stored: &Digests) -> Result<(), DbError> {
    let sha256 = stored.sha256.to_string();
    products::store::insert_blob(cx.tx, &sha256, stored.size, stored.crc32, &stored.md5_hex(), cx.now)?;
    store::insert_template(cx.tx, cx.merchant, stored, cx.now)
}

/// Changes a product's artwork, or takes it away.
pub fn change(cx: &mut Cx<'_, '_>, id: ProductId, version: i64, terms: Option<&Terms>) -> Flow<Product> {
    deliverables::flow::change(cx, id, version, "artwork", |all| all.artwork = terms.cloned())
}

/// Keeps a buyer's picture until it is ordered or forgotten.
pub fn keep_picture(cx: &mut Cx<'_, '_>, kept: &KeptPicture, stored: &Digests) -> Flow<()> {
    if store::unordered_bytes(cx.tx, cx.merchant)? > UNORDERED_BYTES_MAX {
        let text = "this shop cannot take more pictures at the moment; try again tomorrow";
        return Err(Problem::new(Code::Unavailable, text).into());
    }
    store::insert_picture(cx.tx, cx.merchant, (stored, (kept.width, kept.height)), cx.now)?;
    Ok(())
}

/// What was filled in is ordered: its pictures stay as long as the order.
///
/// # Errors
/// When a picture has been forgotten meanwhile.
pub fn ordered(cx: &mut Cx<'_, '_>, filled: &Filled) -> Flow<()> {
    for kept in filled.pictures() {
        let found = store::picture(cx.tx, cx.merchant, &kept.picture)?;
        let Some(content) = found.map(|found| found.stored) else {
            let text = "a picture that was uploaded is no longer there; choose it again";
            return Err(Problem::invalid("choice", text).into());
        };
        products::store::insert_blob(
            cx.tx,
            &content.sha256,
            content.size,
            content.crc32,
            &content.md5,
            cx.now,
        )?;
        store::keep(cx.tx, cx.merchant, &content.sha256, cx.now)?;
    }
    Ok(())
}
