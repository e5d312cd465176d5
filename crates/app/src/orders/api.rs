//! `/v1/orders`: orders, and what can be done about them.

use db::{Snapshot, Source};
use kernel::{CustomerId, EmailAddress, GrantId, MerchantId, OrderId, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use super::api_views::{LinkView, OrderDetailView, OrderView, detail};
use super::{Filter, Order, OrderStatus, flow, store};
use crate::api_keys::Scope;
use crate::customers;
use crate::cx::Cx;
use crate::messages::compose;
use crate::problem::{Flow, Problem};
use crate::web::api::caller::Access;
use crate::web::api::endpoint::{Asked, Endpoint, at};
use crate::web::api::input::Paging;
use crate::web::api::view::{Nothing, Page};

const READ: Access = Access::Scope(Scope::OrdersRead);
const WRITE: Access = Access::Scope(Scope::OrdersWrite);

/// The endpoints of this noun.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::list(at("listOrders", "/v1/orders", READ, "Orders, newest first."), list),
        Endpoint::get(
            at("getOrder", "/v1/orders/{id}", READ, "An order with lines, payments and grants."),
            get,
        ),
        Endpoint::list(
            at(
                "listLinks",
                "/v1/orders/{id}/links",
                WRITE,
                "The keyed URLs that work now. Whoever has one can download.",
            ),
            links,
        ),
        Endpoint::act(
            at("resendLinks", "/v1/orders/{id}/resend", WRITE, "Mails the same links again."),
            resend,
        ),
        Endpoint::act_with(
            at("extendLinks", "/v1/orders/{id}/extend", WRITE, "Lets the links live longer."),
            extend,
        ),
        Endpoint::act(
            at("reissueLinks", "/v1/orders/{id}/reissue", WRITE, "Kills the links and mails new ones."),
            reissue,
        ),
        Endpoint::act(
            at("regenerateOrder", "/v1/orders/{id}/regenerate", WRITE, "Makes the whole transaction again."),
            regenerate,
        ),
    ]
}

/// Which orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// In this status.
    status: Option<OrderStatus>,
    /// Of this account.
    customer: Option<CustomerId>,
    /// Of the account with this mail address.
    email: Option<EmailAddress>,
    /// Placed at this time or later.
    created_from: Option<Timestamp>,
    /// Placed before this time.
    created_before: Option<Timestamp>,
}

/// `GET /v1/orders`
fn list(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<(), Wanted>,
    paging: Paging<OrderId>,
) -> Flow<Page<OrderView>> {
    let wanted = &asked.input;
    let mut filter = Filter {
        status: wanted.status,
        customer: wanted.customer,
        created_from: wanted.created_from,
        created_before: wanted.created_before,
    };
    if let Some(email) = &wanted.email {
        let known = customers::store::by_email(snapshot, asked.merchant, email)?.map(|known| known.id);
        let known = known.filter(|id| filter.customer.is_none_or(|wanted| wanted == *id));
        let Some(id) = known else { return Ok(Page { items: Vec::new(), next: None }) };
        filter.customer = Some(id);
    }
    let rows = store::page(snapshot, asked.merchant, &filter, paging.after, paging.rows())?;
    Ok(Page::of(rows, paging.limit, |row: &Order| row.id.to_string(), OrderView::from))
}

fn shown(source: &mut impl Source, merchant: MerchantId, id: OrderId) -> Flow<OrderDetailView> {
    let order = store::by_id(source, merchant, id)?.ok_or_else(|| Problem::not_found("order"))?;
    detail(source, order)
}

/// `GET /v1/orders/{id}`
fn get(snapshot: &mut Snapshot<'_>, asked: &Asked<OrderId, Nothing>) -> Flow<OrderDetailView> {
    shown(snapshot, asked.merchant, asked.at)
}

/// `GET /v1/orders/{id}/links`
fn links(
    snapshot: &mut Snapshot<'_>,
    asked: &Asked<OrderId, Nothing>,
    paging: Paging<GrantId>,
) -> Flow<Page<LinkView>> {
    let order = store::by_id(snapshot, asked.merchant, asked.at)?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    let lines = store::lines(snapshot, asked.merchant, order.id)?;
    let base_url = &asked.app.settings().base_url;
    let mut all = compose::deliveries_of(snapshot, asked.app.ring(), base_url, &order, &lines)?;
    if let Some(after) = paging.after {
        let seen = all.iter().position(|delivery| delivery.grant.id == after);
        all.drain(..seen.map_or(all.len(), |place| place + 1));
    }
    all.retain(|delivery| delivery.grant.expires_at > asked.app.now());
    Ok(Page::of(
        all,
        paging.limit,
        |delivery| delivery.grant.id.to_string(),
        |delivery| LinkView {
            grant: delivery.grant.id,
            name: delivery.name,
            url: delivery.url,
            expires_at: delivery.grant.expires_at,
        },
    ))
}

/// `POST /v1/orders/{id}/resend`
fn resend(cx: &mut Cx<'_, '_>, asked: &Asked<OrderId, Nothing>) -> Flow<OrderDetailView> {
    flow::resend(cx, asked.at)?;
    shown(cx.tx, cx.merchant, asked.at)
}

/// How much longer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Added to the time that is left.
    #[schema(minimum = 1, maximum = 3650)]
    days: i64,
}

/// `POST /v1/orders/{id}/extend`
fn extend(cx: &mut Cx<'_, '_>, asked: &Asked<OrderId, Extension>) -> Flow<OrderDetailView> {
    flow::extend(cx, asked.at, asked.input.days)?;
    shown(cx.tx, cx.merchant, asked.at)
}

/// `POST /v1/orders/{id}/reissue`
fn reissue(cx: &mut Cx<'_, '_>, asked: &Asked<OrderId, Nothing>) -> Flow<OrderDetailView> {
    flow::reissue(cx, asked.at)?;
    shown(cx.tx, cx.merchant, asked.at)
}

/// `POST /v1/orders/{id}/regenerate`
fn regenerate(cx: &mut Cx<'_, '_>, asked: &Asked<OrderId, Nothing>) -> Flow<OrderDetailView> {
    flow::regenerate(cx, asked.at)?;
    shown(cx.tx, cx.merchant, asked.at)
}
