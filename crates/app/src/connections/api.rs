//! `/v1/connections`: accounts at gateways. Their secrets are in no view.

use std::collections::BTreeMap;

use db::Snapshot;
use kernel::{ConnectionId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Connection, mode_word, store};
use crate::api_keys::Scope;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::{Nothing, Page};

const READ: Access = Access::Scope(Scope::ConnectionsRead);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(at("listConnections", "/v1/connections", READ, "Accounts at gateways."), list),
        Endpoint::get(at("getConnection", "/v1/connections/{id}", READ, "An account at a gateway."), get),
    ]
}

/// An account at a gateway, in one mode.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView {
    id: ConnectionId,
    /// The adapter that speaks to it.
    gateway: String,
    /// `test` or `live`.
    mode: &'static str,
    name: String,
    /// What is not secret.
    settings: BTreeMap<String, String>,
    /// Where the gateway is to post its notices.
    hook_url: String,
    created_at: Timestamp,
    /// Since when it is off.
    disabled_at: Option<Timestamp>,
}

fn view(connection: Connection, base_url: &str) -> ConnectionView {
    ConnectionView {
        id: connection.id,
        mode: mode_word(connection.mode),
        hook_url: format!("{base_url}/hooks/{}", connection.id),
        created_at: connection.created_at,
        disabled_at: connection.disabled_at,
        gateway: connection.gateway,
        name: connection.name,
        settings: connection.settings,
    }
}

/// `GET /v1/connections`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Nothing>,
    paging: Paging<ConnectionId>,
) -> Flow<Page<ConnectionView>> {
    let base_url = &asked.app.settings().base_url;
    // Few: a merchant has one or two per gateway.
    let mut rows = store::list(snapshot, asked.merchant)?;
    rows.retain(|row| paging.after.is_none_or(|after| row.id > after));
    Ok(Page::of(rows, paging.limit, |row: &Connection| row.id.to_string(), |row| view(row, base_url)))
}

/// `GET /v1/connections/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<ConnectionId, Nothing>) -> Flow<ConnectionView> {
    let connection = store::by_id(snapshot, asked.merchant, asked.at)?;
    let connection = connection.ok_or_else(|| Problem::not_found("connection"))?;
    Ok(view(connection, &asked.app.settings().base_url))
}
