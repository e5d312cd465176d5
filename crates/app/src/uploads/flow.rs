//! Beginning an upload, finding it, and what comes of it.

use db::Source;
use kernel::{FileVersionId, MerchantId, ProductFileId, ProductId, Timestamp, UploadId};

use super::{EXPIRES_AFTER, SIZE_MAX, UNDER_WAY_MAX, Upload, store};
use crate::announcements;
use crate::cx::Cx;
use crate::problem::{Code, Flow, Problem};
use crate::products::flow::{StoredFile, valid_file_name};
use crate::products::{self, ProductFile, change, desk_flow};

/// What is about to be sent.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// To be a file of this product.
    pub product: ProductId,
    /// In whose place.
    pub file: Option<ProductFileId>,
    /// The name that buyers will save it under.
    pub name: String,
    /// How large it will be.
    pub size: Option<u64>,
}

/// Begins an upload.
pub fn begin(cx: &mut Cx<'_, '_>, wanted: &Wanted) -> Flow<Upload> {
    products::store::by_id(cx.tx, cx.merchant, wanted.product)?
        .ok_or_else(|| Problem::not_found("product"))?;
    let name = valid_file_name(&wanted.name)
        .map_err(|problem| Problem { pointer: Some("name".to_owned()), ..problem })?;
    if wanted.size.is_some_and(|size| size > SIZE_MAX) {
        return Err(Problem::invalid("size", "no disk has room for a file of this size").into());
    }
    if let Some(file) = wanted.file {
        let known = products::store::files(cx.tx, cx.merchant, wanted.product)?;
        known.iter().find(|known| known.file == file).ok_or_else(|| Problem::not_found("file"))?;
    }
    // Those that have run out count until they are cleaned away, within the hour.
    if store::under_way(cx.tx, cx.merchant, UNDER_WAY_MAX)? >= UNDER_WAY_MAX {
        let text = format!("{UNDER_WAY_MAX} uploads are under way; finish some or give them up first");
        return Err(Problem::conflict(text).into());
    }
    let upload = Upload {
        id: UploadId::mint(cx.draws),
        merchant: cx.merchant,
        product: wanted.product,
        file: wanted.file,
        name,
        size: wanted.size,
        received: 0,
        sha256: None,
        version: None,
        created_at: cx.now,
        touched_at: cx.now,
    };
    store::insert(cx.tx, &upload)?;
    Ok(upload)
}

/// An upload that has not run out.
pub fn find(source: &mut impl Source, merchant: MerchantId, id: UploadId, now: Timestamp) -> Flow<Upload> {
    let upload = store::by_id(source, merchant, id)?.filter(|upload| now < upload.expires_at());
    Ok(upload.ok_or_else(|| Problem::not_found("upload, or it has run out"))?)
}

/// The same, held.
fn held(cx: &mut Cx<'_, '_>, id: UploadId) -> Flow<Upload> {
    let upload = store::lock(cx.tx, cx.merchant, id)?.filter(|upload| cx.now < upload.expires_at());
    Ok(upload.ok_or_else(|| Problem::not_found("upload, or it has run out"))?)
}

/// Notes how many bytes are durable.
pub fn note(cx: &mut Cx<'_, '_>, upload: &Upload, received: u64) -> Flow<()> {
    Ok(store::note(cx.tx, upload, received, cx.now)?)
}

/// Whether buyers hear of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nobody does.
    Nobody,
    /// Those who are entitled to a new version.
    Entitled,
}

/// Makes an upload's content, which lies in the blob store, a file of its product. Who comes
/// second hears what the first one made.
pub fn complete(cx: &mut Cx<'_, '_>, id: UploadId, stored: &StoredFile, told: Told) -> Flow<Upload> {
    let upload = held(cx, id)?;
    if upload.version.is_some() {
        return Ok(upload);
    }
    let version = put(cx, &upload, stored)?;
    store::complete(cx.tx, &upload, version, cx.now)?;
    if told == Told::Entitled {
        let files = products::store::files(cx.tx, cx.merchant, upload.product)?;
        if let Some(file) = files.into_iter().find(|file| file.version == version) {
            announcements::flow::announce(cx, upload.product, file.file)?;
        }
    }
    Ok(Upload { version: Some(version), touched_at: cx.now, ..upload })
}

fn put(cx: &mut Cx<'_, '_>, upload: &Upload, stored: &StoredFile) -> Flow<FileVersionId> {
    let Some(file) = upload.file else {
        let product = products::store::lock(cx.tx, cx.merchant, upload.product)?
            .ok_or_else(|| Problem::not_found("product"))?;
        return Ok(change::put_file(cx, &product, stored)?.version);
    };
    desk_flow::replace_file(cx, upload.product, file, stored)?;
    let files = products::store::files(cx.tx, cx.merchant, upload.product)?;
    let replaced = files.into_iter().find(|known| known.file == file);
    Ok(replaced.ok_or_else(|| Problem::not_found("file"))?.version)
}

/// The file that came of an upload, as it is now.
pub fn file_of(source: &mut impl Source, upload: &Upload) -> Flow<Option<ProductFile>> {
    let Some(version) = upload.version else { return Ok(None) };
    let files = products::store::files(source, upload.merchant, upload.product)?;
    Ok(files.into_iter().find(|file| file.version == version))
}

/// Gives an upload up. What has arrived of it goes with the next cleaning.
pub fn give_up(cx: &mut Cx<'_, '_>, id: UploadId) -> Flow<Upload> {
    let upload = held(cx, id)?;
    if upload.version.is_some() {
        let text = "this upload is finished; take the file off the product instead";
        return Err(Problem::new(Code::Conflict, text).into());
    }
    store::give_up(cx.tx, &upload)?;
    Ok(Upload { touched_at: cx.now - EXPIRES_AFTER, ..upload })
}
