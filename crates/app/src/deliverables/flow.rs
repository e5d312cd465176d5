//! Changing what a product delivers.

use super::Deliverables;
use crate::cx::Cx;
use crate::events;
use crate::problem::{Flow, Problem};
use crate::products::{self, Product};
use kernel::ProductId;

/// Changes one of a product's deliverables. `version` is the one that the change was made on.
///
/// Orders keep what they were sold with.
///
/// # Errors
/// When there is no such product, or somebody else has changed it meanwhile.
pub fn change(
    cx: &mut Cx<'_, '_>,
    id: ProductId,
    version: i64,
    what: &str,
    change: impl FnOnce(&mut Deliverables),
) -> Flow<Product> {
    let product = products::store::lock(cx.tx, cx.merchant, id)?;
    let mut product = product.ok_or_else(|| Problem::not_found("product"))?;
    if product.version != version {
        let text = "somebody else has changed this product meanwhile; look at it again, then change it";
        return Err(Problem::conflict(text).into());
    }
    let before = product.deliverables.clone();
    change(&mut product.deliverables);
    if product.deliverables != before {
        products::store::save(cx.tx, &product, cx.now)?;
        product.version += 1;
        events::flow::record(cx, None, id, "product.delivery_changed", serde_json::json!({ "what": what }))?;
    }
    Ok(product)
}
