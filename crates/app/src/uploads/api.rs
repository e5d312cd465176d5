//! `/v1/uploads`: files that are sent in pieces.

use std::pin::Pin;

use db::{Snapshot, Source};
use kernel::{ProductFileId, ProductId, Timestamp, UploadId};
use serde::{Deserialize, Serialize};
use stores::Sha256;
use utoipa::ToSchema;

use super::flow::{self, Told, Wanted};
use super::{Upload, taking};
use crate::api_keys::Scope;
use crate::cx::Cx;
use crate::problem::{Flow, Problem};
use crate::products::api::FileView;
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{self, Asked, Endpoint, Telling, at};
use crate::web::api::view::Nothing;

const WRITE: Access = Access::Scope(Scope::ProductsWrite);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::create(
            at(
                "beginUpload",
                "/v1/products/{id}/uploads",
                WRITE,
                "Begins to send a file of a product in pieces.",
            ),
            begin,
        ),
        Endpoint::get_telling(
            at("getUpload", "/v1/uploads/{id}", WRITE, "How far an upload is; HEAD tells it too."),
            get,
            Telling {
                header: "upload-offset",
                meaning: "How many bytes are durable: where to go on.",
                tell: |view: &UploadView| view.received,
            },
        ),
        Endpoint::upload(
            at(
                "putPiece",
                "/v1/uploads/{id}/from/{offset}",
                WRITE,
                "Sends bytes from an offset on, which must be how far the upload is.",
            ),
            put_piece,
        ),
        Endpoint::put_slowly(
            at(
                "finishUpload",
                "/v1/uploads/{id}/file",
                WRITE,
                "Makes what has arrived a file of the product, or a new version of the file with its name.",
            ),
            finish,
        ),
        Endpoint::delete(at("giveUpUpload", "/v1/uploads/{id}", WRITE, "Gives an upload up."), give_up),
    ]
}

/// A file that is sent in pieces.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
pub struct UploadView {
    id: UploadId,
    product: ProductId,
    /// What buyers will save it under.
    name: String,
    /// In bytes, if it was announced.
    size: Option<u64>,
    /// How many bytes are durable: where to go on.
    received: u64,
    /// Until when somebody must have gone on with it.
    expires_at: Timestamp,
    /// What came of it, once it is finished and as long as it is the newest version.
    file: Option<FileView>,
}

fn view(source: &mut impl Source, upload: Upload) -> Flow<UploadView> {
    let file = flow::file_of(source, &upload)?.map(FileView::from);
    let expires_at = upload.expires_at();
    let Upload { id, product, name, size, received, .. } = upload;
    Ok(UploadView { id, product, name, size, received, expires_at, file })
}

/// What is about to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUpload)]
pub struct NewUploadBody {
    /// What buyers will save it under.
    name: String,
    /// In bytes: whether there is room is then known before they are sent, and whether all came when it is finished.
    size: Option<u64>,
    /// The file in whose place it comes, also under another name.
    file: Option<ProductFileId>,
}

/// `POST /v1/products/{id}/uploads`
fn begin(cx: &mut Cx<'_, '_>, asked: &Asked<ProductId, NewUploadBody>) -> Flow<UploadView> {
    let NewUploadBody { name, size, file } = &asked.input;
    let wanted = Wanted { product: asked.at, file: *file, name: name.clone(), size: *size };
    let upload = flow::begin(cx, &wanted)?;
    view(cx.tx, upload)
}

/// `GET /v1/uploads/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<UploadId, Nothing>) -> Flow<UploadView> {
    let upload = flow::find(snapshot, asked.merchant, asked.at, asked.app.now())?;
    view(snapshot, upload)
}

type Answering = Pin<Box<dyn Future<Output = Flow<UploadView>> + Send>>;

/// `PUT /v1/uploads/{id}/from/{offset}`
fn put_piece(upload: endpoint::Upload<(UploadId, u64)>) -> Answering {
    Box::pin(async move {
        let endpoint::Upload { asked, body } = upload;
        let (id, offset) = asked.at;
        let at = taking::At { merchant: asked.merchant, actor: asked.caller.actor(), id };
        let taken = taking::take(&asked.app, at, offset, body).await?;
        asked.app.read(move |snapshot| view(snapshot, taken.clone())).await
    })
}

/// What was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UploadEnd)]
pub struct UploadEndBody {
    /// Of all of it, as 64 lower-case hexadecimal digits; a difference is refused, and it is sent again.
    sha256: Option<String>,
    /// Whether those who are entitled to a new version are told of it by mail.
    #[serde(default)]
    announce: bool,
}

/// `PUT /v1/uploads/{id}/file`
fn finish(asked: Asked<UploadId, UploadEndBody>) -> Answering {
    Box::pin(async move {
        let expected = asked.input.sha256.as_deref().map(str::parse::<Sha256>).transpose();
        let expected = expected.map_err(|error| Problem::invalid("sha256", error))?;
        let told = if asked.input.announce { Told::Entitled } else { Told::Nobody };
        let at = taking::At { merchant: asked.merchant, actor: asked.caller.actor(), id: asked.at };
        let done = taking::finish(&asked.app, at, expected, told).await?;
        asked.app.read(move |snapshot| view(snapshot, done.clone())).await
    })
}

/// `DELETE /v1/uploads/{id}`
fn give_up(cx: &mut Cx<'_, '_>, asked: &Asked<UploadId, Nothing>) -> Flow<UploadView> {
    let upload = flow::give_up(cx, asked.at)?;
    view(cx.tx, upload)
}
