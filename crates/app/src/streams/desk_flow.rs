//! What staff do with a product's stream.

use kernel::{ProductId, Secret};

use super::{Signing, Terms, store};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Flow, Problem};
use crate::ring::Ring;
use crate::{deliverables, products};

/// What a secret is sealed for.
fn sealed_for(product: ProductId) -> String {
    format!("stream secret of {product}")
}

/// Says what stream a product gives; `None` gives none. Answers a secret that was made for it: it is
/// shown once.
pub fn change(
    cx: &mut Cx<'_, '_>,
    product: ProductId,
    version: i64,
    terms: Option<&Terms>,
) -> Flow<Option<Secret<String>>> {
    let wanted = terms.cloned();
    deliverables::flow::change(cx, product, version, "stream", move |all| all.stream = wanted)?;
    let signed = terms.is_some_and(|terms| terms.signing == Signing::Signed);
    if signed && store::secret(cx.tx, cx.merchant, product)?.is_none() {
        return new_secret(cx, product).map(Some);
    }
    Ok(None)
}

/// Makes a secret in place of the one there is: what was signed by that is refused from now on.
pub fn new_secret(cx: &mut Cx<'_, '_>, product: ProductId) -> Flow<Secret<String>> {
    let known = products::store::by_id(cx.tx, cx.merchant, product)?;
    known.ok_or_else(|| Problem::not_found("product"))?;
    let bytes: [u8; 32] = cx.draws.nonce();
    let secret = hex::encode(bytes);
    let sealed = cx.ring.seal(&sealed_for(product), cx.draws.nonce(), secret.as_bytes());
    store::set_secret(cx.tx, cx.merchant, product, &sealed, cx.now)?;
    events::flow::record(cx, None, product, "stream.secret_made", serde_json::json!({}))?;
    Ok(Secret::new(secret))
}

/// Opens a sealed secret.
///
/// # Errors
/// When the ring lacks its key.
pub fn open(ring: &Ring, product: ProductId, sealed: &[u8]) -> Result<Secret<String>, Problem> {
    let plain =
        ring.open(&sealed_for(product), sealed).map_err(|error| Problem::conflict(error.to_string()))?;
    Ok(Secret::new(String::from_utf8_lossy(&plain).into_owned()))
}
