//! `/v1/products/{id}/files/{file}/announce`: telling of a new version.

use kernel::{ProductFileId, ProductId};
use serde::Serialize;
use utoipa::ToSchema;

use super::flow;
use crate::api_keys::Scope;
use crate::cx::Cx;
use crate::problem::Flow;
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::view::Nothing;

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::act(
        at(
            "announceVersion",
            "/v1/products/{id}/files/{file}/announce",
            Access::Scope(Scope::ProductsWrite),
            "Mails those who are entitled to it that the newest version of a file is out, once each.",
        ),
        announce,
    )]
}

/// Who hears of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Announcement)]
pub struct AnnouncementView {
    /// How many customers are entitled now. Those who have heard of this version do not hear again.
    entitled: u64,
}

/// `POST /v1/products/{id}/files/{file}/announce`
fn announce(
    cx: &mut Cx<'_, '_>,
    asked: &Asked<(ProductId, ProductFileId), Nothing>,
) -> Flow<AnnouncementView> {
    let (product, file) = asked.at;
    Ok(AnnouncementView { entitled: flow::announce(cx, product, file)? })
}
