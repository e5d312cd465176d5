//! `/v1/me` and the document: what a program needs before anything else.

use db::Snapshot;
use kernel::{ApiKeyId, Currency, MerchantId};
use serde::Serialize;
use utoipa::ToSchema;

use super::Scope;
use crate::api_keys;
use crate::merchants;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::view::Nothing;

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    let openapi = at("getOpenApi", "/v1/openapi.json", Access::Public, "This document.");
    let me_at = at("getMe", "/v1/me", Access::AnyKey, "The key in use, its scopes and its merchant.");
    vec![Endpoint::document(openapi), Endpoint::get(me_at, me)]
}

/// The key in use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeView {
    /// The key's id. Its secret is never shown again.
    key: ApiKeyId,
    /// What people called it.
    name: String,
    /// What it may do.
    scopes: Vec<Scope>,
    /// For whom it acts.
    merchant: MerchantView,
}

/// A seller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Merchant)]
pub struct MerchantView {
    id: MerchantId,
    /// Names it in paths.
    slug: String,
    name: String,
    /// What new products are priced in.
    currency: Currency,
    /// IANA name, for reports and invoice dates.
    time_zone: String,
}

/// `GET /v1/me`
fn me(snapshot: &mut Snapshot<'_>, asked: &Asked<(), Nothing>) -> Flow<MeView> {
    let key = api_keys::store::by_id(snapshot, asked.merchant, asked.caller.key)?;
    let key = key.ok_or_else(|| Problem::not_found("API key"))?;
    let merchant = merchants::store::by_id(snapshot, asked.merchant)?;
    Ok(MeView {
        key: key.id,
        name: key.name.clone(),
        scopes: key.scopes.iter().collect(),
        merchant: MerchantView {
            id: merchant.id,
            slug: merchant.slug,
            name: merchant.name,
            currency: merchant.currency,
            time_zone: merchant.time_zone,
        },
    })
}
