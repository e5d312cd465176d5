//! Keyed links: the landing page, and the POST that starts a download.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use kernel::{FileVersionId, MerchantId};

use crate::app::App;
use crate::cx::Actor;
use crate::downloads::flow::{Client, start};
use crate::downloads::pages::{go_to, transfer_path};
use crate::downloads::transfer_token;
use crate::problem::Problem;
use crate::web::reply::Refusal;
use crate::web::visit::Visit;

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new().route("/d/{token}/files/{file}", post(begin))
}

/// `POST /d/{token}/files/{file}`: reserves a place and goes on to the bytes. The token is the
/// proof here; a mail program's browser need not keep cookies.
async fn begin(
    State(app): State<App>,
    visit: Visit,
    Path((token, file)): Path<(String, String)>,
) -> Response {
    let Ok(file) = file.parse::<FileVersionId>() else {
        return Refusal::page(&app, &visit, &Problem::not_found("file"));
    };
    let client = Client { address: visit.address.to_string(), user_agent: visit.user_agent.clone() };
    let started = app
        .write(MerchantId::from_bits(0), Actor::Visitor, move |cx| {
            let download = start(cx, &token, file, &client)?;
            let files = crate::downloads::store::session(cx.tx, download.id)?;
            Ok((download, files.map(|session| session.name).unwrap_or_default()))
        })
        .await;
    match started {
        Ok((download, name)) => match transfer_token(app.ring(), &download) {
            Some(token) => go_to(&transfer_path(&token, &name)),
            None => Refusal::page(&app, &visit, &Problem::not_found("file")),
        },
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}
