//! The hook: where gateways post.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use gateways::{Outcome, RawPost};
use http::{HeaderValue, StatusCode, header};
use kernel::ConnectionId;

use super::flow::{self, Receipt};
use crate::app::App;
use crate::connections::{self, Connection};
use crate::cx::Actor;
use crate::failpoint;
use crate::jobs;
use crate::problem::{Code, Problem};
use crate::web::reply::Refusal;
use crate::web::visit;

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new().route("/hooks/{connection}", post(hook))
}

/// `POST /hooks/{connection}`: stores the bytes durably, then acknowledges. Whether they are
/// the gateway's word is found out afterwards.
async fn hook(State(app): State<App>, Path(id): Path<String>, request: Request) -> Response {
    let unknown = || Refusal::plain(&Problem::not_found("hook"));
    let Ok(id) = id.parse::<ConnectionId>() else { return unknown() };
    let found = app.read_now(move |snapshot| Ok(connections::store::by_hook(snapshot, id)?));
    let connection = match found {
        Ok(Some(connection)) if connection.disabled_at.is_none() => connection,
        Ok(_) => return unknown(),
        Err(failure) => return Refusal::plain(&failure.into_problem()),
    };
    let Some(adapter) = gateways::gateway(&connection.gateway) else { return unknown() };
    let address = visit::peer(&request).addr.to_string();
    let (parts, body) = request.into_parts();
    let most = adapter.capabilities().post_bytes_max;
    let Ok(body) = to_bytes(body, most).await else {
        tracing::warn!(connection = %id, address, most, "a notice that was larger than allowed was refused");
        return Refusal::plain(&Problem::new(Code::TooLarge, format!("a notice has at most {most} bytes")));
    };
    let post = RawPost {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect(),
        body: body.to_vec(),
        received_at: app.now(),
    };
    #[cfg(feature = "failpoints")]
    if failpoint::acknowledges_early() {
        return acknowledge_before_the_commit(app, adapter, connection, post, address);
    }
    let outcome = store(&app, &connection, &post, &address).await;
    acknowledgment(adapter.acknowledge(&post, outcome))
}

/// Stores a post durably, and hands the job that verifies it over.
async fn store(app: &App, connection: &Connection, post: &RawPost, address: &str) -> Outcome {
    failpoint!(InboxBeforeCommit);
    let (merchant, id) = (connection.merchant, connection.id);
    let (connection, post, address) = (connection.clone(), post.clone(), address.to_owned());
    let received = app
        .write(merchant, Actor::Gateway(id), move |cx| {
            let waiting = super::store::any_beyond(cx.tx, cx.merchant, id, flow::RECEIVED_MAX)?;
            if waiting {
                return Ok(Receipt::Full);
            }
            Ok(flow::receive(cx, &connection, &post, &address)?)
        })
        .await;
    failpoint!(InboxAfterCommit);
    match received {
        Ok(Receipt::New(job)) => {
            jobs::runner::hand_over(app, job);
            Outcome::Stored
        }
        Ok(Receipt::Known) => Outcome::Stored,
        Ok(Receipt::Full) => Outcome::NotStored,
        Err(failure) => {
            tracing::error!(%failure, connection = %id, "a notice could not be stored; the gateway will send it again");
            Outcome::NotStored
        }
    }
}

/// The sabotage by which the crash tests prove that they would see a loss.
#[cfg(feature = "failpoints")]
fn acknowledge_before_the_commit(
    app: App,
    adapter: &'static dyn gateways::Gateway,
    connection: Connection,
    post: RawPost,
    address: String,
) -> Response {
    const BETWEEN: std::time::Duration = std::time::Duration::from_millis(300);
    let reply = adapter.acknowledge(&post, Outcome::Stored);
    tokio::spawn(async move {
        tokio::time::sleep(BETWEEN).await;
        store(&app, &connection, &post, &address).await
    });
    acknowledgment(reply)
}

fn acknowledgment(reply: gateways::Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Body::from(reply.body)).into_response();
    if !reply.content_type.is_empty() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    }
    response
}
