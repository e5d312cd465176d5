//! Having contents deflated, and noting what came of it.

use db::DbError;
use stores::Digests;

use super::{DEFLATED_MIN, Known, store};
use crate::cx::Cx;
use crate::jobs::{self, Claimed, Work};
use crate::products;

/// Has a content of a product deflated, unless that was done or does not pay. The content must
/// have its row.
pub fn request(cx: &mut Cx<'_, '_>, sha256: &str, size: u64) -> Result<(), DbError> {
    if size < DEFLATED_MIN || store::known(cx.tx, sha256)? != Known::Nothing {
        return Ok(());
    }
    let work = Work::DeflateContent { merchant: cx.merchant, sha256: sha256.to_owned() };
    // A job that was given up is a person's; the next archive must not make another beside it.
    if jobs::store::is_known(cx.tx, &work)? {
        return Ok(());
    }
    jobs::flow::enqueue(cx, &work)
}

/// Notes what came of a content, and ends its job: the stream, which lies in the blob store
/// already, or that deflating does not pay.
pub fn record(
    cx: &mut Cx<'_, '_>,
    job: &Claimed,
    sha256: &str,
    stream: Option<&Digests>,
) -> Result<(), DbError> {
    let packed = stream.map(|stream| stream.sha256.to_string());
    if let (Some(stream), Some(packed)) = (stream, &packed) {
        products::store::insert_blob(cx.tx, packed, stream.size, stream.crc32, &stream.md5_hex(), cx.now)?;
    }
    store::insert(cx.tx, sha256, packed.as_deref(), cx.now)?;
    jobs::store::finish(cx.tx, job)
}
