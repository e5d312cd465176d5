//! Who delivers a file: we do, a bucket does, or the proxy in front of us.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::MerchantId;
use net::headers::attachment;
use net::serve::Peer;
use stores::{PRESIGNED_MAX, Presign, Sha256};

use super::handing_over::hand_over;
use super::{Authorized, Content, Goods};
use crate::app::App;
use crate::cx::Actor;
use crate::problem::Flow;
use crate::storage::Way;

/// Who delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// We do: every byte is counted, and a revocation is felt at once.
    Us,
    /// A bucket, by a URL that is good for some minutes.
    Bucket,
    /// The proxy that the request came through.
    Proxy,
}

/// Who is to deliver what was authorized. Archives are computed, so they always go through us.
pub fn carrier(app: &App, authorized: &Authorized, peer: &Peer) -> Carrier {
    if !matches!(authorized.goods(), Goods::File(_)) {
        return Carrier::Us;
    }
    let hand_off = app.settings().hand_off.as_ref();
    if authorized.way == Way::Redirect && !app.blobs().presigns_from().is_empty() {
        Carrier::Bucket
    } else if hand_off.is_some_and(|hand_off| hand_off.proxies.contains(peer.socket.ip())) {
        Carrier::Proxy
    } else {
        Carrier::Us
    }
}

/// The headers that leave a file to somebody else, and the status; `None`: we deliver it ourselves,
/// since the other cannot, or has had it often enough.
pub async fn leave_to(
    app: &App,
    carrier: Carrier,
    authorized: &Arc<Authorized>,
    token: &str,
) -> Flow<Option<(StatusCode, HeaderMap)>> {
    let Goods::File(content) = authorized.goods() else { return Ok(None) };
    let headers = match carrier {
        Carrier::Us => None,
        Carrier::Bucket => signed(app, authorized, content).await,
        Carrier::Proxy => named(app, content).await,
    };
    let Some(headers) = headers else { return Ok(None) };
    let token = token.to_owned();
    let counted =
        app.write(MerchantId::from_bits(0), Actor::Visitor, move |cx| hand_over(cx, &token)).await?;
    Ok(counted.then_some(headers))
}

/// The headers by which a proxy describes the file that it would deliver.
pub async fn describe(
    app: &App,
    carrier: Carrier,
    authorized: &Arc<Authorized>,
) -> Option<(StatusCode, HeaderMap)> {
    match (carrier, authorized.goods()) {
        (Carrier::Proxy, Goods::File(content)) => named(app, content).await,
        _ => None,
    }
}

/// A redirect to a URL that a bucket will honor for some minutes, to whoever has it.
async fn signed(
    app: &App,
    authorized: &Arc<Authorized>,
    content: &Content,
) -> Option<(StatusCode, HeaderMap)> {
    let sha256: Sha256 = content.sha256.parse().ok()?;
    let (blobs, size) = (Arc::clone(app.blobs()), content.size);
    let disposition = attachment(authorized.name());
    let disposition = disposition.to_str().unwrap_or("attachment").to_owned();
    let sign = move || {
        let wanted = Presign {
            sha256,
            size,
            valid: PRESIGNED_MAX,
            disposition: &disposition,
            content_type: "application/octet-stream",
        };
        blobs.presign(&wanted)
    };
    let signed = match tokio::task::spawn_blocking(sign).await {
        Ok(signed) => signed,
        Err(error) => {
            tracing::error!(%error, "the thread that signed a URL ended early");
            return None;
        }
    };
    let url = signed
        .map_err(|error| tracing::warn!(%error, "a download goes through us: no bucket has it"))
        .ok()??;
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, HeaderValue::try_from(url.expose().as_str()).ok()?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Some((StatusCode::FOUND, headers))
}

/// The header by which a proxy delivers the file itself, once its store has been seen to have it.
async fn named(app: &App, content: &Content) -> Option<(StatusCode, HeaderMap)> {
    let hand_off = app.settings().hand_off.as_ref()?;
    let sha256: Sha256 = content.sha256.parse().ok()?;
    let (stores, size, from) = (Arc::clone(app.stores()), content.size, hand_off.store.clone());
    let open = move || {
        let member = stores.members().iter().find(|member| member.name == from)?;
        member
            .store
            .open(&sha256, size)
            .map_err(|error| tracing::error!(%error, "a proxy cannot have a file"))
            .ok()
    };
    tokio::task::spawn_blocking(open).await.ok()??;
    let path = format!("{}sha256/{:02x}/{sha256}", hand_off.prefix, sha256.shelf());
    let mut headers = HeaderMap::new();
    headers.insert(hand_off.header.clone(), HeaderValue::try_from(path).ok()?);
    Some((StatusCode::OK, headers))
}
